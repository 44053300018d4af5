"""Small steps from one interview to the next. Pure."""

from __future__ import annotations

from dataclasses import replace

from core.interview.model import Interview, Turn


def with_turn(interview: Interview, number: int, turn: Turn) -> Interview:
    return replace(interview, turns=(*interview.turns[:number], turn, *interview.turns[number + 1 :]))


def moved_on(interview: Interview, now: float) -> Interview:
    """Start the clock of the next question, or end the interview after the last one."""
    if interview.finished_at is not None:
        return interview
    number = interview.current
    if number is None:
        return replace(interview, finished_at=now)
    turn = interview.turns[number]
    return with_turn(interview, number, replace(turn, asked_at=turn.asked_at or now))
