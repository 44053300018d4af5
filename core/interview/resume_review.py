"""What a model makes of a resume: strengths and gaps, tied to words that stand in the resume or in the job."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from core.balancer import LoadBalancer, Wanted
from core.interview import text
from core.interview.prompts.resume import RESUME
from core.interview.prompts.resume import resume as resume_prompt
from core.interview.resume_analyzer import terms, usable
from core.interview.review_store import Highlight, ResumeReview, ReviewStore
from core.policy import Task
from core.structured import read_as, schema_of
from providers.contracts import ChatRequest
from providers.errors import BadReply

MAX_TOKENS = 1_200
LONGEST_RESUME = 20_000  # characters; some eight pages
LONGEST_JOB = 6_000
JOB_TERMS = 60
MOST_SKILLS, MOST_OTHERS = 40, 12


class BadResume(Exception):
    """The text cannot be reviewed; the message says what to change."""


Line = Annotated[str, Field(min_length=1, max_length=400)]


class HighlightReply(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    q: Line
    why: str = Field(min_length=3, max_length=400)
    job: str = Field(default="", max_length=400)


def _salvaged(item: Any, most: int) -> BeforeValidator:
    """Keep the items that are of the shape: one stray item, or a list left out, does not cost a whole reply."""
    shape: TypeAdapter[Any] = TypeAdapter(item)

    def keep(found: object) -> list[object]:
        return [each for each in found if _is(shape, each)][:most] if isinstance(found, list) else []

    return BeforeValidator(keep)


def _is(shape: TypeAdapter[Any], item: object) -> bool:
    try:
        shape.validate_python(item, strict=True)
    except ValidationError:
        return False
    return True


Lines = Annotated[list[Line], _salvaged(Line, MOST_OTHERS)]


class ResumeReply(BaseModel):
    """What the model should send. What is of another shape is passed over, as there is only one call."""

    model_config = ConfigDict(extra="ignore")

    skills: Annotated[list[Line], _salvaged(Line, MOST_SKILLS)] = []
    highlights: Annotated[list[HighlightReply], _salvaged(HighlightReply, MOST_OTHERS)] = []
    gaps: Lines = []
    questions: Lines = []


class ResumeReviewer:
    """Reviews for whoever asks; with `kept`, those of a candidate are had again for nothing."""

    def __init__(
        self, balancer: LoadBalancer, task: Task, nonce: Callable[[], str], kept: ReviewStore | None = None
    ) -> None:
        self._balancer = balancer
        self._task = task
        self._nonce = nonce
        self._kept = kept

    def review(self, resume: str, job: str = "") -> ResumeReview:
        """What the model claims but the resume does not say is left out; nothing of it is kept.

        Raises BadResume, AllRoutesOut, Refused.
        """
        return self._ask(self._task, *_texts(resume, job))

    def review_for(self, candidate: str, resume: str, job: str = "") -> ResumeReview:
        """The same, by one upstream call at most, and by none where this candidate has asked this before.

        For a candidate without a token, "", nothing is kept. Raises StoreError too.
        """
        texts = _texts(resume, job)
        if found := self._known(candidate, texts):
            return found
        made = self._ask(replace(self._task, attempts=1), *texts)
        if self._kept and candidate:
            self._kept.put(candidate, _content(texts), made)
        return made

    def kept_for(self, candidate: str, resume: str, job: str = "") -> ResumeReview | None:
        """What `review_for` would return without any call; None if it has to ask, or cannot. Raises StoreError."""
        try:
            return self._known(candidate, _texts(resume, job))
        except BadResume:
            return None

    def forget(self, candidate: str) -> None:
        """Every review kept for this candidate is gone at once. Raises StoreError."""
        if self._kept:
            self._kept.forget(candidate)

    def _known(self, candidate: str, texts: tuple[str, str]) -> ResumeReview | None:
        return self._kept.get(candidate, _content(texts)) if self._kept and candidate else None

    def _ask(self, task: Task, resume: str, job: str) -> ResumeReview:
        request = ChatRequest(
            messages=resume_prompt(resume, job, self._nonce()),
            max_tokens=MAX_TOKENS,
            schema=schema_of(ResumeReply),
            timeout=task.deadline,
        )
        found = self._balancer.complete(Wanted(task, request, lambda reply: _verified(reply, resume, job)))
        return replace(found.value, model=found.route)


def _texts(resume: str, job: str) -> tuple[str, str]:
    """What may be sent of them: clean, and without passages that try to instruct a model."""
    cleaned = text.clean(resume)
    if len(cleaned) > LONGEST_RESUME:
        raise BadResume(f"The resume has {len(cleaned):,} characters; at most {LONGEST_RESUME:,} can be read.")
    told = usable(resume).text
    if not told:
        raise BadResume("There is no resume text. Paste it, or upload a file that holds text.")
    return told, usable(job).text[:LONGEST_JOB].rstrip()


def _content(texts: tuple[str, str]) -> str:
    """What a review depends on. A new wording of our instructions makes a new review."""
    return json.dumps((RESUME, *texts))


def _verified(reply: str, resume: str, job: str) -> ResumeReview:
    """Raises BadReply where nothing of use is left."""
    found = read_as(ResumeReply, reply)
    whole, advert = text.folded(resume), text.folded(job)
    gaps = tuple(filter(None, map(text.clean, found.gaps)))
    review = ResumeReview(
        skills=tuple(dict.fromkeys(text.clean(skill) for skill in found.skills if text.holds(whole, skill))),
        highlights=tuple(
            Highlight(text.clean(each.q), text.clean(each.why), _held(advert, each.job))
            for each in found.highlights
            if text.holds(whole, each.q)
        ),
        gaps=tuple(gap for gap in gaps if not job or _names_a_term(gap, job)),
        questions=tuple(filter(None, map(text.clean, found.questions))),
        model="",
    )
    if not (review.skills or review.highlights or review.gaps or review.questions):
        raise BadReply("the reply says nothing that can be checked")
    return review


def _held(advert: str, words: str) -> str:
    return text.clean(words) if text.holds(advert, words) else ""


def _names_a_term(gap: str, job: str) -> bool:
    said = text.folded(gap)
    return any(text.holds(said, term) for term in terms(job, JOB_TERMS))
