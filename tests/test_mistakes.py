"""Mistakes count only where the answer shows them."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from core.interview import mistake_detector
from core.interview.mistake_detector import WITHOUT_QUOTE, verified
from core.interview.model import Mistake, MistakeCode
from tests.answers import STORY

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
