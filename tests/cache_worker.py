"""One of several processes that want the same text at the same moment.

    python -m tests.cache_worker BACKEND FOLDER UPSTREAM CALLERS LEASE_SECONDS

Says "ready", waits for a line on stdin, and then tells as JSON what each caller got: the text and whether it made
it, or the HTTP status that its own call failed with.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from core.cache import ResponseCache, Terms
from core.clock import SystemClock
from tests.caches import KEY, anything
from tests.fakes.stores import BACKENDS

SECONDS = 60.0  # longer than anything here lasts


def make(upstream: str) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    reply = requests.post(upstream, json=body, headers={"Authorization": "Bearer k"}, timeout=SECONDS)
    reply.raise_for_status()
    text: str = reply.json()["choices"][0]["message"]["content"]
    return text


def main(backend: str, folder: str, upstream: str, callers: str, lease: str) -> None:
    documents = BACKENDS[backend](Path(folder)).documents
    cache = ResponseCache(documents, SystemClock(), time.sleep, lambda: uuid.uuid4().hex)
    terms = Terms(keep=SECONDS, wait=SECONDS, lease=float(lease))
    start = threading.Barrier(int(callers) + 1)

    def call(_: int) -> tuple[str, bool] | int:
        documents.get("connected")  # each thread has a connection of its own
        start.wait(SECONDS)
        start.wait(SECONDS)
        try:
            return cache.text(KEY, terms, lambda: make(upstream), anything)
        except requests.HTTPError as error:
            return error.response.status_code

    with ThreadPoolExecutor(int(callers)) as pool:
        outcomes = pool.map(call, range(int(callers)))
        start.wait(SECONDS)
        print("ready", flush=True)
        sys.stdin.readline()
        start.wait(SECONDS)
        print(json.dumps(list(outcomes)))


if __name__ == "__main__":
    main(*sys.argv[1:])
