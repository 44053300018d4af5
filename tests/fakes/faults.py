"""The steps a test can plan, and what each does to a reply.

| effect | request is charged | counted as | tokens are counted |
|---|---|---|---|
| serve | yes | served | yes |
| cut | yes | neither | yes, the reply was generated |
| fail | yes | neither | no |
| refuse | no (a 429 when `charges_429`) | refused | no |
| redirect | no | neither | no |

A step is written `name` or `name:argument`. A step that would be charged is refused with the provider's own 429
when the quota is exhausted.
"""

from __future__ import annotations

import functools
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tests.fakes.answer import Answer, Finish, Stream

Effect = Literal["serve", "cut", "fail", "refuse", "redirect"]


@dataclass(frozen=True)
class Kind:
    effect: Effect
    about: str
    refusal: str = ""


STEPS: Mapping[str, Kind] = {
    "ok": Kind("serve", "the reply function's text"),
    "429": Kind(
        "refuse", "plain 429, Retry-After: 2; 429:SECONDS or any text sets it, 429:none leaves it out", "busy"
    ),
    "429-minute": Kind("refuse", "the provider's own per-minute refusal", "minute"),
    "429-day": Kind("refuse", "the provider's own daily refusal", "day"),
    "401": Kind("refuse", "the provider's own wrong-key reply (Gemini: 400)", "key"),
    "bad-key": Kind("refuse", "same as 401", "key"),
    "402": Kind("refuse", "payment needed, in the provider's words (Cloudflare: 403)", "payment"),
    "404": Kind("refuse", "the model is gone (Cloudflare: 410, Hugging Face and Mistral: 400)", "gone"),
    "model-gone": Kind("refuse", "same as 404", "gone"),
    "400": Kind("refuse", "bad request", "400"),
    "403": Kind("refuse", "forbidden", "403"),
    "408": Kind("refuse", "request timeout", "408"),
    "413": Kind("refuse", "request too large", "413"),
    "500": Kind("fail", "internal error", "500"),
    "502": Kind("fail", "bad gateway", "502"),
    "503": Kind("fail", "overloaded", "503"),
    "504": Kind("fail", "gateway timeout", "504"),
    "drop": Kind("fail", "reads the request, then closes without a byte"),
    "drop-mid": Kind("cut", "closes in the middle of the body"),
    "slow": Kind("serve", "slow:SECONDS before the first byte (default 5)"),
    "drip": Kind("serve", "one byte per 0.2 s"),
    "garbage": Kind("serve", "200, not JSON"),
    "html": Kind("serve", "200, a captcha page"),
    "error-in-200": Kind("serve", "200, the provider's error envelope"),
    "empty": Kind("serve", "200, no text"),
    "truncated": Kind("serve", "finish_reason length, half of the text"),
    "prose": Kind("serve", "a sentence instead of the text that was asked for"),
    "nan": Kind("serve", "the text is JSON that holds NaN"),
    "deep": Kind("serve", "200, the body is 200,000 opening brackets"),
    "no-choices": Kind("serve", "200, JSON without choices or candidates"),
    "swapped-types": Kind("serve", "200, JSON whose fields have the wrong types"),
    "bom": Kind("serve", "a byte order mark before the body"),
    "many-headers": Kind("serve", "150 extra response headers"),
    "gzip-bomb": Kind("serve", "300 MB of white space before the reply, sent as 300 KB of gzip"),
    "wrong-type": Kind("serve", "the right body as text/plain"),
    "filtered": Kind("serve", "stopped by the content filter (DeepSeek, Groq: 400, OpenRouter: 403; not charged)"),
    "redirect": Kind("redirect", "307 to the same path on http://localhost:PORT; redirect:STATUS for another"),
    "stream-cut": Kind("cut", "closes in the middle of an event; drop-mid when not streaming"),
    "stall": Kind("cut", "stall:N: N pieces of the text (default 2; half of it when not streaming), then silence"),
    "stream-error": Kind("cut", "an error event after half of the text; error-in-200 when not streaming"),
    "stream-no-end": Kind("serve", "all text, then no finish reason, usage or end marker; ok when not streaming"),
}

