"""Streams of the chat-completions dialect on a real wire: pieces, the whole, and every way to break off."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from core.clock import SystemClock
from providers.account import Account
from providers.contracts import ChatReply, ChatRequest, Message, Route, Told, Usage
from providers.errors import BadReply, Busy, Down, KeyRejected, ProviderError, Refused
from providers.http import Http
from providers.openai_chat import OpenAIChat
from providers.told import Tell
from tests.fakes.upstream import FakeUpstream
from tests.wire import Wire, sends, stalls

KEY = "canary-key-5f2c"
ROUTE = Route("acme", "model-1", "small", "acme", (), 1)
REQUEST = ChatRequest((Message("user", "Hi"),), timeout=5.0)
TELLS = {"x-left": Tell("requests", "day", "remaining")}
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Left: 7\r\nConnection: close\r\n\r\n"

Pieces = Generator[str, None, ChatReply]
Start = Callable[..., Pieces]


def quiet() -> None:
    """A pulse of somebody who wants to go on."""


def drained(pieces: Pieces) -> tuple[list[str], ChatReply]:
    seen = []
    while True:
        try:
            seen.append(next(pieces))
        except StopIteration as end:
            return seen, end.value


def chat(url: str, **knobs: Any) -> OpenAIChat:
    account = Account(http=Http(SystemClock(), private=True), key=KEY, tells=TELLS)
    return OpenAIChat(account=account, url=url, **knobs)


@pytest.fixture
def stream() -> Iterator[Start]:
    servers: list[Wire] = []

    def start(*events: Any, end: bytes = b"data: [DONE]\n\n", hold: bool = False, head: str = "") -> Pieces:
        data = (head or HEAD).encode()
        data += b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events) + end
        servers.append(Wire(stalls(data) if hold else sends(data)))
        return chat(servers[-1].url).stream(ROUTE, REQUEST, quiet)

    yield start
    for server in servers:
        assert '"stream": true' in server.requests[0]
        server.close()


def delta(content: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": content}, "finish_reason": finish}], **more}


COUNTED = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 20}}


def test_a_stream_yields_text_as_it_comes_and_returns_the_whole(stream: Start) -> None:
    events = (
        delta(""),
        delta("Hel", model="model-1-2026"),
        delta(None),
        delta("lo\n"),
        delta(None, "stop"),
        COUNTED,
    )
    pieces, reply = drained(stream(*events))
    assert pieces == ["Hel", "lo\n"]
    told = (Told("requests", "day", remaining=7),)
    assert reply == ChatReply("Hello\n", "model-1-2026", Usage(9, 11), "stop", told)


def test_a_stream_may_end_without_its_mark_and_without_usage_or_model(stream: Start) -> None:
    _, reply = drained(stream(delta("Hello", "stop"), end=b""))
    assert (reply.text, reply.model, reply.usage) == ("Hello", "model-1", None)


@pytest.mark.parametrize(
    "usage", [None, [], {"prompt_tokens": "9"}, {"prompt_tokens": -1, "completion_tokens": 2}]
)
def test_usage_that_cannot_be_meant_does_not_replace_what_was_said(stream: Start, usage: Any) -> None:
    _, reply = drained(stream(delta("Hello", "stop"), COUNTED, {"choices": [], "usage": usage}))
    assert reply.usage == Usage(9, 11)


def test_a_text_cut_at_the_token_limit_is_returned_as_it_is(stream: Start) -> None:
    _, reply = drained(stream(delta("Hel"), delta("", "length"), COUNTED))
    assert (reply.text, reply.finish_reason, reply.usage) == ("Hel", "length", Usage(9, 11))


def test_a_closed_stream_does_not_wait_for_the_rest(stream: Start) -> None:
    pieces = stream(delta("Hel"), end=b"", hold=True)
    assert next(pieces) == "Hel"
    pieces.close()


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_thinking_is_left_out_wherever_the_pieces_are_cut(stream: Start, cut: int) -> None:
    whole = "\ufeff<think>so, well</think>\n\nHello <think> there"
    pieces, reply = drained(stream(*(delta(whole[at : at + cut]) for at in range(0, len(whole), cut))))
    assert "".join(pieces) == reply.text == "Hello <think> there"


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
        ([delta(" \n"), delta("", "stop")], b"", BadReply, "answered"),
        ([], b"data: [DONE]\n\n", BadReply, "answered"),
        ([], b"", Down, "no_reply"),
    ],
)
def test_how_streams_fail(stream: Start, events: list[Any], end: bytes, kind: type, outcome: str) -> None:
    with pytest.raises(ProviderError) as caught:
        list(stream(*events, end=end))
    assert (type(caught.value), caught.value.outcome) == (kind, outcome)
    assert caught.value.told == (Told("requests", "day", remaining=7),)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("finish", "kind"), [("content_filter", Refused), ("length", BadReply)])
def test_a_stream_without_an_answer_still_cost_something(stream: Start, finish: str, kind: type) -> None:
    with pytest.raises(ProviderError) as caught:
        list(stream(delta("", finish), COUNTED))
    assert (type(caught.value), caught.value.usage) == (kind, Usage(9, 11))


def test_a_stream_refused_from_the_start_is_classified(stream: Start) -> None:
    body = b'{"error": {"message": "Invalid API Key"}}'
    head = f"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with pytest.raises(KeyRejected):
        next(stream(head=head, end=body))


def test_a_whole_answer_in_place_of_a_stream_is_taken(stream: Start) -> None:
    body = b'{"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    assert drained(stream(head=head, end=body)) == (["Hello"], ChatReply("Hello", "model-1", None, "stop"))


def test_a_web_page_in_place_of_a_stream_is_not_an_answer(stream: Start) -> None:
    with pytest.raises(Down) as caught:
        list(stream(head="HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n", end=b"<html>"))
    assert caught.value.outcome == "answered"


# At a provider that counts


STORY = "Tell me about a time you disagreed with a colleague."
WANTS_JSON = ChatRequest((Message("user", "Hi"),), schema={"type": "object"})
JSON_ROUTE = Route("acme", "model-1", "small", "acme", (), 1, json="schema")


class Gone(BaseException):
    """Like what Streamlit raises to end a script: no Exception."""


def test_usage_is_asked_for_and_is_what_the_provider_counted() -> None:
    with FakeUpstream(reply=lambda _: STORY, thinking_tokens=5) as fake:
        pieces, reply = drained(chat(f"{fake.base_url}/chat/completions").stream(ROUTE, REQUEST, quiet))
        assert fake.requests()[0].body["stream_options"] == {"include_usage": True}
        counted = fake.counts.tokens
    assert len(pieces) > 3
    assert reply.text == STORY
    assert reply.usage is not None
    assert reply.usage.total_tokens == counted


def test_usage_is_not_asked_for_where_that_is_refused() -> None:
    with FakeUpstream("mistral", reply=lambda _: STORY) as fake:
        url = f"{fake.base_url}/chat/completions"
        with pytest.raises(BadReply):
            list(chat(url).stream(ROUTE, REQUEST, quiet))
        _, reply = drained(chat(url, stream_usage=False).stream(ROUTE, REQUEST, quiet))
    assert reply.text == STORY


def test_json_is_asked_for_whole_where_it_cannot_be_streamed() -> None:
    with FakeUpstream("groq") as fake:
        provider = chat(f"{fake.base_url}/chat/completions", stream_json=False)
        assert drained(provider.stream(JSON_ROUTE, WANTS_JSON, quiet))[0] == ["{}"]
        assert fake.requests()[0].wants_json
        with FakeUpstream("groq", reply=lambda _: STORY) as other:
            provider = chat(f"{other.base_url}/chat/completions", stream_json=False)
            assert len(drained(provider.stream(JSON_ROUTE, REQUEST, quiet))[0]) > 1


def test_a_pulse_that_raises_half_way_ends_the_call_and_the_provider_sees_it() -> None:
    beats: list[None] = []

    def pulse() -> None:
        beats.append(None)
        if len(beats) == 3:
            raise Gone

    with FakeUpstream(reply=lambda _: STORY) as fake:
        fake.plan("stall:3")
        pieces = chat(f"{fake.base_url}/chat/completions").stream(ROUTE, REQUEST, pulse)
        assert "".join(next(pieces) for _ in range(3)) == STORY[:36]
        with pytest.raises(Gone):
            next(pieces)
        assert fake.wait_for_departures()
        assert len(beats) == 3


def test_closing_the_pieces_half_way_ends_the_call_and_the_provider_sees_it() -> None:
    with FakeUpstream(reply=lambda _: STORY) as fake:
        fake.plan("stall:1")
        pieces = chat(f"{fake.base_url}/chat/completions").stream(ROUTE, REQUEST, quiet)
        assert next(pieces) == STORY[:12]
        assert not fake.wait_for_departures(within=0.0)
        pieces.close()
        assert fake.wait_for_departures()
