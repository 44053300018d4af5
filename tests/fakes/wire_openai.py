"""The OpenAI chat wire format, with what each provider adds to it."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.answer import Completion, Stream
from tests.fakes.refusals import error_body

COMMENTS = (b": OPENROUTER PROCESSING\n\n",)
DONE = b"data: [DONE]\n\n"


def completion(provider: str, said: Completion) -> dict[str, Any]:
    """The body of a reply that is not streamed."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": said.text},
        "finish_reason": said.finish,
        "logprobs": None,
    }
    body = _frame(said, "chat.completion") | {"choices": [choice], "usage": usage(said)}
    if provider == "cerebras":
        body["time_info"] = {
            "queue_time": 0.0,
            "prompt_time": 0.001,
            "completion_time": 0.002,
            "total_time": 0.003,
        }
    if provider == "groq":
        body["x_groq"] = {"id": f"req_{said.number:08d}"}
    return body


def usage(said: Completion) -> dict[str, Any]:
    counted: dict[str, Any] = {
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
        "total_tokens": said.total_tokens,
    }
    if said.thinking_tokens:
        counted["completion_tokens_details"] = {"reasoning_tokens": said.thinking_tokens}
    return counted


def stream(provider: str, said: Completion, *, include_usage: bool) -> Stream:
    """Server-sent events: role, text, finish reason, usage if it is wanted, [DONE].

    OpenRouter opens with comments, and always tells the usage, as Mistral does.
    """
    opening = COMMENTS if provider == "openrouter" else ()
    first = _chunk(said, {"role": "assistant", "content": ""})
    texts = tuple(_chunk(said, {"content": part}) for part in said.parts())
    counted = _event(_frame(said, "chat.completion.chunk") | {"choices": [], "usage": usage(said)})
    tail = (counted, DONE) if include_usage or provider in {"openrouter", "mistral"} else (DONE,)
    ending = (_chunk(said, {}, said.finish), *tail)
    failed = _event(_stream_error(provider, said))
    return Stream((*opening, first), texts, ending, (failed,), "text/event-stream")


def _stream_error(provider: str, said: Completion) -> Any:
    message = "The upstream model failed in the middle of the reply"
    if provider == "cerebras":
        return {
            "status_code": 500,
            "error": {"message": message, "type": "server_error", "code": "internal_error"},
        }
    if provider == "openrouter":
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
        error = {"code": 502, "message": message}
        return _frame(said, "chat.completion.chunk") | {"choices": [choice], "error": error}
    return error_body(provider, 500, message)


def _chunk(said: Completion, delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return _event(_frame(said, "chat.completion.chunk") | {"choices": [choice]})


def _frame(said: Completion, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{said.number:08d}",
        "object": kind,
        "created": said.created,
        "model": said.model,
        "system_fingerprint": "fp_fake",
    }


def _event(body: Any) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
