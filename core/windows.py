"""Which quota window is it now, and when does it reset? Pure.

Times are seconds since the epoch. Calendar windows follow the provider's own zone, so a day there may
last 23 or 25 hours; a sliding window always spans the same number of seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from providers.contracts import Window

MINUTE = 60.0


def span(window: Window) -> float:
    """Seconds that a sliding window looks back; 0 for a calendar window."""
    return MINUTE if window == "minute" else 0.0


def window_id(window: Window, zone: str, now: float) -> str:
    """Name of the calendar window that `now` falls in, ordered as text; "" for a sliding window."""
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone))
    return {"minute": "", "day": f"{local:%Y-%m-%d}", "month": f"{local:%Y-%m}"}[window]


def next_window_id(window: Window, zone: str, now: float) -> str:
    return window_id(window, zone, resets_at(window, zone, now))


def resets_at(window: Window, zone: str, now: float) -> float:
    """When the window that `now` falls in has surely turned: local midnight, or a full span from now."""
    if window == "minute":
        return now + MINUTE
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone))
    first = local.date() + timedelta(days=1)
    if window == "month":
        first = (local.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, time(), ZoneInfo(zone)).timestamp()
