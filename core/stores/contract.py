"""What a store promises, whichever backend keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.windows import Kind
from providers.contracts import Told

ARRIVAL_SECONDS = 5.0  # a call has reached the provider by then or was given up: connecting may not take longer


class StoreError(Exception):
    """The store cannot be read or written. Nothing may be taken for unused because of it."""


@dataclass(frozen=True)
class Counter:
    """What the provider counts under `key`, up to `ceiling`.

    A calendar counter names its `window`, which lasts from `begins` to `ends`, and the one after it. A sliding one
    looks back `span` seconds; a refilling one is full again after `span` seconds; a concurrent one counts holds
    neither settled nor expired.
    """

    key: str
    kind: Kind
    ceiling: float
    window: str = ""
    next_window: str = ""
    begins: float = 0.0
    ends: float = 0.0
    span: float = 0.0


@dataclass(frozen=True)
class Claim:
    """`cost` units of a counter, of which a share of `leave` must stay free for others."""

    counter: Counter
    cost: float
    leave: float = 0.0


@dataclass(frozen=True)
class Hold:
    """What one call takes from each counter. It may draw on what is promised to `envelope`."""

    id: str
    claims: tuple[Claim, ...]
    envelope: str = ""


@dataclass(frozen=True)
class Refusal:
    """`claim` did not fit. `free_at` is when it would; None where only the calendar knows, or never."""

    claim: Claim
    free_at: float | None


@dataclass(frozen=True)
class Level:
    """What stands on one counter: `used` is settled, `held` belongs to calls under way and to envelopes.

    `frees_at` is when something comes back that is gone now; None for a calendar counter or where nothing is gone.
    `cap` is a ceiling below the counter's own that the provider told us of; None if it did not.
    """

    used: float
    held: float
    frees_at: float | None = None
    cap: float | None = None


@dataclass(frozen=True)
class Lesson:
    """What a call taught: was it `good`, and what did the provider tell of its counters, by counter key."""

    good: bool = False
    told: Mapping[str, Told] = field(default_factory=dict)


NO_LESSON = Lesson()


class Ledger(Protocol):
    """Counters that never pass their ceilings. Changes are one atomic step; every method may raise StoreError."""

    def reserve(self, hold: Hold, now: float, ttl: float) -> Refusal | None:
        """Add every claim or none. The hold counts as `held` until settled or for `ttl` seconds."""
        ...

    def promise(self, envelope: str, claims: Sequence[Claim], now: float, ttl: float) -> Refusal | None:
        """Keep every claim free for `envelope`, or none, in place of what was promised to it on these counters.

        It comes back after `ttl` seconds, or when it is promised 0: nothing was sent, so nothing stays charged.
        """
        ...

    def settle(self, hold: Hold, costs: Mapping[str, float], now: float, lesson: Lesson = NO_LESSON) -> bool:
        """Replace the held costs by `costs` (by counter key; absent means unchanged), and learn the lesson.

        Charged to the window the hold was made in. One made in the last moments of a window may have arrived in
        the next, so it counts in both. False, and no change, if the hold was settled before or its
        time is over; then it stays charged as it was held.
        """
        ...

    def levels(self, counters: Sequence[Counter], now: float) -> list[Level]:
        """What stands on each counter in its window, in the order asked."""
        ...


class Documents(Protocol):
    """Small texts by key, changed by compare-and-swap. Every method may raise StoreError."""

    def get(self, key: str) -> str | None: ...

    def replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        """Put `new` (None deletes) if the present text is `old` (None: absent); False if it is not."""
        ...

    def keys(self) -> Iterator[str]: ...
