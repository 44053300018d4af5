"""Every kind of AI call that the product makes."""

from __future__ import annotations

from core.policy import Task
from providers.contracts import Usage

KEPT_FOR_SCORING = 0.2  # share of each lasting limit that calls leave alone which no interview depends on
HOUR = 3_600.0
LONG_ANSWER = Usage(2_400, 900)  # our instructions, 600 words of an answer, and all that the reply may take


def turn(deadline: float) -> Task:
    """Feedback on one answer, within `deadline` seconds."""
    return Task("turn", "small", deadline, typical=LONG_ANSWER)


def resume(deadline: float) -> Task:
    return Task("resume", "small", deadline, leaves=KEPT_FOR_SCORING)


def text(deadline: float, *, shareable: bool) -> Task:
    """Plain text for a script. Only what holds nothing about a person may be given to the next one who asks."""
    return Task("text", "small", deadline, leaves=KEPT_FOR_SCORING, keep=HOUR if shareable else 0.0)


def transcribe(deadline: float) -> Task:
    """What was said in a recording, word by word."""
    return Task("transcribe", "small", deadline, does="transcribe")
