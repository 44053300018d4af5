"""How long a provider says to wait, in any of the ways providers say it. Pure."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 31 * 86400.0
_YEAR = 366 * 86400.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ms|s|m|h|d)", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)


def parse_wait(value: str, now: float) -> float | None:
    """Seconds from `now`, 0 to 31 days; None for what is negative, absurd (over a year away) or no time at all.

    Reads seconds, durations ("2m59.56s", "120ms"), HTTP and ISO dates, and epoch seconds or milliseconds. A
    moment that has passed is 0.0.
    """
    text = value.strip()[:64]
    wait = _number(text, now)
    if wait is None and _DURATION.fullmatch(text):
        wait = sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))
    if wait is None:
        wait = _date(text, now)
    if wait is None or not 0 <= wait <= _YEAR:
        return None
    return min(wait, LONGEST)


def _number(text: str, now: float) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    for moment in (number, number / 1000):
        if abs(moment - now) <= _YEAR and moment > _YEAR:
            return max(0.0, moment - now)
    return number


def _date(text: str, now: float) -> float | None:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text)
            return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None
