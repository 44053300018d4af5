"""What captured error replies mean, and that nothing a server sends can crash or fool the reading of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.classify import classify, error_in_success
from providers.contracts import Period, Scope
from providers.errors import BadReply, Busy, ModelGone, PaymentNeeded, ProviderError
from tests.error_replies import BUSY, NOW, OTHERS, Failed, Limited, dialect_of, openai


def judge(
    status: int, body: Any, headers: dict[str, str] | None = None, dialect: str = "openai-chat"
) -> ProviderError:
    text = body if isinstance(body, str) else json.dumps(body)
    return classify(status, headers or {}, text, dialect=dialect, now=NOW, where="acme/model-1")


@pytest.mark.parametrize(
    ("reply", "scope", "period"),
    [pytest.param(row, scope, period, id=row[0]) for scope, period, rows in BUSY for row in rows],
)
def test_look_alike_429s(reply: Limited, scope: Scope, period: Period | None) -> None:
    name, status, body, headers, wait = reply
    error = judge(status, body, headers, dialect_of(name))
    assert isinstance(error, Busy), error
    assert (error.scope, error.period, error.outcome) == (scope, period, "rate_limited")
    assert error.until == (None if wait is None else pytest.approx(NOW + wait))
    assert "org_canary" not in str(error)


@pytest.mark.parametrize(
    ("reply", "kind", "outcome"),
    [pytest.param(row, kind, outcome, id=row[0]) for kind, outcome, rows in OTHERS for row in rows],
)
def test_everything_else(reply: Failed, kind: type[ProviderError], outcome: str) -> None:
    name, status, body = reply
    error = judge(status, body, dialect=dialect_of(name))
    assert type(error) is kind, error
    assert error.outcome == outcome
    assert str(error).startswith("acme/model-1: ")
    assert "my text" not in str(error)


LIKELY = {
    *("cerebras day", "cerebras day by headers", "cerebras minute", "cerebras minute by headers"),
    *("gemini key by prose", "mistral key", "openrouter credits", "deepseek empty", "hugging face credits"),
    *("openrouter no endpoint", "gemini too long", "groq filter"),
}
GUESSED = {
    *("gemini prose", "replicate", "bare", "mistral rate", "bare with a wait", "groq style reset"),
    *("openrouter key", "deepseek key", "hugging face key", "gone", "mistral fields", "unknown field", "teapot"),
    *("cerebras stream", "cerebras broken success", "openrouter broken success", "openrouter choice error"),
    *("mistral broken success", "error without a word", "captcha"),
    *(f"status {status}" for status in (500, 502, 503, 504, 529, 408)),
}
EVERY_REPLY = {
    **{row[0]: (row[1], row[2], row[3]) for _, _, rows in BUSY for row in rows},
    **{row[0]: (row[1], row[2], {}) for _, _, failed in OTHERS for row in failed},
}


@pytest.mark.parametrize("name", EVERY_REPLY)
def test_how_sure_the_reading_is(name: str) -> None:
    """A code, a quota's name or a sentence of its own is certain; a mere status is a guess."""
    expected = "likely" if name in LIKELY else "guess" if name in GUESSED else "certain"
    assert judge(*EVERY_REPLY[name], dialect=dialect_of(name)).confidence == expected


def test_the_names_of_the_unsure_ones_are_right() -> None:
    assert EVERY_REPLY.keys() >= LIKELY | GUESSED


@pytest.mark.parametrize(
    ("body", "confidence"),
    [
        ("", "guess"),
        ({"error": {"code": "model_not_found"}}, "guess"),
        ({"error": "Insufficient credits"}, "likely"),
        ({"error": {"code": "payment_required"}}, "certain"),
    ],
)
def test_payment_needed_is_what_402_says_but_how_surely_is_in_the_body(body: Any, confidence: str) -> None:
    error = judge(402, body)
    assert (type(error), error.confidence) == (PaymentNeeded, confidence)


