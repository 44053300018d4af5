"""The Gemini dialect on the real SDK: one attempt, its own key, thinking counted, nothing raw let through."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
import responses

from core.clock import SystemClock
from providers.account import Account
from providers.contracts import ChatReply, ChatRequest, Message, Route, Told, Usage
from providers.errors import BadReply, Busy, Down, KeyRejected, ModelGone, ProviderError, Refused
from providers.gemini import Gemini
from providers.http import Http
from tests.gemini_server import Handler, Server, said
from tests.wire import Wire, drips

KEY = "canary-key-5f2c"
ROUTE = Route("gemini", "gemini-3.5-flash-lite", "small", "lite", (), 1, json="object")
REQUEST = ChatRequest(
    (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Yes?"),
        Message("user", "Go on"),
    ),
    max_tokens=40,
    temperature=0.5,
    timeout=5.0,
)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join(5)


def at(url: str, key: str = KEY) -> Gemini:
    account = Account(http=Http(SystemClock(), private=True), key=key, dialect="gemini")
    return Gemini(account=account, base_url=url)


def gemini(server: Server, key: str = KEY) -> Gemini:
    return at(server.url, key)


def ask(server: Server, request: ChatRequest = REQUEST, route: Route = ROUTE) -> ChatReply:
    return gemini(server).complete(route, request)


def fails(server: Server, request: ChatRequest = REQUEST) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(server, request)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in repr(caught.value)
    return caught.value


def test_a_plain_answer_counts_thinking(server: Server) -> None:
    server.reply(said())
    assert ask(server) == ChatReply("Hello", "gemini-3.5-flash-lite-001", Usage(12, 35), "stop")


def test_the_request_on_the_wire(server: Server) -> None:
    server.reply(said())
    ask(server)
    [(path, headers, body)] = server.calls
    assert path.partition("?")[0] == "/v1beta/models/gemini-3.5-flash-lite:generateContent"
    assert KEY not in path
    assert headers["x-goog-api-key"] == KEY
    assert headers["user-agent"].startswith("Greenroom/")
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert [(turn["role"], turn["parts"]) for turn in body["contents"]] == [
        ("user", [{"text": "Hi"}]),
        ("model", [{"text": "Yes?"}]),
        ("user", [{"text": "Go on"}]),
    ]
    assert body["generationConfig"] == {"maxOutputTokens": 40, "temperature": 0.5}


@pytest.mark.parametrize(
    ("kind", "mime"), [("schema", "application/json"), ("object", "application/json"), ("none", None)]
)
def test_json_is_asked_for_without_a_schema(server: Server, kind: Any, mime: str | None) -> None:
    server.reply(said("{}"))
    wants = ChatRequest((Message("user", "Hi"),), schema={"type": "object", "additionalProperties": False})
    ask(server, wants, Route("gemini", "gemini-x", "small", "p", (), 1, json=kind))
    config = server.calls[0][2]["generationConfig"]
    assert config.get("responseMimeType") == mime
    assert "responseSchema" not in config


def test_finish_reasons_may_be_numbers(server: Server) -> None:
    for reason, name in (
        (1, "stop"),
        (2, "length"),
        ("MAX_TOKENS", "length"),
        (99, "other"),
        ("NEW_ONE", "new_one"),
    ):
        server.reply(said("Hel", reason))
        assert ask(server).finish_reason == name


def test_thoughts_are_not_text(server: Server) -> None:
    body = said()
    body["candidates"][0]["content"]["parts"].insert(0, {"text": "hm", "thought": True})
    server.reply(body)
    assert ask(server).text == "Hello"


@pytest.mark.parametrize("finish", ["SAFETY", 3, "PROHIBITED_CONTENT", "RECITATION", "BLOCKLIST", "SPII"])
def test_a_filtered_answer_is_refused(server: Server, finish: Any) -> None:
    server.reply(said(None, finish))
    error = fails(server)
    assert (type(error), error.outcome, error.usage) == (Refused, "answered", Usage(12, 35))


@pytest.mark.parametrize("reason", ["SAFETY", 1, "PROHIBITED_CONTENT"])
def test_a_blocked_prompt_is_refused(server: Server, reason: Any) -> None:
    server.reply({"promptFeedback": {"blockReason": reason}, "usageMetadata": {"promptTokenCount": 12}})
    error = fails(server)
    assert (type(error), error.usage) == (Refused, Usage(12, 0))


@pytest.mark.parametrize("body", [said(None, "MAX_TOKENS"), said(""), said(candidates=[]), said(candidates=[{}])])
def test_no_text_is_a_bad_reply_that_still_cost_something(server: Server, body: Any) -> None:
    server.reply(body)
    error = fails(server)
    assert (type(error), error.outcome, error.usage) == (BadReply, "answered", Usage(12, 35))


@pytest.mark.parametrize(
    "body", [b"", b"nope", b"null", b"[]", b"17", b'{"candidates": NaN}', b"[" * 100_000, b"{}"]
)
def test_what_is_no_answer_is_a_bad_reply(server: Server, body: bytes) -> None:
    server.reply(body)
    error = fails(server)
    assert (type(error), error.outcome) == (BadReply, "answered")


def test_a_web_page_is_not_an_answer(server: Server) -> None:
    server.reply(b"<html>Log in to this wireless network</html>")
    assert type(fails(server)) is Down


PER_DAY = [
    {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "500"}]},
    {"retryDelay": "21s"},
]
BAD_KEY = [{"reason": "API_KEY_INVALID"}]
NO_QUOTA = [{"violations": [{"quotaId": "GenerateRequestsPerDay", "quotaValue": "0"}]}]


@pytest.mark.parametrize(
    ("status", "details", "kind", "outcome"),
    [
        (400, BAD_KEY, KeyRejected, "unauthorised"),
        (401, [], KeyRejected, "unauthorised"),
        (403, [], KeyRejected, "unauthorised"),
        (404, [], ModelGone, "rejected"),
        (429, PER_DAY, Busy, "rate_limited"),
        (429, NO_QUOTA, ModelGone, "rate_limited"),
        (500, [], Down, "server_error"),
        (503, [], Down, "server_error"),
        (504, [], Down, "server_error"),
        (200, [], Down, "server_error"),
    ],
)
def test_errors_take_one_attempt_and_are_classified(
    server: Server, status: int, details: Any, kind: type, outcome: str
) -> None:
    code = 503 if status == 200 else status
    server.reply({"error": {"code": code, "message": f"about {KEY}", "details": details}}, status)
    error = fails(server)
    assert (type(error), error.outcome) == (kind, outcome)
    assert len(server.calls) == 1
    if isinstance(error, Busy):
        assert (error.period, error.until, error.confidence) == ("day", None, "certain")
        assert error.told == (Told("requests", "day", 500, 0),)


def test_it_can_be_answered_without_a_wire() -> None:
    provider = at("https://generativelanguage.googleapis.com")
    url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.5-flash-lite:generateContent"
    with responses.RequestsMock() as mock:
        mock.post(url, json=said())
        assert provider.complete(ROUTE, REQUEST).text == "Hello"


def test_a_redirect_is_not_followed(server: Server) -> None:
    server.reply(b"", 302, Location=server.url + "/elsewhere")
    error = fails(server)
    assert (type(error), error.outcome) == (Down, "rejected")
    assert len(server.calls) == 1


def test_a_refused_connection_was_not_sent(server: Server) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as unused:
        port = unused.server_port
    with pytest.raises(Down) as caught:
        at(f"http://127.0.0.1:{port}").complete(ROUTE, REQUEST)
    assert caught.value.outcome == "not_sent"


def test_a_dripping_answer_is_cut_off_at_the_deadline(wire_url: str) -> None:
    provider = at(wire_url)
    began = time.monotonic()
    with pytest.raises(Down) as caught:
        provider.complete(ROUTE, ChatRequest((Message("user", "Hi"),), timeout=0.5))
    assert caught.value.outcome == "no_reply"
    assert time.monotonic() - began < 6.0


@pytest.fixture
def wire_url() -> Iterator[str]:
    server = Wire(drips(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b" "))
    yield f"http://127.0.0.1:{server.port}"
    server.close()


def test_a_request_that_cannot_be_built_was_not_sent(server: Server) -> None:
    error = fails(server, ChatRequest((Message("user", "half a character: \ud800"),)))
    assert (type(error), error.outcome) == (BadReply, "not_sent")
    assert server.calls == []


@pytest.mark.parametrize("key", ["", " ", "canary\n", "canary ключ"])
def test_without_a_usable_key_nothing_is_sent_and_the_environment_is_not_asked(
    server: Server, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "canary-from-environment")
    monkeypatch.setenv("GOOGLE_API_KEY", "canary-from-environment")
    with pytest.raises(KeyRejected) as caught:
        gemini(server, key).complete(ROUTE, REQUEST)
    assert "canary" not in str(caught.value)
    assert caught.value.outcome == "not_sent"
    assert server.calls == []


def test_keys_never_swap_between_threads(server: Server) -> None:
    server.echo = True
    providers = {key: gemini(server, key) for key in ("key-a", "key-b")}
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as pool:
            keys = ["key-a", "key-b"] * 80
            answers = list(pool.map(lambda key: providers[key].complete(ROUTE, REQUEST).text, keys))
    finally:
        sys.setswitchinterval(switch)
    assert answers == keys


def test_the_sdk_is_imported_on_the_first_call_only() -> None:
    script = (
        "import sys; from core.clock import SystemClock; from providers.registry import connect, load_catalog;"
        "connect(load_catalog(), {'GEMINI_API_KEY': 'k'}, SystemClock());"
        "sys.exit(bool({'google.generativeai', 'google.ai', 'grpc'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
