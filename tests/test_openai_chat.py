"""The chat-completions dialect: what is sent, how every kind of answer is read, and streams."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from typing import Any, Literal

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SystemClock
from providers.account import Account
from providers.cloudflare import Cloudflare
from providers.contracts import ChatReply, ChatRequest, Limit, Message, Route, Told, Usage
from providers.errors import BadReply, Busy, Down, KeyRejected, ProviderError, Refused
from providers.http import Http
from providers.openai_chat import OpenAIChat
from providers.told import Tell
from providers.visible import visible_text

KEY = "canary-key-5f2c"
URL = "https://api.example/v1/chat/completions"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
REQUEST = ChatRequest((Message("system", "Be brief."), Message("user", "Hi")), max_tokens=40, timeout=5.0)
WANTS_JSON = ChatRequest((Message("user", "Hi"),), schema=SCHEMA)


def route(kind: Literal["schema", "object", "none"] = "none") -> Route:
    return Route("acme", "model-1", "small", "acme", (), 1, json=kind)


def chat(kind: type[OpenAIChat] = OpenAIChat, url: str = URL, **knobs: Any) -> OpenAIChat:
    about = {name: knobs.pop(name) for name in ("key", "headers", "tells") if name in knobs}
    account = Account(http=Http(SystemClock(), private=True), **{"key": KEY, **about})
    return kind(account=account, url=url, **knobs)


def completion(content: Any = "Hello", finish: Any = "stop", **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return {"model": "model-1-2026", "choices": [choice], "usage": usage, **more}


def ask(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> ChatReply:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    with responses.RequestsMock() as mock:
        mock.post(URL, body=text, status=status, headers=headers)
        return chat(tells=TELLS).complete(route(), REQUEST)


def fails(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(body, status, headers)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    return caught.value


def sent(provider: OpenAIChat, to: Route, request: ChatRequest) -> tuple[dict[str, Any], Any]:
    with responses.RequestsMock() as mock:
        mock.post(URL, json=completion())
        provider.complete(to, request)
        return json.loads(mock.calls[0].request.body or ""), mock.calls[0].request.headers


def test_a_plain_answer() -> None:
    assert ask(completion()) == ChatReply("Hello", "model-1-2026", Usage(9, 4), "stop")


def test_the_request_on_the_wire() -> None:
    body, headers = sent(chat(headers={"X-Title": "Greenroom"}, body={"seed": 1}), route(), REQUEST)
    assert body == {
        "model": "model-1",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "temperature": 0.0,
        "max_tokens": 40,
        "seed": 1,
    }
    assert (headers["Authorization"], headers["X-Title"]) == (f"Bearer {KEY}", "Greenroom")


def test_the_token_limit_goes_by_the_providers_name_for_it() -> None:
    body, _ = sent(chat(max_tokens_field="max_completion_tokens"), route(), REQUEST)
    assert body["max_completion_tokens"] == 40
    assert "max_tokens" not in body


def test_json_is_asked_for_as_well_as_the_route_can() -> None:
    wrapped = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}
    assert sent(chat(), route("schema"), WANTS_JSON)[0]["response_format"] == wrapped
    direct = {"type": "json_schema", "json_schema": SCHEMA}
    assert sent(chat(Cloudflare), route("schema"), WANTS_JSON)[0]["response_format"] == direct
    assert sent(chat(), route("object"), WANTS_JSON)[0]["response_format"] == {"type": "json_object"}
    assert "response_format" not in sent(chat(), route("none"), WANTS_JSON)[0]
    assert "response_format" not in sent(chat(), route("schema"), REQUEST)[0]


def test_without_a_key_nothing_is_authorised() -> None:
    _, headers = sent(chat(key=""), route(), REQUEST)
    assert "Authorization" not in headers


def test_the_object_shows_no_secret() -> None:
    provider = chat(url="https://api.example/accounts/canary-account/ai", headers={"X-Key": "canary-header"})
    assert "canary" not in repr(provider)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("\ufeffHello", "Hello"),
        ("<think>hm\nhm</think>\n\nHello", "Hello"),
        ([{"type": "text", "text": "Hel"}, {"type": "image"}, {"type": "text", "text": "lo"}], "Hello"),
        ("  Hello\n", "Hello"),
    ],
)
def test_text_is_found_in_all_its_wrappings(content: Any, text: str) -> None:
    assert ask(completion(content)).text == text


def test_thinking_that_never_ends_is_no_text() -> None:
    assert visible_text("<think>and so on") == ""
    assert visible_text("a <think>x</think>b") == "a b"
    assert visible_text("the <think> tag") == "the <think> tag"


def test_a_document_may_begin_with_a_byte_order_mark() -> None:
    assert ask(b"\xef\xbb\xbf" + json.dumps(completion()).encode()).text == "Hello"


@pytest.mark.parametrize(
    ("usage", "headers", "read"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 90}, {}, Usage(5, 85)),
        ({"prompt_tokens": 5, "completion_tokens": 2, "neurons": 1.5}, {}, Usage(5, 2, 1.5)),
        ({"prompt_tokens": 5, "completion_tokens": 2}, {"cf-ai-neurons": "3.25"}, Usage(5, 2, 3.25)),
        ({"prompt_tokens": 5, "completion_tokens": 2}, {"cf-ai-neurons": "NaN"}, Usage(5, 2)),
        ({"prompt_tokens": True, "completion_tokens": 2}, {}, None),
        ({"prompt_tokens": -1, "completion_tokens": 2}, {}, None),
        ({"prompt_tokens": "5"}, {}, None),
        (None, {}, None),
        ([], {}, None),
    ],
)
def test_usage(usage: Any, headers: dict[str, str], read: Usage | None) -> None:
    assert ask(completion(usage=usage), headers=headers).usage == read


TELLS = {"x-limit": Tell("requests", "day", "limit"), "x-left": Tell("requests", "day", "remaining")}
HEADERS = {"X-Limit": "50", "X-Left": "7"}
TOLD = (Told("requests", "day", 50, 7),)


def test_an_answer_tells_what_its_headers_say_of_the_limits() -> None:
    assert ask(completion(), headers=HEADERS).told == TOLD
    assert ask(completion(), headers={"X-Limit": "1e99", "X-Left": "-1"}).told == ()
    assert ask(completion()).told == ()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": "no"}, 429),
        ({"error": {"code": 429}}, 200),
        (completion(""), 200),
        (completion("x", "content_filter"), 200),
        ("<html>", 200),
        ("nope", 200),
    ],
)
def test_a_failure_tells_it_too(body: Any, status: int) -> None:
    assert fails(body, status, HEADERS).told == TOLD


def test_what_the_body_tells_is_believed_before_the_headers() -> None:
    body = {"error": {"message": "x (RPD): Limit 20, Requested 1"}}
    assert fails(body, 429, HEADERS).told == (Told("requests", "day", 20, 7),)


def test_a_day_in_the_body_is_the_kind_of_day_that_the_route_counts() -> None:
    to = replace(route(), limits=(Limit("acme", "requests", 50, "refill-day"),))
    with responses.RequestsMock() as mock:
        mock.post(URL, json={"error": {"message": "x (RPD): Limit 20, Used 20"}}, status=429)
        with pytest.raises(Busy) as caught:
            chat().complete(to, REQUEST)
    assert caught.value.told == (Told("requests", "refill-day", 20, 0),)


def test_a_cut_answer_says_so_and_keeps_its_text() -> None:
    assert ask(completion("Hel", "length")).finish_reason == "length"


@pytest.mark.parametrize(
    "body",
    [
        completion(None),
        completion(""),
        completion("", "length"),
        completion("<think>long", "length"),
        completion(17),
        completion(choices=[]),
        completion(choices=None),
        completion(choices=[None]),
        completion(choices={"0": "x"}),
    ],
)
def test_no_text_is_a_bad_reply_that_still_cost_something(body: Any) -> None:
    error = fails(body)
    assert (type(error), error.outcome, error.usage) == (BadReply, "answered", Usage(9, 4))


def test_a_filtered_answer_is_refused() -> None:
    refusal = completion(choices=[{"message": {"content": None, "refusal": "I can't"}, "finish_reason": "stop"}])
    for body in (completion("par", "content_filter"), completion(None, "content_filter"), refusal):
        error = fails(body)
        assert (type(error), error.outcome, error.usage) == (Refused, "answered", Usage(9, 4))


@pytest.mark.parametrize("body", ["", "null", "[]", "17", "nope", '{"choices": [NaN]}', "[" * 100_000])
def test_what_is_no_completion_is_a_bad_reply(body: str) -> None:
    assert type(fails(body)) is BadReply


def test_a_web_page_is_not_an_answer() -> None:
    error = fails("<!doctype html><title>Check that you are human</title>")
    assert (type(error), error.outcome) == (Down, "answered")


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 413, 418, 429, 500, 503])
def test_an_echoed_key_does_not_come_back_out(status: int) -> None:
    error = fails({"error": {"message": f"key {KEY} in {URL}?k={KEY}"}}, status)
    assert str(error).startswith("acme/model-1: ")


def test_errors_are_classified_also_inside_a_success() -> None:
    assert type(fails({"error": {"message": "Invalid API Key"}}, 401)) is KeyRejected
    busy = fails({"error": {"code": 429, "message": "free-models-per-min"}}, headers={"Retry-After": "3"})
    assert isinstance(busy, Busy)
    assert busy.until is not None


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("stop") | st.just("content_filter")
)
FIELDS = ["choices", "message", "content", "usage", "prompt_tokens", "finish_reason", "model", "error", "text"]
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(BODIES)
def test_any_body_is_an_answer_or_a_provider_error(body: Any) -> None:
    try:
        assert ask(body).text
    except ProviderError as error:
        assert KEY not in str(error)  # noqa: PT017  # either outcome is right
