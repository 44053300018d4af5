"""The ledger against a plain model in memory, over every order of steps that Hypothesis can think of."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.stores.contract import ARRIVAL_SECONDS, Claim, Counter, Hold, Level
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, Store

DAY = 86_400.0
FIRST, LAST = NOON // DAY * DAY, NOON // DAY * DAY + 2 * DAY  # the clock stays between these midnights


@dataclass
class Charge:
    """What one call costs one counter. `window` is the day it is charged to; `at` when a sliding one was made or,
    once settled, when it had surely arrived."""

    hold: Hold
    claim: Claim
    window: str
    at: float
    expires: float
    cost: float
    is_open: bool = True
    drawn: float = 0.0


@dataclass
class Promised:
    left: float
    made: float
    expires: float


def day(now: float, ahead: int = 0) -> str:
    return f"{now // DAY + ahead:06.0f}"


class LedgerMachine(RuleBasedStateMachine):
    """The model keeps a list of charges per counter and adds them up.

    A day's charges count for the days before it too, for the clock may have stepped back. A call sent within 5 s
    of midnight counts on both days. What a clock that ran more than a day or a hold's life ahead left behind is
    taken for made now, at the next look.
    """

    CEILINGS: ClassVar = {
        "tokens|day": 10.0,
        "requests|day": 4.0,
        "requests|minute": 3.0,
        "tokens|minute": 7.5,
        "concurrent|call": 5.0,
    }

    def __init__(self, open_store: Callable[[Path], Store]) -> None:
        super().__init__()
        self.open_store = open_store
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(Path(self.folder.name))
        self.now = NOON
        self.holds: list[Hold] = []
        self.charges: dict[str, list[Charge]] = {key: [] for key in self.CEILINGS}
        self.promised: dict[str, dict[str, Promised]] = {key: {} for key in self.CEILINGS}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    # The model

    def claim(self, key: str, cost: float) -> Claim:
        if key.endswith("minute"):
            return Claim(Counter(key, "sliding", self.CEILINGS[key], span=60.0), cost)
        if key.endswith("call"):
            return Claim(Counter(key, "concurrent", self.CEILINGS[key]), cost)
        begins = self.now // DAY * DAY
        names = day(self.now), day(self.now, 1)
        return Claim(Counter(key, "calendar", self.CEILINGS[key], *names, begins, begins + DAY), cost)

    def counts(self, charge: Charge) -> bool:
        kind = charge.claim.counter.kind
        if kind == "concurrent":
            return charge.is_open
        if kind == "sliding":
            late = ARRIVAL_SECONDS if charge.is_open else 0.0
            return charge.at + late > self.now - 60
        may_arrive_today = charge.is_open and charge.at + ARRIVAL_SECONDS > self.now // DAY * DAY
        return charge.window >= day(self.now) or may_arrive_today

    def spent(self, key: str) -> float:
        return sum(charge.cost for charge in self.charges[key] if self.counts(charge))

    def kept_free(self, key: str, envelope: str) -> float:
        return sum(p.left for name, p in self.promised[key].items() if name != envelope)

    def close(self, charge: Charge, until: float) -> None:
        """Over, at `until` at the latest: from now on it counts from when it surely had arrived."""
        arrived = charge.at + max(0.0, min(until - charge.at, ARRIVAL_SECONDS))
        counter = charge.claim.counter
        if counter.kind == "calendar":
            begun = counter.next_window if arrived >= counter.ends else counter.window
            charge.window = max(charge.window, begun if arrived >= counter.begins else "")
        charge.is_open, charge.at = False, arrived

    def look(self) -> None:
        """What the passing of time and a clock that ran ahead have done by now."""
        for key, charges in self.charges.items():
            for charge in charges:
                if charge.window > day(self.now, 1):
                    charge.window = day(self.now)
                if not charge.is_open and charge.claim.counter.kind == "sliding" and charge.at > self.now + 60:
                    charge.at = self.now
                if charge.is_open and charge.at - self.now > charge.expires - charge.at:
                    charge.expires = self.now + charge.expires - charge.at
                    charge.at = self.now
                if charge.is_open and charge.expires <= self.now:
                    self.close(charge, charge.expires)
            for name, promised in list(self.promised[key].items()):
                if promised.made - self.now > promised.expires - promised.made:
                    promised.expires = self.now + promised.expires - promised.made
                    promised.made = self.now
                if promised.expires <= self.now:
                    del self.promised[key][name]

    def refused(self, claims: list[Claim], envelope: str) -> Claim | None:
        for claim in claims:
            key = claim.counter.key
            if claim.cost and self.spent(key) + self.kept_free(key, envelope) + claim.cost > claim.counter.ceiling:
                return claim
        return None

    # Steps

    @rule(step=st.sampled_from([1.0, 59.0, 60.0, 61.0, 3600.0, DAY]))
    def time_passes(self, step: float) -> None:
        self.now = min(self.now + step, LAST - 1)

    @rule(before=st.sampled_from([1.0, 4.0, 20.0]))
    def it_is_nearly_midnight(self, before: float) -> None:
        midnight = self.now // DAY * DAY + DAY
        self.now = max(self.now, min(midnight, LAST - DAY) - before)

    @rule(step=st.sampled_from([0.5, 30.0, 600.0, DAY]))
    def the_hosts_clock_steps_back(self, step: float) -> None:
        """Somebody calls just before: what has run out by then, but was not written down, may run on after it."""
        self.reserve(set(self.CEILINGS), 0.0, 30.0, "")
        self.look()
        for key in ("requests|minute", "tokens|minute"):
            self.charges[key] = [charge for charge in self.charges[key] if self.counts(charge)]
        self.now = max(self.now - step, FIRST)

    @rule()
    def the_process_dies_and_another_one_starts(self) -> None:
        self.store.close()
        self.store = self.open_store(Path(self.folder.name))

    @rule(
        keys=st.sets(st.sampled_from(sorted(CEILINGS)), min_size=1),
        cost=st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0, 11.0]),
        ttl=st.sampled_from([30.0, 180.0]),
        envelope=st.sampled_from(["", "", "e1", "e2"]),
    )
    def reserve(self, keys: set[str], cost: float, ttl: float, envelope: str) -> None:
        claims = [self.claim(key, cost) for key in sorted(keys)]
        hold = Hold(f"h{len(self.holds)}", tuple(claims), envelope)
        refusal = self.store.ledger.reserve(hold, self.now, ttl)
        assert (refusal.claim if refusal else None) == self.refused(claims, envelope)
        self.holds.append(hold)
        if refusal:
            return
        for claim in claims:
            key = claim.counter.key
            latest = max((c.window for c in self.charges[key]), default="")
            charge = Charge(hold, claim, max(latest, claim.counter.window), self.now, self.now + ttl, cost)
            if promised := self.promised[key].get(envelope):
                charge.drawn = min(promised.left, cost)
                promised.left -= charge.drawn
            self.charges[key].append(charge)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), cost=st.sampled_from([0.0, 0.25, 1.0, 3.0, 20.0]), some=st.booleans())
    def settle(self, data: st.DataObject, cost: float, some: bool) -> None:
        """With a cost of 0 this is a release."""
        hold = data.draw(st.sampled_from(self.holds))
        costs = {key: cost for key in self.CEILINGS if key.startswith("tokens") or not some}
        found = [c for charges in self.charges.values() for c in charges if c.hold is hold and c.is_open]
        found = [c for c in found if c.claim.counter.kind != "sliding" or self.counts(c)]
        assert self.store.ledger.settle(hold, costs, self.now) is bool(found)
        for charge in found:
            key = charge.claim.counter.key
            charge.cost = costs.get(key, charge.cost)
            if hold.envelope in self.promised[key]:
                self.promised[key][hold.envelope].left += max(0.0, charge.drawn - charge.cost)
            self.close(charge, self.now)

    @rule(
        envelope=st.sampled_from(["e1", "e2"]),
        keys=st.sets(st.sampled_from(["tokens|day", "requests|day"]), min_size=1),
        amount=st.sampled_from([0.0, 1.0, 3.0, 8.0]),
    )
    def promise_or_close(self, envelope: str, keys: set[str], amount: float) -> None:
        claims = [self.claim(key, amount) for key in sorted(keys)]
        refusal = self.store.ledger.promise(envelope, claims, self.now, 7_200)
        assert (refusal.claim if refusal else None) == self.refused(claims, envelope)
        for key in [] if refusal else keys:
            self.promised[key].pop(envelope, None)
            if amount:
                self.promised[key][envelope] = Promised(amount, self.now, self.now + 7_200)

    @rule()
    def a_hold_that_was_never_made_is_not_settled(self) -> None:
        claims = (self.claim("tokens|day", 1),)
        assert self.store.ledger.settle(Hold("nobody", claims), {"tokens|day": 1}, self.now) is False

    @invariant()
    def levels_agree(self) -> None:
        self.look()
        counters = [self.claim(key, 0).counter for key in self.CEILINGS]
        found = self.store.ledger.levels(counters, self.now)
        assert [Level(level.used, level.held) for level in found] == [self.level(key) for key in self.CEILINGS]

    def level(self, key: str) -> Level:
        is_sliding = key.endswith("minute")
        is_open = [c for c in self.charges[key] if c.is_open and (self.counts(c) or not is_sliding)]
        held = min(sum(c.cost for c in is_open), self.spent(key))
        return Level(self.spent(key) - held, held + self.kept_free(key, ""))


@pytest.mark.parametrize("name", BACKENDS)
def test_the_ledger_agrees_with_its_model_step_by_step(name: str) -> None:
    class Machine(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(BACKENDS[name])

    few = settings(max_examples=60, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(Machine, settings=few)
