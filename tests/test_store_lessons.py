"""What is promised to an interview, and what a provider tells of its limits. On every store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.stores.contract import Claim, Hold, Ledger, Lesson, Level
from providers.contracts import Told
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, DAY, daily, levels, refill, reserve, sliding

DAY_KEY, MINUTE_KEY = "p|requests|day", "p|requests|minute"
MIDNIGHT = NOON + DAY / 2


@pytest.fixture(params=BACKENDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    store = BACKENDS[request.param](tmp_path)
    yield store.ledger
    store.close()


def on_day(now: float, ceiling: float, cost: float) -> Claim:
    return daily(ceiling, cost, window=f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}")


def draw(ledger: Ledger, name: str, claim: Claim, now: float = NOON, envelope: str = "e") -> Hold | None:
    """A call that may draw on the envelope; None if it was refused."""
    hold = Hold(name, (claim,), envelope)
    return hold if ledger.reserve(hold, now, 180) is None else None


def learn(ledger: Ledger, claim: Claim, now: float, *, good: bool = False, **told: float) -> bool:
    """One call that was told so much at once. True if it was let through."""
    hold = Hold(f"{now}", (claim,))
    if ledger.reserve(hold, now, 180) is not None:
        return False
    said = {claim.counter.key: Told("requests", "day", **told)} if told else {}
    return ledger.settle(hold, {}, now, Lesson(good, said))


def stands(ledger: Ledger, claim: Claim, now: float = NOON) -> tuple[float, float]:
    (level,) = levels(ledger, [claim], now)
    return level.used, level.held


# Envelopes


def test_what_is_promised_is_free_for_its_own_calls_only(ledger: Ledger) -> None:
    assert ledger.promise("e", [daily(10, 6)], NOON, 600) is None
    assert stands(ledger, daily(10)) == (0, 6)
    assert reserve(ledger, "other", [daily(10, 5)], NOON, 180) is not None
    assert draw(ledger, "stranger", daily(10, 5), envelope="f") is None
    assert ledger.promise("f", [daily(10, 5)], NOON, 600) is not None
    assert draw(ledger, "own", daily(10, 5)) is not None
    assert stands(ledger, daily(10)) == (0, 6), "5 are under way, 1 is kept"
    assert reserve(ledger, "other", [daily(10, 4)], NOON, 180) is None
    assert draw(ledger, "larger", daily(10, 2)) is None
    assert draw(ledger, "last", daily(10, 1)) is not None


def test_a_call_gives_back_to_its_envelope_what_it_drew_and_did_not_need(ledger: Ledger) -> None:
    ledger.promise("e", [daily(20, 6)], NOON, 600)
    for held, cost, left in ((5, 2, 4), (5, 5, 0), (3, 1, 0)):
        hold = draw(ledger, f"{held}-{cost}", daily(20, held))
        assert hold is not None
        assert ledger.settle(hold, {DAY_KEY: cost}, NOON) is True
        used, kept = stands(ledger, daily(20))
        assert kept == left
    assert used == 2 + 5 + 1


def test_a_call_that_outgrew_what_was_drawn_gives_nothing_back(ledger: Ledger) -> None:
    ledger.promise("e", [daily(20, 6)], NOON, 600)
    hold = draw(ledger, "a", daily(20, 2))
    assert hold is not None
    assert ledger.settle(hold, {DAY_KEY: 5}, NOON) is True
    assert stands(ledger, daily(20)) == (5, 4)


def test_a_call_of_a_process_that_died_gives_nothing_back(ledger: Ledger) -> None:
    ledger.promise("e", [daily(20, 6)], NOON, 600)
    draw(ledger, "orphan", daily(20, 2))
    assert stands(ledger, daily(20), NOON + 180) == (2, 4)


def test_a_promise_is_replaced_closed_or_runs_out_and_leaves_nothing_charged(ledger: Ledger) -> None:
    for amount, kept in ((6, 6), (9, 9), (2, 2), (0, 0), (5, 5)):
        assert ledger.promise("e", [daily(10, amount)], NOON, 600) is None
        assert stands(ledger, daily(10)) == (0, kept)
    assert ledger.promise("f", [daily(10, 5)], NOON, 1_200) is None
    assert stands(ledger, daily(10), NOON + 599) == (0, 10)
    assert stands(ledger, daily(10), NOON + 600) == (0, 5)
    assert stands(ledger, daily(10), NOON + 1_200) == (0, 0)


def test_an_envelope_that_was_closed_meanwhile_stays_closed(ledger: Ledger) -> None:
    ledger.promise("e", [daily(10, 6)], NOON, 600)
    hold = draw(ledger, "a", daily(10, 4))
    assert hold is not None
    ledger.promise("e", [daily(10, 0)], NOON, 0)
    assert ledger.settle(hold, {DAY_KEY: 1}, NOON) is True
    assert stands(ledger, daily(10)) == (1, 0)


def test_a_promise_is_kept_on_every_counter_or_on_none(ledger: Ledger) -> None:
    refusal = ledger.promise("e", [daily(10, 6), sliding(5, 6)], NOON, 600)
    assert refusal is not None
    assert refusal.claim == sliding(5, 6)
    assert stands(ledger, daily(10)) == (0, 0)


def test_a_refusal_knows_when_a_promise_runs_out(ledger: Ledger) -> None:
    ledger.promise("e", [sliding(10, 6)], NOON, 30)
    refusal = reserve(ledger, "a", [sliding(10, 5)], NOON, 180)
    assert refusal is not None
    assert refusal.free_at == NOON + 30


# Lessons


def test_a_lower_limit_holds_at_once_and_a_higher_one_never(ledger: Ledger) -> None:
    assert learn(ledger, daily(10), NOON, limit=50, good=True)
    assert levels(ledger, [daily(10)], NOON) == [Level(1, 0)]
    assert learn(ledger, daily(10), NOON + 1, limit=4)
    assert learn(ledger, daily(10), NOON + 2, limit=6, good=True)
    assert levels(ledger, [daily(10)], NOON + 2) == [Level(3, 0, cap=4)]
    assert learn(ledger, daily(10), NOON + 3)
    assert not learn(ledger, daily(10), NOON + 4)


def test_a_learnt_limit_is_forgotten_by_one_good_call_after_the_reset(ledger: Ledger) -> None:
    assert learn(ledger, on_day(NOON, 10, 1), NOON, limit=2)
    assert learn(ledger, on_day(NOON, 10, 1), NOON + 1, good=True), "good, but too early to tell"
    assert not learn(ledger, on_day(NOON, 10, 1), NOON + 2)
    assert learn(ledger, on_day(MIDNIGHT, 10, 7), MIDNIGHT + 1), "the first may be as large as we believed once"
    assert not learn(ledger, on_day(MIDNIGHT, 10, 1), MIDNIGHT + 2), "but it was not good, and it was the only one"
    tomorrow = MIDNIGHT + DAY
    assert learn(ledger, on_day(tomorrow, 10, 1), tomorrow + 1, good=True)
    assert learn(ledger, on_day(tomorrow, 10, 9), tomorrow + 2)
    assert levels(ledger, [on_day(tomorrow, 10, 1)], tomorrow + 2) == [Level(10, 0)]


def test_a_good_call_made_before_the_reset_proves_nothing_after_it(ledger: Ledger) -> None:
    early = Hold("early", (on_day(NOON, 10, 1),))
    ledger.reserve(early, MIDNIGHT - 60, 180)
    assert learn(ledger, on_day(NOON, 10, 1), MIDNIGHT - 50, limit=2)
    assert ledger.settle(early, {}, MIDNIGHT + 10, Lesson(good=True)) is True
    assert levels(ledger, [on_day(MIDNIGHT, 10, 1)], MIDNIGHT + 10) == [Level(0, 0, cap=2)]


def test_a_limit_of_a_sliding_window_is_believed_for_its_length(ledger: Ledger) -> None:
    assert learn(ledger, sliding(10), NOON, limit=2)
    assert not learn(ledger, sliding(10, 2), NOON + 59)
    assert learn(ledger, sliding(10, 5), NOON + 60, good=True)
    assert learn(ledger, sliding(10, 5), NOON + 61)


def test_a_budget_of_which_a_lower_limit_is_known_refills_more_slowly(ledger: Ledger) -> None:
    assert learn(ledger, refill(100, 40), NOON, limit=50)
    assert levels(ledger, [refill(100)], NOON + DAY / 2)[0].used == 15


def test_what_others_took_with_our_key_is_taken(ledger: Ledger) -> None:
    for key, claim in (("d", daily(10, 1, "d")), ("m", sliding(10, 1, "m")), ("r", refill(10, 1, "r"))):
        assert learn(ledger, claim, NOON, remaining=3), key
        assert stands(ledger, claim) == (7, 0)
        assert learn(ledger, claim, NOON, remaining=9), "fewer than we know of"
        assert stands(ledger, claim) == (8, 0)
        assert learn(ledger, claim, NOON, limit=50, remaining=0), "all that we would take, and no more"
        assert stands(ledger, claim) == (10, 0)


def test_what_is_under_way_is_ours_and_not_others(ledger: Ledger) -> None:
    reserve(ledger, "under way", [daily(10, 4)], NOON, 180)
    assert learn(ledger, daily(10), NOON, remaining=5)
    assert stands(ledger, daily(10)) == (1, 4)


def test_a_limit_of_zero_tells_nothing(ledger: Ledger) -> None:
    assert learn(ledger, daily(10), NOON, limit=0, remaining=0)
    assert levels(ledger, [daily(10)], NOON) == [Level(1, 0)]


def test_what_is_told_to_a_call_of_another_clock_is_not_charged_to_its_day(ledger: Ledger) -> None:
    ahead = Hold("ahead", (on_day(NOON + 9 * DAY, 10, 1),))
    ledger.reserve(ahead, NOON + 9 * DAY, 180)
    assert stands(ledger, on_day(NOON, 10, 1)) == (0, 1)
    lesson = Lesson(told={DAY_KEY: Told("requests", "day", remaining=2)})
    assert ledger.settle(ahead, {}, NOON + 1, lesson) is True
    assert stands(ledger, on_day(NOON, 10, 1), NOON + 1) == (1, 0)
