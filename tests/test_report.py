"""The report says what was found, and nothing that anybody wrote becomes markup in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interview import coach, report, rubric
from core.interview.model import Feedback, Interview, Met, Mistake, Origin, Turn
from core.interview.report import build, escape, markdown, overall_line
from tests.answers import STORY
from tests.interviews import about, all_met, feedback, interview, question, turn

HOSTILE = [
    "![pixel](https://evil.example/x.png)",
    "![pixel][1]\n\n[1]: https://evil.example/x.png",
    "[Click here](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "＜img src=https://evil.example＞",
    "<https://evil.example>",
    "https://evil.example/path",
    "HTTP://evil.example",
    "www.evil.example",
    "$\\href{https://evil.example}{x}$ and $$x^2$$",
    ":red[Overall: 100 of 100] :material/star: :smile:",
    "# Overall: Strong (100 of 100)",
    "> quoted\n# heading\n## 9. Question",
    "`code` and ```\nfence\n```",
    "**bold** _under_ ~~struck~~",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "\\[x](https://evil.example)\\",
    "a\u202eb\u200bc\u2066d",
    "[^1]: note\n[^1]",
    "&lt;img&gt; &#33;[x](y)",
]
ACTIVE = re.compile(r"!\[|\]\(|\]:|\[|\]|<|>|\$|`|(?i:https?:|www\.)|:\w|\*|_|^#|\||\{|~", re.MULTILINE)
UNSCORED = replace(turn(), feedback=coach.react(question(), STORY))
SKIPPED = Turn(question(number=2), state="skipped")
GOOD = turn(met=all_met("R1 R2 S1 E1 E2", "I was asked to train the new staff"))


def spoken(feedback: Feedback) -> Interview:
    return interview(replace(turn(), feedback=feedback))


PLACES: dict[str, Callable[[str], Interview]] = {
    "answer": lambda text: interview(turn(text)),
    "role": lambda text: interview(turn(), role=text),
    "question": lambda text: interview(replace(turn(), question=replace(question(), text=text))),
    "reaction": lambda text: spoken(replace(feedback(), reaction=text)),
    "follow-up": lambda text: spoken(replace(feedback(), follow_up=text)),
    "note": lambda text: spoken(replace(feedback(), note=text)),
    "quote": lambda text: spoken(feedback((Met("R1", text),))),
    "fix": lambda text: spoken(feedback((), (Mistake("vague", None, text),))),
}


def without_escapes(text: str) -> str:
    """What a Markdown reader takes for markup: escaped punctuation is left out."""
    return re.sub(r"\\[!-/:-@\[-`{-~]", "", text)


def headings(text: str) -> list[str]:
    """Lines that are headings, or that make the line before them one."""
    return re.findall(r"(?m)^[ >]*(?:#{1,6} |=+ *$|-+ *$)", text)


# Escaping


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_written_is_markup_any_more(hostile: str) -> None:
    assert not ACTIVE.search(without_escapes(escape(hostile)))


@given(st.text())
def test_no_text_at_all_is_markup(written: str) -> None:
    assert not ACTIVE.search(without_escapes(escape(written)))


@given(st.text(alphabet="abc .,!?()[]*#$<>|\\\n"))
def test_escaping_loses_no_letter(written: str) -> None:
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escape(written))
    assert shown.replace("\u200c", "") == written.strip()


def test_an_address_becomes_no_link() -> None:
    assert "help@evil.example" not in escape("Write to help@evil.example")


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_stands_it_adds_no_structure(place: str, hostile: str) -> None:
    made = markdown(PLACES[place](hostile))
    assert headings(made) == headings(markdown(PLACES[place]("harmless")))
    assert not re.search(r"!\[|\]\(|<\w|\$|(?i:https?:)|(?i:www\.)", without_escapes(made))
    assert made.count("\n|") == markdown(PLACES[place]("harmless")).count("\n|")


@pytest.mark.parametrize("written", [":material/star:", ":streamlit:"])
def test_no_icon_or_logo_appears(written: str) -> None:
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escape(written))
    assert written not in shown


@pytest.mark.parametrize("line", ["===", "---"])
@pytest.mark.parametrize("place", ["answer", "reaction", "role"])
def test_a_line_below_makes_no_heading(place: str, line: str) -> None:
    hostile = f"Overall: Strong\n{line}\nand so on"
    assert headings(markdown(PLACES[place](hostile))) == headings(markdown(PLACES[place]("harmless")))


def test_an_answer_stays_a_quotation_line_by_line() -> None:
    made = markdown(interview(turn("One\r\n\r\nTwo\n\n# Three")))
    assert "> One\n> \n> Two\n> \n> \\# Three\n" in made


# What it says


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
        assert f"| {name.capitalize()} | {mark} | {rubric.band(mark)} |" in made


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
    assert "measures the outcome or makes it checkable: “from 12 to 3 a day”" in made
    assert "Vague: Name two of them." in made
    assert "Likely follow-up: And then?" in made
    assert report.DISCLAIMER in made


def test_the_one_thing_to_practise_is_the_commonest_costly_gap() -> None:
    measured = turn(met=all_met("R1 E4", "errors fell from 12 to 3 a day"))
    found = build(interview(measured, measured, turn(met=all_met("R1", "the new staff"))))
    assert found.priority == report.NEXT_STEP["E2"]


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
