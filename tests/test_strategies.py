"""Strategies and shares through the balancer: where the calls really go, as the fakes count them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from core.balancer import EXPLORED, AllRoutesOut
from core.policy import Task
from tests.fakes.clock import FrozenClock
from tests.fakes.exchange import Exchange
from tests.fakes.house import TASK, House, limits, row
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import FakeUpstream
from tests.scene import Scene, drain

NAMES = ("alpha", "beta", "gamma")
SCRIPT = replace(TASK, name="text", leaves=0.2)
FIFTY = row("alpha", 1, more=limits(requests_day=50))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def provider(house: House, task: Task = TASK) -> str:
    return house.ask(task=task).route.partition("/")[0]


def crowd(house: House, tasks: list[Task], each: int) -> dict[str, int]:
    """How many calls of each task were answered, when so many threads as there are tasks all asked at once."""

    def ask(task: Task) -> tuple[str, int]:
        answered = 0
        for _ in range(each):
            try:
                answered += bool(house.ask(task=task).value)
            except AllRoutesOut:
                continue
        house.store.close()
        return task.name, answered

    total: dict[str, int] = {}
    with ThreadPoolExecutor(len(tasks)) as pool:
        for name, answered in pool.map(ask, tasks):
            total[name] = total.get(name, 0) + answered
    return total


# Spread


def test_spread_drains_limits_of_different_sizes_evenly_and_to_the_last_call(scene: Scene) -> None:
    sizes = dict(zip(NAMES, (10, 20, 30), strict=True))
    fakes = [scene.fake(name, per_day=size) for name, size in sizes.items()]
    rows = [row(name, 1, more=limits(requests_day=size)) for name, size in sizes.items()]
    house = scene.house("".join(rows), strategy="spread")
    for asked in range(6, 61, 6):
        assert drain(house.balancer, most=6) == 6
        assert [fake.counts.received for fake in fakes] == [asked // 6, asked // 3, asked // 2]
    assert drain(house.balancer) == 0
    assert [fake.counts.refused for fake in fakes] == [0, 0, 0]


def test_spread_keeps_off_a_minute_that_runs_full(scene: Scene) -> None:
    sizes = dict(zip(NAMES, (3, 6, 6), strict=True))
    fakes = [scene.fake(name, per_minute=size) for name, size in sizes.items()]
    rows = [row(name, 1, more=limits(requests_day=1000, requests_minute=size)) for name, size in sizes.items()]
    house = scene.house("".join(rows), strategy="spread")
    assert drain(house.balancer, most=10) == 10
    assert [fake.counts.received for fake in fakes] == [2, 4, 4]


def test_priority_empties_the_first_before_the_second(scene: Scene) -> None:
    fakes = [scene.fake(name, per_day=5) for name in NAMES]
    rows = [row(name, number, more=limits(requests_day=5)) for number, name in enumerate(NAMES)]
    house = scene.house("".join(rows))
    assert drain(house.balancer, most=7) == 7
    assert [fake.counts.received for fake in fakes] == [5, 2, 0]


def test_spread_under_eight_threads_loses_and_oversteps_nothing(scene: Scene) -> None:
    fakes = [scene.fake(name, per_day=20) for name in NAMES]
    rows = [row(name, 1, more=limits(requests_day=20)) for name in NAMES]
    house = scene.house("".join(rows), strategy="spread")
    assert crowd(house, [TASK] * 8, 10) == {"turn": 60}
    assert [(fake.counts.charged, fake.counts.refused) for fake in fakes] == [(20, 0)] * 3


# Fastest


class Dice(random.Random):
    """Explores on the throws with these numbers, and then always the first route."""

    def __init__(self, *explores: int) -> None:
        super().__init__(0)
        self._explores = explores
        self._thrown = 0

    def random(self) -> float:
        self._thrown += 1
        return EXPLORED - 1e-9 if self._thrown in self._explores else EXPLORED

    def choice(self, seq: Any) -> Any:
        return seq[0]


@dataclass(frozen=True)
class Race:
    """A balancer on `slow` (first in the operator's order, two seconds a call) and `quick` (half a second), on a
    clock that else stands still. `seconds` may be changed."""

    house: House
    fakes: Mapping[str, FakeUpstream]
    seconds: dict[str, float]

    def ask(self, calls: int) -> list[str]:
        return [provider(self.house) for _ in range(calls)]


@pytest.fixture
def race(tmp_path: Path) -> Iterator[Callable[[random.Random], Race]]:
    clock = FrozenClock()
    seconds = {"slow": 2.0, "quick": 0.5}

    def taking(name: str) -> Callable[[Exchange], str]:
        def reply(_: Exchange) -> str:
            clock.advance(seconds[name])
            return "fine"

        return reply

    with ExitStack() as stack:
        scene = Scene(tmp_path, stack, clock)
        for name in seconds:
            scene.fake(name, reply=taking(name))
        catalogue = row("slow", 1) + row("quick", 2)
        yield lambda rng: Race(scene.house(catalogue, strategy="fastest", rng=rng), scene.fakes, seconds)


def test_fastest_tries_everyone_and_then_stays_with_the_quicker(race: Callable[[random.Random], Race]) -> None:
    assert race(Dice()).ask(12) == ["slow"] + ["quick"] * 11


def test_exploring_gives_a_route_that_got_faster_its_chance(race: Callable[[random.Random], Race]) -> None:
    running = race(Dice(*range(4, 11)))
    running.ask(3)
    running.seconds["slow"] = 0.1
    assert running.ask(7) == ["slow"] * 7, "explored"
    assert running.ask(5) == ["slow"] * 5, "and then preferred"


def test_without_exploring_nobody_hears_that_it_got_faster(race: Callable[[random.Random], Race]) -> None:
    running = race(Dice())
    running.ask(3)
    running.seconds["slow"] = 0.1
    assert running.ask(12) == ["quick"] * 12


def test_fastest_leaves_a_route_that_failed_alone_when_it_is_back(race: Callable[[random.Random], Race]) -> None:
    running = race(Dice())
    running.fakes["quick"].plan("ok", "500")
    assert running.ask(3) == ["slow", "quick", "slow"]
    running.house.clock.advance(31)
    assert running.ask(1) == ["slow"], "a failure counts as half a minute, however quick it was"


def test_what_was_not_called_for_ten_minutes_is_tried_again(race: Callable[[random.Random], Race]) -> None:
    running = race(Dice())
    running.ask(3)
    running.house.clock.advance(601)
    assert running.ask(2) == ["slow", "quick"]


def test_about_one_call_in_twenty_explores(race: Callable[[random.Random], Race]) -> None:
    """Half of those that explore choose the quicker one again."""
    running = race(random.Random(7))
    running.ask(200)
    assert 2 <= running.fakes["slow"].counts.received <= 12


# What is kept for others


@pytest.fixture(params=BACKENDS)
def fifty(request: pytest.FixtureRequest, scene: Scene) -> tuple[House, FakeUpstream]:
    fake = scene.fake("alpha", per_day=50)
    return scene.house(FIFTY, store=BACKENDS[request.param](scene.folder / "store")), fake


def test_a_task_that_leaves_a_fifth_stops_there_and_turns_go_on_to_the_end(
    fifty: tuple[House, FakeUpstream],
) -> None:
    house, fake = fifty
    assert drain(house.balancer, task=SCRIPT) == 40
    with pytest.raises(AllRoutesOut, match="the last 20% of requests per day are kept for scoring answers"):
        house.ask(task=SCRIPT)
    assert drain(house.balancer) == 10
    assert (fake.counts.charged, fake.counts.refused) == (50, 0)


def test_eight_threads_that_leave_a_fifth_take_nothing_of_it(fifty: tuple[House, FakeUpstream]) -> None:
    house, fake = fifty
    assert crowd(house, [SCRIPT] * 8, 8) == {"text": 40}
    assert fake.counts.charged == 40
    assert crowd(house, [TASK] * 8, 3) == {"turn": 10}
    assert (fake.counts.charged, fake.counts.refused) == (50, 0)


def test_among_turns_at_the_same_time_they_stop_no_later(fifty: tuple[House, FakeUpstream]) -> None:
    """More of both are wanted than there is room for."""
    house, fake = fifty
    got = crowd(house, [SCRIPT] * 6 + [TASK] * 2, 20)
    assert got["turn"] + got["text"] == 50
    assert got["turn"] >= 10
    assert (fake.counts.charged, fake.counts.refused) == (50, 0)


def test_a_fifth_of_the_tokens_is_left_too(scene: Scene) -> None:
    fake = scene.fake("alpha", tokens_per_day=1000)
    house = scene.house(row("alpha", 1, more=limits(tokens_day=1000)))
    answered = drain(house.balancer, task=SCRIPT)
    assert fake.counts.tokens == 13 * answered <= 800
    assert 800 - fake.counts.tokens < 54 + 13, "as much as one call may take, and no more, is left over"
    assert drain(house.balancer) > 0
    assert fake.counts.refused == 0


def test_a_minute_is_left_to_nobody(scene: Scene) -> None:
    """What is gone of it is back before anybody could miss it."""
    fake = scene.fake("alpha", per_minute=10)
    house = scene.house(row("alpha", 1, more=limits(requests_minute=10)))
    assert drain(house.balancer, task=SCRIPT) == fake.counts.charged == 10
