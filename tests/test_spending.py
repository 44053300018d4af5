"""What an interview may cost, whatever happens on the way. Pure: no engine, no network."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.budget import Spent
from core.interview import questions, spending
from core.interview.grader import CODES, TURN_TOKENS
from core.interview.model import Interview, Level, Mode, Turn
from core.interview.paper import LONGEST_SENT, sent, written
from core.interview.prompts.turn import Sheet, turn
from core.interview.steps import with_turn
from tests.fakes.exchange import count_tokens
from tests.interviews import SETUP, question

MOST_TOKENS = 20_000
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "skip", "die", "finish", "narrate"]), st.integers(0, 11), st.integers(0, 3)
    ),
    max_size=40,
)


def begun(mode: Mode, count: int, planned: int, length: int) -> Interview:
    """An interview of so many questions, each to be answered with so many characters."""
    turns = tuple(Turn(question(number=n), answer=" ".join(["abcde"] * (length // 6 + 1))) for n in range(count))
    cap = spending.cap(mode, count, planned)
    return Interview(replace(SETUP, questions=count), mode, "", turns, 0.0, cap=cap, spent=planned)


def booked(interview: Interview) -> int:
    return sum(each.booked for each in interview.turns)


def claimed(interview: Interview, number: int) -> Interview:
    """As when somebody begins to mark the answer, or takes over from one who died."""
    died = spending.at_most(interview.turns[number].booked)
    paid = replace(interview, spent=interview.spent + died.calls, tokens=interview.tokens + died.tokens)
    free = with_turn(paid, number, replace(paid.turns[number], state="grading", grading_since=1.0, booked=0))
    calls = spending.attempts(free, number)
    return with_turn(free, number, replace(free.turns[number], booked=calls))


def settled(interview: Interview, number: int, calls: int) -> Interview:
    cost = cost_of(interview, number, calls)
    done = replace(interview.turns[number], state="done", booked=0)
    paid = replace(interview, spent=interview.spent + cost.calls, tokens=interview.tokens + cost.tokens)
    return with_turn(paid, number, done)


def cost_of(interview: Interview, number: int, calls: int) -> Spent:
    """What so many calls about this answer cost at most, the second of them with the first one's useless reply."""
    one = spending.TURN + -(-written(sent(interview.turns[number].answer)) // 4)
    return Spent(calls, calls * one + spending.AGAIN * (calls > 1))


@pytest.mark.parametrize(
    ("mode", "answers", "planned", "calls"),
    [
        ("full", 8, 1, 10),
        ("full", 8, 0, 9),
        ("full", 3, 0, 4),
        ("full", 12, 1, 14),
        ("lean", 8, 1, 4),
        ("lean", 8, 0, 3),
        ("lean", 3, 0, 2),
        ("lean", 9, 0, 4),
        ("lean", 12, 1, 5),
        ("offline", 8, 0, 0),
    ],
)
def test_the_caps(mode: Mode, answers: int, planned: int, calls: int) -> None:
    assert spending.cap(mode, answers, planned) == calls


@settings(max_examples=400, deadline=None)
@given(
    mode=st.sampled_from(["full", "lean", "offline"]),
    count=st.integers(3, 12),
    planned=st.integers(0, 1),
    length=st.integers(1, 6_000),
    steps=STEPS,
)
def test_whatever_happens_spent_and_booked_stay_within_the_cap(
    mode: Mode, count: int, planned: int, length: int, steps: list[tuple[str, int, int]]
) -> None:
    """Answers in any order, calls that die and are taken over, skips, an early end, the report at any time."""
    interview = begun(mode, count, planned if mode != "offline" else 0, length)
    for what, at, calls in steps:
        number = at % count
        turn_ = interview.turns[number]
        if what == "skip" and turn_.state == "open" and interview.finished_at is None:
            interview = with_turn(interview, number, replace(turn_, state="skipped", answer=""))
        elif what == "finish" and interview.finished_at is None:
            unanswered = (replace(t, answer="") if t.state == "open" else t for t in interview.turns)
            interview = replace(interview, finished_at=1.0, turns=tuple(unanswered))
        elif what == "narrate":
            interview = replace(interview, spent=interview.spent + spending.for_narrative(interview))
        elif turn_.answer and (turn_.state == "grading" or (turn_.state == "open" and not interview.finished_at)):
            interview = claimed(interview, number)
            if what == "answer":
                used = min(calls, interview.turns[number].booked)
                interview = settled(interview, number, used)
        assert interview.spent + booked(interview) <= interview.cap


@settings(deadline=None)
@given(
    count=st.integers(3, 12),
    answers=st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), min_size=12, max_size=12),
    length=st.integers(1, 6_000),
)
def test_nobody_is_left_without_a_call_and_all_tokens_are_within_bounds(
    count: int, answers: list[tuple[int, bool, bool]], length: int
) -> None:
    """In turn, as candidates answer: each answer has a call of its own, however many the others took. Only who
    takes over from the dead may be left without."""
    interview, tokens = begun("full", count, 0, length), 0
    for number, (calls, skipped, dies) in enumerate(answers[:count]):
        if skipped:
            left = replace(interview.turns[number], state="skipped", answer="")
            interview = with_turn(interview, number, left)
            continue
        interview = claimed(interview, number)
        assert interview.turns[number].booked >= 1
        if dies:
            tokens += cost_of(interview, number, interview.turns[number].booked).tokens
            interview = claimed(interview, number)
        used = min(calls, interview.turns[number].booked)
        tokens += cost_of(interview, number, used).tokens
        interview = settled(interview, number, used)
    if spending.for_narrative(interview):
        tokens += spending.DEAREST_TURN
        interview = replace(interview, spent=interview.spent + 1)
    assert interview.spent <= interview.cap
    assert tokens <= max(MOST_TOKENS, count * spending.DEAREST_TURN + spending.SPARE)


