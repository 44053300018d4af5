"""What a hold costs: settled, too late or never, over days that turn and clocks that step. On every store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.stores.contract import Claim, Hold, Ledger, Lesson, Level
from providers.contracts import Told
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, DAY, at_once, daily, levels, refill, reserve, settle, sliding

DAY_KEY, MINUTE_KEY = "p|requests|day", "p|requests|minute"
MIDNIGHT = NOON + DAY / 2


@pytest.fixture(params=BACKENDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    store = BACKENDS[request.param](tmp_path)
    yield store.ledger
    store.close()


def on_day(now: float, ceiling: float = 5, cost: float = 1) -> Claim:
    return daily(ceiling, cost, window=f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}")


def hourly(ceiling: float, cost: float) -> Claim:
    return sliding(ceiling, cost, "c|requests|hour", span=3_600.0)


def amounts(found: list[Level]) -> list[tuple[float, float]]:
    return [(level.used, level.held) for level in found]


# Once, in time


def test_a_hold_is_settled_once(ledger: Ledger) -> None:
    claims = [daily(10, 4), sliding(10, 4)]
    reserve(ledger, "a", claims, NOON, 180)
    assert settle(ledger, "a", {DAY_KEY: 3}, NOON + 2) is True
    for costs in ({DAY_KEY: 0.0, MINUTE_KEY: 0.0}, {DAY_KEY: 9.0}, {}):
        assert settle(ledger, "a", costs, NOON + 2) is False
    assert levels(ledger, claims, NOON + 3) == [Level(3, 0), Level(4, 0, NOON + 62)]


def test_a_hold_settled_after_its_time_stays_charged_as_it_was_held(ledger: Ledger) -> None:
    claims = [daily(10, 4), hourly(10, 4), refill(10, 4), at_once(1)]
    reserve(ledger, "a", claims, NOON, 180)
    assert amounts(levels(ledger, claims, NOON + 179.9)) == [
        (0, 4),
        (0, 4),
        (0, pytest.approx(3.979, abs=1e-3)),
        (0, 1),
    ]
    for late in (180, 181, 3_000):
        assert settle(ledger, "a", dict.fromkeys((claim.counter.key for claim in claims), 0), NOON + late) is False
        assert amounts(levels(ledger, claims, NOON + late))[:2] == [(4, 0), (4, 0)]
        assert levels(ledger, claims, NOON + late)[2].used == pytest.approx(4 - late * 10 / DAY)
        assert levels(ledger, claims, NOON + late)[3] == Level(0, 0)
        assert levels(ledger, claims, NOON + late)[1].frees_at == NOON + 3_605


def test_a_hold_settled_just_in_time_is_settled(ledger: Ledger) -> None:
    claims = [daily(10, 4), sliding(10, 4)]
    reserve(ledger, "a", claims, NOON, 180)
    assert settle(ledger, "a", {DAY_KEY: 1}, NOON + 179.9) is True
    assert levels(ledger, claims, NOON + 180) == [Level(1, 0), Level(0, 0)]


def test_a_call_that_takes_nothing_is_not_refused_where_a_limit_was_lowered(ledger: Ledger) -> None:
    reserve(ledger, "a", [daily(5, 5)], NOON, 180)
    assert reserve(ledger, "free", [daily(3, 0), sliding(5)], NOON, 180) is None
    assert reserve(ledger, "not free", [daily(3, 0.01), sliding(5)], NOON, 180) is not None


def test_an_envelope_is_closed_where_a_limit_was_lowered(ledger: Ledger) -> None:
    assert ledger.promise("e", [daily(5, 2)], NOON, 600) is None
    reserve(ledger, "a", [daily(5, 3)], NOON, 180)
    assert ledger.promise("e", [daily(2, 0)], NOON, 0) is None
    assert amounts(levels(ledger, [daily(2)], NOON)) == [(0, 3)]


def test_a_claim_may_leave_some_of_a_counter_to_others(ledger: Ledger) -> None:
    shy = replace(daily(10, 1), leave=0.3)
    assert [reserve(ledger, f"h{n}", [shy], NOON, 180) is None for n in range(9)] == [True] * 7 + [False] * 2
    others = [reserve(ledger, f"o{n}", [daily(10)], NOON, 180) is None for n in range(4)]
    assert others == [True] * 3 + [False]


# Sliding


def test_a_sliding_charge_counts_from_when_the_call_surely_had_arrived(ledger: Ledger) -> None:
    claims = [sliding(10)]
    for name, made, over in (("quick", 0, 2), ("slow", 10, 30)):
        assert reserve(ledger, name, claims, NOON + made, 180) is None
        assert levels(ledger, claims, NOON + made)[0].held == 1
        assert settle(ledger, name, {}, NOON + over) is True
    assert levels(ledger, claims, NOON + 61.9) == [Level(2, 0, NOON + 62)]
    assert levels(ledger, claims, NOON + 62) == [Level(1, 0, NOON + 75)]
    assert levels(ledger, claims, NOON + 75) == [Level(0, 0)]


def test_a_call_that_outlasts_its_minute_comes_back_before_it_is_over(ledger: Ledger) -> None:
    claims = [sliding(1), daily(5)]
    assert reserve(ledger, "long", claims, NOON, 180) is None
    assert reserve(ledger, "next", claims, NOON + 64.9, 180) is not None
    assert reserve(ledger, "next", claims, NOON + 65, 180) is None
    assert settle(ledger, "long", {DAY_KEY: 2}, NOON + 100) is True
    assert levels(ledger, claims, NOON + 100) == [Level(0, 1, NOON + 130), Level(2, 1)]


def test_a_rolling_day_of_a_thousand_calls_forgets_none_too_early(ledger: Ledger) -> None:
    rolling = [sliding(1e6, 1, "r|requests|rolling-day", span=DAY)]
    for n in range(1_000):
        assert reserve(ledger, f"h{n}", rolling, NOON + n * 60, 180) is None
        assert settle(ledger, f"h{n}", {}, NOON + n * 60 + 20 * (n % 3)) is True
    assert levels(ledger, rolling, NOON + 60_000)[0].used == 1_000
    for n in range(0, 1_000, 100):  # six minutes, a 240th of a day, come back together
        left = levels(ledger, rolling, NOON + DAY + n * 60 + 30)[0].used
        assert 1_000 - n - 1 <= left <= 1_000 - n + 6
    assert levels(ledger, rolling, NOON + DAY + 60_360)[0].used == 0


def test_a_call_that_cost_nothing_keeps_no_other_from_coming_back(ledger: Ledger) -> None:
    for name, made, cost in (("a", 0.0, 1), ("b", 0.2, 0)):
        assert reserve(ledger, name, [sliding(9)], NOON + made, 180) is None
        assert settle(ledger, name, {MINUTE_KEY: cost}, NOON + made) is True
    assert levels(ledger, [sliding(9)], NOON + 1) == [Level(1, 0, NOON + 60)]


# Days that turn


def test_a_call_sent_in_the_last_seconds_of_a_day_counts_in_both(ledger: Ledger) -> None:
    eve, morning = on_day(MIDNIGHT - 4, 10, 4), on_day(MIDNIGHT, 10, 4)
    for name in ("over", "lost"):
        reserve(ledger, name, [eve], MIDNIGHT - 4, 30)
    assert levels(ledger, [morning], MIDNIGHT + 10) == [Level(0, 8)], "under way, they may have arrived today"
    assert settle(ledger, "over", {DAY_KEY: 2}, MIDNIGHT + 10) is True
    assert levels(ledger, [morning], MIDNIGHT + 26) == [Level(6, 0)], "nobody settled the other one"
    assert levels(ledger, [eve], MIDNIGHT + 26) == [Level(6, 0)], "once each, should our clock have been wrong"
    assert reserve(ledger, "fits", [morning], MIDNIGHT + 30, 180) is None
    assert reserve(ledger, "next", [morning], MIDNIGHT + 30, 180) is not None


@pytest.mark.parametrize(("made", "over"), [(-60, -1), (-60, 30), (-4, -1)])
def test_a_call_that_had_arrived_when_the_day_turned_counts_in_its_own_day(
    made: float, over: float, ledger: Ledger
) -> None:
    eve, morning = on_day(MIDNIGHT + made, 10), on_day(MIDNIGHT, 10)
    reserve(ledger, "a", [eve], MIDNIGHT + made, 180)
    for now in sorted((MIDNIGHT + over, MIDNIGHT, MIDNIGHT + 40)):
        if now == MIDNIGHT + over:
            assert settle(ledger, "a", {}, now) is True
        if now >= MIDNIGHT:
            assert levels(ledger, [morning], now) == [Level(0, 0)]
    assert levels(ledger, [eve], MIDNIGHT - 1) == [Level(1, 0)]


# Clocks that step


def test_a_call_made_after_a_step_back_counts_on_either_day(ledger: Ledger) -> None:
    reserve(ledger, "tomorrow", [on_day(MIDNIGHT)], MIDNIGHT + 1, 5)
    reserve(ledger, "today", [on_day(NOON)], MIDNIGHT - 3_600, 5)
    assert levels(ledger, [on_day(NOON)], MIDNIGHT - 60) == [Level(2, 0)]
    assert levels(ledger, [on_day(MIDNIGHT)], MIDNIGHT + 60) == [Level(2, 0)]


def test_time_that_a_clock_goes_through_twice_refills_once(ledger: Ledger) -> None:
    reserve(ledger, "all", [refill(10, 10)], NOON, 180)
    ledger.promise("e", [refill(10, 0)], NOON - DAY / 2, 0)
    for now, used in ((NOON - DAY / 2, 10), (NOON, 10), (NOON + DAY / 2, 5)):
        (level,) = levels(ledger, [refill(10)], now)
        assert level.used + level.held == used


@pytest.mark.parametrize("ahead", [2 * DAY, 40 * DAY])
def test_what_a_clock_far_ahead_has_used_up_comes_back_in_time_of_its_own(ahead: float, ledger: Ledger) -> None:
    def claims(now: float) -> list[Claim]:
        return [on_day(now, 1), hourly(1, 1), refill(1)]

    assert reserve(ledger, "ahead", claims(NOON + ahead), NOON + ahead, 180) is None
    assert settle(ledger, "ahead", {}, NOON + ahead) is True
    for claim in claims(NOON):
        assert reserve(ledger, "today", [claim], NOON, 180) is not None, "it was used, whenever that was"
    later, tomorrow = NOON + 3_601, NOON + DAY + 1
    assert [level.used for level in levels(ledger, claims(later), later)] == pytest.approx([1, 0, 0.958], abs=1e-3)
    assert [level.used for level in levels(ledger, claims(tomorrow), tomorrow)] == [0, 0, 0]


def test_a_clock_far_ahead_is_noticed_by_looking_alone(ledger: Ledger) -> None:
    claims = [hourly(3, 3), at_once(1)]
    assert reserve(ledger, "orphan", claims, NOON + 40 * DAY, 180) is None
    assert ledger.promise("orphan", [daily(5)], NOON + 40 * DAY, 600) is None
    assert amounts(levels(ledger, [*claims, daily(5)], NOON)) == [(0, 3), (0, 1), (0, 1)]
    assert amounts(levels(ledger, claims, NOON + 181)) == [(3, 0), (0, 0)], "an orphan lasts as long as any other"
    assert amounts(levels(ledger, [*claims, daily(5)], NOON + 3_605)) == [(0, 0)] * 3


def test_a_limit_learnt_by_a_clock_far_ahead_is_tried_after_the_next_reset(ledger: Ledger) -> None:
    ahead = NOON + 40 * DAY
    taught = Hold("a", (on_day(ahead, 100),))
    ledger.reserve(taught, ahead, 180)
    ledger.settle(taught, {}, ahead, Lesson(told={DAY_KEY: Told("requests", "day", limit=2)}))
    assert levels(ledger, [on_day(NOON, 100)], NOON) == [Level(1, 0, cap=2)]
    morning = on_day(MIDNIGHT, 100, 50)
    assert reserve(ledger, "today", [on_day(NOON, 100, 50)], NOON, 180) is not None
    assert reserve(ledger, "probe", [morning], MIDNIGHT + 1, 180) is None


def test_a_limit_learnt_of_a_minute_far_ahead_is_forgotten_in_time(ledger: Ledger) -> None:
    taught = Hold("a", (sliding(9),))
    ledger.reserve(taught, NOON + 40 * DAY, 180)
    ledger.settle(taught, {MINUTE_KEY: 0}, NOON + 40 * DAY, Lesson(told={MINUTE_KEY: Told("requests", "day", 2)}))
    assert levels(ledger, [sliding(9)], NOON) == [Level(0, 0, cap=2)]
    assert reserve(ledger, "early", [sliding(9, 5)], NOON + 59, 180) is not None
    assert reserve(ledger, "probe", [sliding(9, 5)], NOON + 60, 180) is None


def test_a_hold_of_a_clock_that_was_a_little_ahead_is_settled_as_usual(ledger: Ledger) -> None:
    claims = [on_day(NOON, 10, 4), sliding(10, 4)]
    reserve(ledger, "a", claims, NOON + 30, 180)
    assert levels(ledger, claims, NOON) == [Level(0, 4), Level(0, 4, NOON + 95)]
    assert settle(ledger, "a", {DAY_KEY: 2}, NOON + 1) is True
    assert levels(ledger, claims, NOON + 1) == [Level(2, 0), Level(4, 0, NOON + 90)]
