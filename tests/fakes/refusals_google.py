"""Google's error bodies: one envelope, and the details that tell a daily quota from a busy minute."""

from __future__ import annotations

import math
from typing import Any

from tests.fakes.meter import Gauge

_RPC = "type.googleapis.com/google.rpc."
_STATUS = {
    400: "INVALID_ARGUMENT",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_"
_QUOTAS = {
    ("requests", "day"): ("requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    ("requests", "minute"): ("requests", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
    ("tokens", "day"): ("input_token_count", "GenerateContentInputTokensPerModelPerDay-FreeTier"),
    ("tokens", "minute"): ("input_token_count", "GenerateContentInputTokensPerModelPerMinute-FreeTier"),
}
_DAILY_RETRY = 21.497994
"""Seconds. The real service sends such a short delay beside a daily quota; waiting it out does not help."""


def envelope(status: int, message: str, details: list[Any] | None = None) -> Any:
    error: dict[str, Any] = {"code": status, "message": message, "status": _STATUS.get(status, "UNKNOWN")}
    return {"error": {**error, "details": details} if details else error}


def row(kind: str, model: str, gauge: Gauge | None) -> tuple[int, Any] | None:
    """Status and body of a refusal, or None where Google says nothing special."""
    if gauge is not None:
        return 429, _quota(model, gauge)
    if kind == "key":
        meta = {"service": "generativelanguage.googleapis.com"}
        reason = {"reason": "API_KEY_INVALID", "domain": "googleapis.com", "metadata": meta}
        detail = {"@type": f"{_RPC}ErrorInfo", **reason}
        return 400, envelope(400, "API key not valid. Please pass a valid API key.", [detail])
    words = {
        "gone": (404, f"This model models/{model} is no longer available to new users."),
        "payment": (402, "Your prepayment credits are depleted."),
        "busy": (429, "Resource has been exhausted (e.g. check quota)."),
        "500": (500, "An internal error has occurred. Please retry or report it."),
        "503": (503, "The model is overloaded. Please try again later."),
    }
    if kind not in words:
        return None
    status, message = words[kind]
    return status, envelope(status, message)


def _quota(model: str, gauge: Gauge) -> Any:
    metric, quota = _QUOTAS[gauge.unit, gauge.period]
    delay = _DAILY_RETRY if gauge.period == "day" else gauge.resets_in
    message = (
        "You exceeded your current quota, please check your plan and billing details.\n"
        f"* Quota exceeded for metric: {_METRIC}{metric}, limit: {gauge.limit}, model: {model}\n"
        f"Please retry in {delay:.6f}s."
    )
    violation = {
        "quotaMetric": _METRIC + metric,
        "quotaId": quota,
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(gauge.limit),
    }
    links = [
        {"description": "Learn more about quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}
    ]
    details = [
        {"@type": f"{_RPC}Help", "links": links},
        {"@type": f"{_RPC}QuotaFailure", "violations": [violation]},
        {"@type": f"{_RPC}RetryInfo", "retryDelay": f"{max(1, math.floor(delay))}s"},
    ]
    return envelope(429, message, details)
