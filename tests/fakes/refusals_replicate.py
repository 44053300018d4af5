"""Replicate's error bodies: a detail, mostly with the status, sometimes with a title."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from tests.fakes.meter import Gauge

_BUSY_SECONDS = 2
_POOR = 6
"""Creations a minute of an account with little credit, which is told so."""


def envelope(status: int, message: str) -> Any:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return {"detail": message}
    return {"detail": message, "status": status}


def row(kind: str, gauge: Gauge | None) -> tuple[int, Any] | None:
    """Status and body of a refusal, or None where Replicate says nothing special.

    A day that is used up cannot be told from a minute by its words.
    """
    if gauge is not None or kind == "busy":
        wait = _BUSY_SECONDS if gauge is None else math.ceil(gauge.resets_in)
        if gauge is None or gauge.period != "minute" or gauge.limit > _POOR:
            return 429, envelope(429, f"Request was throttled. Your rate limit resets in ~{wait}s.")
        reduced = (
            f"Request was throttled. Your rate limit for creating predictions is reduced to {gauge.limit} "
            "requests per minute with a burst of 1 requests while you have less than $5.0 in credit. "
            f"Your rate limit resets in ~{wait}s."
        )
        return 429, {**envelope(429, reduced), "retry_after": wait}
    rows: dict[str, tuple[int, str, str]] = {
        "key": (401, "Unauthenticated", "You did not pass a valid authentication token"),
        "payment": (
            402,
            "Insufficient credit",
            "You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing "
            "to purchase credit. Once you purchase credit, please wait a few minutes before trying again.",
        ),
        "422": (422, "Input validation failed", "- input: prompt is required\n"),
    }
    if kind == "gone":
        return 404, envelope(404, "The requested resource could not be found.")
    if kind not in rows:
        return None
    status, title, detail = rows[kind]
    body = {"title": title, "detail": detail, "status": status}
    if kind == "422":
        missing = {"type": "required", "field": "input", "description": "prompt is required"}
        body["invalid_fields"] = [missing]
    return status, body
