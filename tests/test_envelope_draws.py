"""Envelopes in use: calls draw on them, others do not, and what is left comes back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.balancer import Wanted
from core.policy import Task
from core.quotas import Envelope
from tests import redis_server
from tests.fakes.house import REQUEST, TASK, House, limits, row
from tests.fakes.stores import BACKENDS
from tests.scene import Scene, drain, standing

ROOT = Path(__file__).parent.parent
HOUR = 3_600.0
FIRST, TOKENS = "first|requests|day", "first|tokens|day"
ONE = row("first", 1, more=limits(requests_day=12, requests_minute=100))

Start = Callable[[str], House]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


@pytest.fixture(params=BACKENDS)
def start(request: pytest.FixtureRequest, scene: Scene) -> Start:
    """A balancer with this catalogue; a second one is the first one started again."""
    return lambda catalogue: scene.house(catalogue, store=BACKENDS[request.param](scene.folder / "store"))


def opened(house: House, calls: int, seconds: float = HOUR, task: Task = TASK) -> Envelope:
    envelope = house.balancer.open_envelope(task, calls, seconds)
    assert envelope is not None
    return envelope


# Drawing


def test_others_stop_short_of_what_is_promised_and_its_owner_does_not(start: Start, scene: Scene) -> None:
    fake = scene.fake("first", per_day=12)
    house = start(ONE)
    envelope = opened(house, 4)
    assert drain(house.balancer) == 8
    assert standing(house.balancer, FIRST).remaining == 0
    assert drain(house.balancer, envelope=envelope) == 4
    assert (fake.counts.charged, fake.counts.refused) == (12, 0)


def test_an_owner_goes_on_with_what_is_free_when_the_envelope_is_empty(start: Start, scene: Scene) -> None:
    fake = scene.fake("first", per_day=12)
    house = start(ONE)
    assert drain(house.balancer, envelope=opened(house, 4)) == 12
    assert fake.counts.refused == 0


def test_two_owners_never_draw_on_each_other(start: Start, scene: Scene) -> None:
    fake = scene.fake("first", per_day=12)
    house = start(ONE)
    mine, yours = opened(house, 6), opened(house, 6)
    assert [drain(house.balancer, envelope=mine), drain(house.balancer, envelope=yours)] == [6, 6]
    assert (fake.counts.charged, fake.counts.refused) == (12, 0)


def test_an_envelope_holds_for_streams_too(start: Start, scene: Scene) -> None:
    fake = scene.fake("first", per_day=12)
    house = start(ONE)
    envelope = opened(house, 1)
    assert drain(house.balancer) == 11
    pieces = list(house.balancer.stream(Wanted(TASK, REQUEST, str, envelope=envelope), lambda: None))
    assert "".join(pieces) == "Thank you, that is a clear answer."
    assert fake.counts.charged == 12


def test_what_a_call_did_not_need_goes_back_into_the_envelope(start: Start, scene: Scene) -> None:
    fake = scene.fake("first")
    house = start(row("first", 1, more=limits(tokens_day=4_000)))
    envelope = opened(house, 2)
    assert drain(house.balancer, most=1) == 0
    for number in range(1, 30):
        assert drain(house.balancer, envelope=envelope, most=1) == 1
        assert standing(house.balancer, TOKENS).used == fake.counts.tokens == 13 * number
        assert standing(house.balancer, TOKENS).held == 4_000 - 13 * number


@pytest.mark.parametrize(("step", "left"), [("429:1", 4), ("401", 4), ("500", 3), ("empty", 3)])
def test_a_call_that_failed_takes_from_the_envelope_what_it_cost(
    step: str, left: int, start: Start, scene: Scene
) -> None:
    scene.fake("first", per_day=12).plan(step)
    house = start(ONE)
    envelope = opened(house, 4)
    assert drain(house.balancer, envelope=envelope) == 0
    assert standing(house.balancer, FIRST).held == left


# Closing


def test_closing_frees_what_is_left_and_a_second_time_nothing(start: Start, scene: Scene) -> None:
    scene.fake("first", per_day=12)
    house = start(ONE)
    mine, yours = opened(house, 5), opened(house, 5)
    assert drain(house.balancer, envelope=mine, most=2) == 2
    for _ in range(2):
        house.balancer.close_envelope(mine)
        assert (standing(house.balancer, FIRST).used, standing(house.balancer, FIRST).held) == (2, 5)
    assert [drain(house.balancer), drain(house.balancer, envelope=yours)] == [5, 5]


def test_closing_while_a_call_is_under_way_keeps_the_call(start: Start, scene: Scene) -> None:
    fake = scene.fake("first", per_day=12)
    house = start(ONE)
    envelope = opened(house, 5)
    fake.plan("stall:1")
    running = house.balancer.stream(Wanted(TASK, REQUEST, str, envelope=envelope), lambda: None)
    next(running)
    house.balancer.close_envelope(envelope)
    assert standing(house.balancer, FIRST).held == 1
    running.close()
    assert (standing(house.balancer, FIRST).used, standing(house.balancer, FIRST).held) == (1, 0)
    assert drain(house.balancer) == 11
    assert (fake.counts.charged, fake.counts.refused) == (12, 0)


def test_what_nobody_closes_comes_back_when_its_time_is_over(start: Start, scene: Scene) -> None:
    scene.fake("first", per_day=12)
    house = start(ONE)
    envelope = opened(house, 12, seconds=600)
    scene.clock.advance(599)
    assert drain(house.balancer) == 0
    scene.clock.advance(1)
    assert standing(house.balancer, FIRST).held == 0
    assert drain(house.balancer, most=10) == 10
    house.balancer.close_envelope(envelope)
    assert drain(house.balancer, envelope=envelope) == 2, "whoever still has it goes on with what is free"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_killed_process_takes_nothing_with_it_for_longer_than_its_time(backend: str, scene: Scene) -> None:
    if backend == "redis":
        redis_server.shared_url()  # must run before the process looks for it
    fake = scene.fake("first", per_day=12)
    shared = scene.folder / "shared"
    command = [sys.executable, "-m", "tests.envelope_worker", backend, str(shared), ONE, fake.base_url]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "opened\n"
        process.kill()
    house = scene.house(ONE, store=BACKENDS[backend](shared))
    assert standing(house.balancer, FIRST).held == 12
    assert drain(house.balancer) == 0
    scene.clock.advance(HOUR)
    assert drain(house.balancer) == fake.counts.charged == 12


def test_it_is_kept_over_midnight(start: Start, scene: Scene) -> None:
    fake = scene.fake("first", per_day=12)
    house = start(ONE)
    scene.clock.at = standing(house.balancer, FIRST).resets_at - 60
    envelope = opened(house, 5)
    assert drain(house.balancer) == 7
    scene.clock.advance(60)
    assert drain(house.balancer) == 7
    assert drain(house.balancer, envelope=envelope) == 5
    assert (fake.counts.charged, fake.counts.refused) == (19, 0)


def test_it_survives_a_restart(start: Start, scene: Scene) -> None:
    scene.fake("first", per_day=12)
    envelope = opened(start(ONE), 5)
    again = start(ONE)
    assert [drain(again.balancer), drain(again.balancer, envelope=envelope)] == [7, 5]