_REFUSE_FILTERED = {"deepseek", "groq", "openrouter"}
_CAPTCHA = b"<!DOCTYPE html><html><title>Just a moment...</title><body>Verify you are human.</body></html>"
_DEEP = b"[" * 200_000
_BOMB_MEGABYTES = 300


def split(step: str) -> tuple[str, str]:
    """Name and argument of a step; ValueError names one that does not exist."""
    name, _, argument = step.partition(":")
    if name not in STEPS:
        raise ValueError(f"no such step {step!r}; there are {', '.join(STEPS)}")
    return name, argument


def kind(name: str, provider: str) -> Kind:
    """What the step does at this provider."""
    if name == "filtered" and provider in _REFUSE_FILTERED:
        return replace(STEPS[name], effect="refuse", refusal="filtered")
    return STEPS[name]


def retry_after(argument: str) -> dict[str, str]:
    """The header of a plain 429."""
    return {} if argument == "none" else {"Retry-After": argument or "2"}


def bend_text(name: str, text: str) -> tuple[str, Finish]:
    """The text as the step leaves it, and how it ended."""
    if name == "truncated":
        return text[: max(1, len(text) // 2)], "length"
    if name == "filtered":
        return "", "content_filter"
    bent = {"empty": "", "prose": "Sure! I think that was a good answer.", "nan": '{"score": NaN, "items": [NaN]}'}
    return bent.get(name, text), "stop"


def bend_stream(name: str, argument: str, stream: Stream) -> Answer:
    """A streamed reply with its content, ending or error as the step wants it."""
    pieces = stream.opening + stream.content + stream.ending
    if name == "stream-no-end":
        pieces = stream.opening + stream.content
    if name == "stream-error":
        pieces = stream.opening + stream.content[: max(1, len(stream.content) // 2)] + stream.error
    if name == "stall":
        pieces = stream.opening + stream.content[: int(argument or 2)]
    cut = name in {"stream-cut", "drop-mid"}
    headers = {"Content-Type": stream.content_type}
    return Answer(200, pieces, headers, chunked=True, delivery="cut" if cut else "whole")


def bend_answer(name: str, argument: str, answer: Answer) -> Answer:
    """The reply as the step sends it."""
    if name in _BODIES:
        content_type, body = _BODIES[name]
        return replace(
            answer, pieces=(body,), headers={**answer.headers, "Content-Type": content_type}, chunked=False
        )
    if name == "bom":
        return replace(answer, pieces=(b"\xef\xbb\xbf", *answer.pieces))
    if name == "wrong-type":
        return replace(answer, headers={**answer.headers, "Content-Type": "text/plain"})
    if name == "many-headers":
        return replace(answer, headers={**answer.headers, **{f"X-Extra-{n}": "1" for n in range(150)}})
    if name == "gzip-bomb":
        body = _padding() + gzip.compress(b"".join(answer.pieces))
        return replace(
            answer, pieces=(body,), headers={**answer.headers, "Content-Encoding": "gzip"}, chunked=False
        )
    if name == "slow":
        return replace(answer, delay=answer.delay + float(argument or 5))
    if name in {"drop-mid", "stream-cut"}:
        return replace(answer, delivery="cut")
    if name == "stall":
        return replace(answer, delivery="stall")
    return replace(answer, delivery="drip") if name == "drip" else answer


@functools.cache
def _padding() -> bytes:
    """White space as gzip members; a gzip file may be many of them in a row."""
    return gzip.compress(b" " * 1_000_000, mtime=0) * _BOMB_MEGABYTES


_BODIES: Mapping[str, tuple[str, bytes]] = {
    "garbage": ("application/json", b"{'choices': oops"),
    "html": ("text/html; charset=utf-8", _CAPTCHA),
    "deep": ("application/json", _DEEP),
    "no-choices": ("application/json", b'{"choices": [], "candidates": [], "object": "chat.completion"}'),
    "swapped-types": (
        "application/json",
        b'{"choices": "none", "candidates": 7, "usage": [], "usageMetadata": ""}',
    ),
}
