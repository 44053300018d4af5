"""The plain code that the balancer is held against: `python -m benchmarks.plain KIND SETUP`."""

from __future__ import annotations

import time

import requests

from benchmarks.task import MAX_TOKENS, MESSAGES, TIMEOUT, Setup, checked
from benchmarks.workers import Operation, main

COOLDOWN = 30.0


def bare(setup: Setup) -> Operation:
    """One session and the first route: the least that a call can cost."""
    session = requests.Session()
    return lambda: checked(_post(session, setup.routes[0]))


def loop(setup: Setup) -> Operation:
    """What many would write: try them in order, and leave one that failed alone for a while."""
    session = requests.Session()
    benched: dict[str, float] = {}

    def ask() -> None:
        for route in setup.routes:
            if benched.get(route, 0.0) > time.monotonic():
                continue
            try:
                return checked(_post(session, route))
            except requests.RequestException:
                benched[route] = time.monotonic() + COOLDOWN
        raise RuntimeError("every route is out")

    return ask


def _post(session: requests.Session, base_url: str) -> str:
    body = {"model": "m", "messages": MESSAGES, "max_tokens": MAX_TOKENS}
    headers = {"Authorization": "Bearer key"}
    reply = session.post(f"{base_url}/chat/completions", json=body, headers=headers, timeout=TIMEOUT)
    reply.raise_for_status()
    text: str = reply.json()["choices"][0]["message"]["content"]
    return text


if __name__ == "__main__":
    main({"bare": bare, "loop": loop})
