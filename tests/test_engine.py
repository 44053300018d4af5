"""The interview as candidates live it: saved, resumed, raced, interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.interview.archive import UnknownInterview
from core.interview.engine import BadSetup, Engine
from core.interview.gate import NotSent
from core.interview.marking import NOT_NOW
from core.interview.model import Interview
from core.interview.rubric import answer_score, scorecard
from tests.answers import STORY
from tests.fakes.clock import FrozenCalendar
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.interviews import SETUP, app


@pytest.fixture
def fake() -> Iterator[FakeUpstream]:
    with FakeUpstream(reply=grade) as running:
        yield running


@pytest.fixture
def clock() -> FrozenCalendar:
    return FrozenCalendar()


@pytest.fixture
def engine(tmp_path: Path, fake: FakeUpstream, clock: FrozenCalendar) -> Engine:
    return app(tmp_path, {"alpha": fake}, clock).engine


@pytest.fixture
def other(tmp_path: Path, fake: FakeUpstream, clock: FrozenCalendar, engine: Engine) -> Engine:
    """The same app started once more on the same folder."""
    return app(tmp_path, {"alpha": fake}, clock).engine


@pytest.fixture
def token(engine: Engine) -> str:
    return engine.start(SETUP)[0]


# Start


@pytest.mark.parametrize(
    "changes",
    [{"role": ""}, {"role": " \n"}, {"questions": 2}, {"questions": 13}, {"questions": -1}, {"questions": 0}],
)
def test_a_setup_that_cannot_be_used_says_what_to_change(engine: Engine, changes: dict[str, object]) -> None:
    with pytest.raises(BadSetup, match=r"role|between 3 and 12"):
        engine.start(replace(SETUP, **changes))  # type: ignore[arg-type]


def test_starting_spends_nothing_and_says_how_it_will_be_graded(
    tmp_path: Path, engine: Engine, fake: FakeUpstream
) -> None:
    assert engine.start(SETUP)[1].mode == "full"
    chosen = engine.start(SETUP, offline=True)[1]
    assert (chosen.mode, chosen.mode_reason) == ("offline", "You chose to practise offline.")
    (tmp_path / "none").mkdir()
    alone = app(tmp_path / "none", {}).engine.start(SETUP)[1]
    assert (alone.mode, alone.mode_reason) == ("offline", "No AI provider is set up here.")
    assert fake.counts.received == 0


def test_every_interview_has_a_long_token_of_its_own(engine: Engine) -> None:
    tokens = {engine.start(SETUP)[0] for _ in range(5)}
    assert len(tokens) == 5
    assert all(len(token) >= 32 for token in tokens)


# Saved before shown


def test_whoever_comes_back_sees_what_was_shown(engine: Engine, other: Engine, token: str) -> None:
    shown = [engine.load(token)]
    assert other.load(token) == shown[-1]
    steps: list[Callable[[], Interview]] = [
        partial(engine.keep_draft, token, 0, "Half a sent"),
        partial(engine.answer, token, 0, STORY),
        partial(engine.skip, token, 1),
        partial(engine.finish, token),
    ]
    for step in steps:
        shown.append(step())
        assert other.load(token) == shown[-1]
    assert len(set(map(repr, shown))) == 5


def test_an_unknown_token_opens_nothing(engine: Engine) -> None:
    for call in (
        engine.load,
        engine.finish,
        lambda t: engine.answer(t, 0, STORY),
        lambda t: engine.grade(t, 0),
        engine.score_rest,
        lambda t: engine.skip(t, 0),
        lambda t: engine.keep_draft(t, 0, "x"),
    ):
        with pytest.raises(UnknownInterview):
            call("no-such-token")


def test_the_token_and_nothing_else_is_missing_from_the_disk(tmp_path: Path, engine: Engine, token: str) -> None:
    engine.answer(token, 0, STORY)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"our shop changed its till" in stored
    assert token.encode() not in stored


def test_deleting_works_at_once_and_everywhere(engine: Engine, other: Engine, token: str) -> None:
    other.delete(token)
    with pytest.raises(UnknownInterview):
        engine.answer(token, 0, STORY)
    other.delete(token)


# One answer, one call


def test_an_answer_moves_on_to_the_next_question(engine: Engine, clock: FrozenCalendar, token: str) -> None:
    clock.advance(90)
    after = engine.answer(token, 0, f"  {STORY}\n")
    done, following = after.turns[0], after.turns[1]
    assert (done.state, done.answer, done.draft) == ("done", STORY, "")
    assert (done.answered_at, following.asked_at) == (clock.at, clock.at)
    assert after.current == 1
    assert after.grader == "alpha/alpha-model"


def test_the_last_answer_ends_the_interview(
    engine: Engine, fake: FakeUpstream, clock: FrozenCalendar, token: str
) -> None:
    for number in range(3):
        clock.advance(60)
        after = engine.answer(token, number, f"{STORY} Story {number}.")
    assert after.finished_at == clock.at
    assert after.current is None
    assert fake.counts.received == 3
    assert scorecard(after).overall is not None


def test_sending_again_changes_and_spends_nothing(
    engine: Engine, other: Engine, fake: FakeUpstream, token: str
) -> None:
    first = engine.answer(token, 0, STORY)
    assert other.answer(token, 0, f"  {STORY} ") == first
    with pytest.raises(NotSent, match="in another tab"):
        other.answer(token, 0, STORY + " And more.")
    assert other.grade(token, 0) == other.skip(token, 0) == other.keep_draft(token, 0, "x") == first
    assert other.score_rest(token) == first
    assert fake.counts.received == 1


@pytest.mark.parametrize("answer", ["", "Too short", "blah " * 20, "x" * 20_000])
def test_what_is_not_sent_stays_in_the_box(engine: Engine, fake: FakeUpstream, token: str, answer: str) -> None:
    with pytest.raises(NotSent):
        engine.answer(token, 0, answer)
    kept = engine.load(token).turns[0]
    assert (kept.state, kept.draft, kept.answer) == ("open", answer, "")
    assert fake.counts.received == 0


def test_the_same_story_twice_is_sent_back(engine: Engine, fake: FakeUpstream, token: str) -> None:
    engine.answer(token, 0, STORY)
    with pytest.raises(NotSent, match="question 1"):
        engine.answer(token, 1, STORY)
    assert fake.counts.received == 1


def test_a_repeated_story_names_the_question_that_had_it(engine: Engine, token: str) -> None:
    engine.answer(token, 1, STORY)
    with pytest.raises(NotSent, match="question 2"):
        engine.answer(token, 0, STORY)


def test_no_answer_is_free_and_counts_0(engine: Engine, fake: FakeUpstream, token: str) -> None:
    done = engine.answer(token, 0, "Sorry, I don't know").turns[0]
    assert done.feedback is not None
    assert (done.feedback.origin.by, answer_score(done)) == ("gate", 0.0)
    assert fake.counts.received == 0


# Interrupted


def test_without_any_route_the_coach_goes_on_and_the_score_comes_later(
    engine: Engine, fake: FakeUpstream, clock: FrozenCalendar, token: str
) -> None:
    fake.always("503")
    unscored = engine.answer(token, 0, STORY).turns[0]
    assert unscored.feedback is not None
    assert (unscored.feedback.origin.by, unscored.feedback.note) == ("coach", NOT_NOW)
    assert answer_score(unscored) is None
    assert not engine.can_score()
    spent = fake.counts.received
    assert engine.score_rest(token).turns[0] == unscored
    assert fake.counts.received == spent
    fake.always("ok")
    clock.advance(3_600)
    assert engine.can_score()
    scored = engine.score_rest(token)
    assert (answer_score(scored.turns[0]) or 0) > 5
    assert scored.current == 1
    assert (scored.spent, scored.on_request) == (spent, 1)


def test_an_offline_interview_never_calls_and_is_never_scored(
    engine: Engine, fake: FakeUpstream, token: str
) -> None:
    token, _ = engine.start(SETUP, offline=True)
    for number in range(3):
        after = engine.answer(token, number, f"{STORY} Story {number}.")
    assert fake.counts.received == 0
    assert scorecard(after).overall is None
    assert all(answer_score(turn) is None for turn in after.turns)


def test_scoring_one_answer_of_an_offline_interview_sends_no_other(engine: Engine, fake: FakeUpstream) -> None:
    token, _ = engine.start(SETUP, offline=True)
    engine.answer(token, 0, STORY)
    engine.score_rest(token)
    engine.answer(token, 1, f"{STORY} Between us.")
    assert fake.counts.received == 1
    assert not [e for e in fake.requests() if "Between us" in e.messages[-1][1]]


# Skip, finish


def test_a_skipped_question_counts_0_and_the_next_one_begins(
    engine: Engine, fake: FakeUpstream, clock: FrozenCalendar, token: str
) -> None:
    engine.keep_draft(token, 0, "A thought")
    clock.advance(30)
    after = engine.skip(token, 0)
    assert (after.turns[0].state, answer_score(after.turns[0])) == ("skipped", 0.0)
    assert (after.current, after.turns[1].asked_at) == (1, clock.at)
    assert fake.counts.received == 0


def test_skipping_everything_ends_the_interview_without_a_number(engine: Engine, token: str) -> None:
    for number in range(3):
        after = engine.skip(token, number)
    assert after.finished_at is not None
    assert scorecard(after).overall is None


def test_ending_early_leaves_the_rest_out(engine: Engine, clock: FrozenCalendar, token: str) -> None:
    engine.answer(token, 0, STORY)
    ended = engine.finish(token)
    clock.advance(60)
    assert engine.finish(token) == ended
    assert [answer_score(turn) is None for turn in ended.turns] == [False, True, True]
    assert ended.current is None


@pytest.mark.parametrize("late", ["skip", "answer"])
def test_after_the_end_a_second_tab_changes_and_spends_nothing(
    engine: Engine, other: Engine, fake: FakeUpstream, token: str, late: str
) -> None:
    ended = engine.finish(token)
    if late == "skip":
        other.skip(token, 1)
    else:
        with pytest.raises(NotSent, match="in another tab"):
            other.answer(token, 1, STORY)
    assert engine.load(token) == ended
    assert fake.counts.received == 0


def test_a_full_minute_does_not_make_an_interview_offline(
    engine: Engine, fake: FakeUpstream, clock: FrozenCalendar, token: str
) -> None:
    fake.plan("429:60")
    engine.answer(token, 0, STORY)
    assert not engine.can_score()
    assert engine.offers_scores()
    later, begun = engine.start(engine.load(token).setup)
    assert begun.mode == "full"
    clock.advance(61)
    assert answer_score(engine.answer(later, 0, STORY).turns[0]) is not None


def test_a_role_is_cleaned_and_short(engine: Engine, token: str) -> None:
    setup = engine.load(token).setup
    assert len(engine.start(replace(setup, role="x" * 1_000))[1].setup.role) == 100
    for nothing in ("", "  ", "\u200b\u200d\u2060"):
        with pytest.raises(BadSetup):
            engine.start(replace(setup, role=nothing))
