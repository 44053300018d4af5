"""One of several processes that want the same answer at the same moment.

    python -m tests.balancer_worker BACKEND SHARED_FOLDER CALLERS CATALOGUE NAME=BASE_URL...

Says "ready", waits for a line on stdin, and then tells as JSON what each caller got, "cached", "made" or "out".
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from core.balancer import AllRoutesOut
from core.policy import Task
from tests.fakes.house import TASK, House
from tests.fakes.stores import BACKENDS
from tests.scene import Scene

KEPT: Task = replace(TASK, keep=60.0, deadline=60.0)
SECONDS = 60.0  # longer than anything here lasts


def ask(house: House, start: threading.Barrier) -> str:
    house.store.documents.get("connected")  # each thread has a connection of its own
    start.wait(SECONDS)
    start.wait(SECONDS)
    try:
        return "cached" if house.ask(task=KEPT).cached else "made"
    except AllRoutesOut:
        return "out"
    finally:
        house.store.close()


def main(backend: str, shared: str, callers: str, catalogue: str, *at: str) -> None:
    start = threading.Barrier(int(callers) + 1)
    with TemporaryDirectory() as own, ExitStack() as stack:
        store = BACKENDS[backend](Path(shared))
        addresses = dict(each.split("=", 1) for each in at)
        house = Scene(Path(own), stack).house(catalogue, addresses, store=store)
        with ThreadPoolExecutor(int(callers)) as pool:
            outcomes = pool.map(lambda _: ask(house, start), range(int(callers)))
            start.wait(SECONDS)
            print("ready", flush=True)
            sys.stdin.readline()
            start.wait(SECONDS)
            print(json.dumps(list(outcomes)))
        house.history.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
