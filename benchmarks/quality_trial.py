"""One grader's trial: the golden answers as they are, changed, again and again, together, and as an interview."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.quality_cases import CHANGES, GRADES, NO_ANSWER, NOT_TAKEN, Golden, golden, tricky, variants
from core.app import App
from core.balancer import AllRoutesOut
from core.budget import NOTHING, Spent
from core.interview import gate
from core.interview.grader import Graded, Ruler
from core.interview.model import Mode, Question, Setup, Turn
from core.interview.paper import Paper
from core.interview.rubric import answer_score
from core.interview.spending import BATCH
from providers.errors import Refused

Key = tuple[str, str]
"""A question's id and the grade of the answer."""
QUESTIONS = 8
LONGEST_WAIT, MOST_WAITS = 90.0, 5  # seconds; a full minute comes back, a full day does not


@dataclass(frozen=True)
class Interviewed:
    """What an interview was run as, and what it cost."""

    mode: Mode
    spent: Spent


@dataclass(frozen=True)
class Found:
    """Graded turns. What nobody graded is missing, and `asked` tells how many were to be.

    `changed` and `told_again` are by the change's name or the variant's form, then by question. `taken` says of
    each text in another script whether it was taken for an answer, `for_nothing` of each that is no answer whether
    it was dealt with and cost nothing.
    """

    asked: int = 0
    graded: int = 0
    spent: Spent = NOTHING
    models: frozenset[str] = frozenset()
    singly: Mapping[Key, Turn] = field(default_factory=dict)
    together: Mapping[Key, Turn] = field(default_factory=dict)
    batches: Spent = NOTHING
    repeated: Mapping[str, Sequence[Turn]] = field(default_factory=dict)
    changed: Mapping[str, Mapping[str, Turn]] = field(default_factory=dict)
    told_again: Mapping[str, Mapping[str, Turn]] = field(default_factory=dict)
    taken: tuple[bool, ...] = ()
    for_nothing: tuple[bool, ...] = ()
    interviewed: Interviewed | None = None


