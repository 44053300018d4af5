"""What first choices that failed have cost, as the history tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut, Wanted
from core.tally import Tally
from providers.errors import Refused
from tests.fakes.clock import FrozenClock
from tests.fakes.house import REQUEST, TASK, House, limits, row
from tests.scene import Scene, heard

PAIR = row("first", 1, more=limits(requests_day=50)) + row("second", 2, more=limits(requests_day=50))


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Scene]:
    """Every reply of both providers takes three seconds of a clock that else stands still."""
    clock = FrozenClock()
    with ExitStack() as stack:
        scene = Scene(tmp_path, stack, clock)
        for name in ("first", "second"):
            scene.fake(name, reply=lambda _: clock.advance(3) or "fine")  # type: ignore[func-returns-value]
        yield scene


def tallies(house: House) -> dict[str, Tally]:
    (hour,) = house.history.hours(0).values()
    return hour


def wasted(tally: Tally) -> tuple[int, int, float]:
    return tally.first_calls, tally.wasted_calls, tally.wasted_seconds


def test_a_first_choice_that_fails_shows_with_its_calls_and_seconds(slow: Scene) -> None:
    house = slow.house(PAIR)
    slow.fakes["first"].plan("empty", "ok", "empty")
    for _ in range(3):
        house.ask()
    found = tallies(house)
    assert wasted(found["first"]) == (3, 2, 6.0)
    assert wasted(found["second"]) == (0, 0, 0.0)
    assert found["first"].waste == pytest.approx(2 / 3)
    assert found["second"].waste is None
    assert (found["first"].calls, found["first"].failures) == (3, {"BadReply": 2})
    assert (found["second"].calls, found["second"].failed, found["second"].seconds) == (2, 0, 6.0)


@pytest.mark.parametrize("how", ["complete", "stream"])
def test_a_second_choice_that_fails_wastes_no_first_choice(how: str, slow: Scene) -> None:
    house = slow.house(PAIR)
    for fake in slow.fakes.values():
        fake.plan("empty")
    wanted = Wanted(TASK, REQUEST, str)
    ask: dict[str, Callable[[], object]] = {
        "complete": lambda: house.balancer.complete(wanted),
        "stream": lambda: heard(house.balancer.stream(wanted, lambda: None)),
    }
    with pytest.raises(AllRoutesOut):
        ask[how]()
    assert [wasted(tally) for tally in tallies(house).values()] == [(1, 1, 3.0), (0, 0, 0.0)]


def test_waste_counts_in_the_hour_it_happened(slow: Scene) -> None:
    house = slow.house(PAIR)
    for _ in range(2):
        slow.fakes["first"].plan("empty")
        house.ask()
        slow.clock.advance(3600)
    assert [wasted(hour["first"]) for hour in house.history.hours(0).values()] == [(1, 1, 3.0)] * 2


def test_a_request_that_is_refused_wastes_nothing(slow: Scene) -> None:
    house = slow.house(PAIR)
    slow.fakes["first"].plan("filtered")
    with pytest.raises(Refused):
        house.ask()
    assert tallies(house)["first"].failures == {"Refused": 1}
    assert wasted(tallies(house)["first"]) == (0, 0, 0.0)


def test_a_stream_that_is_left_wastes_nothing(slow: Scene) -> None:
    house = slow.house(PAIR)
    slow.fakes["first"].plan("stall:1")
    running = house.balancer.stream(Wanted(TASK, REQUEST, str), lambda: None)
    next(running)
    running.close()
    assert tallies(house)["first"].failures == {"Left": 1}
    assert wasted(tallies(house)["first"]) == (0, 0, 0.0)


def test_a_route_that_is_passed_over_unasked_wastes_nothing(slow: Scene) -> None:
    house = slow.house(PAIR)
    slow.fakes["first"].plan("429-day")
    for _ in range(3):
        house.ask()
    assert [wasted(tally) for tally in tallies(house).values()] == [(1, 1, 0.0), (2, 0, 0.0)]
