"""Gemini's own wire format: generateContent, and its two ways to stream."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.answer import Completion, Finish, Stream
from tests.fakes.refusals import error_body

_FINISH: dict[Finish, tuple[str, int]] = {
    "stop": ("STOP", 1),
    "length": ("MAX_TOKENS", 2),
    "content_filter": ("SAFETY", 3),
}
_BLOCKED = ("SAFETY", 1)


def completion(said: Completion, *, int_enums: bool) -> dict[str, Any]:
    """The body of a reply that is not streamed; a filtered one has no candidates."""
    if said.finish == "content_filter":
        return _frame(said) | {"promptFeedback": {"blockReason": _BLOCKED[int_enums]}}
    return _frame(said) | {"candidates": [_candidate(said.text, _FINISH[said.finish][int_enums])]}


def stream(said: Completion, *, sse: bool, int_enums: bool) -> Stream:
    """Server-sent events, or one JSON array that arrives piece by piece."""
    if said.finish == "content_filter":
        bodies = [completion(said, int_enums=int_enums)]
    else:
        bodies = [{"candidates": [_candidate(part, None)], "modelVersion": said.model} for part in said.parts()]
        last = _candidate("", _FINISH[said.finish][int_enums])
        last["content"]["parts"] = [{"text": ""}]
        bodies.append(_frame(said) | {"candidates": [last]})
    failed = error_body("gemini", 500, "An internal error has occurred.")
    if sse:
        events = [b"data: " + json.dumps(body).encode() + b"\r\n\r\n" for body in [*bodies, failed]]
        return Stream((), tuple(events[:-2]), (events[-2],), (events[-1],), "text/event-stream")
    items = [(b",\r\n" if at else b"[") + json.dumps(body).encode() for at, body in enumerate(bodies)]
    error = b",\r\n" + json.dumps(failed).encode()
    return Stream((), tuple(items[:-1]), (items[-1], b"]"), (error, b"]"), "application/json")


def _candidate(text: str, finish: str | int | None) -> dict[str, Any]:
    content: dict[str, Any] = {"role": "model"}
    if text:
        content["parts"] = [{"text": text}]
    row: dict[str, Any] = {"content": content, "index": 0}
    return row if finish is None else row | {"finishReason": finish}


def _frame(said: Completion) -> dict[str, Any]:
    usage = {"promptTokenCount": said.prompt_tokens, "totalTokenCount": said.total_tokens}
    if said.answer_tokens:
        usage["candidatesTokenCount"] = said.answer_tokens
    if said.thinking_tokens:
        usage["thoughtsTokenCount"] = said.thinking_tokens
    return {"usageMetadata": usage, "modelVersion": said.model, "responseId": f"fake-{said.number:08d}"}
