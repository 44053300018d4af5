"""Counters that are no calendar: sliding hours, budgets that refill, calls at once. On every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stores import changes, rows
from core.stores.contract import Claim
from core.stores.rows import Row
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, DAY, Store, at_once, levels, refill, reserve, settle, sliding


def hourly(ceiling: float = 3) -> Claim:
    return sliding(ceiling, key="c|requests|hour", span=3_600.0)


@pytest.fixture(params=sorted(BACKENDS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = BACKENDS[request.param](tmp_path)
    yield made
    made.close()


def admitted(store: Store, claim: Claim, now: float, tries: int) -> int:
    """Of so many calls, each settled at once."""
    done = 0
    for n in range(tries):
        if reserve(store.ledger, f"{now}-{n}", [claim], now, 180) is None:
            settle(store.ledger, f"{now}-{n}", {}, now)
            done += 1
    return done


def test_a_budget_refills_drop_by_drop_as_groq_does(store: Store) -> None:
    assert admitted(store, refill(1_000), NOON, 1_001) == 1_000
    refusal = reserve(store.ledger, "x", [refill(1_000)], NOON, 180)
    assert refusal is not None
    assert refusal.free_at == pytest.approx(NOON + 86.4)
    assert admitted(store, refill(1_000), NOON + 86.3, 2) == 0
    assert admitted(store, refill(1_000), NOON + 86.5, 2) == 1
    assert admitted(store, refill(1_000), NOON + 10 * 86.4 + 1, 20) == 9
    assert admitted(store, refill(1_000), NOON + 5 * DAY, 1_100) == 1_000, "it never holds more than it can"


def test_a_clock_that_steps_back_refills_nothing(store: Store) -> None:
    assert admitted(store, refill(10), NOON, 10) == 10
    for now in (NOON - 600, NOON - 1, NOON - DAY / 2):
        assert admitted(store, refill(10), now, 1) == 0
    assert admitted(store, refill(10), NOON + DAY / 10 + 1, 5) == 1


def test_a_refund_gives_back_only_what_time_has_not(store: Store) -> None:
    key = refill(100).counter.key
    assert reserve(store.ledger, "first", [refill(100, 100)], NOON, 2 * DAY) is None
    assert reserve(store.ledger, "second", [refill(100, 100)], NOON + DAY, 180) is None
    assert settle(store.ledger, "first", {key: 0}, NOON + DAY) is True
    assert levels(store.ledger, [refill(100, 0)], NOON + DAY)[0].held == 100
    assert reserve(store.ledger, "third", [refill(100, 1)], NOON + DAY, 180) is not None
    assert settle(store.ledger, "second", {key: 10}, NOON + DAY) is True
    assert levels(store.ledger, [refill(100, 0)], NOON + DAY)[0].used == 10


def test_an_hour_slides(store: Store) -> None:
    for minutes in (0, 20, 40):
        assert admitted(store, hourly(), NOON + 60 * minutes, 1) == 1
    refusal = reserve(store.ledger, "x", [hourly()], NOON + 3_000, 180)
    assert refusal is not None
    assert refusal.free_at == NOON + 3_600
    assert admitted(store, hourly(), NOON + 3_599, 1) == 0
    assert admitted(store, hourly(), NOON + 3_601, 2) == 1


def test_calls_at_once_are_freed_by_settling_and_by_their_ttl(store: Store) -> None:
    claims = [at_once(2)]
    assert reserve(store.ledger, "a", claims, NOON, 60) is None
    assert reserve(store.ledger, "b", claims, NOON + 1, 60) is None
    refusal = reserve(store.ledger, "c", claims, NOON + 2, 60)
    assert refusal is not None
    assert refusal.free_at == NOON + 60
    assert settle(store.ledger, "a", {}, NOON + 3) is True
    assert reserve(store.ledger, "c", claims, NOON + 3, 60) is None
    assert reserve(store.ledger, "d", claims, NOON + 62, 60) is None, "b was orphaned and its time is over"
    assert levels(store.ledger, claims, NOON + 200)[0].held == 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, DAY / 2), st.sampled_from([1.0, 7.5, 40.0, 100.0]), st.sampled_from([0.0, 1.0, 40.0])
        ),
        max_size=25,
    )
)
def test_no_stretch_of_time_gives_more_than_the_budget_and_what_refilled(
    calls: list[tuple[float, float, float]],
) -> None:
    """A provider that counts the true costs from the moment of sending never sees its bucket below empty."""
    row, now = Row(), NOON
    true_drained, true_at = 0.0, NOON
    for n, (pause, held, cost) in enumerate(calls):
        now += pause
        claim = refill(100, held)
        row = changes.turn(row, claim.counter, now)
        if not rows.fits(row, claim, now):
            continue
        changes.charge(row, claim, f"h{n}", now, now + 180)
        true_drained = max(0.0, true_drained - (now - true_at) * 100 / DAY) + min(cost, held)
        true_at = now
        assert true_drained <= 100 + 1e-6
        changes.settle(row, claim.counter, f"h{n}", min(cost, held), now)
        assert row.drained >= true_drained - 1e-6
