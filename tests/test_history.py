"""The history: sums that come out exactly whoever records, whatever the store and the clock do meanwhile."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from core.history import Attempt, History
from core.tally import EDGES, KINDS, Tally
from tests.fakes.asking import NOON
from tests.fakes.clock import FrozenClock
from tests.fakes.flaky import Flaky
from tests.fakes.stores import BACKENDS, Store

ROOT = Path(__file__).parent.parent
HOUR = 3_600.0
KEY, NAME = "history:2026-11-23T12", "2026-11-23T12"
GOOD = Attempt("gemini", "gemini/m", 1.5, None, first=True, tokens=700)
BAD = Attempt("groq", "groq/m", 0.25, "Busy", first=True)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(backend: str, tmp_path: Path) -> Iterator[Store]:
    opened = BACKENDS[backend](tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def documents(store: Store) -> Flaky:
    return Flaky(store.documents)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def history(documents: Flaky, clock: FrozenClock) -> History:
    return History(documents, clock)


def calls(history: History, since: float = 0.0) -> dict[str, int]:
    """By hour, all providers together."""
    return {name: total(tallies).calls for name, tallies in history.hours(since).items()}


def total(tallies: dict[str, Tally]) -> Tally:
    return sum(tallies.values(), Tally())


# Adding up

WORKER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from core.history import Attempt, History
from tests.fakes.clock import FrozenClock
from tests.fakes.stores import BACKENDS
store = BACKENDS[sys.argv[1]](Path(sys.argv[2]))
history = History(store.documents, FrozenClock(), every=0)
sys.setswitchinterval(1e-6)  # threads take turns as often as they can
def work(thread):
    for n in range(50):
        history.record(Attempt(f"p{thread % 2}", "r", 0.5, None if n % 5 else "Busy", first=n % 2 == 0, tokens=3))
        history.record_cache_hit("p0")
    store.close()  # each thread has a connection of its own
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(work, range(4)))
history.flush()
"""


def worker(backend: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, backend, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_four_processes_of_four_threads_add_up_exactly(backend: str, history: History, tmp_path: Path) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(backend, tmp_path)) for _ in range(4)]
        for each in workers:
            assert each.stdout
            assert each.stdout.readline() == "ready\n"
        for each in workers:
            assert each.stdin
            each.stdin.write("go\n")
            each.stdin.flush()
        for each in workers:
            each.communicate(timeout=60)
        assert [each.returncode for each in workers] == [0] * 4
    found = history.hours(NOON)[NAME]
    latency = tuple(320 if edge == 0.5 else 0 for edge in (*EDGES, None))
    half = Tally(400, 80, 1200, 160.0, 200, 40, 20.0, 0, {"Busy": 80}, latency)
    assert found == {"p0": replace(half, saved=800), "p1": half}


def test_the_store_is_visited_once_in_five_seconds(documents: Flaky, history: History, clock: FrozenClock) -> None:
    onlooker = History(documents, clock)
    for _ in range(100):
        history.record(GOOD)
    clock.advance(4.9)
    history.record(GOOD)
    assert (documents.writes, calls(history), calls(onlooker)) == (0, {NAME: 101}, {})
    clock.advance(0.1)
    history.record(GOOD)
    history.record(GOOD)
    assert (documents.writes, calls(history), calls(onlooker)) == (1, {NAME: 103}, {NAME: 102})
    history.flush()
    assert (documents.writes, calls(history), calls(onlooker)) == (2, {NAME: 103}, {NAME: 103})
    history.flush()
    assert documents.writes == 2


def test_nobody_waits_while_somebody_else_talks_to_the_store(documents: Flaky, clock: FrozenClock) -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(Flaky):
        def get(self, key: str) -> str | None:
            entered.set()
            assert go_on.wait(30)
            return super().get(key)

    history = History(Slow(documents), clock, every=0)
    with ThreadPoolExecutor(2) as pool:
        merging = pool.submit(history.record, GOOD)
        try:
            assert entered.wait(30)
            pool.submit(history.record, GOOD).result(30)
            pool.submit(history.pace).result(30)
        finally:
            go_on.set()
        merging.result(30)
    assert calls(history) == {NAME: 2}


def test_what_comes_while_the_hours_are_read_is_counted_once(documents: Flaky, clock: FrozenClock) -> None:
    class Crowded(Flaky):
        def keys(self) -> Iterator[str]:
            found = list(super().keys())
            reader.record(GOOD)
            return iter(found)

    reader = History(Crowded(documents), clock, every=0)
    assert calls(reader) == {NAME: 1}
    assert calls(reader) == {NAME: 2}


def test_hours_begin_on_the_hour_and_come_oldest_first(history: History, clock: FrozenClock) -> None:
    for at in (NOON + HOUR, NOON - 0.001, NOON, NOON + HOUR - 0.001, NOON + 12 * HOUR):
        clock.at = at
        history.record(GOOD)
        if at == NOON:
            history.flush()
    expected = {"2026-11-23T11": 1, NAME: 2, "2026-11-23T13": 1, "2026-11-24T00": 1}
    assert list(calls(history).items()) == list(expected.items())
    assert list(calls(history, since=NOON - 1)) == list(expected)
    assert list(calls(history, since=NOON + HOUR - 1)) == list(expected)[1:]
    assert list(calls(history, since=NOON + HOUR)) == list(expected)[2:]


