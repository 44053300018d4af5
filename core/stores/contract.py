"""What a store promises, whichever backend keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.windows import Kind

ORPHAN_SECONDS = 86_400.0  # how long the record of a hold that nobody settled is kept; its charge stays


class StoreError(Exception):
    """The store cannot be read or written. Nothing may be taken for unused because of it."""


@dataclass(frozen=True)
class Claim:
    """`cost` units on counter `key`, which may not pass `ceiling`.

    A calendar counter names its `window` and the one after it. A sliding one looks back `span` seconds; a
    refilling one is full again after `span` seconds; a concurrent one counts holds neither settled nor expired.
    """

    key: str
    kind: Kind
    ceiling: float
    cost: float
    window: str = ""
    next_window: str = ""
    span: float = 0.0


@dataclass(frozen=True)
class Refusal:
    """`claim` did not fit. `free_at` is when it would; None where only the calendar knows, or never."""

    claim: Claim
    free_at: float | None


@dataclass(frozen=True)
class Level:
    """What stands on one counter: `used` is settled, `held` belongs to calls still under way.

    `frees_at` is when something comes back that is gone now; None for a calendar counter or where nothing is gone.
    """

    used: float
    held: float
    frees_at: float | None = None


class Ledger(Protocol):
    """Counters that never pass their ceilings. Changes are one atomic step; every method may raise StoreError."""

    def reserve(self, hold: str, claims: Sequence[Claim], now: float, ttl: float) -> Refusal | None:
        """Add every claim or none. The hold counts as `held` until settled or for `ttl` seconds."""
        ...

    def settle(self, hold: str, costs: Mapping[str, float], now: float) -> bool:
        """Replace the held costs by `costs` (by counter key; absent means unchanged).

        Charged to the windows the hold was made in. False, and no change, if the hold was settled before or
        is so old that its record is gone.
        """
        ...

    def levels(self, claims: Sequence[Claim], now: float) -> list[Level]:
        """What stands on each claim's counter in its window, in the order asked."""
        ...


class Documents(Protocol):
    """Small texts by key, changed by compare-and-swap. Every method may raise StoreError."""

    def get(self, key: str) -> str | None: ...

    def replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        """Put `new` (None deletes) if the present text is `old` (None: absent); False if it is not."""
        ...

    def keys(self) -> Iterator[str]: ...