@pytest.mark.parametrize(("count", "at_once"), [(8, 2), (12, 3)])
def test_a_batch_may_be_asked_for_again_as_long_as_the_others_have_theirs(count: int, at_once: int) -> None:
    interview = begun("lean", count, 0, 300)
    for first in range(0, count, 4):
        assert spending.attempts(interview, first) == (2 if first == 0 else 1)
        done = [replace(t, state="done") if n < first + 4 else t for n, t in enumerate(interview.turns)]
        interview = replace(interview, turns=tuple(done), spent=interview.spent + (2 if first == 0 else 1))
    assert spending.for_narrative(interview) == 0
    assert interview.spent == math.ceil(count / 4) + 1 == at_once + 1


def test_the_report_has_its_call_only_when_no_answer_needed_it() -> None:
    interview = begun("full", 8, 0, 300)
    done = tuple(replace(each, state="done") for each in interview.turns)
    assert spending.for_narrative(replace(interview, turns=done, spent=8)) == 1
    assert spending.for_narrative(replace(interview, turns=done, spent=9)) == 0
    assert spending.for_narrative(replace(interview, turns=done, spent=9)) == 0
    assert spending.for_narrative(interview) == 1, "the answers' own calls are kept beside it"
    assert spending.for_narrative(replace(interview, spent=1)) == 0


@pytest.mark.parametrize("level", ["junior", "mid", "senior"])
def test_the_estimate_of_a_call_holds_for_every_question(level: Level) -> None:
    for asked in questions.bank():
        about = {"level": level, "field": max(questions.FAMILIES, key=len)}
        messages = turn(Sheet(asked, ""), about, CODES, "0" * 16)
        assert sum(count_tokens(each.content) for each in messages) + TURN_TOKENS <= spending.TURN
    assert spending.TURN + LONGEST_SENT // 4 <= spending.DEAREST_TURN
    assert 8 * spending.DEAREST_TURN + spending.SPARE == MOST_TOKENS


@settings(deadline=None)
@given(st.text(max_size=6_000) | st.text(alphabet='ab "\\漢字\n', min_size=3_000, max_size=6_000))
def test_no_answer_is_dearer_than_the_longest(answer: str) -> None:
    assert written(sent(answer)) <= LONGEST_SENT


def test_an_answer_of_quotation_marks_is_cut_like_a_long_one() -> None:
    quoted = " ".join(f'"w{n:06}"' for n in range(599))
    assert len(quoted) <= 6_000
    assert 0.9 * LONGEST_SENT < written(sent(quoted)) <= LONGEST_SENT
