"""Feedback on answers, within what the interview may cost. One caller at a time marks an answer; others change
nothing.

Calls are booked before they are made and settled after, in the archive: whoever dies in between leaves them
booked, and whoever takes over counts them as spent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.balancer import AllRoutesOut
from core.budget import NOTHING, Spent
from core.interview import coach, gate, questions, spending
from core.interview.archive import Archive
from core.interview.grader import Graded, Grader, Ruler
from core.interview.model import Downgrade, Feedback, Interview, Origin, Setup, Turn
from core.interview.steps import moved_on, with_turn
from providers.contracts import Clock
from providers.errors import Refused

SLACK_SECONDS = 20.0  # past the longest deadline; whoever was grading has died, so somebody else may
NOT_NOW = "The AI is busy, so the offline coach took this one. Your answer is saved and can be scored later."
REFUSED = "The AI provider declined to read this answer, so it is not scored. The offline coach took it."
USED_UP = (
    "The AI calls of this interview are used up, so the offline coach took this one. "
    "Your answer is saved and can be scored later."
)
MISSING = "The grader left this answer out. It is saved and can be scored later."
NO_ANSWER = "In a real interview, say what you would do to find out."


@dataclass(frozen=True)
class _Claim:
    """Which turns of an interview are now one caller's, and how many calls it may make for them."""

    interview: Interview
    numbers: tuple[int, ...]
    calls: int
    on_request: bool

    @property
    def turns(self) -> dict[int, Turn]:
        return {n: self.interview.turns[n] for n in self.numbers}


@dataclass(frozen=True)
class _Outcome:
    """Feedback by number of the turn, who gave it, what it cost, and whether nobody could."""

    feedback: Mapping[int, Feedback]
    route: str | None = None
    spent: Spent = NOTHING
    failed: bool = False


