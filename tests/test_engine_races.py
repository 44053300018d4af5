"""Two of everything at the same moment: tabs, processes, graders."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.interview import marking
from core.interview.archive import UnknownInterview
from core.interview.engine import Engine
from core.interview.marking import Marker
from core.interview.rubric import answer_score
from tests.answers import STORY
from tests.fakes.clock import FrozenCalendar
from tests.fakes.exchange import Exchange
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.interviews import SETUP, app


def twice(folder: Path, fake: FakeUpstream, times: int = 2, clock: FrozenCalendar | None = None) -> list[Engine]:
    """The engine of the same app, started so many times on the same folder."""
    return [app(folder, {"alpha": fake}, clock).engine for _ in range(times)]


def killed(*args: object) -> None:
    raise KeyboardInterrupt


def test_an_answer_is_saved_before_anybody_is_asked(tmp_path: Path) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(exchange: Exchange) -> str:
        started.set()
        assert go_on.wait(10)
        return "{}"

    with FakeUpstream(reply=slow) as fake, ThreadPoolExecutor(1) as pool:
        first, second = twice(tmp_path, fake)
        token, _ = first.start(SETUP)
        answered = pool.submit(first.answer, token, 0, STORY)
        assert started.wait(10)
        waiting = second.load(token).turns[0]
        go_on.set()
        answered.result(10)
    assert (waiting.state, waiting.answer, waiting.feedback) == ("grading", STORY, None)


def test_deleting_while_the_grader_thinks_brings_nothing_back(tmp_path: Path) -> None:
    def deleting(exchange: Exchange) -> str:
        second.delete(token)
        return "{}"

    with FakeUpstream(reply=deleting) as fake:
        first, second = twice(tmp_path, fake)
        token, _ = first.start(SETUP)
        with pytest.raises(UnknownInterview):
            first.answer(token, 0, STORY)
        with pytest.raises(UnknownInterview):
            second.load(token)


@pytest.mark.parametrize("callers", [2, 6])
def test_the_same_answer_sent_at_the_same_time_costs_one_call(tmp_path: Path, callers: int) -> None:
    with FakeUpstream(reply=grade, latency=0.3) as slow, ThreadPoolExecutor(callers) as pool:
        racing = twice(tmp_path, slow, callers)
        token, _ = racing[0].start(SETUP)
        start = threading.Barrier(callers)

        def answer(engine: Engine) -> None:
            start.wait(10)
            engine.answer(token, 0, STORY)

        list(pool.map(answer, racing))
        assert slow.counts.received == 1
        assert racing[0].load(token).turns[0].state == "done"


def test_an_answer_on_its_way_when_the_interview_ends_still_gets_its_feedback(tmp_path: Path) -> None:
    def ending(exchange: Exchange) -> str:
        second.finish(token)
        return grade(exchange)

    with FakeUpstream(reply=ending) as fake:
        first, second = twice(tmp_path, fake)
        token, _ = first.start(SETUP)
        after = first.answer(token, 0, STORY)
    assert after.finished_at is not None
    assert after.turns[0].feedback is not None
    assert after.turns[0].feedback.scored


def test_the_first_grader_stays_the_grader(tmp_path: Path) -> None:
    with FakeUpstream(reply=grade) as one, FakeUpstream(reply=grade) as two:
        clock = FrozenCalendar()
        engine = app(tmp_path, {"alpha": one, "beta": two}, clock).engine
        one.plan("503")
        token, _ = engine.start(SETUP)
        for number in range(3):
            after = engine.answer(token, number, f"{STORY} Story {number}.")
            clock.advance(3_600)  # the first route is back long before the next answer
        assert after.grader == "beta/beta-model"
        assert (one.counts.received, two.counts.received) == (1, 3)


def die_while_grading(monkeypatch: pytest.MonkeyPatch, engine: Engine, token: str, number: int) -> None:
    """After the call was made and before anything of it was saved."""
    with monkeypatch.context() as dying:
        dying.setattr(Marker, "_settle", killed)
        with pytest.raises(KeyboardInterrupt):
            engine.answer(token, number, f"{STORY} Story {number}.")


def test_a_process_that_died_while_grading_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows how many of its calls the dead one made, so all that it had booked count as spent."""
    clock = FrozenCalendar()
    with FakeUpstream(reply=grade) as fake:
        here, there = (app(tmp_path, {"alpha": fake}, clock) for _ in range(2))
        dead, alive = here.engine, there.engine
        token, begun = dead.start(SETUP)
        die_while_grading(monkeypatch, dead, token, 0)
        assert alive.grade(token, 0).turns[0].state == "grading"  # somebody may still be at it
        booked = alive.load(token).turns[0].booked
        clock.advance(there.grader.longest + marking.SLACK_SECONDS)
        taken = alive.grade(token, 0)
        assert (taken.turns[0].state, taken.spent, taken.turns[0].booked) == ("done", booked, 0)
        alive.answer(token, 1, f"{STORY} Story 1.")
        ended = alive.answer(token, 2, f"{STORY} Story 2.")
        assert [answer_score(turn) is None for turn in ended.turns] == [True, False, False]
        assert fake.counts.received <= ended.spent <= begun.cap
        asked = alive.score_rest(token)
        assert answer_score(asked.turns[0]) is not None
        assert (asked.spent, asked.on_request) == (ended.spent, 1)


