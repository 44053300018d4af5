"""Interviews with few calls: four answers with one call, matched by question and never by place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.app import App
from core.interview.engine import TOGETHER, Engine
from core.interview.marking import MISSING, NOT_NOW
from core.interview.model import Interview
from core.interview.report import build
from core.interview.rubric import answer_score
from tests.answers import STORY
from tests.fakes.clock import FrozenCalendar
from tests.fakes.exchange import Exchange
from tests.fakes.grader import grade
from tests.fakes.house import limits
from tests.fakes.upstream import FakeUpstream
from tests.interviews import SETUP, app, sent_data

Item = dict[str, Any]


@contextmanager
def practice(
    folder: Path, questions: int = 8, reply: Callable[[Exchange], str] = grade, calls: int | None = None
) -> Iterator[tuple[FakeUpstream, App, str]]:
    """A lean interview just begun, on one provider whose day has just the calls for it."""
    folder.mkdir(exist_ok=True)
    day = calls or -(-questions // 4) + 1
    with FakeUpstream(reply=reply) as fake:
        running = app(folder, {"alpha": fake}, FrozenCalendar(), limits(requests_day=day))
        token, begun = running.engine.start(replace(SETUP, questions=questions))
        assert begun.mode == "lean"
        yield fake, running, token


def story(number: int) -> str:
    """Answers that are told apart by the number that they quote."""
    return f"In week {number} we went from {number + 20} to {number + 3} errors. {STORY}"


def answered(engine: Engine, token: str, *numbers: int) -> Interview:
    for number in numbers:
        after = engine.answer(token, number, story(number))
    return after


def scored(interview: Interview) -> list[int]:
    return [n for n, turn in enumerate(interview.turns) if answer_score(turn) is not None]


def bent(change: Callable[[list[Item]], list[Item]]) -> Callable[[Exchange], str]:
    """A grader that changes the items of its batches."""
    return lambda exchange: json.dumps({"items": change(json.loads(grade(exchange))["items"])})


# One call for four


@pytest.mark.parametrize(("questions", "calls"), [(3, 1), (4, 1), (5, 2), (8, 2), (12, 3)])
def test_four_answers_cost_one_call(tmp_path: Path, questions: int, calls: int) -> None:
    with practice(tmp_path, questions) as (fake, running, token):
        for number in range(questions):
            after = answered(running.engine, token, number)
            done = number + 1 == questions
            assert fake.counts.received == (calls if done else (number + 1) // 4)
        sizes = [len(sent_data(exchange)["answers"]) for exchange in fake.requests()]
    assert sizes == [4] * (questions // 4) + [questions % 4] * (questions % 4 > 0)
    assert scored(after) == list(range(questions))
    assert (after.spent, after.on_request) == (calls, 0)
    assert after.finished_at is not None
    assert build(after).card.overall is not None


def test_an_answer_that_waits_has_the_coachs_words_and_no_score(tmp_path: Path) -> None:
    with practice(tmp_path) as (fake, running, token):
        after = answered(running.engine, token, 0)
        waiting = after.turns[0]
        assert (waiting.state, waiting.answer, waiting.draft) == ("waiting", story(0), "")
        assert waiting.feedback is not None
        assert (waiting.feedback.origin.by, waiting.feedback.note) == ("coach", TOGETHER)
        assert answer_score(waiting) is None
        assert after.current == 1
        assert running.engine.answer(token, 0, story(0)) == running.engine.skip(token, 0) == after
        assert fake.counts.received == 0


def test_whoever_comes_back_in_between_goes_on_where_they_were(tmp_path: Path) -> None:
    with practice(tmp_path, 5) as (fake, running, token):
        other = app(tmp_path, {"alpha": fake}, FrozenCalendar(), limits(requests_day=3)).engine
        for number in range(5):
            engine = (running.engine, other)[number % 2]
            after = answered(engine, token, number)
            assert running.engine.load(token) == other.load(token) == after
        assert (fake.counts.received, scored(after)) == (2, [0, 1, 2, 3, 4])


def test_skipped_questions_and_non_answers_take_no_room_in_a_batch(tmp_path: Path) -> None:
    with practice(tmp_path, 8) as (fake, running, token):
        running.engine.skip(token, 0)
        running.engine.answer(token, 1, "Sorry, I don't know")
        answered(running.engine, token, 2)
        assert fake.counts.received == 0
        after = running.engine.skip(token, 3)
        assert [len(sent_data(e)["answers"]) for e in fake.requests()] == [1]
        for number in range(4, 8):
            after = running.engine.skip(token, number)
        assert fake.counts.received == 1
    assert [answer_score(turn) == 0 for turn in after.turns] == [True, True, False, *[True] * 5]
    assert after.finished_at is not None


@pytest.mark.parametrize(("answers", "calls"), [(0, 0), (1, 1), (3, 1), (4, 1), (6, 2)])
def test_ending_early_grades_what_waits(tmp_path: Path, answers: int, calls: int) -> None:
    with practice(tmp_path, 8) as (fake, running, token):
        if answers:
            answered(running.engine, token, *range(answers))
        ended = running.engine.finish(token)
        assert (scored(ended), fake.counts.received) == (list(range(answers)), calls)
        assert running.engine.finish(token) == ended
        assert all(turn.state != "waiting" for turn in ended.turns)


def test_a_batch_that_a_dead_process_left_is_graded_by_the_next_who_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice(tmp_path, 4) as (fake, running, token):
        answered(running.engine, token, 0, 1, 2)
        with monkeypatch.context() as dying:
            dying.setattr(Engine, "grade", lambda *args: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                answered(running.engine, token, 3)
        left = running.engine.load(token)
        assert [turn.state for turn in left.turns] == ["waiting"] * 4
        assert scored(running.engine.grade(token, 0)) == [0, 1, 2, 3]
        assert fake.counts.received == 1


# What comes back


def own_number(interview: Interview, number: int) -> bool:
    """Was this answer scored by a quote of its own?"""
    feedback = interview.turns[number].feedback
    return bool(feedback and any(f"In week {number} " in met.quote for met in feedback.met))


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items[::-1],
        lambda items: [*items[2:], *items[:2]],
        lambda items: [{**items[0], "qid": "b-never-asked"}, *items[::-1]],
        lambda items: [*items, *({**item, "met": []} for item in items)],
        lambda items: ["stray", None, {"qid": 7, "met": []}, {"met": []}, *items],
    ],
    ids=["turned round", "rotated", "a foreign one", "doubled", "stray ones"],
)
def test_items_are_matched_by_question(tmp_path: Path, change: Callable[[list[Item]], list[Item]]) -> None:
    with practice(tmp_path, 4, bent(change)) as (fake, running, token):
        after = answered(running.engine, token, 0, 1, 2, 3)
        assert fake.counts.received == 1
    assert scored(after) == [0, 1, 2, 3]
    assert all(own_number(after, number) for number in range(4))


def test_an_item_about_another_answer_earns_nothing(tmp_path: Path) -> None:
    """The grader swaps two questions' ids: its quotes do not stand in the answers that they are given for."""

    def swap(items: list[Item]) -> list[Item]:
        own = [each for item in items for each in item["met"] if "In week" in each["q"]]
        assert own
        return [{**item, "qid": items[n - 1]["qid"], "met": _own(item)} for n, item in enumerate(items)]

    def _own(item: Item) -> list[Item]:
        return [each for each in item["met"] if "In week" in each["q"]]

    with practice(tmp_path, 4, bent(swap)) as (_, running, token):
        after = answered(running.engine, token, 0, 1, 2, 3)
    assert [turn.feedback.met for turn in after.turns if turn.feedback] == [()] * 4


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_what_is_missing_is_asked_for_once_more(tmp_path: Path, kept: int) -> None:
    """Together, and with nothing of what had come."""
    with practice(tmp_path, 4, bent(lambda items: items[:kept])) as (fake, running, token):
        after = answered(running.engine, token, 0, 1, 2, 3)
        asked = [[each["qid"] for each in sent_data(e)["answers"]] for e in fake.requests()]
    assert asked == [[t.question.id for t in after.turns], [t.question.id for t in after.turns[kept:]]]
    came = list(range(min(4, 2 * kept)))
    assert scored(after) == came
    assert all(own_number(after, number) for number in came)
    missing = [turn.feedback.note for turn in after.turns[len(came) :] if turn.feedback]
    assert missing == [MISSING] * (4 - len(came))
    assert (after.spent, after.cap) == (2, 2)


