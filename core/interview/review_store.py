"""What an AI made of a resume, kept for the candidate who asked and for nobody else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.stores.contract import Documents, StoreError

MOST_KEPT = 5  # reviews of one candidate; the oldest one goes first
ATTEMPTS = 50


@dataclass(frozen=True)
class Highlight:
    """`quote` stands in the resume word for word; `job` are words of the job description, or ""."""

    quote: str
    why: str
    job: str = ""


@dataclass(frozen=True)
class ResumeReview:
    """`skills` are named in the resume, `gaps` and `questions` are the model's own. `model` is who wrote it."""

    skills: tuple[str, ...]
    highlights: tuple[Highlight, ...]
    gaps: tuple[str, ...]
    questions: tuple[str, ...]
    model: str


_REVIEW = TypeAdapter(ResumeReview)


class ReviewStore:
    """Reviews by candidate and content. Of the candidate's token and of the content only hashes are kept."""

    def __init__(self, documents: Documents, retention_days: int) -> None:
        self._documents = documents
        self._ttl = retention_days * 86_400.0

    def get(self, candidate: str, content: str) -> ResumeReview | None:
        """The review of these very words for this candidate, if there is one. Raises StoreError."""
        kept = _read(self._documents.get(_key(candidate)))
        try:
            return _REVIEW.validate_python(kept.get(_digest(content)))
        except ValidationError:
            return None

    def put(self, candidate: str, content: str, review: ResumeReview) -> None:
        """Raises StoreError."""
        told = _REVIEW.dump_python(review, mode="json")
        for _ in range(ATTEMPTS):
            text = self._documents.get(_key(candidate))
            kept = _read(text)
            kept.pop(_digest(content), None)
            newest = dict([*kept.items(), (_digest(content), told)][-MOST_KEPT:])
            if self._documents.replace(_key(candidate), text, json.dumps(newest), self._ttl):
                return
        raise StoreError("the review cannot be kept: too many writers")

    def forget(self, candidate: str) -> None:
        """Every review of this candidate is gone at once. Raises StoreError."""
        for _ in range(ATTEMPTS):
            text = self._documents.get(_key(candidate))
            if text is None or self._documents.replace(_key(candidate), text, None):
                return
        raise StoreError("the reviews cannot be deleted: too many writers")


def _read(text: str | None) -> dict[str, Any]:
    """What was kept by another version, or is damaged, counts as nothing kept."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _key(candidate: str) -> str:
    return f"reviews:{_digest(candidate)}"


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