class Examiner:
    """Has answers graded by the app's own grader, waits where a minute is full, and counts what it costs."""

    def __init__(self, app: App, pinned: str | None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._app = app
        self._pinned = pinned
        self._sleep = sleep
        self._seen = Found()

    @property
    def seen(self) -> Found:
        """The counts so far."""
        return self._seen

    def mark(self, question: Question, answer: str) -> Turn | None:
        turn = Turn(question, "done", answer=answer)
        found = self._graded([turn], lambda: self._app.grader.grade(turn, self._ruler([question])))
        return next(iter(found), None)

    def mark_together(self, answers: Sequence[Golden]) -> list[Turn]:
        turns = [Turn(each.question, "done", answer=each.answer) for each in answers]
        ruler = self._ruler([each.question for each in answers])
        return self._graded(turns, lambda: self._app.grader.grade_batch(turns, ruler))

    def mark_changed(self, turn: Turn, answer: str) -> Turn | None:
        """Where the same would be sent as for `turn`, nobody has to be asked again."""
        other = replace(turn, answer=answer)
        return other if Paper.of(other).answer == Paper.of(turn).answer else self.mark(turn.question, answer)

    def _ruler(self, questions: Sequence[Question]) -> Ruler:
        about = {"level": "mid", "field": questions[0].family or "any"}
        return Ruler(about, self._pinned)

    def _graded(self, turns: Sequence[Turn], call: Callable[[], Graded]) -> list[Turn]:
        graded = self._patiently(call)
        feedback = graded.feedback if graded else {}
        marked = [
            replace(turn, feedback=feedback[turn.question.id]) for turn in turns if turn.question.id in feedback
        ]
        by_ai = {t.feedback.origin.model for t in marked if t.feedback and t.feedback.origin.by == "ai"}
        self._seen = replace(
            self._seen,
            asked=self._seen.asked + len(turns),
            graded=self._seen.graded + len(marked),
            models=self._seen.models | by_ai,
        )
        return marked

    def _patiently(self, call: Callable[[], Graded]) -> Graded | None:
        for _ in range(MOST_WAITS):
            try:
                graded = call()
            except AllRoutesOut as out:
                self._pay(out.spent)
                wait = (out.soonest or float("inf")) - self._app.clock.now()
                if wait > LONGEST_WAIT:
                    return None
                self._sleep(max(wait, 1.0))
            except Refused:
                return None
            else:
                self._pay(graded.spent)
                return graded
        return None

    def _pay(self, spent: Spent) -> None:
        self._seen = replace(self._seen, spent=plus(self._seen.spent, spent))


def plus(some: Spent, more: Spent) -> Spent:
    return Spent(some.calls + more.calls, some.tokens + more.tokens)


def trial(app: App, pinned: str | None, repeats: int, sleep: Callable[[float], None] = time.sleep) -> Found:
    """Everything that can be found out about this app's grader, `pinned` if it has several. Raises StoreError."""
    examiner = Examiner(app, pinned, sleep)
    every = {(g.question.id, g.grade): examiner.mark(g.question, g.answer) for g in (*golden(), *tricky())}
    singly = {key: turn for key, turn in every.items() if turn}
    half_good = [turn for (_, grade), turn in singly.items() if grade == "mid"]
    repeated = {turn.question.id: _repeated(examiner, turn, repeats) for turn in half_good}
    changed = {
        change.name: _by_question(examiner.mark_changed(turn, change.apply(turn.answer)) for turn in half_good)
        for change in CHANGES
    }
    told_again = {
        form: _by_question(examiner.mark(v.question, v.answer) for v in variants() if v.form == form)
        for form in dict.fromkeys(v.form for v in variants())
    }
    before = examiner.seen.spent
    together = _together(examiner)
    after = examiner.seen.spent
    return replace(
        examiner.seen,
        singly=singly,
        together=together,
        batches=Spent(after.calls - before.calls, after.tokens - before.tokens),
        repeated=repeated,
        changed=changed,
        told_again=told_again,
        taken=tuple(_is_taken(v.answer) for v in variants()),
        for_nothing=_for_nothing(app),
        interviewed=_interviewed(app),
    )


def _repeated(examiner: Examiner, turn: Turn, times: int) -> list[Turn]:
    """The turn and the same answer graded anew, so many in all."""
    anew = (examiner.mark(turn.question, turn.answer) for _ in range(times - 1))
    return [turn, *(each for each in anew if each)]


def _by_question(turns: Iterable[Turn | None]) -> dict[str, Turn]:
    return {turn.question.id: turn for turn in turns if turn}


def _together(examiner: Examiner) -> dict[Key, Turn]:
    """Eight answers of each grade, as many with one call as a short interview does."""
    found: dict[Key, Turn] = {}
    for grade in GRADES:
        some = [each for each in golden() if each.grade == grade][:QUESTIONS]
        for at in range(0, QUESTIONS, BATCH):
            turns = examiner.mark_together(some[at : at + BATCH])
            found |= {(turn.question.id, grade): turn for turn in turns}
    return found


def _is_taken(answer: str) -> bool:
    try:
        gate.check(answer, (), 0)
    except gate.NotSent:
        return False
    return True


def _for_nothing(app: App) -> tuple[bool, ...]:
    """In an interview: what is no answer, or the same answer again, and one that says there is none."""
    first = golden()[0].answer
    token, interview = app.engine.start(Setup("Shop assistant", "mid", "behavioural", 3))
    try:
        before = app.engine.answer(token, 0, first).spent
        sent_back = [_is_sent_back(app, token, answer) for answer in (*NOT_TAKEN, first)]
        interview = app.engine.answer(token, 1, NO_ANSWER)
        is_zero = answer_score(interview.turns[1]) == 0
        return (*sent_back, is_zero and interview.spent == before)
    finally:
        app.engine.delete(token)


def _is_sent_back(app: App, token: str, answer: str) -> bool:
    before = app.engine.load(token).spent
    try:
        app.engine.answer(token, 1, answer)
    except gate.NotSent:
        return app.engine.load(token).spent == before
    return False


def _interviewed(app: App) -> Interviewed:
    """Eight questions with good answers, and the report in words."""
    answers = [each.answer for each in golden() if each.grade == "strong"]
    token, interview = app.engine.start(Setup("Shop assistant", "mid", "mixed", QUESTIONS))
    try:
        for number in range(QUESTIONS):
            app.engine.answer(token, number, answers[number])
        interview = app.after.narrate(token)
        return Interviewed(interview.mode, Spent(interview.spent, interview.tokens))
    finally:
        app.engine.delete(token)
