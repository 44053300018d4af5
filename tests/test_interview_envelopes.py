"""An interview keeps its calls from its first question to its end, whatever others do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.app import App
from core.interview.archive import Archive
from core.interview.engine import SHORT, TOO_LITTLE, Engine
from core.interview.gate import ASSESSED_WORDS
from core.interview.grader import BATCH_TOKENS, ENVELOPE_SECONDS, TYPICAL_BATCH
from core.stores.contract import StoreError
from core.tasks import LONG_ANSWER
from tests.answers import STORY
from tests.fakes.clock import FrozenCalendar
from tests.fakes.flaky import Flaky
from tests.fakes.grader import grade
from tests.fakes.house import limits
from tests.fakes.stores import disk
from tests.fakes.upstream import FakeUpstream
from tests.interviews import SETUP, app
from tests.scene import drain

TYPICAL_TURN = LONG_ANSWER.total_tokens
DAILY = 9  # two interviews of three questions, each with a call for its report, and one call more
Launch = Callable[..., App]


@pytest.fixture
def clock() -> FrozenCalendar:
    return FrozenCalendar()


@pytest.fixture
def fake(clock: FrozenCalendar, request: pytest.FixtureRequest) -> Iterator[FakeUpstream]:
    """A test may say how many tokens each reply takes in thinking."""
    thinking = getattr(request, "param", 0)
    with FakeUpstream(reply=grade, per_day=DAILY, clock=clock, thinking_tokens=thinking) as running:
        yield running


@pytest.fixture
def launch(tmp_path: Path, fake: FakeUpstream, clock: FrozenCalendar) -> Launch:
    """The app with one provider that grants nine calls a day; a second one shares the first one's data."""

    def make(**amounts: int) -> App:
        return app(tmp_path, {"alpha": fake}, clock, limits(**(amounts or {"requests_day": DAILY})))

    return make


def held(running: App) -> float:
    """What the interviews of all keep of the first limit."""
    return next(iter(running.balancer.view().standings.values())).held


def answer(engine: Engine, token: str, *numbers: int, text: str = STORY) -> list[bool]:
    """Was each answer scored?"""
    scored = []
    for number in numbers:
        taken = engine.answer(token, number, f"{text} That was answer {number}.").turns[number].feedback
        assert taken is not None
        scored.append(taken.scored)
    return scored


def test_it_is_begun_with_all_its_calls_kept_and_ends_with_none(launch: Launch, fake: FakeUpstream) -> None:
    running = launch()
    token, interview = running.engine.start(SETUP)
    assert (interview.mode, held(running), fake.counts.received) == ("full", 4, 0)
    for number, left in enumerate((3, 2, 0)):
        assert answer(running.engine, token, number) == [True]
        assert held(running) == left
    assert running.engine.load(token).finished_at is not None
    assert drain(running.balancer) == DAILY - 3


def test_it_is_not_begun_without_room_for_all_its_answers(launch: Launch, fake: FakeUpstream) -> None:
    running = launch()
    begun = [running.engine.start(SETUP)[1] for _ in range(3)]
    assert [(interview.mode, interview.mode_reason) for interview in begun] == [
        ("full", ""),
        ("full", ""),
        ("offline", TOO_LITTLE),
    ]
    assert held(running) == 8
    assert running.engine.start(SETUP, offline=True)[1].envelope is None
    assert running.engine.start(replace(SETUP, questions=12))[1].mode == "offline"
    assert fake.counts.received == 0


@pytest.mark.parametrize(
    ("questions", "calls", "mode"),
    [
        (3, 4, "full"),
        (3, 3, "lean"),
        (3, 2, "lean"),
        (3, 1, "offline"),
        (8, 9, "full"),
        (8, 8, "lean"),
        (8, 3, "lean"),
        (8, 2, "offline"),
        (12, 12, "lean"),
        (12, 4, "lean"),
        (12, 3, "offline"),
    ],
)
def test_the_best_mode_that_can_be_kept_to_its_end_is_chosen(
    launch: Launch, questions: int, calls: int, mode: str
) -> None:
    running = launch(requests_day=calls)
    _, begun = running.engine.start(replace(SETUP, questions=questions))
    reasons = {"full": "", "lean": SHORT, "offline": TOO_LITTLE}
    assert (begun.mode, begun.mode_reason) == (mode, reasons[mode])
    assert held(running) == begun.cap


