"""What the fake puts on the wire, and the completion it is made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Delivery = Literal["whole", "cut", "drip", "stall", "nothing", "never", "short", "bad-chunk", "reset-later"]
Finish = Literal["stop", "length", "content_filter"]


@dataclass(frozen=True)
class Answer:
    """An HTTP reply. `pieces` go out one chunk each when `chunked`, else as one body with a Content-Length.

    `delay` is in seconds, before the first byte. `cut` stops in the middle, `drip` sends single bytes, `stall`
    sends all pieces but not the end, and then waits for the client to leave; `nothing` closes the connection
    without a byte, `never` waits for the client without one. `short` promises half of the bytes that it sends,
    `bad-chunk` breaks the framing of a chunked reply. `reset-later` sends all and drops the connection when the
    next request comes over it.
    """

    status: int
    pieces: tuple[bytes, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False
    delivery: Delivery = "whole"
    delay: float = 0.0


@dataclass(frozen=True)
class Completion:
    """What the pretended model said. `number` counts the provider's requests and makes ids; `created` is epoch."""

    model: str
    text: str
    finish: Finish
    prompt_tokens: int
    answer_tokens: int
    thinking_tokens: int
    number: int
    created: int

    @property
    def completion_tokens(self) -> int:
        return self.answer_tokens + self.thinking_tokens

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def parts(self, size: int = 12) -> list[str]:
        """The text in pieces of at most `size` characters, as a stream delivers it."""
        return [self.text[at : at + size] for at in range(0, len(self.text), size)]


@dataclass(frozen=True)
class Stream:
    """A streamed reply: what opens it, the text, the proper ending, and what an error in the middle looks like."""

    opening: tuple[bytes, ...]
    content: tuple[bytes, ...]
    ending: tuple[bytes, ...]
    error: tuple[bytes, ...]
    content_type: str


def json_answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, (json.dumps(body).encode(),), {"Content-Type": "application/json", **(headers or {})})
