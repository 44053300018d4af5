"""Four processes want the same answer at the same moment: one of all their callers asks for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import redis_server
from tests.fakes.house import House, limits, row
from tests.fakes.stores import BACKENDS
from tests.scene import Scene

ROOT = Path(__file__).parent.parent
CATALOGUE = "".join(row(name, priority, more=limits(requests_day=50)) for name, priority in (("a", 1), ("b", 2)))
CALLERS = (13, 13, 12, 12)


class Crowd:
    """Fifty callers in four processes, on one store and two providers."""

    def __init__(self, backend: str, folder: Path, stack: ExitStack) -> None:
        if backend == "redis":
            redis_server.shared_url()  # must run before the processes look for it
        scene = Scene(folder, stack)
        self.fakes = [scene.fake(name, latency=0.3) for name in "ab"]
        self.house: House = scene.house(CATALOGUE, store=BACKENDS[backend](folder / "shared"))
        at = [f"{name}={fake.base_url}" for name, fake in scene.fakes.items()]
        self._workers = []
        for callers in CALLERS:
            args = [backend, str(folder / "shared"), str(callers), CATALOGUE, *at]
            command = [sys.executable, "-m", "tests.balancer_worker", *args]
            worker = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.enter_context(worker)
            stack.callback(worker.kill)
            self._workers.append(worker)
        assert [self._hear(worker) for worker in self._workers] == ["ready\n"] * 4

    def ask(self, question: str) -> Counter[str]:
        """What the fifty got, who asked at once."""
        for worker in self._workers:
            assert worker.stdin
            worker.stdin.write(f"{question}\n")
            worker.stdin.flush()
        return Counter(outcome for worker in self._workers for outcome in json.loads(self._hear(worker)))

    def received(self) -> list[int]:
        return [fake.counts.received for fake in self.fakes]

    def saved(self) -> int:
        """How many calls the history of all processes says were not made."""
        return sum(tally.saved for hour in self.house.history.hours(0).values() for tally in hour.values())

    @staticmethod
    def _hear(worker: subprocess.Popen[str]) -> str:
        assert worker.stdout
        return worker.stdout.readline()


@pytest.fixture(scope="module", params=BACKENDS)
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    with ExitStack() as stack:
        yield Crowd(request.param, tmp_path_factory.mktemp("crowd"), stack)


def test_fifty_cold_callers_cost_one_call(crowd: Crowd) -> None:
    before, saved = crowd.received(), crowd.saved()
    assert crowd.ask("What is new?") == {"made": 1, "cached": 49}
    assert crowd.received() == [before[0] + 1, before[1]]
    assert crowd.saved() == saved + 49


def test_if_all_routes_fail_the_one_who_asks_another_takes_over(crowd: Crowd) -> None:
    """An empty reply benches nobody, so whoever is next may ask again."""
    before, saved = crowd.received(), crowd.saved()
    for fake in crowd.fakes:
        fake.plan("empty")
    assert crowd.ask("What went wrong?") == {"out": 1, "made": 1, "cached": 48}
    assert crowd.received() == [before[0] + 2, before[1] + 1]
    assert crowd.saved() == saved + 48


def test_what_was_asked_before_costs_nobody_anything(crowd: Crowd) -> None:
    crowd.ask("What stays?")
    before = crowd.received()
    assert crowd.ask("What stays?") == {"cached": 50}
    assert crowd.received() == before
