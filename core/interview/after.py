"""What a candidate may ask for once an answer is marked: one call each, beside what the interview costs.

Every verb returns the interview as saved, and raises UnknownInterview and StoreError. Asking twice for the same
costs nothing the second time, and where nobody can take the call, nothing changes but what was saved before it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from core.balancer import AllRoutesOut
from core.interview import coach, gate, rubric, spending
from core.interview.archive import Archive
from core.interview.grader import Graded, Grader, Ruler
from core.interview.marking import NOT_NOW, REFUSED, SLACK_SECONDS, about
from core.interview.model import Feedback, Interview, Try, Turn
from core.interview.narrative import Narrator
from core.interview.steps import with_turn
from providers.contracts import Clock
from providers.errors import Refused

MOST_TRIES = 5  # at one question; older ones make room
log = logging.getLogger(__name__)


class After:
    def __init__(self, archive: Archive, grader: Grader, narrator: Narrator, clock: Clock) -> None:
        self._archive = archive
        self._grader = grader
        self._narrator = narrator
        self._clock = clock

    def rate_self(self, token: str, number: int, anchors: Iterable[str]) -> Interview:
        """Keep which anchors the candidate thinks the answer meets; unknown ones are left out."""
        known = rubric.anchors("behavioural").keys()
        met = tuple(anchor for anchor in dict.fromkeys(anchors) if anchor in known)
        return self._archive.change(token, lambda i: with_turn(i, number, replace(i.turns[number], self_met=met)))

    def try_again(self, token: str, number: int, answer: str) -> Interview:
        """Take another answer to a question and mark it. Raises gate.NotSent for one that cannot be taken."""
        said, now, mine = answer.strip(), self._clock.now(), False
        gate.check(said, (), -1)

        def take(interview: Interview) -> Interview:
            nonlocal mine
            turn = interview.turns[number]
            known = next((n for n, tried in enumerate(turn.tries) if tried.answer == said), None)
            waits = known is not None and turn.tries[known].feedback is None
            mine = turn.state == "done" and (known is None or (waits and self._died(turn.tries[known], now)))
            if not mine:
                return interview
            kept = [tried for tried in turn.tries if tried.answer != said][1 - MOST_TRIES :]
            return with_turn(interview, number, replace(turn, tries=(*kept, Try(said, now))))

        interview = self._archive.change(token, take)
        if not mine:
            return interview
        again = replace(interview.turns[number], answer=said)
        feedback, calls = self._marked(again, lambda: self._grader.grade(again, _ruler(interview)))

        def settle(interview: Interview) -> Interview:
            turn = interview.turns[number]
            tries = tuple(
                replace(tried, state="done", feedback=feedback) if tried.answer == said else tried
                for tried in turn.tries
            )
            return _paid(with_turn(interview, number, replace(turn, tries=tries)), calls)

        return self._archive.change(token, settle)

    def second_opinion(self, token: str, number: int) -> Interview:
        """Another grader's view of an answer, once. It is shown beside the first one and never scored."""
        interview = self._archive.load(token)
        turn = interview.turns[number]
        first = turn.feedback.origin.model if turn.feedback else ""
        if turn.second is not None or not turn.answer or turn.state != "done":
            return interview
        ruler = replace(_ruler(interview), pinned=self._grader.other_than(interview.grader or first))
        feedback, calls = self._marked(turn, lambda: self._grader.grade(turn, ruler))

        def settle(interview: Interview) -> Interview:
            turn = interview.turns[number]
            kept = turn.second or feedback
            return _paid(with_turn(interview, number, replace(turn, second=kept)), calls)

        return self._archive.change(token, settle)

    def narrate(self, token: str) -> Interview:
        """The report in words, or in other words. The first is within the interview's cap, where that has room."""
        booked = 0

        def book(interview: Interview) -> Interview:
            nonlocal booked
            booked = 0 if interview.narrative else spending.for_narrative(interview)
            return replace(interview, spent=interview.spent + booked)

        interview = self._archive.change(token, book)
        try:
            narrative, calls = self._narrator.write(interview, attempts=1)
        except (AllRoutesOut, Refused) as error:
            log.info("No narrative: %s", type(error).__name__)
            return interview
        extra = 0 if booked else calls
        return self._archive.change(token, lambda i: _paid(replace(i, narrative=narrative), extra))

    def _marked(self, turn: Turn, call: Callable[[], Graded]) -> tuple[Feedback, int]:
        """Feedback, of the coach where nobody else could, and how many calls it took."""
        question = turn.question
        try:
            graded = call()
        except AllRoutesOut as out:
            return coach.react(question, turn.answer, NOT_NOW), out.spent.calls
        except Refused:
            return coach.react(question, turn.answer, REFUSED), 1
        return graded.feedback[question.id], graded.spent.calls

    def _died(self, tried: Try, now: float) -> bool:
        return now - tried.at > self._grader.longest + SLACK_SECONDS


def _ruler(interview: Interview) -> Ruler:
    return Ruler(about(interview.setup), interview.grader, None, attempts=1)


def _paid(interview: Interview, calls: int) -> Interview:
    return replace(interview, on_request=interview.on_request + calls)
