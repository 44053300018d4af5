"""Cues count words of one answer and claim nothing where they know no word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.interview import cues
from tests.answers import STORY
from tests.interviews import turn


def test_a_story_is_counted() -> None:
    found = cues.read(replace(turn(STORY), asked_at=100.0, answered_at=190.0))
    assert (found.known, found.seconds) == (True, 90.0)
    assert (found.numbers, found.first_person, found.we) == (5, 4, 1)
    assert (found.hedges, found.hypotheticals, found.fillers) == (0, 0, 0)
    assert found.star["situation"]
    assert found.star["result"]


def test_time_is_unknown_where_one_end_of_it_is() -> None:
    assert cues.read(replace(turn(STORY), asked_at=None, answered_at=5.0)).seconds is None
    assert cues.read(replace(turn(STORY), asked_at=9.0, answered_at=5.0)).seconds == 0.0


def test_of_another_language_only_the_length_is_told() -> None:
    found = cues.read(turn("我在上一份工作中负责培训新员工，我写了一份指南，错误从12个减少到3个。"))
    assert not found.known
    assert found.words > 10
    assert (found.numbers, found.first_person, dict(found.star)) == (0, 0, {})


def test_fillers_are_counted_only_in_speech() -> None:
    said = "Um, I was, like, the one who, you know, wrote it."
    assert cues.read(turn(said)).fillers == 0
    assert cues.read(replace(turn(said), spoken=True)).fillers == 3


@pytest.mark.parametrize(
    "said",
    [
        "maybe it helped",
        "It was kind of slow",
        "I think it worked",
        "I sort of led it",
        "we probably won",
        "I guess so",
    ],
)
def test_hedges_are_seen(said: str) -> None:
    assert cues.hedges(said)


@pytest.mark.parametrize(
    "said",
    ["this kind of work", "what sort of tool", "the kind of person", "I thought it through", "it is certain"],
)
def test_these_are_no_hedges(said: str) -> None:
    assert not cues.hedges(said)


@pytest.mark.parametrize("said", ["I would call her", "I'd first ask", "we would try to fix it", "I might go"])
def test_imagined_deeds_are_seen(said: str) -> None:
    assert cues.hypotheticals(said.replace("call her", "ring her"))


@pytest.mark.parametrize(
    "said",
    [
        "I would like to add",
        "I'd been there",
        "I'd asked her",
        "she said that I would manage",
        "I would say so",
        "I did it",
    ],
)
def test_these_are_no_imagined_deeds(said: str) -> None:
    assert not cues.hypotheticals(said)


@pytest.mark.parametrize(
    "said", ["I like this work", "people like me", "it looks like rain", "an umbrella", "the actual cost"]
)
def test_these_are_no_fillers(said: str) -> None:
    assert not cues.fillers(said)
