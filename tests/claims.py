"""What graders may claim of one answer of ours, right and wrong, and turns and interviews made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from hypothesis import strategies as st

from core.interview import rubric
from core.interview.model import COMPETENCIES, Met, Mistake, MistakeCode, Origin, Turn
from core.interview.rubric import verified
from tests.answers import STORY
from tests.interviews import about, all_met, question, turn

ASKED = [code for code in rubric.anchors("behavioural") if code[0] != "C"]
QUOTES = [
    "First I sat with the two people",
    "errors fell from 12 to 3 a day",
    "the manual had 80 pages",
    "not said",
    "",
]
CLAIMS = st.lists(st.builds(Met, anchor=st.sampled_from(ASKED), quote=st.sampled_from(QUOTES)), max_size=40)
MISTAKES = st.lists(
    st.builds(Mistake, code=st.sampled_from(get_args(MistakeCode)), quote=st.none(), fix=st.just("Mend it.")),
    max_size=3,
)
TURNS = st.builds(
    lambda met, mistakes, competency: about(turn(STORY, verified(met, STORY), tuple(mistakes)), competency),
    CLAIMS,
    MISTAKES,
    st.sampled_from(COMPETENCIES),
)
UNSCORED = replace(turn(), feedback=replace(turn().feedback, scored=False, origin=Origin("coach")))  # type: ignore[type-var]
SKIPPED = Turn(question(), state="skipped")
STATES = TURNS | st.sampled_from(
    [UNSCORED, SKIPPED, Turn(question()), replace(turn("I don't know"), feedback=None)]
)
HELD = all_met("R1 R2 R3 S1 S2 E1 D1 D2", "the manual had 80 pages")
WHOLE = all_met(" ".join(ASKED), "I did it from 12 to 3")
MORE = (*HELD, *all_met("D3", "It was hard to find time"))