def test_without_room_what_is_missing_stays_not_scored_until_it_is_asked_for(tmp_path: Path) -> None:
    """The spare call goes to the first batch, so the second one has none; a call on request is beside the cap."""
    with practice(tmp_path, 8, bent(lambda items: items[:3]), calls=8) as (fake, running, token):
        after = answered(running.engine, token, *range(8))
        assert fake.counts.received == 3
        assert scored(after) == [0, 1, 2, 3, 4, 5, 6]
        later = running.engine.score_rest(token)
        assert (later.spent, later.on_request, fake.counts.received) == (3, 1, 4)
    assert scored(later) == list(range(8))
    assert all(turn.state == "done" for turn in later.turns)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_of_a_batch_that_was_cut_off_only_whole_answers_count(tmp_path: Path, cut: float) -> None:
    with practice(tmp_path / "whole", 4) as (_, running, token):
        best = [answer_score(turn) for turn in answered(running.engine, token, 0, 1, 2, 3).turns]

    def reply(exchange: Exchange) -> str:
        whole = grade(exchange)
        return whole[: int(cut * len(whole))]

    with practice(tmp_path / "cut", 4, reply) as (fake, running, token):
        after = answered(running.engine, token, 0, 1, 2, 3)
        assert fake.counts.received == 2
    scores = [answer_score(turn) for turn in after.turns]
    assert [s for s in scores if s is not None] == best[: len(scored(after))]
    assert len(scored(after)) < 4


