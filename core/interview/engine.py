"""The interview as a state machine: start, answer, skip, finish. Saved before anything is shown."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from core.balancer import MOMENT, AllRoutesOut
from core.interview import coach, gate, questions, text
from core.interview.archive import Archive, UnknownInterview
from core.interview.grader import Grader
from core.interview.model import FEWEST, MOST, Feedback, Interview, Mode, Origin, Setup, Turn
from core.quotas import Envelope
from core.stores.contract import StoreError
from providers.contracts import Clock
from providers.errors import Refused

LONGEST_ROLE = 100  # characters
GRADING_SECONDS = 150.0  # past the longest deadline; whoever was grading has died, so somebody else may
CHOSEN = "You chose to practise offline."
TOO_LITTLE = "Not enough free AI quota is left for a whole interview."
NOT_NOW = "The AI is busy, so the offline coach took this one. Your answer is saved and can be scored later."
REFUSED = "The AI provider declined to read this answer, so it is not scored. The offline coach took it."
MOVED_ON = (
    "This question was answered, skipped or ended in another tab, so this text was not sent. "
    "Copy what you want to keep, then reload the page."
)
NO_ANSWER = "In a real interview, say what you would do to find out."
log = logging.getLogger(__name__)


class BadSetup(Exception):
    """The setup cannot be used; the message says what to change."""


class Engine:
    """Every method returns the interview as saved. Methods raise UnknownInterview and StoreError.

    A call for a turn that has moved on meanwhile (second tab, double click) changes and spends nothing.
    """

    def __init__(self, archive: Archive, grader: Grader, clock: Clock, rng: random.Random) -> None:
        self._archive = archive
        self._grader = grader
        self._clock = clock
        self._rng = rng

    def start(self, setup: Setup, offline: bool = False) -> tuple[str, Interview]:
        """Plan the questions and save the interview; returns its token with it. Raises BadSetup."""
        role = text.clean(setup.role)[:LONGEST_ROLE]
        if not role.strip(text.JOINERS):
            raise BadSetup("Say which role you are practising for.")
        if not FEWEST <= setup.questions <= MOST:
            raise BadSetup(f"Choose between {FEWEST} and {MOST} questions.")
        setup = replace(setup, role=role)
        envelope, reason = (None, CHOSEN) if offline else self._envelope(setup.questions)
        planned = questions.plan(setup, self._rng)
        now = self._clock.now()
        turns = tuple(Turn(q, asked_at=now if n == 0 else None) for n, q in enumerate(planned))
        mode: Mode = "offline" if reason else "full"
        interview = Interview(setup, mode, reason or "", turns, now, envelope=envelope)
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
            return _with_turn(interview, number, taken)

        self._archive.change(token, take)
        return self.grade(token, number)

    def grade(self, token: str, number: int, asked_for: bool = False) -> Interview:
        """Give feedback on an answer that waits for it; one caller at a time does, the others change nothing.

        `asked_for` sends the answer to a grader even in an offline interview.
        """
        now = self._clock.now()
        mine = False

        def claim(interview: Interview) -> Interview:
            nonlocal mine
            turn = interview.turns[number]
            running = turn.grading_since is not None and now - turn.grading_since < GRADING_SECONDS
            mine = turn.state == "grading" and not running
            return _with_turn(interview, number, replace(turn, grading_since=now)) if mine else interview

        interview = self._archive.change(token, claim)
        if not mine:
            return interview
        offline = interview.mode == "offline" and not asked_for
        feedback, grader = self._feedback(interview, number, offline)
        return self._closed(
            self._archive.change(token, lambda i: _settled(i, number, feedback, grader, self._clock.now()))
        )

    def score_later(self, token: str, number: int) -> Interview:
        """Ask again for the score of an answer that has none. Costs one call if somebody can take it."""

        def reopen(interview: Interview) -> Interview:
            turn = interview.turns[number]
            unscored = turn.state == "done" and turn.feedback is not None and not turn.feedback.scored
            if not unscored or self._grader.obstacle():
                return interview
            return _with_turn(interview, number, replace(turn, state="grading", grading_since=None))

        self._archive.change(token, reopen)
        return self.grade(token, number, asked_for=True)

    def score_rest(self, token: str) -> Interview:
        """Ask again for every score that is missing, one call each, for as long as somebody can take it."""
        interview = self.load(token)
        for number, turn in enumerate(interview.turns):
            if turn.state == "grading":
                interview = self.grade(token, number, asked_for=True)
            elif turn.feedback is not None and not turn.feedback.scored and self.can_score():
                interview = self.score_later(token, number)
        return interview

    def skip(self, token: str, number: int) -> Interview:
        """Leave the question; it counts 0, and the report says so."""
        now = self._clock.now()

        def leave(interview: Interview) -> Interview:
            turn = interview.turns[number]
            if turn.state != "open" or interview.finished_at is not None:
                return interview
            return _moved_on(_with_turn(interview, number, replace(turn, state="skipped", answered_at=now)), now)

        return self._closed(self._archive.change(token, leave))

    def finish(self, token: str) -> Interview:
        """End now. Questions not reached are left out of the score and named in the report."""
        now = self._clock.now()
        ended = self._archive.change(token, lambda i: i if i.finished_at else replace(i, finished_at=now))
        return self._closed(ended)

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
            return _with_turn(interview, number, edit(turn)) if is_open else interview

        return self._archive.change(token, step)

    def _envelope(self, answers: int) -> tuple[Envelope | None, str | None]:
        """Quota for the whole interview, or why there is none, before the first question is asked."""
        if reason := self._grader.obstacle(MOMENT):
            return None, reason
        envelope = self._grader.open_envelope(answers)
        return envelope, None if envelope else TOO_LITTLE

    def _closed(self, interview: Interview) -> Interview:
        if interview.finished_at is not None and interview.envelope is not None:
            try:
                self._grader.close_envelope(interview.envelope)
            except StoreError:
                log.exception("An envelope could not be closed; it comes back when it expires")
        return interview

    def _feedback(self, interview: Interview, number: int, offline: bool) -> tuple[Feedback, str | None]:
        turn = interview.turns[number]
        if gate.is_no_answer(turn.answer):
            probe = turn.question.probes.get("D2", "")
            return Feedback(Origin("gate"), "Noted, no answer to this one.", probe, True, note=NO_ANSWER), None
        if offline:
            return coach.react(turn.question, turn.answer), None
        try:
            return self._grader.grade(turn.question, turn.answer, interview.grader, interview.envelope)
        except AllRoutesOut:
            return coach.react(turn.question, turn.answer, NOT_NOW), None
        except Refused:
            return coach.react(turn.question, turn.answer, REFUSED), None


def _with_turn(interview: Interview, number: int, turn: Turn) -> Interview:
    return replace(interview, turns=(*interview.turns[:number], turn, *interview.turns[number + 1 :]))


def _settled(interview: Interview, number: int, feedback: Feedback, grader: str | None, now: float) -> Interview:
    turn = interview.turns[number]
    if turn.state != "grading":
        return interview
    done = replace(turn, state="done", feedback=feedback, draft="", grading_since=None)
    return _moved_on(replace(_with_turn(interview, number, done), grader=interview.grader or grader), now)


def _moved_on(interview: Interview, now: float) -> Interview:
    """Start the clock of the next question, or end the interview after the last one."""
    if interview.finished_at is not None:
        return interview
    number = interview.current
    if number is None:
        return replace(interview, finished_at=now)
    turn = interview.turns[number]
    return _with_turn(interview, number, replace(turn, asked_at=turn.asked_at or now))
