"""Streams that somebody leaves: the call ends there, its slot is free, and what it cost is charged."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.balancer import Answer, Wanted
from core.quotas import estimate
from tests.fakes.house import REQUEST, TASK, House, limits, row
from tests.fakes.upstream import FakeUpstream
from tests.scene import Scene, heard

LIMITS = limits(requests_day=50, tokens_day=9000, concurrent_call=1)
BOTH = row("first", 1, more=LIMITS) + row("second", 2, more=LIMITS)
FIRST, TOKENS = "first|requests|day", "first|tokens|day"


class Gone(BaseException):
    """The candidate closed the tab; no `except Exception` may hold this up."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


@pytest.fixture
def first(scene: Scene) -> FakeUpstream:
    return scene.fake("first")


@pytest.fixture
def second(scene: Scene) -> FakeUpstream:
    return scene.fake("second")


@pytest.fixture
def house(scene: Scene, first: FakeUpstream, second: FakeUpstream) -> House:
    return scene.house(BOTH)


def stream(house: House, **more: object) -> Generator[str, None, Answer[str]]:
    wanted = {"task": TASK, "request": REQUEST, "read": str, "pulse": lambda: None} | more
    pulse = wanted.pop("pulse")
    return house.balancer.stream(Wanted(**wanted), pulse)  # type: ignore[arg-type]


def provider(answer: Answer[str]) -> str:
    return answer.route.partition("/")[0]


def leave() -> None:
    raise Gone


def held(house: House) -> float:
    """What calls under way hold of all limits of the first provider."""
    (route,) = (r for r in house.fleet.routes if r.provider == "first")
    return sum(s.held for s in house.quota.standings(route.limits))


@pytest.mark.parametrize("stops", [True, False])
def test_closing_after_a_piece_frees_the_slot_and_is_charged_by_the_providers_rule(
    stops: bool, scene: Scene, first: FakeUpstream
) -> None:
    house = scene.house(row("first", 1, more=f"{LIMITS}\ncharge = {{ stops_when_left = {str(stops).lower()} }}"))
    first.plan("stall:1")
    running = stream(house)
    next(running)
    running.close()
    assert first.wait_for_departures(1)
    assert (house.used(FIRST), held(house)) == (1, 0)
    whole, sent = estimate(house.fleet.routes[0], REQUEST).tokens, 4 + 4  # 13 and 12 bytes at 3.5 a token
    assert house.used(TOKENS) == (sent if stops else whole)
    assert provider(house.ask()) == "first", "one call at a time, and the slot is free"


@pytest.mark.parametrize(
    ("step", "error"),
    [("stall:1", Gone), ("stall:0", Gone), ("slow:8", Gone), ("stall:1", RuntimeError), ("slow:8", SystemExit)],
)
def test_leaving_by_the_pulse_ends_a_stalled_call_at_once(
    step: str, error: type[BaseException], house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    def pulse() -> None:
        raise error

    first.plan(step)
    pieces: list[str] = []
    with pytest.raises(error):
        pieces.extend(stream(house, pulse=pulse))
    assert pieces == (["Thank you, t"] if step == "stall:1" else [])
    assert (house.used(FIRST), held(house)) == (1, 0)
    assert house.used(TOKENS) == estimate(house.fleet.routes[0], REQUEST).tokens
    assert (second.counts.received, house.health.cooldowns()) == (0, {})
    assert provider(house.ask()) == "first"


def test_the_provider_sees_that_the_pulse_left(house: House, first: FakeUpstream) -> None:
    first.plan("stall:1")
    with pytest.raises(Gone):
        heard(stream(house, pulse=leave))
    assert first.wait_for_departures(1)


def test_a_stream_that_is_forgotten_ends_with_its_last_reference(house: House, first: FakeUpstream) -> None:
    first.plan("stall:1")
    running = stream(house)
    next(running)
    assert held(house) > 0
    del running
    gc.collect()
    assert first.wait_for_departures(1)
    assert held(house) == 0
    assert provider(house.ask()) == "first"


def test_a_stream_may_be_closed_by_another_thread(house: House, first: FakeUpstream) -> None:
    """Streamlit runs each step of a session in whatever thread it likes."""
    first.plan("stall:1")
    running = stream(house)
    next(running)

    def close() -> None:
        running.close()
        house.store.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(close).result()
    assert first.wait_for_departures(1)
    assert held(house) == 0


def test_a_stream_that_nobody_begins_costs_nothing(house: House, first: FakeUpstream) -> None:
    stream(house).close()
    assert (first.counts.received, house.used(FIRST), held(house)) == (0, 0, 0)


def test_while_one_is_streaming_on_its_only_slot_others_go_elsewhere(
    house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    first.plan("stall:1")
    running = stream(house)
    next(running)
    answer = house.ask()
    assert (provider(answer), first.counts.received) == ("second", 1)
    running.close()


def test_leaving_benches_nobody_and_wastes_no_first_choice(house: House, first: FakeUpstream) -> None:
    first.plan("stall:1")
    with pytest.raises(Gone):
        heard(stream(house, pulse=leave))
    (hour,) = house.history.hours(0).values()
    tally = hour["first"]
    assert (tally.calls, tally.failures, tally.wasted_calls) == (1, {"Left": 1}, 0)