class Marker:
    """Methods return the interview as saved, and raise UnknownInterview and StoreError.

    What is marked `on_request`, even in an offline interview, takes one call that does not count against the cap.
    """

    def __init__(self, archive: Archive, grader: Grader, clock: Clock) -> None:
        self._archive = archive
        self._grader = grader
        self._clock = clock

    def mark(self, token: str, number: int) -> Interview:
        """Feedback on one answer that waits for it."""
        claim = self._claim(token, [number])
        return self._settle(token, claim, self._one(claim, number)) if claim.numbers else claim.interview

    def mark_batch(self, token: str, numbers: Sequence[int], on_request: bool = False) -> Interview:
        """Feedback on several answers with one call; what did not come back is asked for once more if there is
        room."""
        claim = self._claim(token, numbers, on_request)
        if not claim.numbers:
            return claim.interview
        turns = claim.turns
        first = self._several(claim.interview, turns, claim.calls)
        missing = {n: turn for n, turn in turns.items() if n not in first.feedback}
        again = _Outcome({})
        if missing and claim.calls > first.spent.calls:
            again = self._several(claim.interview, missing, claim.calls - first.spent.calls)
        left_out = {n: _coached(turn, MISSING) for n, turn in turns.items()}
        feedback = {**left_out, **again.feedback, **first.feedback}
        spent = Spent(first.spent.calls + again.spent.calls, first.spent.tokens + again.spent.tokens)
        return self._settle(token, claim, replace(first, feedback=feedback, spent=spent))

    def _claim(self, token: str, numbers: Sequence[int], on_request: bool = False) -> _Claim:
        """Those of the turns that nobody else is marking.

        Calls within the cap are booked on the first of them. One on request counts at once, so that whoever takes
        over does not pay for it with the interview's own.
        """
        now, mine = self._clock.now(), list[int]()

        def claim(interview: Interview) -> Interview:
            mine[:] = [n for n in numbers if self._is_free(interview.turns[n], now)]
            died = sum(interview.turns[n].booked for n in mine)
            claimed = _paid(interview, spending.at_most(died))
            for n in mine:
                claimed = with_turn(claimed, n, replace(claimed.turns[n], grading_since=now, booked=0))
            if not mine:
                return interview
            if on_request:
                return replace(claimed, on_request=claimed.on_request + 1)
            first = claimed.turns[mine[0]]
            return with_turn(claimed, mine[0], replace(first, booked=spending.attempts(claimed, mine[0])))

        saved = self._archive.change(token, claim)
        calls = 1 if on_request else sum(saved.turns[n].booked for n in mine)
        return _Claim(saved, tuple(mine), calls, on_request)

    def _is_free(self, turn: Turn, now: float) -> bool:
        since = turn.grading_since
        running = since is not None and now - since < self._grader.longest + SLACK_SECONDS
        return turn.state in ("grading", "waiting") and not running

    def _one(self, claim: _Claim, number: int) -> _Outcome:
        interview, turn = claim.interview, claim.interview.turns[number]
        if gate.is_no_answer(turn.answer):
            return _Outcome({number: _no_answer(turn)})
        if interview.mode == "offline":
            return _Outcome({number: coach.react(turn.question, turn.answer)})
        if not claim.calls:
            return _Outcome({number: _coached(turn, USED_UP)})
        asked = [text for each in interview.turns for text in _asked(each)]
        return self._called(
            interview, {number: turn}, claim.calls, lambda ruler: self._grader.grade(turn, ruler, asked)
        )

    def _several(self, interview: Interview, turns: Mapping[int, Turn], attempts: int) -> _Outcome:
        silent = {n: _no_answer(turn) for n, turn in turns.items() if gate.is_no_answer(turn.answer)}
        said = {n: turn for n, turn in turns.items() if n not in silent}
        if not said or not attempts:
            return _Outcome({**{n: _coached(turn, USED_UP) for n, turn in said.items()}, **silent})
        found = self._called(
            interview, said, attempts, lambda ruler: self._grader.grade_batch(list(said.values()), ruler)
        )
        return replace(found, feedback={**found.feedback, **silent})

    def _called(
        self, interview: Interview, turns: Mapping[int, Turn], attempts: int, call: Callable[[Ruler], Graded]
    ) -> _Outcome:
        ruler = Ruler(about(interview.setup), interview.grader, interview.envelope, attempts)
        try:
            graded = call(ruler)
        except AllRoutesOut as out:
            coached = {n: _coached(turn, NOT_NOW) for n, turn in turns.items()}
            return _Outcome(coached, spent=out.spent, failed=True)
        except Refused:  # which call it was is not told, so all that were allowed count
            coached = {n: _coached(turn, REFUSED) for n, turn in turns.items()}
            return _Outcome(coached, spent=spending.at_most(attempts))
        known = {n: graded.feedback[t.question.id] for n, t in turns.items() if t.question.id in graded.feedback}
        return _Outcome(known, graded.route, graded.spent)

    def _settle(self, token: str, claim: _Claim, outcome: _Outcome) -> Interview:
        now = self._clock.now()

        def settle(interview: Interview) -> Interview:
            mine_still = [n for n in claim.numbers if interview.turns[n].state in ("grading", "waiting")]
            for n in mine_still:
                turn = interview.turns[n]
                done = replace(
                    turn, state="done", feedback=outcome.feedback[n], draft="", grading_since=None, booked=0
                )
                interview = with_turn(interview, n, done)
            if not mine_still:
                return interview
            paid = _charged(replace(interview, grader=outcome.route or interview.grader), claim, outcome.spent)
            return moved_on(_downgraded(paid, now) if outcome.failed and not claim.on_request else paid, now)

        return self._archive.change(token, settle)


def about(setup: Setup) -> dict[str, str]:
    """What a grader is told of the candidate: the level and the field of work, in our words."""
    return {"level": setup.level, "field": questions.family_of(setup.role) or "any"}


def _charged(interview: Interview, claim: _Claim, spent: Spent) -> Interview:
    if claim.on_request:
        return replace(interview, on_request=interview.on_request + spent.calls - claim.calls)
    return _paid(interview, spent)


def _paid(interview: Interview, spent: Spent) -> Interview:
    return replace(interview, spent=interview.spent + spent.calls, tokens=interview.tokens + spent.tokens)


def _downgraded(interview: Interview, now: float) -> Interview:
    """Said once each time that the AI falls silent, not for every answer in between."""
    last = max((d.at for d in interview.downgrades), default=None)
    graded = [t.answered_at or 0.0 for t in interview.turns if t.feedback and t.feedback.origin.by == "ai"]
    if last is not None and not any(at > last for at in graded):
        return interview
    return replace(interview, downgrades=(*interview.downgrades, Downgrade(now, "offline", NOT_NOW)))


def _coached(turn: Turn, note: str) -> Feedback:
    return coach.react(turn.question, turn.answer, note)


def _no_answer(turn: Turn) -> Feedback:
    probe = turn.question.probes.get("D2", "")
    return Feedback(Origin("gate"), "Noted, no answer to this one.", probe, True, note=NO_ANSWER)


def _asked(turn: Turn) -> tuple[str, str]:
    return turn.question.text, turn.feedback.follow_up if turn.feedback else ""
