"""Whole interviews on a route that knows no JSON mode: a model that talks around its JSON, and once breaks off."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.interview.model import Interview
from core.interview.report import build
from core.interview.rubric import answer_score
from tests.answers import STORY
from tests.fakes.exchange import Exchange
from tests.fakes.grader import grade
from tests.fakes.house import limits
from tests.fakes.upstream import FakeUpstream
from tests.interviews import SETUP, app

AROUND = (
    "{}",
    "Sure! Here is my assessment:\n\n```json\n{}\n```\n\nLet me know if you need anything else {{smile}}.",
    "```\n{}\n```",
    "The answer shows two things.\n{}",
    "{}\n\nNote: no score was given, as you asked.",
)


def talking(cut: int | None = None) -> Callable[[Exchange], str]:
    """Prose and fences around every reply, never twice the same; the reply to call number `cut` ends half way."""
    calls = itertools.count()

    def reply(exchange: Exchange) -> str:
        number, whole = next(calls), grade(exchange)
        if number == cut:
            return "Here it is:\n```json\n" + whole[: len(whole) // 2]
        return AROUND[number % len(AROUND)].format(whole)

    return reply


def practised(
    folder: Path, fake: FakeUpstream, questions: int, more: str = "", tailored: bool = False
) -> Interview:
    engine = app(folder, {"alpha": fake}, more=more, form="none", tailored_questions=tailored).engine
    token, ended = engine.start(replace(SETUP, questions=questions))
    for number in range(questions):
        ended = engine.answer(token, number, f"In week {number} I fixed {number + 3} tills. {STORY}")
    return ended


@pytest.mark.parametrize("tailored", [False, True])
@pytest.mark.parametrize("cut", [None, 1, 4])
def test_a_full_interview_completes(tmp_path: Path, tailored: bool, cut: int | None) -> None:
    with FakeUpstream(reply=talking(cut)) as fake:
        ended = practised(tmp_path, fake, 8, tailored=tailored)
        assert not any(exchange.wants_json or "response_format" in exchange.body for exchange in fake.requests())
        assert fake.counts.received == ended.spent <= ended.cap == 9 + tailored
        assert fake.counts.tokens <= 20_000
    scores = [answer_score(turn) for turn in ended.turns]
    assert None not in scores
    assert ended.mode == "full"
    assert not ended.downgrades
    whole = [score for n, score in enumerate(scores) if cut is None or n != cut - tailored]
    assert len(set(whole)) == 1, "what stands around a reply changes nothing"
    assert build(ended).card.overall is not None


@pytest.mark.parametrize(("cut", "calls"), [(None, 2), (0, 3), (1, 3)])
def test_a_lean_interview_completes(tmp_path: Path, cut: int | None, calls: int) -> None:
    """Of a batch that was cut off, the answers that are missing are asked for again."""
    with FakeUpstream(reply=talking(cut)) as fake:
        ended = practised(tmp_path, fake, 8, limits(requests_day=8))
        assert fake.counts.received == ended.spent == calls
    assert ended.mode == "lean"
    assert len({answer_score(turn) for turn in ended.turns} - {None}) == 1
    assert None not in [answer_score(turn) for turn in ended.turns]


def test_an_offline_interview_needs_nobody(tmp_path: Path) -> None:
    with FakeUpstream(reply=talking()) as fake:
        ended = practised(tmp_path, fake, 8, limits(requests_day=1))
        assert (ended.mode, fake.counts.received) == ("offline", 0)
    assert build(ended).card.overall is None


def test_a_model_that_only_talks_scores_nothing(tmp_path: Path) -> None:
    with FakeUpstream(reply=lambda exchange: "A good answer! I would give it 8 out of 10 {roughly}.") as fake:
        ended = practised(tmp_path, fake, 8)
        assert fake.counts.received == ended.cap == 9
    assert {answer_score(turn) for turn in ended.turns} == {None}
    assert build(ended).card.overall is None
