"""The steps a test can plan, and what each does to a reply.

| effect | request is charged | counted as | tokens are counted |
|---|---|---|---|
| serve | yes | served | yes |
| cut | yes | neither | yes, the reply was generated |
| fail | yes | neither | no |
| refuse | no (a 429 when `charges_429`) | refused | no |
| redirect | no | neither | no |

A step is written `name` or `name:argument`. A step that would be charged is refused with the provider's own 429
when the quota is exhausted. The same steps bend chat replies, transcripts, and (but for SPOKEN) what is looked up:
lists, balances, polls, cancellations; those cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

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
    "422": Kind("refuse", "the input was found invalid", "422"),
    "500": Kind("fail", "internal error", "500"),
    "502": Kind("fail", "bad gateway", "502"),
    "503": Kind("fail", "overloaded", "503"),
    "504": Kind("fail", "gateway timeout", "504"),
    "529": Kind("fail", "the site is overloaded", "529"),
    "degraded": Kind("fail", "the model is down for long (NVIDIA: 400, others 503)", "degraded"),
    "never": Kind("cut", "reads the request, then sends nothing and waits for the client to leave"),
    "drop": Kind("fail", "reads the request, then closes without a byte"),
    "drop-mid": Kind("cut", "closes in the middle of the body"),
    "short-length": Kind("serve", "Content-Length says half of the body; the rest waits on the connection"),
    "bad-chunk": Kind("cut", "chunked, and in the middle a chunk whose size is no number"),
    "reset-later": Kind("serve", "the reply; the next request on its connection is dropped unread and uncounted"),
    "slow": Kind("serve", "slow:SECONDS before the first byte (default 5)"),
    "drip": Kind("serve", "one byte per 0.2 s"),
    "garbage": Kind("serve", "200, not JSON"),
    "html": Kind("serve", "200, a captcha page"),
    "error-in-200": Kind("serve", "200, the provider's error envelope"),
    "empty": Kind("serve", "200, no text"),
    "truncated": Kind("serve", "finish_reason length, half of the text"),
    "length-empty": Kind("serve", "finish_reason length, no text"),
    "prose": Kind("serve", "a sentence instead of the text that was asked for"),
    "nan": Kind("serve", "the text is JSON that holds NaN; nan:LITERAL for another, nan:digits for 5,000 digits"),
    "numbers": Kind("serve", "the reply, every number in it NaN; numbers:LITERAL and numbers:digits as for nan"),
    "duplicate-keys": Kind("serve", "the reply, every key of it a second time with null"),
    "deep": Kind("serve", "200, the body is 200,000 opening brackets"),
    "no-choices": Kind("serve", "200, JSON without choices or candidates"),
    "swapped-types": Kind("serve", "200, JSON whose fields have the wrong types"),
    "bom": Kind("serve", "a byte order mark before the body"),
    "many-headers": Kind("serve", "150 extra response headers"),
    "huge": Kind("serve", "100 MB of white space before the reply, as it is"),
    "gzip-bomb": Kind("serve", "300 MB of white space before the reply, sent as 300 KB of gzip"),
    "wrong-type": Kind("serve", "the right body as text/plain"),
    "filtered": Kind("serve", "stopped by the content filter (DeepSeek, Groq: 400, OpenRouter: 403; not charged)"),
    "redirect": Kind("redirect", "307 to the same path on http://localhost:PORT; redirect:STATUS for another"),
    "stream-cut": Kind("cut", "closes in the middle of an event; drop-mid when not streaming"),
    "stall": Kind("cut", "stall:N: N pieces of the text (default 2; half of it when not streaming), then silence"),
    "stream-error": Kind("cut", "an error event after half of the text; error-in-200 when not streaming"),
    "stream-no-end": Kind("serve", "all text, then no finish reason, usage or end marker; ok when not streaming"),
    "slow-prediction": Kind(
        "serve", "Replicate: N polls (default 3) until it is done, the output growing; ok elsewhere"
    ),
    "prediction-failed": Kind("serve", "Replicate: fails, after N polls when :N is given; ok elsewhere"),
    "prediction-canceled": Kind("serve", "Replicate: canceled by somebody else, :N as above; ok elsewhere"),
    "prediction-aborted": Kind(
        "serve", "Replicate: its deadline passed before it began, :N as above; ok elsewhere"
    ),
    "speech-vllm": Kind("serve", "a transcript as vLLM sends it: duration is text, words are null; ok elsewhere"),
    "foreign-urls": Kind("serve", "slow-prediction whose urls lead to http://localhost:PORT; ok elsewhere"),
}

SPOKEN = {
    "empty",
    "truncated",
    "length-empty",
    "prose",
    "nan",
    "filtered",
    "stream-error",
    "stream-no-end",
    "slow-prediction",
    "prediction-failed",
    "prediction-canceled",
    "prediction-aborted",
    "foreign-urls",
    "speech-vllm",
}
"""Steps about what a model says, which mean nothing where something is looked up."""

_REFUSE_FILTERED = {"deepseek", "groq", "openrouter"}


def split(step: str) -> tuple[str, str]:
    """Name and argument of a step; ValueError names one that does not exist."""
    name, _, argument = step.partition(":")
    if name not in STEPS:
        raise ValueError(f"no such step {step!r}; there are {', '.join(STEPS)}")
    return name, argument


def split_lookup(step: str) -> tuple[str, str]:
    """The same for what is looked up; ValueError also for a step of SPOKEN."""
    name, argument = split(step)
    if name in SPOKEN:
        raise ValueError(f"step {step!r} is about what a model says")
    return name, argument


def kind(name: str, provider: str) -> Kind:
    """What the step does at this provider."""
    if name == "filtered" and provider in _REFUSE_FILTERED:
        return replace(STEPS[name], effect="refuse", refusal="filtered")
    return STEPS[name]


def retry_after(name: str, argument: str) -> dict[str, str]:
    """The header that a plain 429 carries; nothing for other steps."""
    return {} if name != "429" or argument == "none" else {"Retry-After": argument or "2"}
