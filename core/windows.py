"""Which quota window is it now, and when does it reset? Pure.

Times are seconds since the epoch. Calendar windows follow the provider's own zone, so a day there may
last 23 or 25 hours; a sliding or refilling window always spans the same number of seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
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


@dataclass(frozen=True)
class Period:
    """One calendar window: its name, ordered as text, and the next one's; it lasts from `begins` to `ends`."""

    id: str
    next_id: str
    begins: float
    ends: float


def period(window: Window, zone: str, now: float) -> Period:
    """The calendar window that `now` falls in. Any other kind has none: its names are "" and its times 0."""
    if kind(window) != "calendar":
        return Period("", "", 0.0, 0.0)
    first = _first_day(window, _local(zone, now))
    following = _day_after(window, first)
    begins, ends = (datetime.combine(day, time(), ZoneInfo(zone)).timestamp() for day in (first, following))
    return Period(_name(window, first), _name(window, following), begins, ends)


def resets_at(window: Window, zone: str, now: float) -> float:
    """When everything taken before `now` has surely come back: at local midnight, or a full span from now."""
    return period(window, zone, now).ends if kind(window) == "calendar" else now + span(window)


def _local(zone: str, now: float) -> date:
    return datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).date()


def _first_day(window: Window, day: date) -> date:
    return day if window == "day" else day.replace(day=1)


def _day_after(window: Window, first: date) -> date:
    return first + timedelta(days=1) if window == "day" else (first + timedelta(days=32)).replace(day=1)


def _name(window: Window, first: date) -> str:
    return f"{first:%Y-%m-%d}" if window == "day" else f"{first:%Y-%m}"
