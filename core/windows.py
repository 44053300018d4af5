"""Which quota window is it now, and when does it reset? Pure.

Times are seconds since the epoch. Calendar windows follow the provider's own zone, so a day there may
last 23 or 25 hours; a sliding or refilling window always spans the same number of seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from providers.contracts import Window

Kind = Literal["calendar", "sliding", "refill", "concurrent"]
KINDS: Mapping[Window, Kind] = {
    "minute": "sliding",
    "hour": "sliding",
    "rolling-day": "sliding",
    "day": "calendar",
    "month": "calendar",
    "refill-day": "refill",
    "call": "concurrent",
}
SPANS: Mapping[Window, float] = {"minute": 60.0, "hour": 3_600.0, "rolling-day": 86_400.0, "refill-day": 86_400.0}


def kind(window: Window) -> Kind:
    return KINDS[window]


def span(window: Window) -> float:
    """Seconds that a sliding window looks back, or in which an empty budget is full again; else 0."""
    return SPANS.get(window, 0.0)


def window_id(window: Window, zone: str, now: float) -> str:
    """Name of the calendar window that `now` falls in, ordered as text; "" for any other kind."""
    if kind(window) != "calendar":
        return ""
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d}" if window == "day" else f"{local:%Y-%m}"


def next_window_id(window: Window, zone: str, now: float) -> str:
    return window_id(window, zone, resets_at(window, zone, now))


def resets_at(window: Window, zone: str, now: float) -> float:
    """When everything taken before `now` has surely come back: at local midnight, or a full span from now."""
    if kind(window) != "calendar":
        return now + span(window)
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone))
    first = local.date() + timedelta(days=1)
    if window == "month":
        first = (local.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, time(), ZoneInfo(zone)).timestamp()
