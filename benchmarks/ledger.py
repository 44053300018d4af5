"""What one reservation with its settlement costs, on disk and on Redis, beside the cheapest write there is.

    python -m benchmarks.ledger            # some two minutes
    python -m benchmarks.ledger --quick    # a look whether it runs

Six providers with four limits each, every call on one of them; the clock moves so that each provider gets 15 calls
a minute, which is what free tiers allow. Contestants take turns round by round, in processes that live as long as
the run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.redis_server import running
from benchmarks.timing import Run, Sample, alternate, milliseconds, ratio, table, timed, verdict
from core.quotas import Cost, QuotaManager
from core.stores.disk import DiskLedger, open_cache
from core.stores.redis import RedisLedger, open_client
from providers.contracts import Limit, Route

PROVIDERS, PER_MINUTE = 6, 15
PAUSE = 0.01  # seconds between calls where processes share a ledger
COST, REAL = Cost(1, 1_200, 0.0), Cost(1, 800, 0.0)
PROCESSES = (1, 4, 8)
HEAD = ("contestant", "processes", "median ms", "p99 ms", "worst ms", "ratio", "")
Operation = Callable[[], object]


class StepClock:
    """Moves with every call and not in between."""

    def __init__(self) -> None:
        self._now = time.time()

    def now(self) -> float:
        self._now += 60 / PROVIDERS / PER_MINUTE / 2  # it is asked twice a call
        return self._now

    def monotonic(self) -> float:
        return self._now


def _routes() -> list[Route]:
    windows = (("requests", 10**9, "minute"), ("tokens", 10**12, "minute"), ("requests", 10**9, "day"))
    routes = []
    for name in (f"provider{n}" for n in range(PROVIDERS)):
        limits = tuple(Limit(name, unit, amount, window) for unit, amount, window in windows)  # type: ignore[arg-type]
        routes.append(Route(name, "m", "small", name, (*limits, Limit(name, "tokens", 10**12, "day")), 10))
    return routes


def _pair(quota: QuotaManager) -> Operation:
    routes, turn = _routes(), 0

    def reserve_and_settle() -> None:
        nonlocal turn
        turn += 1
        decision = quota.reserve(routes[turn % PROVIDERS], COST)
        assert decision.reservation is not None
        assert quota.settle(decision.reservation, REAL, good=True)

    return reserve_and_settle


def _upsert(folder: str) -> Operation:
    connection = sqlite3.connect(Path(folder, "raw.db"), isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, used REAL)")
    statement = "INSERT INTO counters VALUES ('k', 1) ON CONFLICT (key) DO UPDATE SET used = used + 1"
    return lambda: connection.execute(statement)


def _disk(folder: str) -> Operation:
    return _pair(QuotaManager(DiskLedger(open_cache(Path(folder, "ledger"))), StepClock()))


def _incr(url: str) -> Operation:
    client = open_client(url)
    return lambda: client.incr("benchmark")


def _redis(url: str) -> Operation:
    return _pair(QuotaManager(RedisLedger(open_client(url)), StepClock()))


OPERATIONS: dict[str, Callable[[str], Operation]] = {
    "raw SQLite upsert": _upsert,
    "reserve + settle, disk": _disk,
    "bare Redis INCR": _incr,
    "reserve + settle, Redis": _redis,
}


def _work(name: str, place: str, pipe: Connection) -> None:
    """One worker process: for every (calls, pause) that comes, the seconds of each call go back."""
    operation = OPERATIONS[name](place)
    operation()
    pipe.send([])
    while order := pipe.recv():
        calls, pause = order
        seconds = []
        for _ in range(calls):
            seconds += timed(operation, 1)
            time.sleep(pause)
        pipe.send(seconds)


@dataclass(frozen=True)
class Team:
    """Processes that do the same operation at the same time."""

    pipes: Sequence[Connection]
    pause: float

    def run(self, calls: int) -> list[float]:
        for pipe in self.pipes:
            pipe.send((calls // len(self.pipes), self.pause))
        return [second for pipe in self.pipes for second in pipe.recv()]


@contextmanager
def team(name: str, place: str, size: int, pause: float) -> Iterator[Run]:
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pipes = []
        for _ in range(size):
            here, there = context.Pipe()
            worker = context.Process(target=_work, args=(name, place, there))
            worker.start()
            stack.callback(worker.join)
            stack.callback(here.send, None)
            assert here.recv() == []
            pipes.append(here)
        yield Team(pipes, pause).run


def compare(base: str, ours: str, place: str, size: int, plan: tuple[int, int, float]) -> tuple[Sample, Sample]:
    rounds, calls, pause = plan
    with team(base, place, size, pause) as cheapest, team(ours, place, size, pause) as contestant:
        found = alternate({base: cheapest, ours: contestant}, rounds, calls)
    return found[base], found[ours]


def rows_of(base: str, ours: str, place: str, plan: tuple[int, int]) -> Iterator[list[str]]:
    rounds, calls = plan
    for size in PROCESSES:
        pause = 0.0 if size == 1 else PAUSE
        cheap, pair = compare(base, ours, place, size, (rounds, calls, pause))
        yield _row(base, size, cheap, "")
        yield [*_row(ours, size, pair, f"{ratio(pair, cheap):.1f}"), *_targets(base, size, cheap, pair)]


def _row(name: str, size: int, sample: Sample, against: str) -> list[str]:
    return [name, str(size), *map(milliseconds, (sample.median, sample.p99, sample.worst)), against]


def _targets(base: str, size: int, cheap: Sample, pair: Sample) -> list[str]:
    if "Redis" in base:
        return [verdict(ratio(pair, cheap) / 2, 2.5, "x an INCR for each of the two operations")]
    if size == 1:
        return [verdict(ratio(pair, cheap), 10, "x")]
    if size == max(PROCESSES):
        worst = verdict(pair.worst * 1e3, 300, " ms worst")
        return [f"{verdict(pair.p99 / cheap.p99, 5, 'x p99')}; {worst}"]
    return [""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two short rounds, to see that it runs")
    plan = (2, 40) if parser.parse_args().quick else (10, 400)
    with tempfile.TemporaryDirectory() as folder, running() as url:
        rows = [*rows_of("raw SQLite upsert", "reserve + settle, disk", folder, plan)]
        if url is None:
            print("There is no redis-server on this machine, so Redis is left out.")
        else:
            rows += rows_of("bare Redis INCR", "reserve + settle, Redis", url, plan)
    print(table(HEAD, [[*row, ""][: len(HEAD)] for row in rows]))


if __name__ == "__main__":
    main()
