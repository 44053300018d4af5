"""The JSON report: no number without its origin, none that nobody computed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interview import coach, report, rubric
from core.interview.model import Interview, Turn
from core.interview.report_json import as_json
from tests.answers import STORY
from tests.interviews import about, interview, question, turn
from tests.reports import SEEN, rich

OFFLINE = replace(interview(replace(turn(), feedback=coach.react(question(), STORY)), turn()), mode="offline")
MEASURE = {"value", "origin", "rubric"}


def unscored(whole: Interview) -> Interview:
    return replace(
        whole,
        mode="offline",
        narrative=None,
        turns=tuple(replace(t, feedback=coach.react(t.question, t.answer), second=None) for t in whole.turns),
    )


def numbers(node: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every number with the object that it stands in."""
    if isinstance(node, list):
        for item in node:
            yield from numbers(item, place)
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield (*place, key), node
            yield from numbers(value, (*place, key))


@pytest.mark.parametrize("whole", [rich(), OFFLINE, interview(Turn(question()))], ids=["rich", "offline", "empty"])
def test_every_number_says_where_it_comes_from(whole: Interview) -> None:
    for place, node in numbers(json.loads(as_json(whole))):
        assert place[-1] == "value", place
        assert set(node) == MEASURE, place
        assert node["origin"] in ("ai", "self", "code", "setting"), place
        assert node["rubric"] == (rubric.RULES.version if node["origin"] in ("ai", "self") else None), place


def test_numbers_are_the_reports() -> None:
    whole = rich()
    told, found = json.loads(as_json(whole)), report.build(whole)
    assert told["overall"]["score_of_100"]["value"] == found.card.overall
    assert {c: s["score_of_10"]["value"] for c, s in told["overall"]["competencies"].items()} == dict(
        found.card.competencies
    )
    for question_told, page in zip(told["questions"], found.pages, strict=True):
        score = question_told["score_of_10"]
        assert (score and score["value"]) == page.score
        if page.turn.answer:
            assert {a for a, lit in question_told["anchors"].items() if lit} == page.lit
    assert told["calls"]["interview"]["value"] == 9
    assert told["questions"][0]["tries"][0]["newly_lit"] == sorted(
        report.newly_lit(whole.turns[0], whole.turns[0].tries[0])
    )
    assert told["questions"][0]["self_rating"]["met"] == {
        "value": 3,
        "origin": "self",
        "rubric": rubric.RULES.version,
    }


def test_where_nobody_scored_there_is_null_and_no_number() -> None:
    told = json.loads(as_json(unscored(rich())))
    assert told["overall"]["score_of_100"] is None
    assert told["overall"]["band"] is None
    assert told["overall"]["competencies"] == {}
    assert [q["score_of_10"] for q in told["questions"]] == [None] * 6
    assert [q["anchors"] for q in told["questions"]] == [None] * 6
    assert not [place for place, node in numbers(told) if node["origin"] == "ai"]


def test_a_question_not_reached_has_no_score_and_a_skipped_one_was_scored_by_no_model() -> None:
    told = json.loads(as_json(rich()))
    skipped, unreached = told["questions"][-2:]
    assert skipped["score_of_10"] == {"value": 0.0, "origin": "code", "rubric": None}
    assert unreached["score_of_10"] is None


@given(st.text(max_size=200))
def test_whatever_was_written_comes_back_as_it_was(written: str) -> None:
    told = json.loads(as_json(interview(replace(turn(), answer=written), role=written)))
    assert told["role"] == written
    assert told["questions"][0]["answer"] == written


def test_the_same_interview_gives_the_same_bytes() -> None:
    assert as_json(rich()) == as_json(rich())


def test_times_are_in_words_with_their_zone() -> None:
    told = json.loads(as_json(rich()))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", told["begun"])
    assert json.loads(as_json(replace(rich(), finished_at=None)))["finished"] is None


def test_the_resume_is_not_in_it() -> None:
    whole = replace(rich(), setup=replace(rich().setup, resume="CANARY-RESUME", job="CANARY-JOB in full"))
    assert "CANARY-RESUME" not in as_json(whole)


def test_scores_follow_the_anchors() -> None:
    one, more = (json.loads(as_json(interview(about(turn(met=SEEN[:n]), "teamwork")))) for n in (1, 6))
    first, second = (told["questions"][0]["score_of_10"]["value"] for told in (one, more))
    assert first < second
