"""What the providers did, hour by hour: calls, failures, latency, and what first choices that failed have cost.

Every call is recorded, so recording only adds up in memory; every few seconds whoever records next carries the
sums to the store that all processes share. A process that ends without a `flush` takes its last ones with it.
"""

from __future__ import annotations

import logging
import math
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from core.stores.contract import Documents, StoreError
from core.tally import OTHER, WORD, Tally, histogram
from providers.contracts import Clock

HOUR_SECONDS, HOURS_KEPT = 3_600.0, 35 * 24
LAST_SECOND = 253_402_300_799.0  # of the year 9999; no calendar goes further
PREFIX = "history:"
KEY = re.compile(PREFIX + r"\d{4}-\d\d-\d\dT\d\d")
ATTEMPTS = 50
BATCHES_KEPT = 50  # names that a document remembers; a retry comes before so many others have merged
PACE_WEIGHT = 0.2
FAILED_SECONDS = 30.0
PACE_KEPT_SECONDS = 600.0

NOTHING = Tally()
Tallies = Mapping[str, Tally]  # by provider
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """One call to a provider, as it ended. `route` is the route's name, `seconds` how long the call took.

    `failure` is the kind of failure in one word, such as the error's class name; None for a good call. `first`:
    was it the first choice for its request?
    """

    provider: str
    route: str
    seconds: float
    failure: str | None
    first: bool
    tokens: int = 0


@dataclass(frozen=True)
class _Batch:
    """Numbers on their way into an hour's document, under a name that no other batch has."""

    name: str
    tallies: Tallies


@dataclass(frozen=True)
class _Saved:
    """What the document of one hour keeps.

    It remembers the `batches` that came last: a write whose answer was lost may have happened, and then the batch
    must not count twice when it is tried again.
    """

    providers: Tallies = field(default_factory=dict)
    batches: tuple[str, ...] = ()

    def plus(self, batch: _Batch) -> _Saved:
        if batch.name in self.batches:
            return self
        return _Saved(_sum(self.providers, batch.tallies), (*self.batches, batch.name)[-BATCHES_KEPT:])


_SAVED = TypeAdapter(_Saved)


