"""What a ledger should say, from a plain list of who took what and when. Slow, and told nothing of rows.

It leaves open what the contract leaves open: within a 240th of its window a sliding charge may come back late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from math import floor, inf

from core.stores.contract import ARRIVAL_SECONDS, Claim
from tests.fakes.stores import DAY

TINY = 1e-6


@dataclass
class Charge:
    """A call, or what others took with our key. It was under way from `made` until `over`."""

    name: str
    cost: float
    made: float
    expires: float
    over: float = inf  # settled then; a call that nobody settles is over when it expires
    day: int = 0  # calendar: the last day that it counts on, as far as was written down
    back: float = 0.0  # sliding: when it comes back
    drawn: float = 0.0
    came_back: bool = False  # sliding: it did once, and may for good

    def is_open(self, now: float) -> bool:
        return self.over == inf and self.expires > now

    def last_day(self, now: float) -> int:
        if self.over < inf:
            return self.day
        return self.last_day_if_over(inf if self.is_open(now) else self.expires)

    def last_day_if_over(self, at: float) -> int:
        """A call sent just before midnight may be counted after it."""
        return max(self.day, day_of(min(self.made + ARRIVAL_SECONDS, at)))


@dataclass
class Promise:
    left: float
    made: float
    expires: float


def day_of(now: float) -> int:
    return floor(now / DAY)


def is_wild(made: float, expires: float, now: float) -> bool:
    return made - now > expires - made


@dataclass
class Account:
    """One counter. `charges` are kept until they cannot count any more; a refilling one has its `flow`, too: what
    was taken, what has refilled since (negative), and so on, as far as time was `credited`."""

    kind: str
    ceiling: float
    span: float = 0.0
    charges: list[Charge] = field(default_factory=list)
    promises: dict[str, Promise] = field(default_factory=dict)
    days: list[int] = field(default_factory=list)
    flow: list[float] = field(default_factory=list)
    credited: float = 0.0
    cap: float = inf
    cap_until: float = 0.0

    # What stands

    def counts(self, charge: Charge, now: float, day: int, late: float = 0.0) -> bool:
        """At `now`, or on `day`, if what slides comes back so `late`. A day that is over may be today again."""
        if self.kind == "concurrent":
            return charge.is_open(now)
        if self.kind == "sliding":
            is_late = late > 0 and not charge.is_open(now)
            return charge.back + late > now if is_late else charge.back > now and not charge.came_back
        return charge.last_day(now) >= day

    def under_way(self, now: float) -> list[Charge]:
        return [c for c in self.charges if c.is_open(now) and (self.kind != "sliding" or c.back > now)]

    def spent(self, now: float, day: int, late: float = 0.0) -> float:
        if self.kind != "refill":
            return sum(c.cost for c in self.charges if self.counts(c, now, day, late))
        levels = list(accumulate([*self.flow, -self.rate() * max(0.0, now - self.credited)]))
        return levels[-1] - min(0.0, *levels)  # a full budget does not fill up any further

    def between(self, now: float) -> tuple[float, float]:
        """The least and the most that may be taken for spent."""
        late = self.span / 240 if self.kind == "sliding" else 0.0
        return self.spent(now, day_of(now)), self.spent(now, day_of(now), late)

    def rate(self) -> float:
        return min(self.cap, self.ceiling) / self.span if self.kind == "refill" else 0.0

    def kept(self, now: float, envelope: str = "") -> float:
        return sum(p.left for name, p in self.promises.items() if name != envelope and p.expires > now)

    def fits(self, claim: Claim, now: float, envelope: str, spent: float) -> bool:
        is_probe = now >= self.cap_until and spent <= TINY
        limit = self.ceiling if is_probe else min(self.cap, self.ceiling)
        needed = claim.cost + claim.leave * min(self.cap, self.ceiling)
        return needed == 0 or spent + self.kept(now, envelope) + needed <= limit + TINY / 1_000

    # What happens

    def look(self, now: float) -> None:
        """Whatever a clock far ahead has left is taken for made now, today."""
        tomorrow = day_of(now) + 1
        for charge in self.charges:
            if charge.over == inf and is_wild(charge.made, charge.expires, now):
                charge.made, charge.expires = now, now + (charge.expires - charge.made)
                charge.back = now + ARRIVAL_SECONDS + self.span
            if charge.over < inf and charge.back > now + 2 * self.span:
                charge.back = now + self.span
            charge.day = charge.day if charge.day <= tomorrow else day_of(now)
        for promise in self.promises.values():
            if is_wild(promise.made, promise.expires, now):
                promise.made, promise.expires = now, now + (promise.expires - promise.made)
        self.days = sorted({day if day <= tomorrow else day_of(now) for day in self.days})
        self.credited = now if self.credited > now + self.span else self.credited
        self.cap_until = min(self.cap_until, tomorrow * DAY if self.kind == "calendar" else now + self.span)

    def write(self, now: float) -> None:
        """From now on, what is over stays so, even if the clock steps back."""
        for charge in self.charges:
            if charge.over == inf and charge.expires <= now and self.kind != "concurrent":
                self.book(charge, charge.last_day(now))
                charge.over = charge.expires
        if self.kind in ("sliding", "concurrent"):
            self.charges = [c for c in self.charges if self.counts(c, now, 0, self.span / 240)]
            for charge in self.charges:
                charge.came_back |= not self.counts(charge, now, 0)
        self.promises = {name: p for name, p in self.promises.items() if p.expires > now}
        self.flow.append(-self.rate() * max(0.0, now - self.credited))
        self.credited = max(self.credited, now)

    def book(self, charge: Charge, day: int) -> None:
        """Only the latest three days are remembered."""
        charge.day = day
        self.days = sorted({*self.days, day})[-3:] if self.kind == "calendar" else []
        if self.kind == "calendar":
            self.charges = [c for c in self.charges if c.over == inf or c.day in self.days]

    def take(self, charge: Charge) -> None:
        """A call begins."""
        self.charges.append(charge)
        self.flow.append(charge.cost)
        charge.back = charge.made + ARRIVAL_SECONDS + self.span
        self.book(charge, max([day_of(charge.made), *self.days]))

    def draw(self, charge: Charge, envelope: str) -> None:
        if envelope in self.promises:
            charge.drawn = min(charge.cost, self.promises[envelope].left)
            self.promises[envelope].left -= charge.drawn

    def settle(self, charge: Charge, cost: float, now: float) -> None:
        """A call is over. Of a budget that refills, time has given back a part already."""
        lasted = max(0.0, now - charge.made)
        refund = max(0.0, charge.cost - cost - lasted * self.rate())
        self.flow.append(max(0.0, cost - charge.cost) - refund)
        charge.over, charge.cost = now, cost
        charge.back = charge.made + min(ARRIVAL_SECONDS, lasted) + self.span
        self.book(charge, charge.last_day_if_over(now))

    def others_took(self, taken: float, now: float, day: int) -> None:
        """The provider counts `taken` in all, and what is more than we know of was not us. More than all there is
        is all there is."""
        missing = min(taken, self.cap, self.ceiling) - self.spent(now, day)
        if missing > TINY and self.kind != "concurrent":
            others = Charge("", missing, now, now, over=now, back=now + self.span)
            self.charges.append(others)
            self.flow.append(missing)
            self.book(others, day)
