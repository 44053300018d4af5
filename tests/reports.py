"""One interview with everything in it that a report can show."""

from __future__ import annotations

from dataclasses import replace

from core.interview.model import Downgrade, Interview, Met, Mistake, Narrative, Outline, Priority, Try, Turn
from tests.answers import STORY
from tests.fakes.asking import NOON
from tests.interviews import about, all_met, feedback, interview, question, turn

SEEN = (
    *all_met("R1 R2 S1 S3 E2", "I was asked to train the new staff"),
    Met("E4", "errors fell from 12 to 3 a day"),
)
BETTER = feedback((*SEEN, Met("D2", "because the manual had 80 pages")))


def rich(answer: str = STORY) -> Interview:
    """Scored, skipped and unreached questions, a narrative, a try, a second opinion, an own rating."""
    first = replace(
        turn(answer, SEEN, (Mistake("vague", "the staff", "Name two of them."),)),
        tries=(Try(answer, NOON + 900, "done", BETTER),),
        second=feedback(SEEN[:3]),
        self_met=("R1", "E4", "D4"),
    )
    scored = [
        about(turn(answer, SEEN[:3]), "teamwork", 3),
        about(turn(answer, SEEN[:5]), "leadership", 5),
        about(turn(answer, SEEN[:2]), "motivation", 2),
    ]
    skipped, unreached = Turn(question(number=8), state="skipped"), Turn(question(number=9))
    told = Narrative(
        "You tell real stories.",
        ("You give a measured result.",),
        (Priority("D2", "Your reasons stay unsaid.", "Say because after each step."),),
        (Outline("b-test-1", "Begin with the till, end with [your number]."),),
        "alpha/alpha-model",
    )
    return replace(
        interview(first, *scored, skipped, unreached),
        narrative=told,
        downgrades=(Downgrade(NOON + 60, "lean", "The AI became busy."),),
        spent=9,
        on_request=2,
    )
