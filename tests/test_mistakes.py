"""Mistakes count only where the answer shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interview import mistake_detector
from core.interview.mistake_detector import WITHOUT_QUOTE, local, merged, verified
from core.interview.model import Kind, Mistake, MistakeCode, Turn
from core.interview.rubric import answer_score, lit
from tests.answers import STORY
from tests.interviews import question, turn

CODES: tuple[MistakeCode, ...] = get_args(MistakeCode)
ANSWER = "We tried things and stuff happened. The boss was a fool, as usual."
CLAIMS = st.lists(
    st.builds(
        Mistake,
        code=st.sampled_from(CODES),
        quote=st.none() | st.sampled_from(["stuff happened", "THE BOSS was a fool", "not said", "", "..."]),
        fix=st.just("Say it plainly."),
    ),
    max_size=20,
)


def claim(code: MistakeCode, quote: str | None) -> Mistake:
    return Mistake(code, quote, "Say it plainly.")


def test_every_code_has_a_name() -> None:
    assert set(mistake_detector.NAMES) == set(CODES)


@given(CLAIMS)
def test_at_most_three_each_code_once_and_every_quote_found(claims: list[Mistake]) -> None:
    held = verified(claims, ANSWER)
    assert len(held) <= 3
    assert len({m.code for m in held}) == len(held)
    for mistake in held:
        assert mistake in claims
        if mistake.quote and mistake.quote != "...":
            assert mistake.quote.casefold() in ANSWER.casefold()
        else:
            assert mistake.code in WITHOUT_QUOTE
    assert verified(held, ANSWER) == held


def test_a_quote_must_stand_in_the_answer() -> None:
    assert verified([claim("vague", "“Stuff  happened.”")], ANSWER)
    assert not verified([claim("vague", "stuff happens")], ANSWER)
    assert not verified([claim("vague", None)], ANSWER)
    assert not verified([claim("off_topic", "something else")], ANSWER)
    assert verified([claim("off_topic", None)], ANSWER)


def test_what_the_text_refutes_is_dropped() -> None:
    assert not verified([claim("no_numbers", None)], STORY)
    assert verified([claim("no_numbers", None)], ANSWER)
    assert not verified([claim("no_own_role", None)], STORY)
    assert verified([claim("no_own_role", None)], ANSWER)


def test_a_refuted_claim_does_not_take_the_place_of_a_good_one() -> None:
    claims = [
        claim("no_numbers", None),
        claim("vague", "never said"),
        claim("vague", "stuff happened"),
        claim("no_result", None),
        claim("negative_talk", "the boss was a fool"),
    ]
    held = verified(claims, "In 2019 " + ANSWER)
    assert [m.code for m in held] == ["vague", "no_result", "negative_talk"]


@pytest.mark.parametrize("anchor", ["R1", "R2"])
def test_an_answer_that_shows_relevance_is_not_off_topic(anchor: str) -> None:
    assert not verified([claim("off_topic", None)], ANSWER, {anchor})
    assert verified([claim("off_topic", None)], ANSWER, {"S1"})


@pytest.mark.parametrize("kind", get_args(Kind))
def test_only_where_a_story_was_asked_for_is_imagining_a_mistake(kind: Kind) -> None:
    said = "I would ring the customer first."
    assert bool(verified([claim("hypothetical", said)], said, kind=kind)) == (kind == "behavioural")


# What code finds alone

WORK = "I was the one who wrote the new plan for the shop, and I asked two of them to read it, and it went well. "
PLAIN = (
    "I wrote a new plan for the shop and asked the others to read it. They liked it and it was used from then on. "
)
DREAM = (
    "I would talk to them all and I would listen. Then I would write a plan. I would ask them to read it again. "
)
HEDGED = "Maybe it was kind of late, I think. Perhaps I guess we could have asked two people before. "
SPOKEN = "Um, so I was, like, the one who, you know, wrote it, and, um, I mean, I asked two of them to read it. "
TURNING = "It was a shop with a shop plan and the plan for the shop was the shop plan of that shop. "


def said(answer: str, kind: Kind = "behavioural", spoken: bool = False) -> Turn:
    return replace(turn(answer), question=question(kind), spoken=spoken)


def codes(answered: Turn) -> set[MistakeCode]:
    return {mistake.code for mistake in local(answered)}


@pytest.mark.parametrize(
    ("code", "answered", "hit"),
    [
        ("no_numbers", said(PLAIN * 2), True),
        ("no_numbers", said(WORK * 2), False),
        ("no_numbers", said(PLAIN * 2, "situational"), False),
        ("no_numbers", said(PLAIN * 2, "technical"), False),
        ("no_numbers", said("It went well."), False),
        ("hypothetical", said(DREAM * 2), True),
        ("hypothetical", said(DREAM * 2, "situational"), False),
        ("hypothetical", said(DREAM * 2, "technical"), False),
        ("hypothetical", said(DREAM * 2, "motivation"), False),
        ("hypothetical", said(WORK * 2 + "Today I would ask three."), False),
        ("hypothetical", said(WORK + "She said that I would manage. I would like to add that it held."), False),
        ("hedging", said(HEDGED * 2), True),
        ("hedging", said(HEDGED * 2, "technical"), True),
        ("hedging", said(WORK * 2 + "Maybe it was luck."), False),
        (
            "hedging",
            said("This kind of work is the kind of work that I like, and that sort of shop is mine. " * 2),
            False,
        ),
        ("filler", said(SPOKEN * 2, spoken=True), True),
        ("filler", said(SPOKEN * 2), False),
        (
            "filler",
            said(
                "I like my work, people like me and I look like my boss, and that is how I like it. " * 2,
                spoken=True,
            ),
            False,
        ),
        ("filler", said(WORK * 2, spoken=True), False),
        ("rambling", said(WORK * 2 + TURNING * 22), True),
        ("rambling", said(WORK * 2 + TURNING * 22, "motivation"), True),
        ("rambling", said(WORK * 2 + TURNING * 10), False),
        ("rambling", said(" ".join(f"Story{n} had thing{n} and place{n} there." for n in range(70))), False),
    ],
)
def test_code_finds_what_can_be_counted(code: MistakeCode, answered: Turn, hit: bool) -> None:
    assert (code in codes(answered)) == hit


@pytest.mark.parametrize(
    "foreign",
    [
        "我会先问他们，然后我会写一份计划，也许我会再问一次。" * 4,
        "Ich würde vielleicht mit allen reden und dann einen Plan machen, nicht mit der Tür "
        "ins Haus fallen, und das ist vielleicht ein wenig viel.",
    ],
)
def test_of_another_language_code_says_nothing(foreign: str) -> None:
    assert local(said(foreign, spoken=True)) == ()


TEXTS = st.lists(
    st.sampled_from([WORK, PLAIN, DREAM, HEDGED, SPOKEN, TURNING, "\n", "**bold** ", "- a\n"])
    | st.text(max_size=40),
    max_size=40,
).map("".join)


@given(TEXTS, st.sampled_from(get_args(Kind)), st.booleans())
def test_every_one_has_its_quote_and_a_fix_and_costs_nothing(answer: str, kind: Kind, spoken: bool) -> None:
    answered = said(answer, kind, spoken)
    found = local(answered)
    assert all(m.quote and m.fix and m.found_by == "code" and len(m.quote) <= 160 for m in found)
    assert {m.code for m in verified(found, answer, kind=kind)} == {m.code for m in found[:3]} or len(found) > 3
    assert answered.feedback is not None
    marked = replace(answered, feedback=replace(answered.feedback, mistakes=found))
    assert answer_score(marked) == answer_score(answered)


def test_rambling_that_code_finds_costs_no_clarity_and_a_graders_does() -> None:
    answered = said(WORK * 2 + TURNING * 22)
    assert answered.feedback is not None
    own = [m for m in local(answered) if m.code == "rambling"]
    marked = replace(answered, feedback=replace(answered.feedback, mistakes=tuple(own)))
    blamed = replace(answered, feedback=replace(answered.feedback, mistakes=(replace(own[0], found_by="ai"),)))
    assert "C3" in lit(answered)
    assert lit(marked) == lit(answered)
    assert lit(blamed) == lit(answered) - {"C3"}


def test_of_the_same_code_the_graders_stays() -> None:
    found = local(said(HEDGED * 2))
    graders = [Mistake("hedging", "I think", "Say it plainly."), claim("vague", "stuff happened")]
    assert merged(graders, found)[:2] == tuple(graders)
    assert [m.code for m in merged(graders, found)].count("hedging") == 1


@given(CLAIMS, TEXTS)
def test_the_graders_come_first_and_each_code_once(claims: list[Mistake], answer: str) -> None:
    graders = verified(claims, ANSWER)
    both = merged(graders, local(said(answer)))
    assert both[: len(graders)] == graders
    assert len(both) <= 3
    assert len({m.code for m in both}) == len(both)
