"""The interviews that one browser remembers: what became of each, and what was asked in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from core.interview import rubric
from core.interview.archive import UnknownInterview
from core.interview.engine import Engine
from core.interview.model import Interview, Mode

MOST = 50  # interviews, the latest ones


@dataclass(frozen=True)
class Ruler:
    """What an interview was measured with: the model that graded, and the rubric's version."""

    model: str
    rubric: str


@dataclass(frozen=True)
class Past:
    """One interview. `overall` is 0 to 100 with its `band` in a word; None and empty where it has no score.

    `open` counts the questions that still wait, 0 when the interview is over. `ruler` is None where nobody or more
    than one model graded. Times are seconds since the epoch.
    """

    token: str
    role: str
    at: float
    mode: Mode
    open: int
    overall: int | None
    band: str
    ruler: Ruler | None


class Shelf:
    """Methods raise StoreError. Tokens of interviews that are gone are passed over."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def summaries(self, tokens: Iterable[str]) -> tuple[Past, ...]:
        """What became of them, the latest first. `tokens` are in the order in which they came."""
        return tuple(_summary(token, interview) for token, interview in self._found(tokens))

    def seen(self, tokens: Iterable[str]) -> tuple[str, ...]:
        """Ids of every question asked in them, the latest first: what the next plan should not repeat."""
        return tuple(
            dict.fromkeys(turn.question.id for _, interview in self._found(tokens) for turn in interview.turns)
        )

    def forget(self, tokens: Iterable[str]) -> None:
        """Delete them all, at once and for everybody who has a link."""
        for token in tokens:
            self._engine.delete(token)

    def _found(self, tokens: Iterable[str]) -> Sequence[tuple[str, Interview]]:
        found = []
        for token in reversed(list(dict.fromkeys(tokens))[-MOST:]):
            with suppress(UnknownInterview):
                found.append((token, self._engine.load(token)))
        return sorted(found, key=lambda each: -each[1].created_at)


def comparable(past: Sequence[Past]) -> tuple[Past, ...]:
    """The scored ones that were measured like the latest scored one, oldest first.

    Models differ more from each other than from themselves, so a line through several graders would show them.
    """
    scored = [p for p in past if p.overall is not None and p.ruler is not None]
    if not scored:
        return ()
    latest = max(scored, key=lambda p: p.at)
    return tuple(sorted((p for p in scored if p.ruler == latest.ruler), key=lambda p: p.at))


def _summary(token: str, interview: Interview) -> Past:
    is_over = interview.current is None
    overall = rubric.scorecard(interview).overall if is_over else None
    return Past(
        token=token,
        role=interview.setup.role,
        at=interview.created_at,
        mode=interview.mode,
        open=0 if is_over else sum(turn.state in ("open", "grading") for turn in interview.turns),
        overall=overall,
        band="" if overall is None else rubric.band(overall / 10),
        ruler=_ruler(interview),
    )


def _ruler(interview: Interview) -> Ruler | None:
    graded = [t.feedback.origin for t in interview.turns if t.feedback and t.feedback.scored]
    rulers = {Ruler(origin.model, origin.rubric) for origin in graded if origin.by == "ai"}
    return rulers.pop() if len(rulers) == 1 else None
