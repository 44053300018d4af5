"""Calls against limits: all or nothing, never over, never under, charged to the window they were sent in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.quotas import (
    NOTHING,
    Cost,
    QuotaManager,
    Reservation,
    Standing,
    cost_of_usage,
)
from core.stores.disk import DiskLedger, open_cache
from providers.contracts import Limit, Route, Usage
from tests.fakes.clock import FrozenClock

PACIFIC = "America/Los_Angeles"
PER_MINUTE = Limit("acme/m", "requests", 3, "minute", PACIFIC)
PER_DAY = Limit("acme/m", "requests", 5, "day", PACIFIC)
TOKENS = Limit("acme", "tokens", 1000, "day", PACIFIC)
ONE = Cost(1, 100, 0.0)


def route(*limits: Limit, **more: object) -> Route:
    return Route("acme", "m", "small", "acme/m", limits, 10, **more)  # type: ignore[arg-type]


ROUTE = route(PER_MINUTE, PER_DAY, TOKENS)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def quota(tmp_path: Path, clock: FrozenClock) -> Iterator[QuotaManager]:
    with closing(open_cache(tmp_path / "ledger")) as cache:
        yield QuotaManager(DiskLedger(cache), clock)


def taken(quota: QuotaManager, limits: tuple[Limit, ...] = ROUTE.limits) -> list[tuple[float, float]]:
    return [(s.used, s.held) for s in quota.standings(limits)]


def reserved(quota: QuotaManager, cost: Cost = ONE, of: Route = ROUTE) -> Reservation:
    decision = quota.reserve(of, cost)
    assert decision.reservation is not None
    return decision.reservation


def pacific(*local: int) -> float:
    return datetime(*local, tzinfo=ZoneInfo(PACIFIC)).timestamp()  # type: ignore[misc, arg-type]


# Reserve


@pytest.mark.parametrize(
    ("costs", "says_no"),
    [
        ([ONE] * 4, PER_MINUTE),
        ([ONE, Cost(1, 901, 0)], TOKENS),
        ([Cost(0, 0, 0), Cost(1, 1001, 0)], TOKENS),
    ],
)
def test_one_limit_that_says_no_leaves_all_of_them_alone(
    costs: list[Cost], says_no: Limit, quota: QuotaManager
) -> None:
    for cost in costs[:-1]:
        reserved(quota, cost)
    before = taken(quota)
    decision = quota.reserve(ROUTE, costs[-1])
    assert (decision.reservation, decision.limit) == (None, says_no)
    assert taken(quota) == before


def test_the_last_unit_of_every_limit_is_usable(quota: QuotaManager, clock: FrozenClock) -> None:
    for _ in range(3):
        quota.settle(reserved(quota), Cost(1, 200, 0))
    clock.advance(60)
    for _ in range(2):
        reserved(quota, Cost(1, 200, 0))
    assert [s.remaining for s in quota.standings(ROUTE.limits)] == [1, 0, 0]
    assert [s.share for s in quota.standings(ROUTE.limits)] == [pytest.approx(2 / 3), 1, 1]


def test_a_route_without_limits_is_always_allowed(quota: QuotaManager) -> None:
    held = reserved(quota, Cost(1, 10**9, 0), route())
    assert quota.settle(held, ONE) is False, "there is nothing to charge"


def test_routes_of_one_pool_share_its_counters(quota: QuotaManager) -> None:
    reserved(quota, ONE)
    other = Route("acme", "n", "large", "acme/n", (Limit("acme/n", "requests", 9, "day", PACIFIC), TOKENS), 10)
    reserved(quota, Cost(1, 300, 0), other)
    assert taken(quota) == [(0, 1), (0, 1), (0, 400)]
    assert len(quota.standings([*ROUTE.limits, *other.limits])) == 4


# Wait


def test_the_wait_of_a_sliding_minute_ends_when_its_oldest_call_leaves(
    quota: QuotaManager, clock: FrozenClock
) -> None:
    for _ in range(3):
        quota.settle(reserved(quota), ONE)
        clock.advance(10)
    decision = quota.reserve(ROUTE, ONE)
    assert (decision.limit, decision.wait) == (PER_MINUTE, 30)
    clock.advance(29.999)
    assert quota.reserve(ROUTE, ONE).reservation is None
    clock.advance(0.001)
    assert quota.reserve(ROUTE, ONE).reservation is not None
    assert quota.reserve(ROUTE, ONE).wait == 10


def test_a_call_under_way_counts_from_when_it_surely_has_arrived(quota: QuotaManager, clock: FrozenClock) -> None:
    held = [reserved(quota) for _ in range(3)]
    assert quota.reserve(ROUTE, ONE).wait == 65
    clock.advance(2)
    assert all(quota.settle(each, ONE) for each in held)
    assert quota.reserve(ROUTE, ONE).wait == 60


def test_the_wait_of_a_day_ends_at_the_providers_midnight(quota: QuotaManager, clock: FrozenClock) -> None:
    clock.at = pacific(2026, 11, 1, 0, 30)  # a day of 25 hours
    reserved(quota, Cost(1, 1000, 0))
    decision = quota.reserve(ROUTE, ONE)
    assert (decision.limit, decision.wait) == (TOKENS, 24.5 * 3600)
    assert decision.wait is not None
    clock.advance(decision.wait - 1)
    assert quota.reserve(ROUTE, ONE).reservation is None
    clock.advance(1)
    assert quota.reserve(ROUTE, ONE).reservation is not None


# Settle


def test_settling_puts_the_real_usage_in_place_of_the_estimate(quota: QuotaManager) -> None:
    first, second = reserved(quota, Cost(1, 600, 0)), reserved(quota, Cost(1, 400, 0))
    assert quota.settle(first, cost_of_usage(ROUTE, Usage(30, 12))) is True
    assert taken(quota) == [(1, 1), (1, 1), (42, 400)]
    assert quota.settle(second, NOTHING) is True
    assert taken(quota) == [(1, 0), (1, 0), (42, 0)]


def test_usage_above_the_estimate_is_charged_and_ends_the_day(quota: QuotaManager) -> None:
    quota.settle(reserved(quota), Cost(1, 1200, 0))
    (standing,) = quota.standings([TOKENS])
    assert (standing.used, standing.remaining, standing.share) == (1200, 0, 1.2)
    assert quota.reserve(ROUTE, Cost(1, 1, 0)).limit == TOKENS


def test_a_second_settle_changes_nothing(quota: QuotaManager) -> None:
    held = reserved(quota)
    assert quota.settle(held, Cost(1, 40, 0)) is True
    assert quota.settle(held, NOTHING) is False
    assert taken(quota) == [(1, 0), (1, 0), (40, 0)]


def test_a_call_is_charged_to_the_day_it_was_sent_in(quota: QuotaManager, clock: FrozenClock) -> None:
    clock.at = pacific(2026, 11, 23, 23, 59, 50)
    early, late = reserved(quota), reserved(quota)
    assert quota.settle(early, Cost(1, 70, 0)) is True
    assert taken(quota) == [(1, 1), (1, 1), (70, 100)]
    clock.advance(20)
    assert taken(quota) == [(1, 1), (0, 0), (0, 0)]
    today = reserved(quota)
    assert quota.settle(late, Cost(1, 900, 0)) is True
    assert taken(quota) == [(2, 1), (0, 1), (0, 100)]
    assert quota.settle(today, Cost(1, 5, 0)) is True
    assert taken(quota) == [(3, 0), (1, 0), (5, 0)]


@pytest.mark.parametrize("over", [True, False])
def test_a_call_sent_at_the_last_moment_may_arrive_tomorrow_and_counts_on_both_days(
    quota: QuotaManager, clock: FrozenClock, over: bool
) -> None:
    clock.at = pacific(2026, 11, 23, 23, 59, 59)
    held = reserved(quota)
    clock.advance(2)
    assert taken(quota)[1:] == [(0, 1), (0, 100)]
    if over:
        assert quota.settle(held, Cost(1, 70, 0)) is True
    else:
        clock.advance(600)
    assert taken(quota)[1:] == [(1, 0), (70 if over else 100, 0)]


def test_an_orphaned_hold_becomes_a_charge(quota: QuotaManager, clock: FrozenClock) -> None:
    reserved(quota)
    clock.advance(600)
    assert taken(quota) == [(0, 0), (1, 0), (100, 0)]


def test_a_clock_that_steps_back_over_midnight_brings_no_second_reset(
    quota: QuotaManager, clock: FrozenClock
) -> None:
    limited = route(PER_DAY)
    clock.at = pacific(2026, 11, 24, 0, 5)
    for _ in range(4):
        reserved(quota, ONE, limited)
    clock.at = pacific(2026, 11, 23, 23, 55)
    reserved(quota, ONE, limited)
    assert quota.reserve(limited, ONE).reservation is None
    clock.at = pacific(2026, 11, 24, 0, 1)
    assert quota.reserve(limited, ONE).reservation is None


def test_a_clock_that_was_years_ahead_for_a_moment_does_not_close_a_route_for_years(
    quota: QuotaManager, clock: FrozenClock
) -> None:
    limited = route(PER_DAY)
    clock.advance(9 * 365 * 86_400)
    reserved(quota, ONE, limited)
    clock.advance(-9 * 365 * 86_400)
    admitted = []
    for _ in range(3):
        admitted.append(sum((quota.reserve(limited, ONE).reservation is not None) for _ in range(6)))
        clock.advance(86_400)
    assert min(admitted) >= 4


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=15))
def test_admitted_calls_fill_a_limit_but_never_pass_it(costs: list[int]) -> None:
    limited = route(Limit("acme", "tokens", 100, "day"))
    with TemporaryDirectory() as folder, closing(open_cache(Path(folder))) as cache:
        quota = QuotaManager(DiskLedger(cache), FrozenClock())
        total = 0
        for cost in costs:
            allowed = quota.reserve(limited, Cost(1, cost, 0)).reservation is not None
            assert allowed == (total + cost <= 100)
            total += cost * allowed


def test_fractions_of_neurons_add_up(quota: QuotaManager) -> None:
    limit = Limit("acme", "neurons", 1, "day")
    rated = route(limit, neurons_per_million=(100.0, 100.0))
    for _ in range(10):
        quota.settle(reserved(quota, Cost(1, 1000, 0.1), rated), Cost(1, 1000, 0.1))
    assert taken(quota, (limit,)) == [(1.0, 0)]
    assert quota.reserve(rated, Cost(1, 1000, 0.001)).reservation is None


def test_a_standing_names_its_reset_and_source(quota: QuotaManager, clock: FrozenClock) -> None:
    clock.at = pacific(2026, 3, 8, 1, 0)  # a day of 23 hours
    minute, day = quota.standings([PER_MINUTE, PER_DAY])
    assert (minute.resets_at - clock.at, day.resets_at - clock.at) == (60, 22 * 3600)
    assert day == Standing(PER_DAY, 0, 0, pacific(2026, 3, 9))
