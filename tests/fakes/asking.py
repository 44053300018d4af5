"""A plain client for trying out a fake: the shortest request that its provider would answer."""

from __future__ import annotations

from typing import Any

import requests

from tests.fakes.upstream import FakeUpstream

NOON = 1_795_435_200.0
"""2026-11-23 12:00 UTC, in seconds since the epoch."""


class HandClock:
    """A clock that a test moves by hand; `at` is in seconds since the epoch."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def chat_url(fake: FakeUpstream, verb: str = "generateContent") -> str:
    if fake.provider == "gemini":
        return f"{fake.base_url}/v1beta/models/gemini-3.5-flash-lite:{verb}"
    account = f"/accounts/{'a' * 32}/ai/v1" if fake.provider == "cloudflare" else ""
    return f"{fake.base_url}{account}/chat/completions"


def chat_body(fake: FakeUpstream, **more: Any) -> dict[str, Any]:
    if fake.provider == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], **more}
    return {"model": "m", "messages": [{"role": "user", "content": "Hello"}], **more}


def ask(fake: FakeUpstream, session: requests.Session, key: str = "k", **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}", "x-goog-api-key": key}
    if fake.provider == "gemini":
        headers.pop("Authorization")
    return session.post(
        chat_url(fake), json=chat_body(fake, **more), headers=headers, timeout=10, allow_redirects=False
    )
