"""The fake provider's own quota counters: the judge that our ledger is measured against.

Days are calendar days where the provider resets, minutes slide. Shares no code with the ledger on purpose.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Period = Literal["minute", "day"]
Unit = Literal["requests", "tokens"]

MINUTE = 60.0


@dataclass(frozen=True)
class Counts:
    """`received` all chat requests; `charged` those that cost a request of quota; `served` those answered 200.

    `refused` those answered 4xx, including every 429. `tokens` are the prompt and completion tokens of all
    replies that were generated, also those whose delivery was cut.
    """

    received: int = 0
    charged: int = 0
    served: int = 0
    refused: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Allowance:
    """What the provider grants; None is unlimited."""

    per_minute: int | None = None
    per_day: int | None = None
    tokens_per_day: int | None = None
    zone: str = "UTC"


@dataclass(frozen=True)
class Gauge:
    """One limit as it stands; `resets_in` is in seconds, `resets_at` in seconds since the epoch."""

    unit: Unit
    period: Period
    limit: int
    used: int
    resets_in: float
    resets_at: float

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass
class _Day:
    """What one pool used on one day; `held` are tokens of requests that are not settled yet."""

    requests: int = 0
    tokens: int = 0
    held: int = 0


@dataclass(frozen=True)
class Ticket:
    """An admitted request; hand it back to `settle` once."""

    pool: str
    day: str
    held: int


class Meter:
    """Counts one provider's requests and tokens. Every method is atomic, from any thread."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since the epoch."""
        self._allowance = allowance
        self._zone = ZoneInfo(allowance.zone)
        self._clock = clock
        self._lock = threading.Lock()
        self._days: dict[tuple[str, str], _Day] = {}
        self._recent: dict[str, deque[float]] = {}
        self._counts = Counts()

    @property
    def counts(self) -> Counts:
        with self._lock:
            return self._counts

    def note(self, name: str) -> None:
        """Add one to a field of Counts."""
        with self._lock:
            self._bump(name)

    def admit(self, pool: str, tokens: int) -> Ticket | Gauge:
        """Charge one request and hold `tokens`, or charge nothing and return the limit that is exhausted."""
        with self._lock:
            now = self._clock()
            for gauge in self._gauges(pool, now):
                needed = tokens if gauge.unit == "tokens" else 1
                if gauge.used + needed > gauge.limit:
                    return gauge
            self._charge(pool, now)
            self._day(pool, now).held += tokens
            return Ticket(pool, self._date(now), tokens)

    def charge(self, pool: str) -> None:
        """Charge one request without asking whether there is room."""
        with self._lock:
            self._charge(pool, self._clock())

    def settle(self, ticket: Ticket, tokens: int) -> None:
        """Replace the ticket's hold by the tokens really used, on the day it was admitted."""
        with self._lock:
            self._bump("tokens", tokens)
            day = self._days[ticket.pool, ticket.day]
            day.held -= ticket.held
            day.tokens += tokens

    def gauges(self, pool: str) -> list[Gauge]:
        """Every limit of the pool as it stands now, days first."""
        with self._lock:
            return self._gauges(pool, self._clock())

    def exhausted(self, period: Period, usual: int) -> Gauge:
        """The request limit of `period` as if it were used up; `usual` is its size when none was granted."""
        with self._lock:
            now = self._clock()
            grant = self._allowance.per_day if period == "day" else self._allowance.per_minute
            limit = usual if grant is None else grant
            until = self._next_midnight(now) if period == "day" else now + MINUTE
            return Gauge("requests", period, limit, limit, until - now, until)

    def _charge(self, pool: str, now: float) -> None:
        self._day(pool, now).requests += 1
        self._recent.setdefault(pool, deque()).append(now)
        self._bump("charged")

    def _bump(self, name: str, by: int = 1) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + by})

    def _date(self, now: float) -> str:
        return datetime.fromtimestamp(now, self._zone).date().isoformat()

    def _day(self, pool: str, now: float) -> _Day:
        return self._days.setdefault((pool, self._date(now)), _Day())

    def _last_minute(self, pool: str, now: float) -> deque[float]:
        recent = self._recent.setdefault(pool, deque())
        while recent and recent[0] <= now - MINUTE:
            recent.popleft()
        return recent

    def _gauges(self, pool: str, now: float) -> list[Gauge]:
        grant, day, recent = self._allowance, self._day(pool, now), self._last_minute(pool, now)
        midnight = self._next_midnight(now)
        oldest_leaves = (recent[0] if recent else now) + MINUTE
        rows: list[tuple[Unit, Period, int | None, int, float]] = [
            ("requests", "day", grant.per_day, day.requests, midnight),
            ("tokens", "day", grant.tokens_per_day, day.tokens + day.held, midnight),
            ("requests", "minute", grant.per_minute, len(recent), oldest_leaves),
        ]
        return [
            Gauge(unit, period, cap, used, at - now, at) for unit, period, cap, used, at in rows if cap is not None
        ]

    def _next_midnight(self, now: float) -> float:
        tomorrow = datetime.fromtimestamp(now, self._zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self._zone).timestamp()
