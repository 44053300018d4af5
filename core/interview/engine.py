"""The interview as a state machine: start, answer, skip, finish. Saved before anything is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from core.balancer import MOMENT
from core.interview import coach, gate, spending, text
from core.interview.archive import Archive, UnknownInterview
from core.interview.grader import Grader
from core.interview.marking import Marker
from core.interview.model import FEWEST, MOST, Interview, Mode, Setup, Turn
from core.interview.planner import Planner
from core.interview.steps import moved_on, with_turn
from core.quotas import Envelope
from core.stores.contract import StoreError
from providers.contracts import Clock

LONGEST_ROLE = 100  # characters
CHOSEN = "You chose to practise offline."
TOO_LITTLE = "Not enough free AI quota is left for a whole interview."
SHORT = "Little free AI quota is left, so answers are scored together, four at a time."
TOGETHER = "Saved. It will be scored together with your other answers."
MOVED_ON = (
    "This question was answered, skipped or ended in another tab, so this text was not sent. "
    "Copy what you want to keep, then reload the page."
)
log = logging.getLogger(__name__)


class BadSetup(Exception):
    """The setup cannot be used; the message says what to change."""


class Engine:
    """Every method returns the interview as saved. Methods raise UnknownInterview and StoreError.

    A call for a turn that has moved on meanwhile (second tab, double click) changes and spends nothing.
    """

    def __init__(self, archive: Archive, grader: Grader, planner: Planner, clock: Clock) -> None:
        self._archive = archive
        self._grader = grader
        self._planner = planner
        self._marker = Marker(archive, grader, clock)
        self._clock = clock

    def start(self, setup: Setup, offline: bool = False, seen: Sequence[str] = ()) -> tuple[str, Interview]:
        """Plan the questions and save the interview; returns its token with it. Raises BadSetup.

        `seen` are the ids of questions that this candidate has had, which are not asked again.
        """
        role = text.clean(setup.role)[:LONGEST_ROLE]
        if not role.strip(text.JOINERS):
            raise BadSetup("Say which role you are practising for.")
        if not FEWEST <= setup.questions <= MOST:
            raise BadSetup(f"Choose between {FEWEST} and {MOST} questions.")
        setup = replace(setup, role=role)
        mode, envelope, reason = ("offline", None, CHOSEN) if offline else self._mode(setup)
        plan = self._planner.plan(setup, seen, envelope, attempts=0 if mode == "offline" else 1)
        now = self._clock.now()
        turns = tuple(Turn(q, asked_at=now if n == 0 else None) for n, q in enumerate(plan.questions))
        interview = Interview(
            setup,
            mode,
            reason,
            turns,
            now,
            envelope=envelope,
            cap=spending.cap(mode, setup.questions, plan.spent.calls),
            spent=plan.spent.calls,
            tokens=plan.spent.tokens,
        )
        try:
            return self._archive.add(interview), interview
        except StoreError:
            self._closed(replace(interview, finished_at=now))
            raise

    def load(self, token: str) -> Interview:
        return self._archive.load(token)

    def keep_draft(self, token: str, number: int, draft: str) -> Interview:
        """Save what stands in the answer box; cut only where it passes what any answer may have, ten times."""
        return self._change_turn(token, number, lambda t: replace(t, draft=draft[: 10 * gate.LONGEST]))

    def answer(self, token: str, number: int, answer: str) -> Interview:
        """Take the answer, save it, get feedback, save that. Raises gate.NotSent with the draft kept."""
        self.keep_draft(token, number, answer)
        now = self._clock.now()

        def take(interview: Interview) -> Interview:
            turn = interview.turns[number]
            if turn.answer == answer.strip() and turn.state != "open":
                return interview
            if turn.state != "open" or interview.finished_at is not None:
                raise gate.NotSent(MOVED_ON)
            gate.check(answer, interview.turns, number)
            taken = replace(turn, state="grading", answer=answer.strip(), answered_at=now, grading_since=None)
            if interview.mode != "lean":
                return with_turn(interview, number, taken)
            coached = coach.react(turn.question, taken.answer, TOGETHER)
            waiting = replace(taken, state="waiting", feedback=coached, draft="")
            return moved_on(with_turn(interview, number, waiting), now)

        self._archive.change(token, take)
        return self.grade(token, number)

    def grade(self, token: str, number: int) -> Interview:
        """Feedback on an answer that waits for it, or in lean mode on the batch that is complete with it."""
        interview = self.load(token)
        if interview.mode == "lean":
            return self._closed(self._mark_batches(token, interview))
        return self._closed(self._marker.mark(token, number))

    def score_rest(self, token: str) -> Interview:
        """Ask for every score that is missing, four answers with one call, for as long as somebody can take it."""

        def reopened(interview: Interview) -> Interview:
            for n, turn in enumerate(interview.turns):
                if turn.state == "done" and turn.feedback is not None and not turn.feedback.scored:
                    interview = with_turn(interview, n, replace(turn, state="waiting", grading_since=None))
            return interview

        if not self.can_score():
            return self.load(token)
        interview = self._archive.change(token, reopened)
        pending = [n for n, turn in enumerate(interview.turns) if turn.state in ("grading", "waiting")]
        for at in range(0, len(pending), spending.BATCH):
            interview = self._marker.mark_batch(token, pending[at : at + spending.BATCH], on_request=True)
        return self._closed(interview)

    def skip(self, token: str, number: int) -> Interview:
        """Leave the question; it counts 0, and the report says so."""
        now = self._clock.now()

        def leave(interview: Interview) -> Interview:
            turn = interview.turns[number]
            if turn.state != "open" or interview.finished_at is not None:
                return interview
            return moved_on(with_turn(interview, number, replace(turn, state="skipped", answered_at=now)), now)

        return self._closed(self._mark_batches(token, self._archive.change(token, leave)))

    def finish(self, token: str) -> Interview:
        """End now. Questions not reached are left out of the score and named in the report."""
        now = self._clock.now()
        ended = self._archive.change(token, lambda i: i if i.finished_at else replace(i, finished_at=now))
        return self._closed(self._mark_batches(token, ended))

    def delete(self, token: str) -> None:
        with suppress(UnknownInterview):
            self.finish(token)  # nobody needs what is still kept free for it
        self._archive.delete(token)

    def check(self) -> None:
        """Raises StoreError if interviews cannot be read."""
        self._archive.check()

    def offers_scores(self) -> bool:
        """Would an interview begun now be scored? A full minute is over before the first answer is written."""
        return self._grader.obstacle(MOMENT) is None

    def can_score(self) -> bool:
        """Could somebody score an answer right now?"""
        return self._grader.obstacle() is None

    def _change_turn(self, token: str, number: int, edit: Callable[[Turn], Turn]) -> Interview:

        def step(interview: Interview) -> Interview:
            turn = interview.turns[number]
            is_open = turn.state == "open" and interview.finished_at is None
            return with_turn(interview, number, edit(turn)) if is_open else interview

        return self._archive.change(token, step)

    def _mode(self, setup: Setup) -> tuple[Mode, Envelope | None, str]:
        """The best mode whose calls can all be kept free before the first question, and why it is no better."""
        if reason := self._grader.obstacle(MOMENT):
            return "offline", None, reason
        planned = int(self._planner.needs_call(setup))
        modes: tuple[tuple[Mode, str], ...] = (("full", ""), ("lean", SHORT))
        for mode, why in modes:
            calls = spending.cap(mode, setup.questions, planned)
            batches = calls - planned - 1 if mode == "lean" else 0
            if envelope := self._grader.open_envelope(calls, batches):
                return mode, envelope, why
        return "offline", None, TOO_LITTLE

    def _mark_batches(self, token: str, interview: Interview) -> Interview:
        """In lean mode, mark each four answers as soon as none of them is open any more."""
        if interview.mode != "lean":
            return interview
        for first in range(0, len(interview.turns), spending.BATCH):
            numbers = range(first, min(first + spending.BATCH, len(interview.turns)))
            states = {interview.turns[n].state for n in numbers}
            if "waiting" in states and ("open" not in states or interview.finished_at is not None):
                waiting = [n for n in numbers if interview.turns[n].state == "waiting"]
                interview = self._marker.mark_batch(token, waiting)
        return interview

    def _closed(self, interview: Interview) -> Interview:
        if interview.finished_at is not None and interview.envelope is not None:
            try:
                self._grader.close_envelope(interview.envelope)
            except StoreError:
                log.exception("An envelope could not be closed; it comes back when it expires")
        return interview
