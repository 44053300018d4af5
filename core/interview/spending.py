"""What an interview may cost, in upstream calls and tokens. Pure.

Full mode: one call an answer, one for the report, and the one that the plan took. Lean mode: one for each batch of
four answers, one for the report, and the plan's. A retry is paid from what later calls do not need, so the cap
holds whatever goes wrong: the report then stays as the template makes it, which is complete.
"""

from __future__ import annotations

import math

from core.budget import Spent
from core.interview import paper
from core.interview.model import Interview, Mode, Turn

BATCH = 4  # answers that are graded with one call in lean mode
MOST_ATTEMPTS = 3  # at one answer
TURN = 1_300  # tokens of one call besides the answer: our instructions, a question, all that a reply may take
DEAREST_TURN = 2_200  # with the longest answer that is assessed
AGAIN = 650  # more than that when the useless reply is sent along with the question
SPARE = 2_400  # tokens beyond what all answers may take: 20,000 for an interview of eight


def cap(mode: Mode, answers: int, planned: int) -> int:
    """The most upstream calls of an interview whose plan took `planned` of them."""
    if mode == "offline":
        return 0
    return planned + (answers if mode == "full" else math.ceil(answers / BATCH)) + 1


def attempts(interview: Interview, number: int) -> int:
    """How many calls the grading of one answer, or of the batch it is in, may take now; 0 if none may be made."""
    rest = interview.cap - _used(interview) - _owed(interview, number)
    if rest <= 0:
        return 0
    turn = TURN + -(-paper.written(paper.sent(interview.turns[number].answer)) // 4)
    affordable = range(min(rest, MOST_ATTEMPTS), 1, -1)
    return next((n for n in affordable if _has_tokens(interview, number, n * turn + AGAIN)), 1)


def at_most(calls: int) -> Spent:
    """What so many calls of which nothing is known may have cost."""
    return Spent(calls, calls * DEAREST_TURN + AGAIN * (calls > 1))


def for_narrative(interview: Interview) -> int:
    """1 if the cap still has room for the report in words, else 0."""
    room = interview.cap - _used(interview) - _owed(interview, None)
    return int(room > 0 and _has_tokens(interview, None, DEAREST_TURN))


def _used(interview: Interview) -> int:
    return interview.spent + sum(turn.booked for turn in interview.turns)


def _owed(interview: Interview, number: int | None) -> int:
    """One call for each answer, or batch of answers, that is still to be graded, apart from that of `number`."""
    pending = [n for n, turn in enumerate(interview.turns) if n != number and _is_pending(turn)]
    if interview.finished_at is not None:
        pending = [n for n in pending if interview.turns[n].answer]
    if interview.mode == "lean":
        own = set() if number is None else {number // BATCH}
        return len({n // BATCH for n in pending} - own)
    return len(pending)


def _is_pending(turn: Turn) -> bool:
    return turn.state in ("open", "waiting") or (turn.state == "grading" and not turn.booked)


def _has_tokens(interview: Interview, number: int | None, needed: int) -> bool:
    """Is there room for so many tokens, even if all other answers that are still to come are as long as can be?"""
    if interview.mode == "lean":
        return True
    most = len(interview.turns) * DEAREST_TURN + SPARE
    return interview.tokens + needed + _owed(interview, number) * DEAREST_TURN <= most
