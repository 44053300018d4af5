"""One quota counter as a row, and what it says. Pure; `changes` may happen to it, and the store adds atomicity.

A calendar counter keeps `used` {window: cost}, the last few windows of it; a sliding one the `entries` that are
settled, oldest first; a refilling one how much is `drained` as of `at`. `open` are the holds not settled yet. They
are part of what is spent from the moment they are made; one that expires unsettled stays charged, except that a
concurrent counter is nothing but its open holds. `promised` is kept free for interviews that have begun. `cap` is
a ceiling that the provider told us of, good until `cap_until`; after that one good call forgets it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from core.stores.contract import ARRIVAL_SECONDS, Claim, Counter, Level

SLACK = 1e-9  # sums of fractional neurons may miss a whole number by this much
Entry = tuple[float, float]  # at, cost


class Open(NamedTuple):
    """A hold on this counter. It is charged to `window`; if the call may arrive after `turns` only, in the end to
    `next_window`. `drawn` is the part of `cost` that was promised to its envelope."""

    cost: float
    made: float
    expires: float
    window: str
    next_window: str
    turns: float
    drawn: float = 0.0

    def may_arrive_in(self, counter: Counter) -> bool:
        """In a window that has begun since?"""
        return self.window < counter.window and self.made + ARRIVAL_SECONDS >= counter.begins


class Promise(NamedTuple):
    left: float
    made: float
    expires: float


@dataclass
class Row:
    used: dict[str, float] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    drained: float = 0.0
    at: float = 0.0
    open: dict[str, Open] = field(default_factory=dict)
    promised: dict[str, Promise] = field(default_factory=dict)
    cap: float | None = None
    cap_until: float = 0.0

    def copy(self) -> Row:
        """One that may be changed. Its list and its tuples are never changed, only replaced."""
        holds, promised = dict(self.open), dict(self.promised)
        return Row(dict(self.used), self.entries, self.drained, self.at, holds, promised, self.cap, self.cap_until)

    def spent(self, counter: Counter) -> float:
        """What calls have taken. If the host clock has stepped back, later windows count as well: the provider's
        day did not turn because our clock ran ahead. A call sent in the last moments of a window may arrive in the
        next one, so it counts in both."""
        if counter.kind == "calendar":
            total = sum([cost for window, cost in self.used.items() if window >= counter.window])
            if self.open:
                total += sum([held.cost for held in self.open.values() if held.may_arrive_in(counter)])
        elif counter.kind == "refill":
            total = self.drained
        else:
            total = self.held() + sum([cost for _, cost in self.entries])
        return rounded(total)

    def held(self) -> float:
        return sum([held.cost for held in self.open.values()]) if self.open else 0.0

    def kept_free(self, envelope: str = "") -> float:
        """What is promised to others than `envelope`."""
        if not self.promised:
            return 0.0
        return rounded(sum([promise.left for name, promise in self.promised.items() if name != envelope]))

    def limit(self, counter: Counter) -> float:
        """The counter's own ceiling or a lower one that was learnt."""
        return counter.ceiling if self.cap is None else min(counter.ceiling, self.cap)

    def needed(self, claim: Claim) -> float:
        """What must be free for the claim: its cost, and what it has to leave to others."""
        return claim.cost + claim.leave * self.limit(claim.counter)

    def ceiling(self, counter: Counter, now: float) -> float:
        """The limit. Once a learnt one has run out, the first call of a window may be as large as our own data
        allow: it is the probe that tells whether the lower one still holds."""
        limit = self.limit(counter)
        is_probe = limit < counter.ceiling and now >= self.cap_until and not self.spent(counter)
        return counter.ceiling if is_probe else limit

    def ends(self, counter: Counter) -> list[tuple[float, float]]:
        """When which charges of a sliding or concurrent counter come back."""
        if counter.kind == "concurrent":
            return [(held.expires, held.cost) for held in self.open.values()]
        arriving = [(held.made + ARRIVAL_SECONDS + counter.span, held.cost) for held in self.open.values()]
        return [(at + counter.span, cost) for at, cost in self.entries] + arriving

    def level(self, counter: Counter) -> Level:
        spent, limit = self.spent(counter), self.limit(counter)
        held = min(rounded(self.held()), spent)
        cap = limit if limit < counter.ceiling else None
        used, kept = rounded(spent - held), rounded(held + self.kept_free())
        return Level(used, kept, self._frees_at(counter), cap)

    def steady_until(self, counter: Counter) -> float:
        """Until when its level stays what it is, if nobody changes the row."""
        if counter.kind == "refill" and self.drained:
            return -math.inf
        lasting: list[Open | Promise] = [*self.open.values(), *self.promised.values()]
        ends = [end for end, _ in self.ends(counter)] if counter.kind == "sliding" else []
        return min([*ends, *(each.expires for each in lasting)], default=math.inf)

    def _frees_at(self, counter: Counter) -> float | None:
        if counter.kind == "calendar":
            return None
        if counter.kind == "refill":
            over = max(0.0, min(self.drained, self.drained + 1 - self.limit(counter)))
            return self.at + over * counter.span / self.limit(counter) if self.drained else None
        return min([end for end, cost in self.ends(counter) if cost], default=None)


def rounded(amount: float) -> float:
    """Without the noise that sums have beyond six digits. Halves go up, as they do in Lua."""
    return math.floor(amount * 1e6 + 0.5) / 1e6


def fits(row: Row, claim: Claim, now: float, envelope: str = "") -> bool:
    """Nothing fits always, also where more is gone than there ever was."""
    needed = row.needed(claim)
    free = row.ceiling(claim.counter, now) - row.spent(claim.counter) - row.kept_free(envelope)
    return not needed or needed <= free + SLACK


def free_at(row: Row, claim: Claim, now: float, envelope: str = "") -> float | None:
    """When there will be room for the claim; None for a calendar counter or a hopeless claim."""
    counter, needed = claim.counter, row.needed(claim)
    over = row.spent(counter) + row.kept_free(envelope) + needed - row.ceiling(counter, now)
    if needed > counter.ceiling or counter.kind == "calendar":
        return None
    if counter.kind == "refill":
        return row.at + over * counter.span / row.limit(counter)
    promised = [(p.expires, p.left) for name, p in row.promised.items() if name != envelope]
    for end, cost in sorted(row.ends(counter) + promised):
        over -= cost
        if over <= SLACK:
            return end
    return None