class History:
    """Hourly numbers of all processes, kept for 35 days. Threads may share it."""

    def __init__(self, documents: Documents, clock: Clock, every: float = 5.0) -> None:
        """`every` is how many seconds at least lie between two visits to the store."""
        self._documents = documents
        self._clock = clock
        self._every = every
        self._due = clock.monotonic() + every
        self._lock = threading.Lock()  # for what is added up in memory; never held while the store is asked
        self._pending: dict[int, dict[str, Tally]] = {}
        self._pace: dict[str, tuple[float, float]] = {}
        self._merging = threading.Lock()  # for what follows; held while the store is asked
        self._batches: dict[int, _Batch] = {}  # tried, and not known to have arrived; one an hour at most
        self._unreadable: set[str] = set()
        self._troubled = False

    def record(self, attempt: Attempt) -> None:
        """Count a call. Never raises: what the store does not take is kept for the next try."""
        took = attempt.seconds if 0 <= attempt.seconds < math.inf else 0.0
        self._keep_pace(attempt.route, took if attempt.failure is None else max(took, FAILED_SECONDS))
        self._add(attempt.provider, _tally(attempt, took))

    def record_cache_hit(self, provider: str) -> None:
        """Count a call that was not made, because an earlier reply of `provider` served again. Never raises."""
        self._add(provider, Tally(saved=1))

    def flush(self) -> None:
        """Bring everything to the store now. Raises StoreError; what did not arrive is kept."""
        with self._merging:
            self._merge()

    def hours(self, since: float) -> dict[str, dict[str, Tally]]:
        """Tallies by hour (UTC, such as "2026-11-24T10") and provider, from the hour of `since` on, oldest first.

        Of other processes, what they have brought to the store; of this one, everything. Raises StoreError.
        """
        first = _name(_hour(since))
        found = {}
        with self._merging:
            saved = {key.removeprefix(PREFIX) for key in filter(KEY.fullmatch, self._documents.keys())}
            batches = {_name(hour): batch for hour, batch in self._batches.items()}
            with self._lock:
                pending = {_name(hour): dict(tallies) for hour, tallies in self._pending.items()}
            for name in sorted(n for n in {*saved, *batches, *pending} if n >= first):
                _, known = self._read(name)
                known = known.plus(batches[name]) if name in batches else known
                found[name] = _sum(known.providers, pending.get(name, {}))
        return {name: tallies for name, tallies in found.items() if tallies}

    def pace(self) -> Mapping[str, float]:
        """How many seconds a call takes lately, by route name, as this process saw it.

        Each call moves the figure a fifth of the way to its own seconds, so it speaks of the last ten or so. A
        failed call counts as 30 s, the time that a call is given, or as what it took if that was more: however
        quickly a route refuses, it never looks better than one that answers. A route that was not called for ten
        minutes is absent, else one that is passed over for its pace could never show that it has recovered.
        """
        since = self._clock.monotonic() - PACE_KEPT_SECONDS
        with self._lock:
            return {route: seconds for route, (seconds, at) in self._pace.items() if at > since}

    def _keep_pace(self, route: str, seconds: float) -> None:
        now = self._clock.monotonic()
        with self._lock:
            before, at = self._pace.get(route, (seconds, now))
            before = before if at > now - PACE_KEPT_SECONDS else seconds
            self._pace[route] = (before + PACE_WEIGHT * (seconds - before), now)

    def _add(self, provider: str, tally: Tally) -> None:
        hour = _hour(self._clock.now())
        with self._lock:
            if hour not in self._pending:
                self._pending = {**_near(hour, self._pending), hour: {}}
            tallies = self._pending[hour]
            tallies[provider] = tallies.get(provider, NOTHING) + tally
        if self._clock.monotonic() < self._due or not self._merging.acquire(blocking=False):
            return
        try:
            self._merge()
        except StoreError as error:
            if not self._troubled:
                log.warning("The history cannot be saved and stays in memory until it can: %s", error)
            self._troubled = True
        finally:
            self._merging.release()

    def _merge(self) -> None:
        """Newest hour first, so that one which the store cannot read holds up none that come after it."""
        try:
            self._batches = _near(_hour(self._clock.now()), self._batches)
            with self._lock:
                hours = {*self._pending, *self._batches}
            for hour in sorted(hours, reverse=True):
                if hour in self._batches:
                    self._send(hour)
                with self._lock:
                    tallies = self._pending.pop(hour, None)
                if tallies:
                    self._batches[hour] = _Batch(uuid.uuid4().hex[:12], tallies)
                    self._send(hour)
            self._troubled = False
        finally:
            self._due = self._clock.monotonic() + self._every

    def _send(self, hour: int) -> None:
        name = _name(hour)
        for _ in range(ATTEMPTS):
            text, saved = self._read(name)
            new = _SAVED.dump_json(saved.plus(self._batches[hour])).decode()
            if self._documents.replace(PREFIX + name, text, new, HOURS_KEPT * HOUR_SECONDS):
                del self._batches[hour]
                return
        raise StoreError("too many writers")

    def _read(self, name: str) -> tuple[str | None, _Saved]:
        """The hour's document, and what it says: nothing where there is none or it is garbled."""
        text = self._documents.get(PREFIX + name)
        try:
            return text, _Saved() if text is None else _SAVED.validate_json(text)
        except ValidationError:
            if name not in self._unreadable:
                log.warning("The history of %s (UTC) cannot be read; what it counted is lost", name)
            self._unreadable.add(name)
            return text, _Saved()


def _tally(attempt: Attempt, took: float) -> Tally:
    first = int(attempt.first)
    if attempt.failure is None:
        latency = histogram(took)
        return Tally(1, tokens=attempt.tokens, seconds=took, first_calls=first, latency=latency)
    # Anything but one plain word may be something that a provider or a candidate said.
    kind = attempt.failure if re.fullmatch(WORD, attempt.failure) else OTHER
    return Tally(1, 1, attempt.tokens, 0.0, first, first, took * first, failures={kind: 1})


def _sum(some: Tallies, more: Tallies) -> dict[str, Tally]:
    return {p: some.get(p, NOTHING) + more.get(p, NOTHING) for p in {**some, **more}}


def _hour(at: float) -> int:
    """Hours since the epoch. A time before that, or after all calendars, counts as the first or the last hour."""
    return int(max(0.0, min(at, LAST_SECOND)) // HOUR_SECONDS)


def _name(hour: int) -> str:
    return datetime.fromtimestamp(hour * HOUR_SECONDS, UTC).strftime("%Y-%m-%dT%H")


def _near(hour: int, by_hour: Mapping[int, T]) -> dict[int, T]:
    """What is less than 35 days from `hour`, on either side: hours far ahead are from a clock that ran wild."""
    return {h: value for h, value in by_hour.items() if abs(h - hour) < HOURS_KEPT}
