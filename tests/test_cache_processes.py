"""Several processes want the same text at the same moment, and one of them may die over it."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from core.stores.contract import Documents
from tests.caches import ask, fail
from tests.fakes.asking import chat_url
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import FakeUpstream

ROOT = Path(__file__).parent.parent
Worker: TypeAlias = "subprocess.Popen[str]"


@dataclass(frozen=True)
class Place:
    """A store that several processes share."""

    backend: str
    folder: Path
    documents: Documents


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    store = BACKENDS[request.param](tmp_path)  # before any worker, which would start a server of its own
    yield Place(request.param, tmp_path, store.documents)
    store.close()


@contextmanager
def worker(place: Place, fake: FakeUpstream, callers: int, lease: float = 60) -> Iterator[Worker]:
    """A process that is ready to ask."""
    command = [sys.executable, "-m", "tests.cache_worker", place.backend, str(place.folder)]
    command += [chat_url(fake), str(callers), str(lease)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def go(process: Worker) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def outcomes(process: Worker) -> list[object]:
    found: list[object] = json.loads(process.communicate(timeout=90)[0])
    return found


@pytest.mark.parametrize("plan", [(), ("503",)], ids=["all is well", "the first call fails"])
def test_fifty_callers_in_four_processes_cost_one_call(place: Place, plan: tuple[str, ...]) -> None:
    numbers = itertools.count(1)
    with FakeUpstream(latency=0.3, reply=lambda _: f"text {next(numbers)}") as fake, ExitStack() as stack:
        fake.plan(*plan)
        callers = (13, 13, 12, 12)
        workers = [stack.enter_context(worker(place, fake, number)) for number in callers]
        for each in workers:
            go(each)
        got = [outcome for each in workers for outcome in outcomes(each)]
        assert fake.counts.received == 1 + len(plan)
    assert got.count(["text 1", True]) == 1
    assert got.count(["text 1", False]) == 49 - len(plan)
    assert got.count(503) == len(plan)
    assert ask(place.documents, fail) == ("text 1", False)


def test_who_waits_on_a_killed_process_is_served_after_its_lease(place: Place) -> None:
    asked, killed = threading.Event(), threading.Event()

    def reply(_: object) -> str:
        if asked.is_set():
            return "the successor's"
        asked.set()
        assert killed.wait(30)
        return "nobody hears this"

    with (
        FakeUpstream(reply=reply) as fake,
        worker(place, fake, 6) as followers,
        worker(place, fake, 1, lease=1.5) as victim,
    ):
        go(victim)
        assert asked.wait(30)
        victim.kill()
        killed.set()
        go(followers)
        got = outcomes(followers)
        assert fake.counts.received == 2
    assert got.count(["the successor's", True]) == 1
    assert got.count(["the successor's", False]) == 5
    assert ask(place.documents, fail) == ("the successor's", False)