def test_once_begun_it_is_not_cut_off_by_what_others_take(launch: Launch, fake: FakeUpstream) -> None:
    running = launch()
    mine = running.engine.start(SETUP)[0]
    assert answer(running.engine, mine, 0) == [True]
    yours = running.engine.start(SETUP)[0]
    assert drain(running.balancer) == 1
    assert answer(running.engine, yours, 0, 1, 2) == [True] * 3
    assert drain(running.balancer) == 1, "the call that was kept for the report of the other one"
    assert answer(running.engine, mine, 1, 2) == [True] * 2
    assert drain(running.balancer) == 1
    assert (fake.counts.charged, fake.counts.refused) == (DAILY, 0)


def test_it_may_be_carried_on_by_another_process(launch: Launch, fake: FakeUpstream) -> None:
    token = launch().engine.start(SETUP)[0]
    other = launch()
    assert drain(other.balancer) == DAILY - 4
    assert answer(other.engine, token, 0, 1, 2) == [True] * 3
    assert held(launch()) == 0
    assert fake.counts.refused == 0


@pytest.mark.parametrize("how", ["finish", "delete", "skip"])
def test_ending_it_early_gives_the_rest_to_others(how: str, launch: Launch) -> None:
    running = launch()
    engine = running.engine
    token = engine.start(SETUP)[0]
    answer(engine, token, 0)
    if how == "finish":
        engine.finish(token)
    elif how == "delete":
        engine.delete(token)
    else:
        engine.skip(token, 1)
        assert held(running) == 3, "it is not over yet"
        engine.skip(token, 2)
    assert held(running) == 0
    assert drain(running.balancer) == DAILY - 1


def test_one_that_is_left_open_gives_back_in_time_and_goes_on_with_what_is_free(
    launch: Launch, clock: FrozenCalendar, fake: FakeUpstream
) -> None:
    running = launch()
    token = running.engine.start(SETUP)[0]
    clock.advance(ENVELOPE_SECONDS)
    assert held(running) == 0
    running.engine.start(SETUP)
    assert answer(running.engine, token, 0) == [True]
    assert drain(running.balancer) == DAILY - 4 - 1
    assert answer(running.engine, token, 1) == [False], "the coach takes it; others were promised the rest"
    assert fake.counts.charged == DAILY - 4


def test_a_double_start_keeps_twice_and_a_double_end_gives_back_once(launch: Launch) -> None:
    running = launch()
    first, second = running.engine.start(SETUP)[0], running.engine.start(SETUP)[0]
    for _ in range(2):
        running.engine.finish(first)
    for _ in range(2):
        running.engine.delete(first)
    assert held(running) == 4
    assert answer(running.engine, second, 0, 1, 2) == [True] * 3


def words(count: int) -> str:
    """So many different words; what somebody says twice is read once."""
    return " ".join(f"In week {n} I repaired {n} broken machines." for n in range(count // 7))


@pytest.mark.parametrize(
    ("fake", "count"),
    [
        (0, ASSESSED_WORDS),
        (400, 300),
        (400, ASSESSED_WORDS),
    ],
    indirect=["fake"],
)
def test_long_answers_fit_into_what_is_kept_for_them(count: int, launch: Launch, fake: FakeUpstream) -> None:
    """The day's tokens are just enough for the interview, so there is nothing free beside it."""
    running = launch(tokens_day=4 * TYPICAL_TURN)
    token, interview = running.engine.start(SETUP)
    assert interview.mode == "full"
    assert drain(running.balancer) == 0
    scored = answer(running.engine, token, 0, 1, 2, text=words(count))
    assert fake.counts.tokens <= fake.counts.served * TYPICAL_TURN, "each call took what a typical one takes"
    assert scored == [True] * 3


@pytest.mark.parametrize("fake", [0, 400], indirect=True)
def test_a_batch_of_long_answers_fits_into_what_is_kept_for_it(launch: Launch, fake: FakeUpstream) -> None:
    one = TYPICAL_BATCH.prompt_tokens + BATCH_TOKENS
    running = launch(tokens_day=one + TYPICAL_TURN)
    token, interview = running.engine.start(replace(SETUP, questions=4))
    assert interview.mode == "lean"
    assert drain(running.balancer) == 0
    for number in range(4):
        ended = running.engine.answer(token, number, f"{words(ASSESSED_WORDS)} That was answer {number}.")
    assert fake.counts.tokens <= one
    assert [t.feedback.scored for t in ended.turns if t.feedback] == [True] * 4


def test_one_that_could_not_be_saved_keeps_nothing(launch: Launch, clock: FrozenCalendar, tmp_path: Path) -> None:
    running = launch()
    store = disk(tmp_path / "elsewhere")
    flaky = Flaky(store.documents)
    engine = Engine(Archive(flaky, 7, lambda: "a-token"), running.grader, running.engine._planner, clock)
    flaky.down = ""
    with pytest.raises(StoreError):
        engine.start(SETUP)
    store.close()
    assert held(running) == 0
