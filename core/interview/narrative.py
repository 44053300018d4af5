"""The report in words: one optional call. What the answers do not bear out is taken out before anyone sees it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from core.balancer import LoadBalancer
from core.interview import injections, mistake_detector, report, rubric, text
from core.interview.drills import drill
from core.interview.grounding import grounded, is_grounded
from core.interview.model import Interview, Narrative, Outline, Priority, Turn
from core.interview.prompts.report import report as report_prompt
from core.interview.report import Page, Report
from core.policy import Task
from core.structured import read_as, schema_of
from core.wanted import Wanted
from providers.contracts import ChatRequest
from providers.errors import BadReply

MAX_TOKENS = 700
MOST_LISTED, MOST_OUTLINES, MOST_TOLD = 3, 2, 6
LONGEST_ANSWER = 1_400  # bytes, so that scripts of many tokens per character are cut sooner
LONGEST = {"summary": 900, "line": 260, "outline": 1_000}  # characters
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")
_QUOTED = re.compile(r"[“\"「«]([^“”\"「」«»]{3,200})[”\"」»]")
_SCORE_LIKE = re.compile(
    r"\d\s*(?:/|out of|of)\s*(?:5|10|20|100)\b|"
    r"\b(?:scor(?:e[ds]?|ing)|grad(?:e[ds]?|ing)|marks?|rat(?:e[ds]?|ings?))\b[^.]*\d",
    re.IGNORECASE,
)


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class StrengthReply(_Loose):
    a: str
    text: str


class PriorityReply(_Loose):
    a: str
    why: str
    drill: str = ""


class OutlineReply(_Loose):
    qid: str
    text: str


def _salvaged(shape: type[BaseModel]) -> BeforeValidator:
    """Keep the items of a list that are of the shape, so that one stray item does not cost the others."""

    def fits(item: object) -> bool:
        try:
            shape.model_validate(item)
        except ValidationError:
            return False
        return True

    return BeforeValidator(lambda found: [i for i in found if fits(i)] if isinstance(found, list) else [])


class NarrativeReply(_Loose):
    """What the model must send. There is no field for a number."""

    summary: str
    strengths: Annotated[list[StrengthReply], _salvaged(StrengthReply)] = []
    priorities: Annotated[list[PriorityReply], _salvaged(PriorityReply)] = []
    outlines: Annotated[list[OutlineReply], _salvaged(OutlineReply)] = []


class Narrator:
    def __init__(self, balancer: LoadBalancer, task: Task, nonce: Callable[[], str]) -> None:
        self._balancer = balancer
        self._task = task
        self._nonce = nonce

    def write(self, interview: Interview, attempts: int) -> tuple[Narrative, int]:
        """The narrative and the upstream calls that it took, at most `attempts`. Raises AllRoutesOut, Refused."""
        found = report.build(interview)
        request = ChatRequest(
            messages=report_prompt(_told(interview, found), self._nonce()),
            max_tokens=MAX_TOKENS,
            schema=schema_of(NarrativeReply),
            timeout=self._task.deadline,
        )

        def read(reply: str) -> Narrative:
            kept = checked(read_as(NarrativeReply, reply), found)
            if not (kept.summary or kept.strengths or kept.priorities or kept.outlines):
                raise BadReply("nothing in the reply is borne out by the answers")
            return kept

        wanted = Wanted(self._task, request, read, interview.grader, interview.envelope, attempts)
        answer = self._balancer.complete(wanted)
        return replace(answer.value, model=answer.route), answer.spent.calls


def checked(reply: NarrativeReply, found: Report) -> Narrative:
    """What of the reply holds: no foreign number, no score, no praise without an anchor, no quote nobody said."""
    answers = [page.turn.answer for page in found.pages]
    sources = [*answers, *(page.turn.question.text for page in found.pages)]
    shown = {anchor for page in found.pages for anchor in page.lit}
    missing = set(_lacking(found.pages))

    def line(written: str, longest: str = "line") -> str:
        return _kept(written, sources, answers, LONGEST[longest])

    strengths = [told for s in reply.strengths if s.a in shown and (told := line(s.text))]
    priorities = {
        p.a: Priority(p.a, why, line(p.drill) or _own_drill(p.a, found))
        for p in reversed(reply.priorities)
        if p.a in missing and (why := line(p.why))
    }
    return Narrative(
        summary=line(reply.summary, "summary"),
        strengths=tuple(dict.fromkeys(strengths))[:MOST_LISTED],
        priorities=tuple(reversed(priorities.values()))[:MOST_LISTED],
        outlines=tuple(_outlines(reply, found)),
        model="",
    )


def _outlines(reply: NarrativeReply, found: Report) -> Iterable[Outline]:
    """One for each of the weakest answers; a number that is not in that answer is for the candidate to fill in."""
    weakest = {page.turn.question.id: page.turn for page in _weakest(found.pages)}
    written = {o.qid: o.text for o in reversed(reply.outlines) if o.qid in weakest}
    for qid, turn in weakest.items():
        own = [turn.answer, turn.question.text]
        told = _kept(grounded(written.get(qid, ""), own), own, own, LONGEST["outline"])
        if told:
            yield Outline(qid, told)


def _kept(written: str, sources: Collection[str], answers: Collection[str], longest: int) -> str:
    """The sentences that hold, as many as fit."""
    kept = ""
    for sentence in _SENTENCE.split(" ".join(text.clean(written).split())):
        holds = is_grounded(sentence, sources) and not _SCORE_LIKE.search(sentence)
        if holds and not _misquotes(sentence, answers) and len(kept) + len(sentence) < longest:
            kept = f"{kept} {sentence}".strip()
    return kept


def _misquotes(sentence: str, answers: Collection[str]) -> bool:
    """Does it put words between quotation marks that stand in no answer?"""
    whole = [text.folded(answer) for answer in answers]
    return any(not any(text.holds(each, quote) for each in whole) for quote in _QUOTED.findall(sentence))


def _told(interview: Interview, found: Report) -> Mapping[str, object]:
    """What the model learns: anchors with quotes, mistakes, and the two weakest answers."""
    seen = [(page.turn, met) for page in found.pages if page.turn.feedback for met in page.turn.feedback.met]
    seen.sort(key=lambda each: report.CLOSING.index(each[1].anchor) if each[1].anchor in report.CLOSING else 9)
    mistakes = [m for page in found.pages if page.turn.feedback for m in page.turn.feedback.mistakes]
    return {
        "role": interview.setup.role,
        "level": interview.setup.level,
        "shown": [
            {"a": met.anchor, "means": rubric.anchors(turn.question.kind)[met.anchor], "q": met.quote[:120]}
            for turn, met in seen[:MOST_TOLD]
        ],
        "missing": [
            {"a": anchor, "means": rubric.anchors(page.turn.question.kind)[anchor]}
            for anchor, page in list(_lacking(found.pages).items())[:MOST_TOLD]
        ],
        "mistakes": [
            {"name": mistake_detector.NAMES[m.code], "q": (m.quote or "")[:120], "fix": m.fix[:160]}
            for m in mistakes[:MOST_TOLD]
        ],
        "weakest": [
            {"qid": p.turn.question.id, "question": p.turn.question.text, "answer": _excerpt(p.turn)}
            for p in _weakest(found.pages)
        ],
    }


def _excerpt(turn: Turn) -> str:
    """The beginning of the answer, without what tries to instruct a model."""
    left_out = turn.feedback.left_out if turn.feedback else ()
    kept = injections.without(turn.answer, injections.flagged(turn.answer, left_out))
    return kept.encode()[:LONGEST_ANSWER].decode(errors="ignore")


def _weakest(pages: Iterable[Page]) -> list[Page]:
    """The answers that a model graded lowest."""
    graded = [page for page in pages if page.turn.feedback and page.turn.feedback.origin.by == "ai"]
    return sorted(graded, key=lambda page: page.score or 0.0)[:MOST_OUTLINES]


def _lacking(pages: Iterable[Page]) -> dict[str, Page]:
    """Anchors that scored answers miss, the commonest first, each with an answer that misses it."""
    scored = [page for page in pages if page.score is not None and page.turn.state == "done"]
    missed = [(a, page) for page in scored for a in rubric.missing(page.lit)]
    often = Counter(anchor for anchor, _ in missed)
    return {anchor: next(page for a, page in missed if a == anchor) for anchor, _ in often.most_common()}


def _own_drill(anchor: str, found: Report) -> str:
    return drill(anchor, _lacking(found.pages)[anchor].turn.question.kind).exercise