def test_messages_are_short_and_human() -> None:
    assert str(judge(429, {"message": "Tokens per day limit exceeded"})) == "acme/model-1: tokens per day used up"
    assert str(judge(503, "")) == "acme/model-1: server error 503"
    assert str(judge(400, openai("no such\nfield"))) == "acme/model-1: request not accepted, status 400"


def test_a_code_of_another_dialect_means_nothing() -> None:
    body = {"message": "odd", "code": "1500"}
    assert isinstance(judge(400, body), ModelGone)
    assert isinstance(judge(400, body, dialect="gemini"), BadReply)
    assert isinstance(judge(400, body, dialect="replicate"), BadReply)


SECRETS = [
    "sk-canary12345678",
    "sk-or-v1-canary0123456789",
    "csk-canary12345",
    "gsk_canary12345",
    "hf_canary12345",
    "nvapi-canary12345",
    "AIzaSyCanary-12345",
    "Bearer canary.token/x+y=",
    "key=canary123",
    "org_canary123",
    "0123456789abcdef0123456789abcdef",
    "canary" * 6,
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("frame", ["{}", "Unknown parameter for {}.", '"{}" x', "a" * 100 + " {} {}"])
def test_nothing_like_a_key_gets_out(secret: str, frame: str) -> None:
    error = str(judge(400, openai(frame.format(secret, secret))))
    assert "canary" not in error.lower()
    assert "0123456789abcdef" not in error


NAMES = ["error", "errors", "code", "message", "status", "details", "violations", "quotaId", "metadata", "headers"]
NAMES += ["choices", "success", "type", "detail", "availability", "retryDelay", "status_code", "reason"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)


WORDS = ["per day", "daily", "per minute", "(TPD)", "neurons", "free-models-per-day", "quota", "try again in 5s"]
NAMED = st.fixed_dictionaries(
    {},
    optional={
        "message": st.sampled_from(WORDS),
        "code": st.sampled_from(["4006", "3021", "1300", "x", 429]),
        "details": st.sampled_from([[], [{"violations": [{"quotaId": "RequestsPerDay", "quotaValue": "5"}]}]]),
    },
)
RATES = st.dictionaries(
    st.sampled_from(["retry-after", "x-ratelimit-remaining-tokens-day", "x-ratelimit-remaining-requests"]),
    st.sampled_from(["0", "1", "x"]),
)


@given(st.sampled_from([200, 400, 402, 413, 429, 500, 503]), NAMED, RATES)
def test_a_guess_never_names_a_period(status: int, error: Any, headers: dict[str, str]) -> None:
    found = judge(status, {"error": error}, headers)
    assert found.confidence in ("certain", "likely", "guess")
    if isinstance(found, Busy) and found.confidence == "guess":
        assert found.period is None


@given(st.integers(200, 599), JSON)
def test_no_body_crashes_it(status: int, body: Any) -> None:
    error = judge(status, body, {"retry-after": "x"})
    assert isinstance(error, ProviderError)
    assert len(str(error)) < 250
    found = error_in_success(body)
    assert found is None or found == 200 or 400 <= found <= 599


@given(st.integers(100, 999), st.binary(max_size=60))
def test_no_bytes_crash_it(status: int, body: bytes) -> None:
    assert isinstance(judge(status, body.decode("utf-8", "replace")), ProviderError)


@pytest.mark.parametrize("body", ["[" * 200_000, "9" * 5000, '{"error": {"code": 1e999}}'])
def test_hostile_json_is_only_prose(body: str) -> None:
    assert isinstance(judge(429, body), Busy)


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"choices": [{"message": {}}], "error": None, "errors": [], "success": True}, None),
        ([], None),
        ({"candidates": [], "message": "x", "code": 1}, None),
        ({"message": "x"}, 200),
        (None, None),
        ({"error": {"code": "429"}}, 429),
        ({"error": {"code": True}}, 200),
        ([{"error": {"code": 503}}], 503),
    ],
)
def test_errors_inside_a_success_are_found(payload: object, status: int | None) -> None:
    assert error_in_success(payload) == status