def test_a_score_on_request_is_not_paid_by_the_interview_when_its_process_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FrozenCalendar()
    with FakeUpstream(reply=grade) as fake:
        there = app(tmp_path, {"alpha": fake}, clock)
        token, _ = there.engine.start(SETUP, offline=True)
        there.engine.answer(token, 0, STORY)
        with monkeypatch.context() as dying:
            dying.setattr(Marker, "_settle", killed)
            with pytest.raises(KeyboardInterrupt):
                there.engine.score_rest(token)
        assert there.engine.score_rest(token).turns[0].state == "waiting"
        clock.advance(there.grader.longest + marking.SLACK_SECONDS)
        scored = there.engine.score_rest(token)
        assert answer_score(scored.turns[0]) is not None
        assert (scored.spent, scored.on_request, fake.counts.received) == (0, 2, 2)


def test_a_process_that_died_before_grading_is_taken_over_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeUpstream(reply=grade) as fake:
        dead, alive = twice(tmp_path, fake)
        token, _ = dead.start(SETUP)
        with monkeypatch.context() as dying:
            dying.setattr(Engine, "grade", killed)
            with pytest.raises(KeyboardInterrupt):
                dead.answer(token, 0, STORY)
        assert alive.load(token).turns[0].answer == STORY
        assert alive.grade(token, 0).turns[0].state == "done"
        assert fake.counts.received == 1


@pytest.mark.parametrize(("questions", "calls"), [(4, 1), (5, 2), (8, 2)])
def test_the_rest_is_scored_four_answers_a_call(tmp_path: Path, questions: int, calls: int) -> None:
    with FakeUpstream(reply=grade) as fake:
        engine = app(tmp_path, {"alpha": fake}).engine
        token, _ = engine.start(replace(SETUP, questions=questions), offline=True)
        for number in range(questions):
            engine.answer(token, number, f"{STORY} That was story {number}.")
        scored = engine.score_rest(token)
        assert fake.counts.received == scored.on_request == calls
    assert all(answer_score(turn) is not None for turn in scored.turns)
    assert scored.spent == 0


def test_the_same_wish_at_the_same_time_costs_one_call(tmp_path: Path) -> None:
    with FakeUpstream(reply=grade, latency=0.3) as slow, ThreadPoolExecutor(4) as pool:
        racing = twice(tmp_path, slow, 4)
        token, _ = racing[0].start(SETUP, offline=True)
        racing[0].answer(token, 0, STORY)
        start = threading.Barrier(4)

        def ask(engine: Engine) -> None:
            start.wait(10)
            engine.score_rest(token)

        list(pool.map(ask, racing))
        assert slow.counts.received == 1
        assert racing[0].load(token).on_request == 1
