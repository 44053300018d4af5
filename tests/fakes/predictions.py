"""Replicate's predictions: started once, polled until they end, cancelled when nobody waits any more."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from tests.fakes import faults
from tests.fakes.answer import Completion

Ending = Literal["succeeded", "failed", "canceled", "aborted"]

_FLAGGED = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
_PIECE = 4
_USUAL_POLLS = 3


@dataclass(frozen=True)
class Course:
    """How a prediction goes: the status it ends in, the error text if any, and how many polls that takes.

    `awaited` is whether the caller asked to wait for it.
    """

    status: Ending
    error: str | None
    polls: int
    awaited: bool


@dataclass
class _Prediction:
    said: Completion
    given: Any
    course: Course
    base: str
    polled: int = 0
    cancelled: bool = False

    @property
    def ended(self) -> bool:
        return self.cancelled or self.polled >= self.course.polls


def course(step: str, said: Completion, *, awaited: bool) -> Course:
    """What the step makes of a prediction. Nothing is ready at once for a caller that does not wait."""
    name, argument = faults.split(step)
    polls, soonest = int(argument) if argument.isdigit() else 0, 0 if awaited else 1
    if name in {"slow-prediction", "foreign-urls"}:
        return Course("succeeded", None, max(polls or _USUAL_POLLS, soonest), awaited)
    if name == "prediction-failed":
        return Course("failed", "CUDA out of memory", max(polls, soonest), awaited)
    if name == "prediction-canceled":
        return Course("canceled", None, max(polls, soonest), awaited)
    if name == "prediction-aborted":
        return Course("aborted", None, max(polls, soonest), awaited)
    if said.finish == "content_filter":
        return Course("failed", _FLAGGED, soonest, awaited)
    return Course("succeeded", None, soonest, awaited)


class Predictions:
    """Every prediction of one fake; safe from many threads. It moves on when it is polled, never by itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, _Prediction] = {}
        self._cancelled: list[str] = []

    @property
    def cancelled(self) -> list[str]:
        """The ids of those that were still running when their cancellation came, in that order."""
        with self._lock:
            return list(self._cancelled)

    def start(self, said: Completion, given: Any, course: Course, base: str) -> dict[str, Any]:
        """The body of the first reply. `given` is the caller's input, `base` what its urls begin with."""
        with self._lock:
            row = self._rows[_identity(said)] = _Prediction(said, given, course, base)
            return _body(row)

    def poll(self, identity: str) -> dict[str, Any] | None:
        """The prediction one step on, or None when there is none with this id."""
        with self._lock:
            row = self._rows.get(identity)
            if row is None:
                return None
            row.polled += 0 if row.ended else 1
            return _body(row)

    def cancel(self, identity: str) -> dict[str, Any] | None:
        """The prediction after its cancellation, which changes nothing when it has ended; None without one."""
        with self._lock:
            row = self._rows.get(identity)
            if row is None:
                return None
            if not row.ended:
                row.cancelled = True
                self._cancelled.append(identity)
            return _body(row)


def _identity(said: Completion) -> str:
    return f"fake{said.number:022d}"


def _body(row: _Prediction) -> dict[str, Any]:
    said, identity = row.said, _identity(row.said)
    output, created = _output(row), _stamp(said.created)
    begun = row.polled > 0 or row.course.awaited
    return {
        "id": identity,
        "model": said.model,
        "version": "hidden",
        "input": row.given,
        "logs": "",
        "output": output,
        "data_removed": False,
        "error": row.course.error if row.ended and not row.cancelled else None,
        "status": _status(row),
        "created_at": created,
        "started_at": created if begun else None,
        "completed_at": created if row.ended else None,
        "metrics": _metrics(row),
        "urls": {
            "cancel": f"{row.base}/predictions/{identity}/cancel",
            "get": f"{row.base}/predictions/{identity}",
        },
    }


def _status(row: _Prediction) -> str:
    if row.cancelled:
        return "canceled"
    if row.ended:
        return row.course.status
    return "processing" if row.polled or row.course.awaited else "starting"


def _output(row: _Prediction) -> list[str] | None:
    """What is said so far: all of it on success, a growing part of it before and after any other end."""
    parts, course = row.said.parts(_PIECE), row.course
    if row.ended and not row.cancelled and course.status == "succeeded":
        return parts
    return parts[: len(parts) * row.polled // (course.polls + 1)] or None


def _metrics(row: _Prediction) -> dict[str, Any]:
    if not row.ended:
        return {}
    times = {"predict_time": 0.2, "total_time": 0.25}
    if row.cancelled or row.course.status != "succeeded":
        return times
    # Models that Replicate passes on to their makers count under other names than its own.
    sent, made = ("input_token_count", "output_token_count")
    if row.said.model.startswith("openai/"):
        sent, made = ("token_input_count", "token_output_count")
    return {sent: row.said.prompt_tokens, made: row.said.completion_tokens, **times}


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
