"""The fake provider's own quota counters: the judge that our ledger is measured against.

Days are calendar days where the provider resets, minutes slide, seconds of audio flow back evenly. Shares no code
with the ledger on purpose.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tests.fakes.meter_bucket import LeakyBucket, SlidingSum

Period = Literal["minute", "hour", "day"]
Unit = Literal["requests", "tokens", "audio"]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
_DUST = 1e-6
"""What sums of fractions of a second may be off by."""


@dataclass(frozen=True)
class Counts:
    """`received` all requests of a kind, chat or speech; `charged` those that cost a request of quota; `served`
    those answered 2xx.

    `refused` those answered 4xx, including every 429. `tokens` are the prompt and completion tokens of all
    replies that were generated, also those whose delivery was cut. `audio` are the seconds that were charged.
    """

    received: int = 0
    charged: int = 0
    served: int = 0
    refused: int = 0
    tokens: int = 0
    audio: float = 0.0


@dataclass(frozen=True)
class Allowance:
    """What the provider grants; None is unlimited. Audio is in seconds."""

    per_minute: int | None = None
    per_day: int | None = None
    tokens_per_day: int | None = None
    zone: str = "UTC"
    audio_per_hour: float | None = None
    audio_per_day: float | None = None


@dataclass(frozen=True)
class Need:
    """What one request takes besides itself; audio is in seconds."""

    tokens: int = 0
    audio: float = 0.0

    def of(self, unit: Unit) -> float:
        return {"requests": 1, "tokens": self.tokens, "audio": self.audio}[unit]


NOTHING = Need()


@dataclass(frozen=True)
class Gauge:
    """One limit as it stands; `resets_in` is in seconds, `resets_at` in seconds since the epoch.

    `needed` is what the request that found it exhausted would have taken.
    """

    unit: Unit
    period: Period
    limit: float
    used: float
    resets_in: float
    resets_at: float
    needed: float = 1

    @property
    def remaining(self) -> float:
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
        self._recent: dict[str, SlidingSum] = {}
        self._audio: dict[tuple[str, Period], LeakyBucket] = {}
        self._counts = Counts()

    @property
    def counts(self) -> Counts:
        with self._lock:
            return self._counts

    def note(self, name: str) -> None:
        """Add one to a field of Counts."""
        with self._lock:
            self._bump(name)

    def admit(self, pool: str, need: Need) -> Ticket | Gauge:
        """Charge a request and its audio and hold its tokens, or charge nothing and return the exhausted limit."""
        with self._lock:
            now = self._clock()
            for gauge in self._gauges(pool, now):
                needed = need.of(gauge.unit)
                if gauge.used + needed > gauge.limit + _DUST:
                    return self._exhausted(gauge, pool, needed)
            self._charge(pool, now)
            self._day(pool, now).held += need.tokens
            if need.audio:
                self._bump("audio", need.audio)
                for period in self._audio_limits():
                    self._bucket(pool, period).add(now, need.audio)
            return Ticket(pool, self._date(now), need.tokens)

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

    def requests_today(self) -> int:
        """The requests of all pools that were charged to the current day."""
        with self._lock:
            today = self._date(self._clock())
            return sum(day.requests for (_, date), day in self._days.items() if date == today)

    def _charge(self, pool: str, now: float) -> None:
        self._day(pool, now).requests += 1
        self._minute(pool).add(now, 1)
        self._bump("charged")

    def _bump(self, name: str, by: float = 1) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + by})

    def _date(self, now: float) -> str:
        return datetime.fromtimestamp(now, self._zone).date().isoformat()

    def _day(self, pool: str, now: float) -> _Day:
        return self._days.setdefault((pool, self._date(now)), _Day())

    def _minute(self, pool: str) -> SlidingSum:
        return self._recent.setdefault(pool, SlidingSum(MINUTE))

    def _audio_limits(self) -> dict[Period, float]:
        grants: dict[Period, float | None] = {
            "hour": self._allowance.audio_per_hour,
            "day": self._allowance.audio_per_day,
        }
        return {period: grant for period, grant in grants.items() if grant is not None}

    def _bucket(self, pool: str, period: Period) -> LeakyBucket:
        size, span = self._audio_limits()[period], HOUR if period == "hour" else DAY
        return self._audio.setdefault((pool, period), LeakyBucket(size, span))

    def _gauges(self, pool: str, now: float) -> list[Gauge]:
        grant, day, recent = self._allowance, self._day(pool, now), self._minute(pool)
        midnight = self._next_midnight(now)
        rows: list[tuple[Unit, Period, float | None, float, float]] = [
            ("requests", "day", grant.per_day, day.requests, midnight),
            ("tokens", "day", grant.tokens_per_day, day.tokens + day.held, midnight),
            ("requests", "minute", grant.per_minute, recent.total(now), recent.oldest_leaves(now)),
        ]
        for period, limit in self._audio_limits().items():
            bucket = self._bucket(pool, period)
            used = bucket.level(now)
            rows.append(("audio", period, limit, used, now + bucket.sinks_by(used)))
        return [
            Gauge(unit, period, cap, used, at - now, at) for unit, period, cap, used, at in rows if cap is not None
        ]

    def _exhausted(self, gauge: Gauge, pool: str, needed: float) -> Gauge:
        """The gauge as the refusal tells it: audio flows back, so waiting for a part of it is enough."""
        if gauge.unit != "audio":
            return replace(gauge, needed=needed)
        wait = self._bucket(pool, gauge.period).sinks_by(gauge.used + needed - gauge.limit)
        return replace(gauge, needed=needed, resets_in=wait, resets_at=gauge.resets_at - gauge.resets_in + wait)

    def _next_midnight(self, now: float) -> float:
        tomorrow = datetime.fromtimestamp(now, self._zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self._zone).timestamp()
