"""What every contestant is given: the routes, the question, and the answer it must bring back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

MESSAGES = [
    {"role": "system", "content": "You are a kind and honest interviewer. Answer in one short sentence."},
    {"role": "user", "content": "How did I do? I led the move to the new system and trained the team for it."},
]
MAX_TOKENS = 50
TIMEOUT = 10.0
REPLY = "Good: you say what you did."
PLENTY = 1_000_000
"""The amount of a limit that is kept count of and never reached."""


@dataclass(frozen=True)
class Setup:
    """`routes` are base URLs, the preferred first. `folder` is a place on disk; without `redis_url` it is all.

    `per_day` is how many calls each route allows in a day, where days are counted.
    """

    routes: tuple[str, ...]
    folder: str
    redis_url: str = ""
    per_day: int = PLENTY

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Setup:
        found = json.loads(text)
        return cls(**{**found, "routes": tuple(found["routes"])})


def checked(reply: str | None) -> None:
    """Raises ValueError for anything but the answer; how long a wrong one takes is worth nothing."""
    if reply != REPLY:
        raise ValueError(f"not the answer: {reply!r}")
