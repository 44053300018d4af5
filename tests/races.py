"""Starting the processes of tests.racer, and the fake that they all call."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests import redis_server
from tests.fakes.asking import NOON
from tests.fakes.upstream import Exchange, FakeUpstream
from tests.racer import Race

ROOT = Path(__file__).parent.parent

Ends = list[Mapping[str, int] | None]


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


@dataclass
class Run:
    """`ends` are known when it is over: what came of each process' calls, None for one that was killed."""

    pids: list[int]
    ends: Ends = field(default_factory=list)

    def kill(self) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Racers:
    """Whence the processes come."""

    def __init__(self, parent: subprocess.Popen[str]) -> None:
        self._parent = parent

    @contextmanager
    def under_way(self, race: Race) -> Iterator[Run]:
        """While its processes make their calls. Waits for their end, or brings it about if anything fails."""
        assert self._parent.stdin
        self._parent.stdin.write(json.dumps(asdict(race)) + "\n")
        self._parent.stdin.flush()
        run = Run(self._told())
        try:
            yield run
        except BaseException:
            run.kill()
            raise
        finally:
            run.ends = self._told()

    def run(self, race: Race) -> Ends:
        with self.under_way(race) as run:
            pass
        return run.ends

    def _told(self) -> Any:
        assert self._parent.stdout
        return json.loads(self._parent.stdout.readline())


@contextmanager
def racers() -> Iterator[Racers]:
    command = [sys.executable, "-m", "tests.racer"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        try:
            yield Racers(parent)
        finally:
            parent.kill()


def race(backend: str, folder: Path, fake: FakeUpstream, catalogue: str, crew: Crew) -> Race:
    """Skips the test if it takes Redis and there is none."""
    url = redis_server.shared_url() if backend == "redis" else os.environ.get(redis_server.SHARED, "")
    return Race(backend, str(folder), fake.base_url, catalogue, url, NOON, time.monotonic(), **asdict(crew))