@pytest.mark.parametrize("at", [-1e18, -1.0, 1e18, math.inf])
def test_a_clock_that_runs_wild_loses_nothing(at: float, history: History, clock: FrozenClock) -> None:
    history.record(GOOD)
    history.flush()
    clock.at = at
    history.record(GOOD)
    history.flush()
    clock.at = NOON
    history.record(GOOD)
    history.flush()
    found = calls(history)
    assert (found.pop(NAME), list(found.values())) == (2, [1])


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_a_time_that_makes_no_sense_spoils_no_sum(seconds: float, history: History) -> None:
    for attempt in (GOOD, BAD):
        history.record(replace(attempt, seconds=seconds))
        history.record(attempt)
        history.flush()
    found = history.hours(NOON)[NAME]
    assert (found["gemini"].calls, found["gemini"].seconds) == (2, 1.5)
    assert (found["groq"].calls, found["groq"].wasted_seconds) == (2, 0.25)


# What it says


def test_waste_is_what_failed_first_choices_cost(history: History) -> None:
    for attempt in (BAD, BAD, GOOD, replace(GOOD, first=False), replace(BAD, provider="gemini")):
        history.record(attempt)
    for attempt in (replace(BAD, provider="spare", first=False), replace(GOOD, provider="spare", first=False)):
        history.record(attempt)
    found = history.hours(NOON)[NAME]
    assert {p: (t.wasted_calls, t.wasted_seconds, t.waste) for p, t in found.items()} == {
        "groq": (2, 0.5, 1.0),  # 100 %, though others then saved the request
        "gemini": (1, 0.25, 0.5),
        "spare": (0, 0.0, None),
    }
    assert total(found).waste == 3 / 4
    assert (total(found).calls, total(found).failed, total(found).failures) == (7, 4, {"Busy": 4})
    assert (total(found).seconds, total(found).tokens) == (4.5, 2100)


def test_a_cache_hit_is_no_call(history: History) -> None:
    history.record(GOOD)
    counted = history.hours(NOON)[NAME]["gemini"]
    history.record_cache_hit("gemini")
    assert history.hours(NOON)[NAME] == {"gemini": replace(counted, saved=1)}


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ("Down", "Down"),
        ("X" * 30, "X" * 30),
        ("X" * 31, "Other"),
        ("", "Other"),
        ("Busy\n", "Other"),
        ("I led the team", "Other"),
        ("429", "Other"),
        ("过去三年我负责支付系统", "Other"),
    ],
)
def test_no_prose_gets_in(failure: str, kind: str, history: History, store: Store) -> None:
    history.record(replace(BAD, failure=failure))
    history.flush()
    assert history.hours(NOON)[NAME]["groq"].failures == {kind: 1}
    assert kind == failure or not failure or failure not in (store.documents.get(KEY) or "")


def test_a_flood_of_words_fills_no_document(history: History) -> None:
    for n in range(100):
        history.record(replace(BAD, failure=f"X{chr(65 + n // 26)}{chr(65 + n % 26)}"))
        if n % 30 == 0:
            history.flush()
    found = history.hours(NOON)[NAME]["groq"]
    assert (found.failed, sum(found.failures.values()), len(found.failures)) == (100, 100, KINDS + 1)


# Pace


def timed(history: History, *seconds: float) -> float:
    """The pace after good calls that took so long."""
    for each in seconds:
        history.record(replace(GOOD, seconds=each))
    return history.pace()[GOOD.route]


def test_pace_follows_the_last_ten_calls_or_so(history: History) -> None:
    assert history.pace() == {}
    assert timed(history, 2.0) == 2.0
    assert timed(history, 12.0) == 4.0
    assert timed(history, *[12.0] * 10) > 11.0
    assert timed(history, *[1.0] * 10) == pytest.approx(2.0, abs=0.2)


def test_a_route_that_fails_quickly_is_never_faster_than_one_that_answers(history: History) -> None:
    for _ in range(20):
        history.record(BAD)
        history.record(replace(BAD, route="groq/n", seconds=40.0))
        history.record(replace(GOOD, seconds=29.9))
        assert history.pace() == pytest.approx({"groq/m": 30.0, "groq/n": 40.0, "gemini/m": 29.9})


def test_a_route_left_alone_for_ten_minutes_begins_anew(history: History, clock: FrozenClock) -> None:
    history.record(BAD)
    clock.advance(599)
    assert timed(history, 1.0) == 1.0
    assert history.pace() == {"groq/m": 30.0, "gemini/m": 1.0}
    clock.advance(1)
    assert history.pace() == {"gemini/m": 1.0}
    history.record(replace(GOOD, route=BAD.route, seconds=2.0))
    assert history.pace() == {"groq/m": 2.0, "gemini/m": 1.0}
    clock.at -= HOUR
    assert len(history.pace()) == 2
