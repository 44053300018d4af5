"""What answers say of limits, and that no server can say anything odd through it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.classify import classify
from providers.contracts import Limit, Told, Window
from providers.told import LARGEST, Tell, joined, told_by_headers
from tests.error_replies import (
    GROQ_TPD,
    NOW,
    PER_DAY,
    PER_MINUTE,
    RESET_MS,
    RETRY_21,
    TOKENS_MINUTE,
    google,
    openai,
    openrouter,
    quota,
)

GROQ = {
    "x-ratelimit-limit-requests": Tell("requests", "refill-day", "limit"),
    "x-ratelimit-remaining-requests": Tell("requests", "refill-day", "remaining"),
    "x-ratelimit-limit-tokens": Tell("tokens", "minute", "limit"),
    "x-ratelimit-remaining-tokens": Tell("tokens", "minute", "remaining"),
}


def limit(unit: Any, window: Window) -> Limit:
    return Limit("p", unit, 100, window)


def told(status: int, body: Any, headers: dict[str, str] | None = None, *limits: Limit) -> tuple[Told, ...]:
    text = body if isinstance(body, str) else json.dumps(body)
    error = classify(
        status, headers or {}, text, dialect="openai-chat", now=NOW, where="acme/model-1", limits=limits
    )
    return error.told


# Headers, as the catalogue explains them


def test_headers_tell_of_the_limits_that_the_catalogue_names() -> None:
    headers = {
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "998",
        "x-ratelimit-remaining-tokens": "7412.5",
        "x-ratelimit-remaining-tokens-day": "5",
    }
    assert told_by_headers(GROQ, headers) == (
        Told("requests", "refill-day", 1000, 998),
        Told("tokens", "minute", None, 7412.5),
    )
    assert told_by_headers({}, headers) == ()


HOSTILE = ["", " ", "-1", "NaN", "inf", "-inf", "1e99", "1e400", "9" * 5000, "soon", "10, 10;w=60", "0x10", "[5]"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_number_that_cannot_be_meant_is_not_told(value: str) -> None:
    headers = {"x-ratelimit-limit-requests": value, "x-ratelimit-remaining-requests": "3"}
    assert told_by_headers(GROQ, headers) == (Told("requests", "refill-day", remaining=3),)


def test_nothing_is_told_of_a_limit_of_nothing() -> None:
    headers = {"x-ratelimit-limit-requests": "0", "x-ratelimit-remaining-requests": "0"}
    assert told_by_headers(GROQ, headers) == ()


# Bodies


@pytest.mark.parametrize(
    ("details", "says"),
    [
        ([PER_DAY, RETRY_21], [Told("requests", "day", 500, 0)]),
        ([PER_MINUTE], [Told("requests", "minute", 500, 0)]),
        ([TOKENS_MINUTE], [Told("tokens", "minute", 500, 0)]),
        ([PER_MINUTE, PER_DAY], [Told("requests", "minute", 500, 0), Told("requests", "day", 500, 0)]),
        ([quota("GenerateContentInputTokensPerModelPerDay-FreeTier", "9")], [Told("tokens", "day", 9, 0)]),
        ([quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "many")], [Told("requests", "day", None, 0)]),
        ([quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "0")], []),
        ([quota("GenerateRequestsPerMonth", "20")], []),
        ([quota("PerDayPerProject", "20")], []),
    ],
)
def test_google_names_the_quota_that_ran_out_and_its_size(details: list[Any], says: list[Told]) -> None:
    assert list(told(429, google(429, "quota", *details))) == says


@pytest.mark.parametrize(
    ("status", "message", "says"),
    [
        (429, GROQ_TPD, [Told("tokens", "day", 200_000, 1_000)]),
        (429, "x (TPM): Limit 6000, Used 5800, Requested 900.", [Told("tokens", "minute", 6000, 200)]),
        (429, "x (RPD): Limit 1000, Used 1000, Requested 1.", [Told("requests", "day", 1000, 0)]),
        (429, "x (RPM): Limit 30, Used 31, Requested 1.", [Told("requests", "minute", 30, 0)]),
        (413, "Request too large (TPM): Limit 8000, Requested 9000", [Told("tokens", "minute", 8000)]),
        (429, "x (TPM): Limit 0, Used 0, Requested 900.", []),
        (429, "x (TPM): Limit -5, Used 5", []),
        (429, f"x (TPM): Limit {'9' * 400}, Used 5", []),
        (429, f"x (TPM): Limit 6000, Used {'9' * 400}", [Told("tokens", "minute", 6000)]),
        (429, "x (TPM): Limit 200,000, Used 5", []),
        (429, "x (TPM): Limit 8000.5, Used 5", []),
        (429, "x (TPS): Limit 5, Used 5", []),
        (400, "the prompt said (TPM): Limit 1, Used 1", []),
    ],
)
def test_groq_says_it_in_prose(status: int, message: str, says: list[Told]) -> None:
    assert list(told(status, openai(message))) == says


@pytest.mark.parametrize("place", ["body", "headers"])
@pytest.mark.parametrize(("word", "window"), [("per-day", "day"), ("per-min", "minute")])
def test_openrouters_bare_headers_are_of_the_window_that_its_429_names(
    place: str, word: str, window: Window
) -> None:
    headers, inside = (RESET_MS, {}) if place == "headers" else ({}, RESET_MS)
    body = openrouter(f"free-models-{word}", headers=inside)
    assert told(429, body, headers) == (Told("requests", window, 50, 0),)
    assert told(200, body, headers) == (Told("requests", window, 50, 0),)
    assert told(429, openrouter("Provider returned error", headers=RESET_MS)) == ()


def test_bare_headers_count_requests_so_they_say_nothing_of_tokens() -> None:
    assert told(429, openai("x (TPM)"), RESET_MS) == ()


# Which kind of day


@pytest.mark.parametrize("day", ["day", "rolling-day", "refill-day"])
def test_a_day_is_told_as_the_kind_of_day_that_the_route_counts(day: Window) -> None:
    limits = limit("requests", "minute"), limit("tokens", "day"), limit("requests", day)
    assert told(429, google(429, "q", PER_DAY, PER_MINUTE), {}, *limits) == (
        Told("requests", day, 500, 0),
        Told("requests", "minute", 500, 0),
    )


def test_a_day_of_a_unit_that_the_route_does_not_count_stays_a_day() -> None:
    assert told(429, google(429, "q", PER_DAY), {}, limit("tokens", "refill-day"))[0].window == "day"


def test_who_speaks_first_of_a_limit_is_believed_and_the_rest_is_added() -> None:
    said = Told("tokens", "minute", 8000), Told("tokens", "minute", 9, 70), Told("requests", "minute", remaining=1)
    assert joined(said) == (Told("tokens", "minute", 8000, 70), Told("requests", "minute", remaining=1))


# Whatever it is


ODD = st.text(max_size=12) | st.floats().map(str) | st.integers().map(str) | st.none() | st.integers()


@given(
    st.dictionaries(st.sampled_from([*GROQ, "x-ratelimit-limit", "x-ratelimit-remaining"]), st.text(max_size=12))
)
def test_no_headers_crash_it(headers: dict[str, str]) -> None:
    body = openrouter("free-models-per-day")
    for each in (*told_by_headers(GROQ, headers), *told(429, body, headers)):
        assert_believable(each)


@given(ODD, ODD, ODD)
def test_no_body_crashes_it(name: Any, value: Any, message: Any) -> None:
    details = {"violations": [{"quotaId": name, "quotaValue": value}]}
    day = {"violations": [{"quotaId": "RequestsPerDay", "quotaValue": value}]}
    for each in told(429, google(429, f"(TPM): Limit {message}, Used {value}", details, day)):
        assert_believable(each)


def assert_believable(each: Told) -> None:
    assert (each.limit, each.remaining) != (None, None)
    assert each.limit is None or (math.isfinite(each.limit) and 0 < each.limit < LARGEST)
    assert each.remaining is None or (math.isfinite(each.remaining) and 0 <= each.remaining < LARGEST)
