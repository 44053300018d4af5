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
    "day": (429, "Rate limit reached: too many requests per day"),
    "filtered": (400, "The request was blocked by the content filter"),
}


def refusal(case: Case, gauges: Sequence[Gauge] = ()) -> Answer:
    """The provider's own error reply; `gauges` are the limits its rate headers report."""
    status, body = _row(case)
    return json_answer(status, body, {**rate_headers(case.provider, gauges), **_quota_headers(case)})


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
    return headers


def _quota_headers(case: Case) -> dict[str, str]:
    if case.gauge is None:
        return {}
    if case.provider == "openrouter":
        return openrouter_headers(case.gauge)
    silent = {"gemini", "cloudflare", "deepseek", "huggingface"}
    return {} if case.provider in silent else {"Retry-After": str(math.ceil(case.gauge.resets_in))}


def _row(case: Case) -> Row:
    own = own_row(case)
    if own is not None:
        return own
    status, message = PLAIN.get(case.kind) or (int(case.kind), HTTPStatus(int(case.kind)).phrase)
    return status, error_body(case.provider, status, message)
