"""One of several processes that ask the same questions at the same moments.

    python -m tests.balancer_worker BACKEND SHARED_FOLDER CALLERS CATALOGUE NAME=BASE_URL...

Says "ready". Then, for each line on stdin, all its callers ask that question at once, and it tells as JSON what
each of them got: "cached", "made" or "out".
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

from core.balancer import AllRoutesOut
from providers.contracts import Message
from tests.fakes.house import REQUEST, TASK, House
from tests.fakes.stores import BACKENDS
from tests.scene import Scene

SECONDS = 60.0  # longer than anything here lasts
KEPT = replace(TASK, keep=SECONDS, deadline=SECONDS)


def ask(house: House, question: str, start: Barrier) -> str:
    request = replace(REQUEST, messages=(Message("user", question),))
    house.store.documents.get("connected")  # each thread has a connection of its own
    start.wait(SECONDS)
    try:
        return "cached" if house.ask(task=KEPT, request=request).cached else "made"
    except AllRoutesOut:
        return "out"
    finally:
        house.store.close()


def main(backend: str, shared: str, callers: str, catalogue: str, *at: str) -> None:
    count = int(callers)
    with TemporaryDirectory() as own, ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        store = BACKENDS[backend](Path(shared))
        addresses = dict(each.split("=", 1) for each in at)
        house = Scene(Path(own), stack).house(catalogue, addresses, store=store)
        print("ready", flush=True)
        for question in sys.stdin:
            start = Barrier(count)
            outcomes = list(pool.map(ask, [house] * count, [question] * count, [start] * count))
            house.history.flush()
            print(json.dumps(outcomes), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
