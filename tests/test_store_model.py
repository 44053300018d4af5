"""The ledger against a plain model in memory, over every order of steps that Hypothesis can think of."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.stores.contract import Claim, Counter, Hold, Lesson, Level, Refusal
from core.windows import Kind
from providers.contracts import Told
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, DAY, Store
from tests.ledger_model import TINY, Account, Charge, Promise, day_of

COUNTERS: dict[str, tuple[Kind, float, float]] = {
    "tokens|day": ("calendar", 10.0, 0.0),
    "requests|day": ("calendar", 4.0, 0.0),
    "requests|minute": ("sliding", 3.0, 60.0),
    "tokens|minute": ("sliding", 7.5, 60.0),
    "requests|hour": ("sliding", 5.0, 3_600.0),
    "tokens|refill-day": ("refill", 24.0, DAY),
    "concurrent|call": ("concurrent", 5.0, 0.0),
}
SOME = st.sets(st.sampled_from(sorted(COUNTERS)), min_size=1, max_size=3)
COSTS = st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 4.0, 11.0])
ENVELOPES = st.sampled_from(["", "", "a", "b"])
TOLD = st.tuples(st.none() | st.sampled_from([0.0, 1.5, 3.0, 50.0]), st.none() | st.sampled_from([0.0, 1.0, 2.5]))


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self, open_store: Callable[[Path], Store]) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.open_store = open_store
        self.store = open_store(Path(self.folder.name))
        self.now = NOON
        self.made = 0
        self.holds: list[Hold] = []
        self.accounts = {key: Account(*counter) for key, counter in COUNTERS.items()}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def claim(self, key: str, cost: float = 0, leave: float = 0) -> Claim:
        kind, ceiling, span = COUNTERS[key]
        today = day_of(self.now)
        day = (f"{today:06d}", f"{today + 1:06d}", today * DAY, (today + 1) * DAY)
        return Claim(
            Counter(key, kind, ceiling, *(day if kind == "calendar" else ("", "", 0.0, 0.0)), span), cost, leave
        )

    # Time

    @rule(step=st.sampled_from([0.0, 1.0, 4.75, 59.0, 60.0, 61.0, 180.0, 3_600.0, 3_605.0, DAY]))
    def time_passes(self, step: float) -> None:
        self.now += step

    @rule(days=st.integers(1, 4))
    def days_pass(self, days: int) -> None:
        self.now += days * DAY

    @rule(before=st.sampled_from([0.0, 1.0, 4.0, 5.0, 100.0]))
    def it_is_midnight_soon(self, before: float) -> None:
        self.now = (day_of(self.now) + 1) * DAY - before

    @rule(step=st.sampled_from([0.5, 30.0, 170.0, 600.0, 4_000.0, DAY, 3 * DAY, 40 * DAY]))
    def the_hosts_clock_steps_back(self, step: float) -> None:
        self.now -= step

    # Calls

    @rule(
        keys=SOME,
        cost=COSTS,
        leave=st.sampled_from([0.0, 0.0, 0.0, 0.4]),
        envelope=ENVELOPES,
        ttl=st.sampled_from([4.0, 30.0, 180.0]),
    )
    def reserve(self, keys: set[str], cost: float, leave: float, envelope: str, ttl: float) -> None:
        hold = Hold(f"h{self.made}", tuple(self.claim(key, cost, leave) for key in sorted(keys)), envelope)
        self.made += 1
        refusal = self.store.ledger.reserve(hold, self.now, ttl)
        self.judge(refusal, hold.claims, envelope)
        if refusal is None:
            self.holds.append(hold)
            for key in keys:
                account, charge = self.accounts[key], Charge(hold.id, cost, self.now, self.now + ttl)
                account.write(self.now)
                account.take(charge)
                account.draw(charge, envelope)

    @rule(keys=SOME, envelope=st.sampled_from("ab"), amount=COSTS, ttl=st.sampled_from([60.0, 7_200.0]))
    def promise(self, keys: set[str], envelope: str, amount: float, ttl: float) -> None:
        claims = [self.claim(key, amount) for key in sorted(keys)]
        refusal = self.store.ledger.promise(envelope, claims, self.now, ttl)
        self.judge(refusal, claims, envelope)
        if refusal is None:
            for key in keys:
                self.accounts[key].write(self.now)
                self.accounts[key].promises.pop(envelope, None)
                if amount:
                    self.accounts[key].promises[envelope] = Promise(amount, self.now, self.now + ttl)

    def judge(self, refusal: Refusal | None, claims: list[Claim] | tuple[Claim, ...], envelope: str) -> None:
        """Refused is the first claim that does not fit, and none that does."""
        for claim in claims:
            account = self.accounts[claim.counter.key]
            least, most = account.between(self.now)
            if refusal and refusal.claim == claim:
                assert not account.fits(claim, self.now, envelope, most)
                self.judge_time(refusal, account, envelope)
                return
            assert account.fits(claim, self.now, envelope, least)
        assert refusal is None

    def judge_time(self, refusal: Refusal, account: Account, envelope: str) -> None:
        """`free_at` is not too early, and not later than need be."""
        at, claim = refusal.free_at, refusal.claim
        if at is None or (account.kind == "refill" and account.promises):
            return
        late = account.span / 240 if account.kind == "sliding" else 1.0
        soon = at + (late if account.kind == "refill" else 0.0)
        assert at > self.now
        assert account.fits(claim, soon, envelope, account.spent(soon, day_of(soon)))
        if account.cap == inf and at - late > self.now:
            assert not account.fits(claim, at - late, envelope, account.spent(at - late, day_of(at), late))

    @precondition(lambda self: self.holds)
    @rule(
        back=st.integers(0, 4),
        cost=st.sampled_from([0.0, 0.25, 1.0, 3.0, 20.0]),
        some=st.booleans(),
        good=st.booleans(),
        told=st.none() | TOLD,
    )
    def settle(
        self,
        back: int,
        cost: float,
        some: bool,
        good: bool,
        told: tuple[float | None, float | None] | None,
    ) -> None:
        hold = self.holds[-1 - back % len(self.holds)]
        keys = {claim.counter.key: claim.counter for claim in hold.claims}
        costs = {key: cost for key in keys if key.startswith("tokens") or not some}
        said = {}
        for key in keys if told else ():
            least, most = self.accounts[key].between(self.now)
            limit, remaining = told or (None, None)
            said[key] = Told("requests", "day", limit, remaining if least == most else None)
        found = {
            key: charge
            for key in keys
            for charge in self.accounts[key].under_way(self.now)
            if charge.name == hold.id
        }
        lesson = Lesson(good, said)
        assert self.store.ledger.settle(hold, costs, self.now, lesson) is bool(found)
        for key, charge in found.items():
            account, was_on = self.accounts[key], charge.day
            turns = (day_of(charge.made) + 1) * DAY
            account.write(self.now)
            actual = costs.get(key, charge.cost)
            account.settle(charge, actual, self.now)
            if hold.envelope in account.promises:
                account.promises[hold.envelope].left += max(0.0, charge.drawn - actual)
            if good and charge.made >= account.cap_until:
                account.cap, account.cap_until = inf, 0.0
            self.learn(account, keys[key], said.get(key), was_on, turns)

    def learn(self, account: Account, counter: Counter, told: Told | None, day: int, turns: float) -> None:
        if told is None or told.limit == 0:
            return
        known = min(account.cap, account.ceiling)
        if told.limit is not None and told.limit < known:
            account.cap = told.limit
            account.cap_until = turns if account.kind == "calendar" else self.now + account.span
        if told.remaining is not None and counter.window in ("", f"{day:06d}"):
            account.others_took((known if told.limit is None else told.limit) - told.remaining, self.now, day)

    @rule()
    def a_hold_that_was_never_made_is_not_settled(self) -> None:
        stranger = Hold("nobody", (self.claim("tokens|day", 1),))
        assert self.store.ledger.settle(stranger, {"tokens|day": 1}, self.now) is False

    @rule(everything=st.booleans())
    def crash(self, everything: bool) -> None:
        """The process dies, and with it all that it knew of its calls, or only of the last one."""
        self.holds = [] if everything else self.holds[:-1]
        self.store.close()
        self.store = self.open_store(Path(self.folder.name))

    @invariant()
    def levels_agree(self) -> None:
        counters = [self.claim(key).counter for key in COUNTERS]
        for counter, level in zip(counters, self.store.ledger.levels(counters, self.now), strict=True):
            account = self.accounts[counter.key]
            account.look(self.now)
            least, most = account.between(self.now)
            kept = account.kept(self.now)
            spent = level.used + level.held - kept
            assert least - TINY <= spent <= most + TINY
            held = min(spent, sum(charge.cost for charge in account.under_way(self.now)))
            assert level.held == pytest.approx(held + kept, abs=TINY)
            assert level.cap == (account.cap if account.cap < account.ceiling else None)
            self.frees_agree(account, level)

    def frees_agree(self, account: Account, level: Level) -> None:
        now, late = self.now, account.span / 240
        if account.kind == "sliding":
            backs = [c.back for c in account.charges if c.cost and account.counts(c, now, 0, late)]
            sure = [c.back for c in account.charges if c.cost and account.counts(c, now, 0)]
        elif account.kind == "concurrent":
            backs = sure = [c.expires for c in account.under_way(now) if c.cost]
        else:
            return
        if level.frees_at is None:
            assert not sure
        else:
            assert max(min(backs), now) <= level.frees_at <= min(sure, default=inf) + late


@pytest.mark.parametrize("name", BACKENDS)
def test_the_ledger_agrees_with_its_model_step_by_step(name: str) -> None:
    class Machine(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(BACKENDS[name])

    few = settings(max_examples=60, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(Machine, settings=few)