@pytest.mark.parametrize(
    "reply",
    [
        bent(lambda items: []),
        bent(lambda items: [{**item, "qid": "b-never-asked"} for item in items]),
        lambda exchange: json.dumps({"items": {}}),
        lambda exchange: json.dumps({"items": [{"score": 10}] * 4}),
        lambda exchange: "I would give all four of them 8 out of 10.",
    ],
)
def test_a_reply_about_nothing_scores_nothing(tmp_path: Path, reply: Callable[[Exchange], str]) -> None:
    with practice(tmp_path, 4, reply) as (fake, running, token):
        after = answered(running.engine, token, 0, 1, 2, 3)
        assert fake.counts.received == after.cap == 2
    assert scored(after) == []
    assert {turn.feedback.note for turn in after.turns if turn.feedback} == {NOT_NOW}
    assert [down.to for down in after.downgrades] == ["offline"]
    assert build(after).card.overall is None


def test_the_report_is_complete_though_a_batch_failed(tmp_path: Path) -> None:
    with practice(tmp_path, 8, calls=8) as (fake, running, token):
        fake.plan("503")
        assert isinstance(running.clock, FrozenCalendar)
        for number in range(8):
            after = answered(running.engine, token, number)
            running.clock.advance(600)  # the route is back before the second batch
        assert (scored(after), fake.counts.received) == ([4, 5, 6, 7], 2)
        assert [down.to for down in after.downgrades] == ["offline"]
        pages = build(after).pages
        assert [page.score is not None for page in pages] == [False] * 4 + [True] * 4
        assert all(page.turn.feedback and page.turn.feedback.note == NOT_NOW for page in pages[:4])
        later = running.engine.score_rest(token)
        assert scored(later) == list(range(8))
        assert (later.spent, later.on_request, fake.counts.received) == (2, 1, 3)
