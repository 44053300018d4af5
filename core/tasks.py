"""Every kind of AI call that the product makes."""

from __future__ import annotations

from core.policy import Task
from providers.contracts import Usage

KEPT_FOR_SCORING = 0.2  # share of each lasting limit that calls leave alone which no interview depends on
LONGEST_PLAN = 20.0  # seconds that a start may wait for questions of its own
HOUR = 3_600.0
LONG_ANSWER = Usage(1_700, 600)  # our instructions, 600 words of an answer, and all that the reply may take


def turn(deadline: float) -> Task:
    """Feedback on one answer, within `deadline` seconds."""
    return Task("turn", "small", deadline, typical=LONG_ANSWER)


def plan(deadline: float, *, tailored: bool) -> Task:
    """Up to three questions written for one candidate or one field of work; the bank is there if it takes long.

    Without `tailored` nobody is asked at all.
    """
    return Task("plan", "small", min(deadline, LONGEST_PLAN), int(tailored), typical=Usage(1_100, 500))


def report(deadline: float) -> Task:
    """The report in words."""
    return Task("report", "small", deadline, typical=Usage(1_500, 700))


def resume(deadline: float) -> Task:
    return Task("resume", "small", deadline, leaves=KEPT_FOR_SCORING)


def text(deadline: float, *, shareable: bool) -> Task:
    """Plain text for a script. Only what holds nothing about a person may be given to the next one who asks."""
    return Task("text", "small", deadline, leaves=KEPT_FOR_SCORING, keep=HOUR if shareable else 0.0)


def transcribe(deadline: float) -> Task:
    """What was said in a recording, word by word."""
    return Task("transcribe", "small", deadline, does="transcribe")
