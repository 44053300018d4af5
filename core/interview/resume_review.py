"""What a model makes of a resume: skills, highlights and gaps, each tied to words that stand in the resume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from core.balancer import LoadBalancer, Wanted
from core.interview import text
from core.interview.prompts.resume import resume as resume_prompt
from core.policy import Task
from core.structured import read_as, schema_of
from providers.contracts import ChatRequest

MAX_TOKENS = 1_200
LONGEST_RESUME = 20_000  # characters; some eight pages


class BadResume(Exception):
    """The text cannot be reviewed; the message says what to change."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class HighlightReply(_Strict):
    q: str = Field(min_length=1, max_length=400)
    why: str = Field(min_length=3, max_length=400)


class ResumeReply(_Strict):
    skills: list[str] = Field(max_length=40)
    highlights: list[HighlightReply] = Field(max_length=12)
    gaps: list[str] = Field(max_length=12)
    questions: list[str] = Field(max_length=12)


@dataclass(frozen=True)
class Highlight:
    """`quote` stands in the resume word for word."""

    quote: str
    why: str


@dataclass(frozen=True)
class ResumeReview:
    """`skills` are named in the resume, `gaps` and `questions` are the model's own. `model` is who wrote it."""

    skills: tuple[str, ...]
    highlights: tuple[Highlight, ...]
    gaps: tuple[str, ...]
    questions: tuple[str, ...]
    model: str


class ResumeReviewer:
    def __init__(self, balancer: LoadBalancer, task: Task, nonce: Callable[[], str]) -> None:
        self._balancer = balancer
        self._task = task
        self._nonce = nonce

    def review(self, resume: str) -> ResumeReview:
        """One call. What the model claims but the resume does not say is left out.

        Raises BadResume, AllRoutesOut, Refused.
        """
        cleaned = text.clean(resume)
        if not cleaned.strip():
            raise BadResume("There is no resume text. Paste it, or upload a file that holds text.")
        if len(cleaned) > LONGEST_RESUME:
            raise BadResume(f"The resume has {len(cleaned):,} characters; at most {LONGEST_RESUME:,} can be read.")
        request = ChatRequest(
            messages=resume_prompt(cleaned, self._nonce()),
            max_tokens=MAX_TOKENS,
            schema=schema_of(ResumeReply),
            timeout=self._task.deadline,
        )
        found = self._balancer.complete(Wanted(self._task, request, lambda reply: read_as(ResumeReply, reply)))
        return _verified(found.value, cleaned, found.route)


def _verified(reply: ResumeReply, resume: str, model: str) -> ResumeReview:
    whole = text.folded(resume)
    return ResumeReview(
        skills=tuple(dict.fromkeys(text.clean(skill) for skill in reply.skills if text.holds(whole, skill))),
        highlights=tuple(
            Highlight(text.clean(each.q), text.clean(each.why))
            for each in reply.highlights
            if text.holds(whole, each.q)
        ),
        gaps=tuple(filter(None, map(text.clean, reply.gaps))),
        questions=tuple(filter(None, map(text.clean, reply.questions))),
        model=model,
    )
