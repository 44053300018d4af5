"""Answers -> anchors with quotes, reaction, follow-up and mistakes, checked before anyone sees them.

One call an answer, or one for a few of them. Grading is stateless, and whoever graded first goes on grading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, get_args

from core.balancer import Answer, LoadBalancer, Wanted
from core.budget import NOTHING, Spent
from core.interview.model import Feedback, MistakeCode, Turn
from core.interview.paper import Paper
from core.interview.prompts.turn import Sheet
from core.interview.prompts.turn import batch as batch_prompt
from core.interview.prompts.turn import turn as turn_prompt
from core.interview.replies import BatchReply, ItemReply, TurnReply
from core.policy import Task
from core.quotas import Envelope
from core.structured import read_as, schema_of
from providers.contracts import ChatRequest, Clock, Usage
from providers.errors import BadReply

TURN_TOKENS, BATCH_TOKENS = 600, 1_600
TYPICAL_BATCH = Usage(5_700, BATCH_TOKENS)  # four answers of 600 words each
ENVELOPE_SECONDS = 3 * 3_600.0  # longer than anybody practises; then what was kept for them goes to others
CODES: tuple[str, ...] = tuple(code for code in get_args(MistakeCode) if code not in ("hedging", "filler"))
T = TypeVar("T")


@dataclass(frozen=True)
class Ruler:
    """How to grade: for which level and field of work, with whom if possible, out of which envelope, in how many
    calls at most."""

    about: Mapping[str, str] = field(default_factory=dict)
    pinned: str | None = None
    envelope: Envelope | None = None
    attempts: int | None = None


@dataclass(frozen=True)
class Graded:
    """Feedback by question id. `route` gave it, None where no call was needed; `spent` is what it cost."""

    feedback: Mapping[str, Feedback]
    route: str | None
    spent: Spent


class Grader:
    def __init__(self, balancer: LoadBalancer, clock: Clock, task: Task, nonce: Callable[[], str]) -> None:
        """`task` says which tier grades and how long one answer's feedback may take over all routes together."""
        self._balancer = balancer
        self._clock = clock
        self._task = task
        self._nonce = nonce

    @property
    def longest(self) -> float:
        """Seconds that one call for feedback may take, over all routes together."""
        return self._task.deadline

    def obstacle(self, within: float = 0.0) -> str | None:
        """Why nobody can grade within so many seconds, in words for the candidate; None if somebody can."""
        ranking = self._balancer.ranking(self._task)
        soon = self._clock.now() + within
        if ranking.order or any(s.until is not None and s.until <= soon for s in ranking.skipped):
            return None
        if not ranking.skipped:
            return "No AI provider is set up here."
        spent = all(s.reason.endswith("used up") for s in ranking.skipped)
        return "All free AI quota is used up for now." if spent else "No AI provider can answer right now."

    def open_envelope(self, calls: int, batches: int = 0) -> Envelope | None:
        """Keep quota free for so many calls, `batches` of them about a few answers each; None if there is too
        little left. Raises StoreError."""
        one, many = self._task.typical, TYPICAL_BATCH
        prompt = batches * many.prompt_tokens + (calls - batches) * one.prompt_tokens
        completion = batches * many.completion_tokens + (calls - batches) * one.completion_tokens
        mean = Usage(math.ceil(prompt / calls), math.ceil(completion / calls))
        return self._balancer.open_envelope(replace(self._task, typical=mean), calls, ENVELOPE_SECONDS)

    def close_envelope(self, envelope: Envelope) -> None:
        """Give back what is left of it. Raises StoreError."""
        self._balancer.close_envelope(envelope)

    def other_than(self, route: str) -> str | None:
        """The best route but this one; None if there is no other."""
        order = self._balancer.ranking(self._task).order
        return next((each.name for each in order if each.name != route), None)

    def grade(self, turn: Turn, ruler: Ruler, asked: Sequence[str] = ()) -> Graded:
        """Feedback on one answer. `asked` is what was asked before. Raises AllRoutesOut, Refused."""
        question, paper = turn.question, Paper.of(turn)
        if not paper.answer:
            return Graded({question.id: paper.nothing_left()}, None, NOTHING)
        request = ChatRequest(
            messages=turn_prompt(Sheet(question, paper.answer), ruler.about, CODES, self._nonce()),
            max_tokens=TURN_TOKENS,
            schema=schema_of(TurnReply),
            timeout=self._task.deadline,
        )

        def read(reply: str) -> TurnReply:
            found = read_as(TurnReply, reply)
            if found.qid != question.id:
                raise BadReply("the reply is about another question")
            return found

        graded = self._balancer.complete(self._wanted(request, read, ruler))
        feedback = paper.answered(graded.value, _model(graded), asked)
        return Graded({question.id: feedback}, graded.route, graded.spent)

    def grade_batch(self, turns: Sequence[Turn], ruler: Ruler) -> Graded:
        """Feedback on several answers with one call, matched by question id; what did not come back is missing.

        Raises AllRoutesOut, Refused.
        """
        papers = {turn.question.id: Paper.of(turn) for turn in turns}
        empty = {qid: paper.nothing_left() for qid, paper in papers.items() if not paper.answer}
        sheets = [Sheet(paper.turn.question, paper.answer) for paper in papers.values() if paper.answer]
        if not sheets:
            return Graded(empty, None, NOTHING)
        request = ChatRequest(
            messages=batch_prompt(sheets, ruler.about, CODES, self._nonce()),
            max_tokens=BATCH_TOKENS,
            schema=schema_of(BatchReply),
            timeout=self._task.deadline,
        )

        def read(reply: str) -> list[ItemReply]:
            items = read_as(BatchReply, reply).items
            known = [item for item in items if item.qid in papers]
            if not known:
                raise BadReply("the reply is about none of the questions")
            return known

        graded = self._balancer.complete(self._wanted(request, read, ruler))
        # Of two items about the same question the first counts.
        found = {item.qid: papers[item.qid].scored(item, _model(graded)) for item in reversed(graded.value)}
        return Graded({**found, **empty}, graded.route, graded.spent)

    def _wanted(self, request: ChatRequest, read: Callable[[str], T], ruler: Ruler) -> Wanted[T]:
        return Wanted(self._task, request, read, ruler.pinned, ruler.envelope, ruler.attempts)


def _model(graded: Answer[T]) -> str:
    """Provider and the model that really answered."""
    provider, _, asked = graded.route.partition("/")
    return f"{provider}/{graded.reply.model if graded.reply else asked}"
