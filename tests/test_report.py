"""The report says what was found, and no number that nobody computed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from core.interview import coach, report, rubric
from core.interview.drills import drill
from core.interview.model import (
    Feedback,
    Interview,
    Kind,
    Met,
    Mistake,
    Narrative,
    Origin,
    Priority,
    Try,
    Turn,
)
from core.interview.report import NextStep, build, escape, overall_line
from core.interview.report_markdown import markdown
from tests.answers import STORY
from tests.fakes.asking import NOON
from tests.interviews import about, all_met, feedback, interview, question, turn

UNSCORED = replace(turn(), feedback=coach.react(question(), STORY))
SKIPPED = Turn(question(number=2), state="skipped")
GOOD = turn(met=all_met("R1 R2 S1 E1 E2", "I was asked to train the new staff"))


def spoken(feedback: Feedback) -> Interview:
    return interview(replace(turn(), feedback=feedback))


def test_every_question_stands_in_it_with_what_became_of_it() -> None:
    turns = [
        GOOD,
        SKIPPED,
        UNSCORED,
        Turn(question(number=4)),
        replace(turn(), state="grading", feedback=None),
        replace(turn("I don't know"), feedback=Feedback(Origin("gate"), "Noted.", "", True)),
    ]
    turns = [replace(t, question=replace(t.question, text=f"Question {n} of ours")) for n, t in enumerate(turns)]
    made = markdown(interview(*turns))
    for number in range(6):
        assert made.count(f"## {number + 1}. Question {number} of ours") == 1
    said = [page.said for page in build(interview(*turns)).pages]
    assert said == [
        "Developing",
        "Skipped, counts 0",
        "Not scored",
        "Not reached, left out of the score",
        "Waiting for feedback",
        "No answer, counts 0",
    ]
    assert all(word in made for word in said)


def test_numbers_are_the_rubrics() -> None:
    whole = interview(about(GOOD, "teamwork"), about(turn(), "leadership"), about(GOOD, "leadership", 3))
    made = markdown(whole)
    card = rubric.scorecard(whole)
    assert f"({card.overall} of 100)" in made
    for page in build(whole).pages:
        assert page.score == rubric.answer_score(page.turn)
        assert f"({page.score} of 10)" in made
    for name, mark in card.competencies.items():
        assert f"| {name.capitalize()} | {rubric.band(mark)} | {mark} |" in made


def test_an_interview_that_nobody_scored_holds_no_score() -> None:
    offline = replace(interview(UNSCORED, UNSCORED), mode="offline", mode_reason="You chose to practise offline.")
    made = markdown(offline)
    assert "**Overall: not scored**" in made
    assert "No AI has scored this interview. You chose to practise offline." in made
    assert not re.search(r"\d of 10|\d of 100|Developing|Not yet|Good|Strong\b", made)
    assert escape(coach.NOTE) in made
    found = build(offline)
    assert (found.strongest, found.priority, found.graders) == (None, None, ())


def test_who_graded_is_named_and_two_rulers_are_a_warning() -> None:
    other = replace(GOOD, feedback=replace(feedback(), origin=Origin("ai", "beta/other-model", "test")))
    assert "Anchors found by alpha/alpha-model;" in markdown(interview(GOOD, GOOD))
    assert "More than one model" not in markdown(interview(GOOD, GOOD))
    assert "alpha/alpha-model, beta/other-model" in markdown(interview(GOOD, other))
    assert "More than one model" in markdown(interview(GOOD, other))


def test_quotes_mistakes_and_follow_ups_are_shown() -> None:
    made = markdown(
        spoken(feedback((Met("E4", "from 12 to 3 a day"),), (Mistake("vague", "the staff", "Name two of them."),)))
    )
    assert "“from 12 to 3 a day”: measures the outcome or makes it checkable" in made
    assert "Vague: Name two of them. (“the staff”)" in made
    assert "Likely follow-up: And then?" in made
    assert report.DISCLAIMER in made


def test_a_mistake_that_code_alone_found_is_named_a_cue() -> None:
    vague = Mistake("hedging", "I think", "Say it plainly.", found_by="code")
    assert "- Hedges a lot (a cue): Say it plainly. (“I think”)" in markdown(spoken(feedback((), (vague,))))


def test_the_one_thing_to_practise_is_the_commonest_costly_gap() -> None:
    measured = turn(met=all_met("R1 E4", "errors fell from 12 to 3 a day"))
    found = build(interview(measured, measured, turn(met=all_met("R1", "the new staff"))))
    assert found.priority == NextStep("E2", drill("E2", "behavioural"), number=1)


def test_it_is_to_be_tried_on_the_weakest_answer_that_lacks_it() -> None:
    measured = turn(met=all_met("R1 R2 E4", "errors fell from 12 to 3 a day"))
    found = build(interview(measured, turn(met=all_met("R1 E4", "errors fell from 12 to 3 a day")), SKIPPED))
    assert found.priority
    assert found.priority.number == 2


def test_without_a_score_the_wording_points_to_what_to_practise() -> None:
    vague = replace(
        UNSCORED, answer="We were a good team and the work was done well, as the others would tell you."
    )
    found = build(replace(interview(vague), mode="offline"))
    assert found.priority
    assert not found.priority.measured
    assert "(by your wording, not a mark)" in markdown(replace(interview(vague), mode="offline"))


def test_it_leads_with_the_strongest_moment_then_the_one_priority_then_the_result() -> None:
    made = markdown(interview(GOOD, turn(met=all_met("R1 E4", "errors fell from 12 to 3 a day"))))
    places = [made.index(words) for words in ("Strongest moment", "One thing to practise", "A drill", "Overall")]
    assert places == sorted(places)


def test_the_narrative_adds_and_never_replaces() -> None:
    plain = interview(GOOD, GOOD)
    told = Narrative(
        "You stay close to the facts.", ("Real names.",), (Priority("E4", "Why.", "How."),), (), "m/m"
    )
    lines = set(markdown(replace(plain, narrative=told)).splitlines())
    assert set(markdown(plain).splitlines()) < lines
    assert {"You stay close to the facts.", "- Real names.", "- Why. How."} <= lines


# What the candidate asks for


def test_newly_lit_is_what_only_the_other_go_shows() -> None:
    again = Try(STORY, NOON, "done", feedback(all_met("R1 E4", "errors fell from 12 to 3 a day")))
    assert report.newly_lit(GOOD, again) == {"E4"}
    assert rubric.answer_score(replace(GOOD, tries=(again,))) == rubric.answer_score(GOOD)
    assert report.newly_lit(GOOD, Try(STORY, NOON, "done", coach.react(question(), STORY))) == frozenset()
    assert report.newly_lit(GOOD, Try(STORY, NOON)) == frozenset()


@pytest.mark.parametrize(("lit", "offered"), [(6, False), (7, True), (13, True), (14, False)])
def test_a_second_opinion_is_for_answers_in_the_middle(lit: int, offered: bool) -> None:
    codes = [f"{d}{n}" for d in "RSED" for n in range(1, 5)]
    some = turn(met=all_met(" ".join(codes[: lit - 4]), "I was asked to train the new staff"))
    assert len(rubric.lit(some)) == lit
    assert report.is_unsure(some) == offered
    assert not report.is_unsure(UNSCORED)


def test_own_rating_second_opinion_and_other_goes_are_told_apart_from_the_score() -> None:
    again = Try(STORY, NOON, "done", feedback(all_met("E4", "errors fell from 12 to 3 a day")))
    asked = replace(GOOD, tries=(again,), self_met=("D4",), second=feedback(all_met("R1", "the new staff")))
    made = markdown(interview(asked))
    assert "You marked: carries a lesson forward" in made
    assert "A second opinion by alpha/alpha-model, not part of the score, found: stays on" in made
    assert "Tried again. Newly shown: measures the outcome or makes it checkable" in made
    assert overall_line(build(interview(asked)).card) == overall_line(build(interview(GOOD)).card)


def test_every_anchor_of_every_kind_has_a_drill_of_its_own() -> None:
    kinds: tuple[Kind, ...] = get_args(Kind)
    for kind in kinds:
        drills = [drill(anchor, kind) for anchor in rubric.anchors(kind)]
        assert len(set(drills)) == 20
    assert drill("S1", "technical") != drill("S1", "behavioural")


def test_the_strongest_moment_is_the_best_answers_best_anchor() -> None:
    best = turn(met=(*all_met("R1 R2 S1", "the new staff"), Met("E4", "errors fell from 12 to 3 a day")))
    found = build(interview(turn(met=all_met("R1", "the manual had 80 pages")), best, SKIPPED))
    assert found.strongest == Met("E4", "errors fell from 12 to 3 a day")


def test_words_of_the_advert_are_ticked_off_and_never_scored() -> None:
    plain = interview(GOOD)
    with_job = replace(plain, setup=replace(plain.setup, job="Train staff. Train staff on the till. Budget."))
    terms = build(with_job).job_terms
    assert terms["train"]
    assert terms["staff"]
    assert not terms["budget"]
    assert build(with_job).card == build(plain).card
    assert build(plain).job_terms == {}


def test_what_was_left_out_is_counted() -> None:
    good = about(GOOD, "teamwork")
    line = overall_line(rubric.scorecard(interview(good, good, good, UNSCORED, UNSCORED)))
    assert line.endswith(", 2 answers not scored)")
    assert "not scored" not in overall_line(rubric.scorecard(interview(good)))


def test_one_answer_is_one_answer() -> None:
    line = overall_line(rubric.scorecard(interview(GOOD, GOOD, GOOD, UNSCORED)))
    assert line.endswith(", 1 answer not scored)")


def test_a_question_that_was_not_reached_is_no_unscored_answer() -> None:
    early = interview(GOOD, GOOD, GOOD, Turn(question()), Turn(question()))
    assert "answers not scored" not in overall_line(rubric.scorecard(early))
