"""Many processes on one ledger, and one that is killed. On every store."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.stores.contract import Level
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, Store, daily, levels, settle, sliding
from tests.redis_server import shared_url

ROOT = Path(__file__).parent.parent
CHILD = """
import os, signal, sys
from pathlib import Path
from core.stores.contract import StoreError
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, daily, reserve, sliding
name, folder, job = sys.argv[1:]

def race(store, key, tries):
    claims = [daily(50, key=key), sliding(1000, key=f"{key}|minute")]
    admitted = failed = 0
    for n in range(tries):
        try:
            admitted += reserve(store.ledger, f"{os.getpid()}-{n}", claims, NOON, 180) is None
        except StoreError:
            failed += 1
    print(admitted, failed, flush=True)

store = BACKENDS[name](Path(folder))
if job == "die":
    reserve(store.ledger, "orphan", [daily(5), sliding(5)], NOON, 180)
    print("reserved", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
if job == "race":
    race(store, "first", 50)
if job == "rounds":
    print("ready", flush=True)
    for key in sys.stdin:
        race(store, key.strip(), 25)
store.close()
"""


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    if request.param == "redis":
        shared_url()  # so that no child starts a server of its own
    return BACKENDS[request.param]


def child(backend: Callable[[Path], Store], folder: Path, job: str) -> subprocess.Popen[str]:
    name = next(name for name, opener in BACKENDS.items() if opener is backend)
    command = [sys.executable, "-c", CHILD, name, str(folder), job]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline()


def judge(results: list[str], store: Store, key: str) -> None:
    """All of them together were given 50, without any trouble."""
    numbers = [tuple(map(int, result.split())) for result in results]
    assert (sum(admitted for admitted, _ in numbers), sum(failed for _, failed in numbers)) == (50, 0)
    claims = [daily(50, key=key), sliding(1000, key=f"{key}|minute")]
    assert [level.held for level in levels(store.ledger, claims, NOON)] == [50, 50]


def test_four_processes_that_create_the_ledger_at_once_admit_exactly_the_limit(
    backend: Callable[[Path], Store], tmp_path: Path
) -> None:
    racers = [child(backend, tmp_path, "race") for _ in range(4)]
    results = [racer.communicate(timeout=60)[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 4
    store = backend(tmp_path)
    judge(results, store, "first")
    store.close()


def test_eight_processes_admit_exactly_the_limit(backend: Callable[[Path], Store], tmp_path: Path) -> None:
    store = backend(tmp_path)
    with ExitStack() as stack:
        racers = []
        for _ in range(8):  # one after the other: eight starts at once can starve a small machine
            racers.append(stack.enter_context(child(backend, tmp_path, "rounds")))
            assert line(racers[-1]) == "ready\n"
        for key in ("one", "two", "three"):
            for racer in racers:
                assert racer.stdin
                racer.stdin.write(f"{key}\n")
                racer.stdin.flush()
            judge([line(racer) for racer in racers], store, key)
    store.close()


def test_a_killed_processs_hold_stays_charged_for_the_day(
    backend: Callable[[Path], Store], tmp_path: Path
) -> None:
    victim = child(backend, tmp_path, "die")
    assert victim.communicate(timeout=60)[0] == "reserved\n"
    assert victim.returncode == -signal.SIGKILL
    store = backend(tmp_path)
    claims = [daily(5), sliding(5)]
    for seconds in (0, 59, 64.9):
        assert [level.held for level in levels(store.ledger, claims, NOON + seconds)] == [1, 1]
    assert [level.held for level in levels(store.ledger, claims, NOON + 65)] == [1, 0]
    assert levels(store.ledger, claims, NOON + 180) == [Level(1, 0), Level(0, 0)]
    assert settle(store.ledger, "orphan", {"p|requests|day": 0}, NOON + 180, claims) is False
    assert levels(store.ledger, claims, NOON + 180) == [Level(1, 0), Level(0, 0)]
    store.close()


def test_another_process_can_settle_what_a_killed_one_held(
    backend: Callable[[Path], Store], tmp_path: Path
) -> None:
    child(backend, tmp_path, "die").communicate(timeout=60)
    store = backend(tmp_path)
    claims = [daily(5), sliding(5)]
    assert settle(store.ledger, "orphan", {"p|requests|day": 0}, NOON + 50, claims) is True
    assert settle(store.ledger, "orphan", {"p|requests|day": 3}, NOON + 50, claims) is False
    assert levels(store.ledger, claims, NOON + 50) == [Level(0, 0), Level(1, 0, NOON + 65)]
    store.close()
