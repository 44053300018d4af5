"""A provider's error reply and its rate headers, in the provider's own words or else in plain ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from tests.fakes.answer import Answer, json_answer
from tests.fakes.meter import Gauge, Period
from tests.fakes.refusals_tables import Case, Row, error_body, go_duration, openrouter_headers, own_row

__all__ = ["Case", "error_body", "rate_headers", "refusal", "usual_limit"]

_USUAL_LIMITS: Mapping[str, tuple[int, int]] = {
    "gemini": (15, 500),
    "cloudflare": (300, 10_000),
    "openrouter": (20, 50),
    "groq": (30, 1000),
    "cerebras": (5, 1000),
}


PLAIN: Mapping[str, Row] = {
    "key": (401, "Invalid API key"),
    "payment": (402, "Insufficient credits"),
    "gone": (404, "The model does not exist or you do not have access to it"),
    "busy": (429, "Too many requests"),
    "minute": (429, "Rate limit reached: too many requests per minute"),
    "hour": (429, "Rate limit reached: too many requests per hour"),
    "day": (429, "Rate limit reached: too many requests per day"),
    "filtered": (400, "The request was blocked by the content filter"),
    "degraded": (503, "The model is degraded and cannot be called"),
    "too-short": (400, "The audio is too short"),
    "file-type": (400, "The type of the file is not supported"),
    "undecodable": (400, "The audio file could not be decoded or its format is not supported"),
    "529": (529, "The site is overloaded"),
}


def refusal(case: Case, gauges: Sequence[Gauge] = ()) -> Answer:
    """The provider's own error reply; `gauges` are the limits its rate headers report."""
    status, body = _row(case)
    headers = {**rate_headers(case.provider, gauges), **_quota_headers(case)}
    if isinstance(body, dict) and body.get("type") == "about:blank":
        headers["Content-Type"] = "application/problem+json"
    return json_answer(status, body, headers)


def usual_limit(provider: str, period: Period) -> int:
    """The request limit that a refusal quotes when the fake was given none of its own."""
    per_minute, per_day = _USUAL_LIMITS.get(provider, (30, 1000))
    return per_minute if period == "minute" else per_day


def rate_headers(provider: str, gauges: Sequence[Gauge]) -> dict[str, str]:
    """The rate headers that this provider sends with every reply."""
    headers: dict[str, str] = {}
    for gauge in gauges:
        values = {"limit": str(gauge.limit), "remaining": str(gauge.remaining)}
        if provider == "cerebras":
            values["reset"] = f"{gauge.resets_in:.3f}"
            headers |= {f"x-ratelimit-{name}-{gauge.unit}-{gauge.period}": value for name, value in values.items()}
        elif provider == "groq" and (gauge.unit, gauge.period) == ("requests", "day"):
            values["reset"] = go_duration(gauge.resets_in)
            headers |= {f"x-ratelimit-{name}-requests": value for name, value in values.items()}
        elif provider == "groq" and (gauge.unit, gauge.period) == ("audio", "hour"):
            values = {"limit": f"{gauge.limit:.0f}", "remaining": f"{gauge.remaining:.0f}"}
            values["reset"] = go_duration(gauge.resets_in)
            headers |= {f"x-ratelimit-{name}-audio-seconds": value for name, value in values.items()}
    return headers


def _quota_headers(case: Case) -> dict[str, str]:
    if case.gauge is None:
        return {}
    if case.provider == "openrouter":
        return openrouter_headers(case.gauge)
    silent = {"gemini", "cloudflare", "deepseek", "huggingface", "replicate"}
    return {} if case.provider in silent else {"Retry-After": str(math.ceil(case.gauge.resets_in))}


def _row(case: Case) -> Row:
    own = own_row(case)
    if own is not None:
        return own
    status, message = PLAIN.get(case.kind) or (int(case.kind), HTTPStatus(int(case.kind)).phrase)
    if case.gauge is not None and case.gauge.unit == "audio":
        message = f"Rate limit reached: too many seconds of audio per {case.gauge.period}"
    return status, error_body(case.provider, status, message)
