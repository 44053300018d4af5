"""Processes that call one fake through balancers of their own, on one ledger and at the same moment.

    python -m tests.racer

Reads one Race a line, as JSON. Its processes are forked from this one, which has imported everything already. Says
their ids once all of them are about to make their first call, and then how each ended: how many of its calls came
to which end, or nothing for one that was killed.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from core.balancer import AllRoutesOut, Wanted
from core.quotas import HOLD_SECONDS
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import REQUEST, TASK, House, build_house
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import FakeUpstream
from tests.redis_server import SHARED

SECONDS = 60.0  # longer than anything here lasts
SPENT, SERVED, LEFT = "requests per day used up", "served", "left"
LEAVES_EVERY = 3  # one stream in so many is left after its first piece


@dataclass(frozen=True)
class Race:
    """`calls` of each process, shared by its `threads`; every other one streams. It was `at` when the clock that
    all processes share, the machine's monotonic one, said `began`."""

    backend: str
    folder: str
    url: str
    catalogue: str
    redis: str
    at: float
    began: float
    processes: int
    threads: int
    calls: int


class RunningClock(FrozenCalendar):
    """The same in every process."""

    def __init__(self, at: float, began: float) -> None:
        super().__init__(at)
        self._began = began

    def now(self) -> float:
        return self.at + time.monotonic() - self._began

    __call__ = now


class Elsewhere(FakeUpstream):
    """One that runs in another process."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    @property
    def base_url(self) -> str:
        return self._base_url


def open_house(race: Race, name: str) -> House:
    """One of several on the same ledger."""
    shared, own = Path(race.folder), Path(race.folder, name)
    own.mkdir()
    store = BACKENDS[race.backend](shared)
    clock = RunningClock(race.at, race.began)
    return build_house(own, race.catalogue, clock, {"p": Elsewhere(race.url)}, {"store": store})


def ask(house: House, number: int) -> str | None:
    """How the call ended; None if it may go better in a moment. Odd ones stream."""
    wanted = Wanted(TASK, REQUEST, str)
    try:
        if not number % 2:
            house.balancer.complete(wanted)
            return SERVED
        pieces = house.balancer.stream(wanted, lambda: None)
        next(pieces)
        if number // 2 % LEAVES_EVERY == 0:
            pieces.close()
            return LEFT
        for _ in pieces:
            pass
        return SERVED
    except AllRoutesOut as out:
        is_soon = out.soonest is None or out.soonest < house.clock.now() + 2 * HOLD_SECONDS
        return None if is_soon else out.skipped[0].reason


def ask_till_told(house: House, number: int) -> str:
    """How it ended at last."""
    give_up = time.monotonic() + SECONDS
    while time.monotonic() < give_up:
        if ended := ask(house, number):
            return ended
        time.sleep(random.uniform(0.001, 0.01))
    return "gave up"


def work(race: Race, name: str, start: Callable[[], None]) -> Mapping[str, int]:
    house = open_house(race, name)
    lined_up = threading.Barrier(race.threads, action=start)
    parent = os.getppid()

    def run(thread: int) -> Counter[str]:
        house.balancer.view()  # each thread has a connection of its own
        lined_up.wait(SECONDS)
        numbers = takewhile(lambda _: os.getppid() == parent, range(thread, race.calls, race.threads))
        return Counter(ask_till_told(house, number) for number in numbers)

    with ThreadPoolExecutor(race.threads) as pool:
        return sum(pool.map(run, range(race.threads)), Counter())


def fork(race: Race, name: str, gate: tuple[int, int], ready: int) -> tuple[int, int]:
    """The id of a new process, and where to read how it ended. It waits until the `gate` is closed."""
    out, own = os.pipe()
    pid = os.fork()
    if pid:
        os.close(own)
        return pid, out
    try:
        os.close(gate[1])

        def start() -> None:
            os.write(ready, b".")
            os.read(gate[0], 1)

        os.write(own, json.dumps(work(race, name, start)).encode())
    except BaseException:  # noqa: BLE001 - a child must not go on as a second parent
        traceback.print_exc()
    finally:
        os._exit(0)


def run(race: Race, number: int) -> None:
    os.environ[SHARED] = race.redis
    gate, (is_ready, ready) = os.pipe(), os.pipe()
    children = [fork(race, f"{number}-{n}", gate, ready) for n in range(race.processes)]
    os.close(ready)
    for _ in children:
        os.read(is_ready, 1)
    os.close(gate[1])
    print(json.dumps([pid for pid, _ in children]), flush=True)
    ended = []
    for pid, out in children:
        with os.fdopen(out) as told:
            ended.append(json.loads(told.read() or "null"))
        os.waitpid(pid, 0)
    os.close(gate[0])
    os.close(is_ready)
    print(json.dumps(ended), flush=True)


if __name__ == "__main__":
    for number, line in enumerate(sys.stdin):
        run(Race(**json.loads(line)), number)
