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

from core.stores.contract import Claim, Level
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, Store

DAY = 86_400.0


@dataclass
class Charge:
    hold: str
    window: str
    at: float
    cost: float
    expires: float
    is_open: bool = True
    is_final: bool = False


class LedgerMachine(RuleBasedStateMachine):
    """The model keeps a list of charges per counter and adds them up; a calendar counter never turns back.

    What was charged while the clock ran ahead counts for the days before it too, and what was charged to a day
    beyond tomorrow becomes today's; a hold that had run out by then cannot be corrected any more.
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
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(Path(self.folder.name))
        self.now = NOON
        self.holds: list[str] = []
        self.settled: set[str] = set()
        self.charges: dict[str, list[Charge]] = {key: [] for key in self.CEILINGS}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def claim(self, key: str, cost: float = 0) -> Claim:
        if key.endswith("minute"):
            return Claim(key, "sliding", self.CEILINGS[key], cost, span=60.0)
        if key.endswith("call"):
            return Claim(key, "concurrent", self.CEILINGS[key], cost)
        windows = (f"{self.now // DAY:06.0f}", f"{self.now // DAY + 1:06.0f}")
        return Claim(key, "calendar", self.CEILINGS[key], cost, *windows)

    def standing(self, claim: Claim) -> list[Charge]:
        found = self.charges[claim.key]
        if claim.kind == "concurrent":
            return [c for c in found if c.is_open and c.expires > self.now]
        if claim.span:
            return [c for c in found if c.at > self.now - claim.span]
        return [c for c in found if c.window >= claim.window]

    @rule(step=st.sampled_from([0.0, 1.0, 59.0, 60.0, 61.0, 3600.0, DAY]))
    def time_passes(self, step: float) -> None:
        self.now += step

    @rule(step=st.sampled_from([0.5, 30.0, 600.0, DAY]))
    def the_hosts_clock_steps_back(self, step: float) -> None:
        self.now -= step

    @rule(
        keys=st.sets(st.sampled_from(sorted(CEILINGS)), min_size=1),
        cost=st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0, 11.0]),
        ttl=st.sampled_from([30.0, 180.0]),
    )
    def reserve(self, keys: set[str], cost: float, ttl: float) -> None:
        hold = f"h{len(self.holds)}"
        claims = [self.claim(key, cost) for key in sorted(keys)]
        over = [c for c in claims if sum(x.cost for x in self.standing(c)) + c.cost > c.ceiling]
        refusal = self.store.ledger.reserve(hold, claims, self.now, ttl)
        assert (refusal.claim if refusal else None) == (over[0] if over else None)
        if refusal:
            return
        self.holds.append(hold)
        for claim in claims:
            kept = self.standing(claim) if claim.kind != "calendar" else self.charges[claim.key]
            for charge in kept:
                charge.is_open = charge.is_open and charge.expires > self.now
                if charge.window > claim.next_window:
                    charge.window, charge.is_final = claim.window, not charge.is_open
            latest = sorted({claim.window, *(c.window for c in kept)})[-3:]
            new = Charge(hold, latest[-1], self.now, cost, self.now + ttl)
            self.charges[claim.key] = [*(c for c in kept if c.window in latest), new]

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), cost=st.sampled_from([0.0, 0.25, 1.0, 3.0, 20.0]), some=st.booleans())
    def settle(self, data: st.DataObject, cost: float, some: bool) -> None:
        hold = data.draw(st.sampled_from(self.holds))
        costs = {key: cost for key in self.CEILINGS if key.startswith("tokens") or not some}
        assert self.store.ledger.settle(hold, costs, self.now) is (hold not in self.settled)
        for key, charges in self.charges.items():
            for charge in charges:
                if charge.hold == hold and hold not in self.settled and not charge.is_final:
                    charge.cost, charge.is_open = costs.get(key, charge.cost), False
        self.settled.add(hold)

    @rule()
    def a_hold_that_was_never_made_is_not_settled(self) -> None:
        assert self.store.ledger.settle("nobody", {"tokens|day": 1}, self.now) is False

    @invariant()
    def levels_agree(self) -> None:
        claims = [self.claim(key) for key in self.CEILINGS]
        expected = []
        for claim in claims:
            found = self.standing(claim)
            held = sum(c.cost for c in found if c.is_open and c.expires > self.now)
            back = [c.at + claim.span for c in found if c.cost] if claim.span else []
            if claim.kind == "concurrent":
                back = [c.expires for c in found]
            expected.append(Level(sum(c.cost for c in found) - held, held, min(back, default=None)))
        assert self.store.ledger.levels(claims, self.now) == expected


@pytest.mark.parametrize("name", BACKENDS)
def test_the_ledger_agrees_with_its_model_step_by_step(name: str) -> None:
    class Machine(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(BACKENDS[name])

    few = settings(max_examples=60, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(Machine, settings=few)
