"""Times as people say them."""

from datetime import UTC, datetime


def until(at: float, now: float) -> str:
    """A moment ahead, such as "in 3 h 20 min" or "on 2 Dec"; times are seconds since the epoch."""
    minutes = max(0, round((at - now) / 60))
    if minutes < 2:
        return "in a minute"
    if minutes < 60:
        return f"in {minutes} min"
    if minutes < 36 * 60:
        return f"in {minutes // 60} h {minutes % 60} min"
    day = datetime.fromtimestamp(at, UTC)
    return f"on {day.day} {day:%b}"
