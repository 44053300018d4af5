"""A process is killed amid its calls, over and over, on one ledger: the fake says what is owed for them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut
from core.quotas import HOLD_SECONDS
from providers.contracts import Message
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import REQUEST, House, build_house, limits, row
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import Exchange, FakeUpstream
from tests.races import Crew, Desk, Racers, race, racers

AT_ONCE = 4
DAYS = {"requests_day": 1_000_000, "tokens_day": 90_000_000}
CATALOGUE = row("p", 1, more=limits(**DAYS, concurrent_call=AT_ONCE))
CREW = Crew(processes=1, threads=AT_ONCE, calls=1_000_000)
MOST_CALLS = 20  # before the kill comes, and then
WITHIN = 0.01  # at most so many seconds later
TOGETHER = "Wait for the others."
PATIENCE = 30.0


class Meeting(Desk):
    """Requests that say so are answered once AT_ONCE of them are there."""

    def __init__(self, longest: float) -> None:
        super().__init__(longest)
        self.met = threading.Barrier(AT_ONCE)

    def reply(self, exchange: Exchange) -> str:
        if exchange.messages[-1] == ("user", TOGETHER):
            self.met.wait(PATIENCE)
        return super().reply(exchange)


@dataclass(frozen=True)
class Scene:
    """The survivor's house, on the ledger that the killed leave behind."""

    house: House
    fake: FakeUpstream
    desk: Meeting
    rng: random.Random
    orphans: list[float]

    def ask_at_once(self, callers: int, text: str) -> int:
        """How many of so many calls were answered."""

        def ask(_: int) -> bool:
            try:
                self.house.ask(request=replace(REQUEST, messages=(Message("user", text),)))
            except AllRoutesOut:
                return False
            finally:
                self.house.store.close()
            return True

        with ThreadPoolExecutor(callers) as pool:
            return sum(pool.map(ask, range(callers)))

    def wait_for_calls(self, due: int) -> None:
        """Until so many calls have arrived in all."""
        give_up = time.monotonic() + PATIENCE
        while self.fake.counts.received < due:
            assert time.monotonic() < give_up, "nobody calls"
            time.sleep(0.001)

    def taken(self, unit: str, window: str = "day") -> tuple[float, float]:
        """What is settled and what is held."""
        every = self.house.quota.standings(self.house.fleet.routes[0].limits)
        return next((s.used, s.held) for s in every if (s.limit.unit, s.limit.window) == (unit, window))

    def assert_nothing_is_forgotten(self) -> None:
        counts = self.fake.counts
        assert sum(self.taken("requests")) >= counts.charged
        assert sum(self.taken("tokens")) >= counts.tokens


@pytest.fixture(scope="module")
def crew() -> Iterator[Racers]:
    with racers() as ready:
        yield ready


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def scene(backend: str, tmp_path: Path) -> Iterator[Scene]:
    desk, clock = Meeting(longest=0.01), FrozenCalendar()
    with ExitStack() as stack:
        fake = stack.enter_context(FakeUpstream("p", reply=desk.reply))
        house = build_house(tmp_path, CATALOGUE, clock, {"p": fake}, {"store": BACKENDS[backend](tmp_path)})
        stack.callback(house.close)
        yield Scene(house, fake, desk, random.Random(3), [])


def kill_one(scene: Scene, crew: Racers, backend: str, folder: Path) -> None:
    """One life: calls, death, what it left behind, and what that looks like when its time is over."""
    life = replace(race(backend, folder, scene.fake, CATALOGUE, CREW), at=scene.house.clock.at)
    before = scene.fake.counts.received
    with crew.under_way(life) as run:
        scene.wait_for_calls(before + scene.rng.randint(0, MOST_CALLS))
        time.sleep(scene.rng.uniform(0, WITHIN))
        run.kill()
    assert run.ends == [None]
    lived = time.monotonic() - life.began
    scene.assert_nothing_is_forgotten()
    scene.orphans.append(scene.taken("concurrent", "call")[1])
    scene.ask_at_once(2 * AT_ONCE, "Is there room?")
    scene.desk.wait_till_idle()
    assert scene.desk.most <= AT_ONCE, "a slot was given away while its owner's call was under way"
    scene.house.clock.advance(HOLD_SECONDS + lived + 1)
    scene.assert_nothing_is_forgotten()
    assert scene.ask_at_once(AT_ONCE, TOGETHER) == AT_ONCE, "a slot is stuck"
    scene.desk.most = 0


def kill_often(times: int, scene: Scene, crew: Racers, where: tuple[str, Path]) -> None:
    for _ in range(times):
        kill_one(scene, crew, *where)
    assert scene.taken("concurrent", "call") == (0, 0)
    used, held = scene.taken("requests")
    assert held == 0
    assert scene.fake.counts.charged <= used <= scene.fake.counts.charged + sum(scene.orphans)
    assert sum(map(bool, scene.orphans)) > times / 2, "few died between reserve and settle"


def test_killed_between_reserve_and_settle(scene: Scene, crew: Racers, backend: str, tmp_path: Path) -> None:
    kill_often(15, scene, crew, (backend, tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_a_hundred_times(scene: Scene, crew: Racers, backend: str, tmp_path: Path) -> None:
    kill_often(100, scene, crew, (backend, tmp_path))


def test_a_late_settle_changes_nothing(backend: str, tmp_path: Path) -> None:
    """The first call outlives its hold, and another one has its slot by then."""
    go = {"first": threading.Event(), "second": threading.Event()}

    def reply(exchange: Exchange) -> str:
        assert go[exchange.messages[-1][1]].wait(PATIENCE)
        return "Thank you."

    catalogue = row("p", 1, more=limits(**DAYS, concurrent_call=1))
    with ExitStack() as stack:
        fake = stack.enter_context(FakeUpstream("p", reply=reply))
        house = build_house(
            tmp_path, catalogue, FrozenCalendar(), {"p": fake}, {"store": BACKENDS[backend](tmp_path)}
        )
        stack.callback(house.close)
        scene = Scene(house, fake, Meeting(0), random.Random(3), [])
        pool = stack.enter_context(ThreadPoolExecutor(2))
        for event in go.values():
            stack.callback(event.set)
        late = pool.submit(scene.ask_at_once, 1, "first")
        scene.wait_for_calls(1)
        house.clock.advance(HOLD_SECONDS + 1)
        successor = pool.submit(scene.ask_at_once, 1, "second")
        scene.wait_for_calls(2)
        before = house.quota.standings(house.fleet.routes[0].limits)
        go["first"].set()
        assert late.result() == 1
        assert house.quota.standings(house.fleet.routes[0].limits) == before
        with pytest.raises(AllRoutesOut, match="at once"):
            house.ask()
        go["second"].set()
        assert successor.result() == 1
        assert scene.taken("requests") == (fake.counts.charged, 0) == (2, 0)
        assert scene.taken("tokens")[0] > fake.counts.tokens, "what it really cost came too late"
        assert scene.ask_at_once(1, "first") == 1
