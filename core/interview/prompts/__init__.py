"""Every text sent to a model, versioned. What people wrote travels as JSON data inside a random fence."""

from __future__ import annotations

import json
from collections.abc import Mapping

from providers.contracts import Message

VERSION = "2026-11-24"


def fenced(data: Mapping[str, object], nonce: str, last: str = "") -> Message:
    """`data` as a user message of its own, between two lines that nobody can guess. `last` comes after it."""
    fence = f"===== data {nonce} ====="
    told = json.dumps(data, ensure_ascii=False)
    return Message("user", f"{fence}\n{told}\n{fence}\n{last} Reply with the JSON object only.")
