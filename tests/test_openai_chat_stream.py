"""Streams of the chat-completions dialect on a real wire: pieces, thinking, and every way to break off."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.clock import SystemClock
from providers.contracts import (
    BadReply,
    Busy,
    ChatRequest,
    Down,
    KeyRejected,
    Message,
    ProviderError,
    Refused,
    Route,
)
from providers.http import Http
from providers.openai_chat import OpenAIChat
from tests.wire import Wire, sends, stalls

KEY = "canary-key-5f2c"
ROUTE = Route("acme", "model-1", "small", "acme", (), 1)
REQUEST = ChatRequest((Message("user", "Hi"),), timeout=5.0)


@pytest.fixture
def stream() -> Iterator[Callable[..., Iterator[str]]]:
    servers: list[Wire] = []

    def start(*events: Any, end: bytes = b"data: [DONE]\n\n", hold: bool = False, head: str = "") -> Iterator[str]:
        data = (head or "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n").encode()
        data += b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events) + end
        servers.append(Wire(stalls(data) if hold else sends(data)))
        provider = OpenAIChat(http=Http(SystemClock()), clock=SystemClock(), url=servers[-1].url, key=KEY)
        return provider.stream(ROUTE, REQUEST)

    yield start
    for server in servers:
        assert '"stream": true' in server.requests[0]
        server.close()


def delta(content: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": content}, "finish_reason": finish}], **more}


Start = Callable[..., Iterator[str]]


def test_a_stream_yields_text_as_it_comes(stream: Start) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 1}}
    assert list(stream(delta(""), delta("Hel"), delta(None), delta("lo"), delta(None, "stop"), usage)) == [
        "Hel",
        "lo",
    ]


def test_a_stream_may_end_without_its_mark(stream: Start) -> None:
    assert list(stream(delta("Hello", "stop"), end=b"")) == ["Hello"]


def test_a_closed_stream_does_not_wait_for_the_rest(stream: Start) -> None:
    pieces = stream(delta("Hel"), end=b"", hold=True)
    assert next(pieces) == "Hel"
    pieces.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_thinking_is_left_out_wherever_the_pieces_are_cut(stream: Start, cut: int) -> None:
    whole = "\ufeff<think>so, well</think>\n\nHello <think> there"
    pieces = stream(*(delta(whole[at : at + cut]) for at in range(0, len(whole), cut)))
    assert "".join(pieces) == "Hello <think> there"


def test_a_short_answer_that_looks_like_a_tag_is_not_lost(stream: Start) -> None:
    assert list(stream(delta("<th"), delta(None, "stop"))) == ["<th"]


@pytest.mark.parametrize(
    ("events", "end", "kind", "outcome"),
    [
        ([delta("Hel")], b"", Down, "no_reply"),
        ([delta("Hel")], b'data: {"choices": [{"del', Down, "no_reply"),
        ([delta("Hel"), {"error": {"code": 502, "message": "x"}}], b"", Down, "server_error"),
        ([delta("Hel"), {"error": {"message": "x"}, "status_code": 429}], b"", Busy, "rate_limited"),
        ([delta("Hel"), delta("", "content_filter")], b"", Refused, "answered"),
        ([delta("Hel")], b"data: {nope\n\n", BadReply, "answered"),
        ([delta(""), delta("<think>hm"), delta("", "length")], b"", BadReply, "answered"),
        ([], b"data: [DONE]\n\n", BadReply, "answered"),
        ([], b"", Down, "no_reply"),
    ],
)
def test_how_streams_fail(stream: Start, events: list[Any], end: bytes, kind: type, outcome: str) -> None:
    with pytest.raises(ProviderError) as caught:
        list(stream(*events, end=end))
    assert (type(caught.value), caught.value.outcome) == (kind, outcome)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_stream_refused_from_the_start_is_classified(stream: Start) -> None:
    body = b'{"error": {"message": "Invalid API Key"}}'
    head = f"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with pytest.raises(KeyRejected):
        next(stream(head=head, end=body))


def test_a_whole_answer_in_place_of_a_stream_is_taken(stream: Start) -> None:
    body = b'{"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    assert list(stream(head=head, end=body)) == ["Hello"]
