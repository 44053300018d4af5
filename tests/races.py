"""Starting the processes of tests.racer, and the fake that they all call."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests import redis_server
from tests.fakes.asking import NOON
from tests.fakes.upstream import Exchange, FakeUpstream
from tests.racer import Race

ROOT = Path(__file__).parent.parent
Endings = list[Mapping[str, int] | None]


@dataclass(frozen=True)
class Crew:
    """How many call how often: `calls` of each process, shared by its threads."""

    processes: int
    threads: int
    calls: int


class Desk:
    """What a fake's replies have in common: each takes a random time, and `most` were under way at once."""

    def __init__(self, longest: float) -> None:
        """`longest` in seconds."""
        self.most = 0
        self._longest = longest
        self._now = 0
        self._idle = threading.Condition()
        self._rng = random.Random(11)

    def reply(self, exchange: Exchange) -> str:
        with self._idle:
            self._now += 1
            self.most = max(self.most, self._now)
            seconds = self._rng.uniform(0, self._longest)
        time.sleep(seconds)
        with self._idle:
            self._now -= 1
            self._idle.notify_all()
        return "That was a clear answer, thank you."

    def wait_till_idle(self) -> None:
        with self._idle:
            assert self._idle.wait_for(lambda: not self._now, timeout=30)


class Racers:
    """Processes that call; use it in a `with`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, race: Race) -> list[int]:
        """The ids of the processes, which are about to make their first calls."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asdict(race)) + "\n")
        self._process.stdin.flush()
        return list(map(int, self._told()))

    def finish(self) -> Endings:
        """What came of their calls, when all have ended; None for one that was killed."""
        return self._told()

    def _told(self) -> Endings:
        assert self._process.stdout
        found: Endings = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def racers() -> Iterator[Racers]:
    command = [sys.executable, "-m", "tests.racer"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Racers(process)
        finally:
            process.kill()


def race(backend: str, folder: Path, fake: FakeUpstream, catalogue: str, crew: Crew) -> Race:
    """Skips the test if it takes Redis and there is none."""
    url = redis_server.shared_url() if backend == "redis" else os.environ.get(redis_server.SHARED, "")
    return Race(backend, str(folder), fake.base_url, catalogue, url, NOON, time.monotonic(), **asdict(crew))
