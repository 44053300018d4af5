"""Questions that a model wrote for a whole field of work, kept for everybody who practises in it.

Only what was made from no candidate's words may come here: `add` takes what passes for a question, and the planner
asks for it with nothing in the prompt but our own words. What is read back is checked again, since the store it
lies in is no safer than a cache.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from typing import get_args

from core.interview import wording
from core.interview.injections import flagged
from core.interview.model import Competency, Kind, Question
from core.interview.tailored import about_work
from core.stores.contract import Documents, StoreError

KEPT_SECONDS = 90 * 86_400.0
MOST = 60  # questions under one key
ATTEMPTS = 5
log = logging.getLogger(__name__)


def sound(text: str) -> bool:
    """May this stand before a candidate as a question?"""
    return not wording.faults(text) and not flagged(text)


class PlanPool:
    """Store trouble is logged and raised to nobody: the bank has questions enough."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def questions(self, key: str) -> tuple[Question, ...] | None:
        """All that is kept under `key`; None if that cannot be read."""
        try:
            return tuple(_read(self._documents.get(key)))
        except StoreError as error:
            log.warning("The pool of questions cannot be read: %s", error)
            return None

    def add(self, key: str, questions: Iterable[Question]) -> None:
        """Keep those that are sound and new; one that is much like another is not new."""
        offered = [q for q in questions if not q.graded_as and sound(q.text)]
        try:
            for _ in range(ATTEMPTS):
                there = self._documents.get(key)
                kept = list(_read(there))
                for q in offered:
                    if len(kept) < MOST and not has_twin(q.text, kept):
                        kept.append(q)
                if self._documents.replace(key, there, _dump(kept), KEPT_SECONDS):
                    return
        except StoreError as error:
            log.warning("The pool of questions cannot be written: %s", error)


def has_twin(text: str, others: Iterable[Question]) -> bool:
    return any(wording.are_twins(text, q.text) for q in others)


def _read(document: str | None) -> list[Question]:
    """Nothing for what is absent or garbled."""
    try:
        rows = json.loads(document or "[]")
    except (ValueError, RecursionError):
        return []
    found = []
    for row in rows if isinstance(rows, list) else ():
        match row:
            case [str(text), str(kind), str(competency)] if (
                kind in get_args(Kind) and competency in get_args(Competency) and sound(text)
            ):
                found.append(about_work(text, kind, competency))  # type: ignore[arg-type]
    return found


def _dump(questions: Sequence[Question]) -> str:
    return json.dumps([[q.text, q.kind, q.competency] for q in questions], ensure_ascii=False)
