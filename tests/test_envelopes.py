"""Quota kept for whole interviews: held, drawn, given back, and never anybody else's meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from core.policy import Task
from core.quotas import Envelope
from core.stores.contract import NO_LESSON, Claim, Counter, Hold, Ledger, Lesson, Level, Refusal
from providers.contracts import Usage
from tests.fakes.house import TASK, House, limits, row
from tests.fakes.stores import BACKENDS, Store
from tests.scene import Scene, drain, standing

HOUR = 3_600.0
FIRST, TOKENS, SECOND = "first|requests|day", "first|tokens|day", "second|requests|day"
ONE = row("first", 1, more=limits(requests_day=12, requests_minute=100))
TWO = row("first", 1, more=limits(requests_day=3)) + row("second", 2, more=limits(requests_day=4))

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


# Opening


def test_what_is_promised_shows_as_held_on_the_lasting_limits(start: Start, scene: Scene) -> None:
    scene.fake("first")
    house = start(row("first", 1, more=limits(requests_day=12, tokens_day=50_000, requests_minute=100)))
    envelope = opened(house, 5)
    assert (standing(house.balancer, FIRST).held, standing(house.balancer, FIRST).remaining) == (5, 7)
    assert standing(house.balancer, TOKENS).held == 5 * TASK.typical.total_tokens
    assert standing(house.balancer, "first|requests|minute").held == 0
    assert envelope.expires == scene.clock.now() + HOUR
    assert {limit.key for limit in envelope.limits} == {FIRST, TOKENS}
    shown = house.status.read().as_json()["quotas"]["first"]["standings"]
    assert {row["unit"]: row["held"] for row in shown if row["window"] == "day"} == {
        "requests": 5,
        "tokens": 10_000,
    }


def test_it_is_spread_over_the_best_routes_as_far_as_needed(start: Start, scene: Scene) -> None:
    fakes = [scene.fake("first", per_day=3), scene.fake("second", per_day=4)]
    house = start(TWO)
    envelope = opened(house, 5)
    assert [standing(house.balancer, key).held for key in (FIRST, SECOND)] == [3, 2]
    assert drain(house.balancer) == 2, "of the second one two are nobody's"
    assert drain(house.balancer, envelope=envelope) == 5
    assert [(fake.counts.charged, fake.counts.refused) for fake in fakes] == [(3, 0), (4, 0)]


def test_too_little_everywhere_together_is_no_envelope_at_all(start: Start, scene: Scene) -> None:
    for name in ("first", "second"):
        scene.fake(name)
    house = start(TWO)
    assert house.balancer.open_envelope(TASK, 8, HOUR) is None
    assert [standing(house.balancer, key).held for key in (FIRST, SECOND)] == [0, 0]
    opened(house, 7)


def test_a_limit_of_the_whole_account_counts_once(start: Start, scene: Scene) -> None:
    fake = scene.fake("first", per_day=7)
    models = ", ".join(f'{{ id = "{name}", tier = "small", {limits(requests_day=5)} }}' for name in "mn")
    house = start(row("first", 1, models, limits(requests_day=7)))
    assert house.balancer.open_envelope(TASK, 8, HOUR) is None
    envelope = opened(house, 7)
    assert [standing(house.balancer, key).held for key in ("first/m|requests|day", "first/n|requests|day")] == [
        5,
        2,
    ]
    assert (standing(house.balancer, FIRST).held, standing(house.balancer, FIRST).remaining) == (7, 0)
    assert drain(house.balancer, envelope=envelope) == fake.counts.charged == 7


def test_what_the_account_cannot_give_comes_from_another(start: Start, scene: Scene) -> None:
    for name in ("first", "second"):
        scene.fake(name)
    models = ", ".join(f'{{ id = "{name}", tier = "small", {limits(requests_day=5)} }}' for name in "mn")
    house = start(row("first", 1, models, limits(requests_day=7)) + row("second", 2, more=limits(requests_day=4)))
    opened(house, 9)
    assert [standing(house.balancer, key).held for key in (FIRST, SECOND)] == [7, 2]


def test_tokens_bound_it_too(start: Start, scene: Scene) -> None:
    scene.fake("first")
    house = start(row("first", 1, more=limits(requests_day=50, tokens_day=7_000)))
    assert house.balancer.open_envelope(TASK, 4, HOUR) is None
    opened(house, 3)
    assert house.balancer.open_envelope(replace(TASK, typical=Usage(500, 500)), 1, HOUR) is not None


def test_a_server_of_ones_own_needs_nothing_held(start: Start, scene: Scene) -> None:
    scene.fake("first")
    house = start(row("first", 1))
    assert opened(house, 1_000).limits == frozenset()


def test_what_cools_down_for_hours_is_no_room_and_what_is_back_in_a_moment_is(start: Start, scene: Scene) -> None:
    fake = scene.fake("first")
    house = start(ONE)
    fake.plan("429:90", "429:4000")
    drain(house.balancer)
    assert opened(house, 5)
    scene.clock.advance(91)
    drain(house.balancer)
    assert house.balancer.open_envelope(TASK, 5, HOUR) is None


def test_eight_at_once_share_what_there_is(start: Start, scene: Scene) -> None:
    fake = scene.fake("first", per_day=12)
    house = start(ONE)

    def open_one(_: int) -> Envelope | None:
        try:
            return house.balancer.open_envelope(TASK, 5, HOUR)
        finally:
            house.store.close()

    with ThreadPoolExecutor(8) as pool:
        found = [envelope for envelope in pool.map(open_one, range(8)) if envelope]
    assert (len(found), standing(house.balancer, FIRST).held) == (2, 10)
    assert [drain(house.balancer), *(drain(house.balancer, envelope=envelope) for envelope in found)] == [2, 5, 5]
    assert (fake.counts.charged, fake.counts.refused) == (12, 0)


class Outrun:
    """A ledger on which somebody else is a moment faster, once."""

    def __init__(self, ledger: Ledger, first: Callable[[], object]) -> None:
        self._ledger, self._first = ledger, [first]

    def promise(self, envelope: str, claims: Sequence[Claim], now: float, ttl: float) -> Refusal | None:
        if self._first:
            self._first.pop()()
        return self._ledger.promise(envelope, claims, now, ttl)

    def reserve(self, hold: Hold, now: float, ttl: float) -> Refusal | None:
        return self._ledger.reserve(hold, now, ttl)

    def settle(self, hold: Hold, costs: Mapping[str, float], now: float, lesson: Lesson = NO_LESSON) -> bool:
        return self._ledger.settle(hold, costs, now, lesson)

    def levels(self, counters: Sequence[Counter], now: float) -> list[Level]:
        return self._ledger.levels(counters, now)


def test_who_is_outrun_on_the_best_route_takes_the_next(scene: Scene) -> None:
    for name in ("first", "second"):
        scene.fake(name)
    fast = scene.house(TWO)
    outrun = Outrun(fast.store.ledger, lambda: opened(fast, 3))
    slow = scene.house(TWO, store=Store(outrun, fast.store.documents, lambda: None))
    assert slow.balancer.open_envelope(TASK, 3, HOUR) is not None
    assert [standing(fast.balancer, key).held for key in (FIRST, SECOND)] == [3, 3]
