"""One call per answer: reaction, follow-up, anchors with quotes and mistakes, checked before anyone sees them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.balancer import LoadBalancer, Wanted
from core.interview import gate, mistake_detector, rubric, text
from core.interview.model import Feedback, Met, Mistake, MistakeCode, Origin, Question
from core.interview.prompts.turn import turn as turn_prompt
from core.policy import Task
from core.quotas import Envelope
from core.structured import read_as, schema_of
from providers.contracts import ChatRequest, Clock
from providers.errors import BadReply

MAX_TOKENS = 900
ENVELOPE_SECONDS = 3 * 3_600.0  # longer than anybody practises; then what was kept for them goes to others
MOST_MET, MOST_MISTAKES = 32, 6
CODES: tuple[str, ...] = tuple(code for code in get_args(MistakeCode) if code not in ("hedging", "filler"))
LONGEST_FOLLOW_UP = 30  # words
SCORE_LIKE = re.compile(
    r"\d\s*(?:/|out of|of)\s*(?:5|10|20|100)\b|\b(?:score|grade|mark|points?)\b", re.IGNORECASE
)
CUT = f"Only the first {gate.ASSESSED_WORDS} words were assessed; aim for about two minutes."
REACTION = "Thank you. What your words show is marked in the report."  # in place of one that hands out marks
Anchor = Annotated[str, Field(pattern=r"^[RSED][1-4]$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class MetReply(_Strict):
    a: Anchor
    q: str = Field(min_length=1, max_length=400)


class MistakeReply(_Strict):
    code: MistakeCode
    q: str | None = Field(default=None, max_length=400)
    fix: str = Field(min_length=3, max_length=400)


def _salvaged(shape: type[BaseModel], most: int) -> BeforeValidator:
    """Keep the items of a list that are of the shape, so that one stray item does not cost a whole reply."""

    def keep(found: object) -> object:
        if not isinstance(found, list):
            return found
        return [item for item in found if _is(shape, item)][:most]

    return BeforeValidator(keep)


def _is(shape: type[BaseModel], item: object) -> bool:
    try:
        shape.model_validate(item)
    except ValidationError:
        return False
    return True


class FollowUpReply(_Strict):
    anchor: Anchor
    text: str = Field(max_length=400)


class TurnReply(_Strict):
    """What the grader must send. There is no field for a number, so there is none to invent."""

    qid: str
    met: Annotated[list[MetReply], _salvaged(MetReply, MOST_MET)]
    mistakes: Annotated[list[MistakeReply], _salvaged(MistakeReply, MOST_MISTAKES)]
    reaction: str = Field(min_length=3, max_length=600)
    follow_up: FollowUpReply
    injection_seen: bool = False


class Grader:
    def __init__(self, balancer: LoadBalancer, clock: Clock, task: Task, nonce: Callable[[], str]) -> None:
        """`task` says which tier grades and how long one answer's feedback may take over all routes together."""
        self._balancer = balancer
        self._clock = clock
        self._task = task
        self._nonce = nonce

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

    def open_envelope(self, answers: int) -> Envelope | None:
        """Keep quota free for so many answers; None if there is too little left. Raises StoreError."""
        return self._balancer.open_envelope(self._task, answers, ENVELOPE_SECONDS)

    def close_envelope(self, envelope: Envelope) -> None:
        """Give back what is left of it. Raises StoreError."""
        self._balancer.close_envelope(envelope)

    def grade(
        self, question: Question, answer: str, pinned: str | None, envelope: Envelope | None = None
    ) -> tuple[Feedback, str]:
        """Feedback and the name of the route that gave it. Raises AllRoutesOut, Refused."""
        request = ChatRequest(
            messages=turn_prompt(question, gate.assessed(answer), CODES, self._nonce()),
            max_tokens=MAX_TOKENS,
            schema=schema_of(TurnReply),
            timeout=self._task.deadline,
        )

        def read(reply: str) -> TurnReply:
            found = read_as(TurnReply, reply)
            if found.qid != question.id:
                raise BadReply("the reply is about another question")
            return found

        graded = self._balancer.complete(Wanted(self._task, request, read, pinned, envelope))
        return _feedback(graded.value, question, answer, graded.route), graded.route


def _feedback(reply: TurnReply, question: Question, answer: str, model: str) -> Feedback:
    assessed = gate.assessed(answer)
    met = rubric.verified([Met(m.a, m.q) for m in reply.met], assessed)
    claimed = [Mistake(m.code, m.q, m.fix) for m in reply.mistakes]
    mistakes = mistake_detector.verified(claimed, assessed, {m.anchor for m in met})
    note = CUT if len(text.words(answer)) > gate.ASSESSED_WORDS else ""
    if reply.injection_seen:
        note = "Part of this answer read like instructions to the grader; only quotes that show something count."
    return Feedback(
        origin=Origin("ai", model, rubric.VERSION),
        reaction=REACTION if SCORE_LIKE.search(reply.reaction) else text.clean(reply.reaction),
        follow_up=_follow_up(reply.follow_up, question, frozenset(m.anchor for m in met)),
        scored=True,
        met=met,
        mistakes=mistakes,
        note=note,
    )


def _follow_up(proposed: FollowUpReply, question: Question, met: frozenset[str]) -> str:
    """The model's follow-up if it is a short single question about something missing, else the planned probe."""
    asked = text.clean(proposed.text)
    single = asked.count("?") + asked.count("？") == 1
    if single and len(text.words(asked)) <= LONGEST_FOLLOW_UP and proposed.anchor not in met:
        return asked
    return question.probes.get(rubric.first_missing(met) or "D3", "")
