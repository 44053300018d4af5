"""Every provider is out: each with a reason, nobody is called, and afterwards one call goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut
from core.health import DOCUMENT
from core.stores.contract import Documents, StoreError
from tests.fakes.asking import NOON
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import House, build_house, limits, row
from tests.fakes.stores import BACKENDS, Store
from tests.fakes.upstream import Exchange, FakeUpstream
from tests.racer import LEFT, SERVED
from tests.races import Crew, race, racers

HOUR = 3_600.0
PATIENCE = 30.0
CROWD = 20


def pacific(catalogue: str) -> str:
    """The same with a day that ends in 20 hours; everybody else's ends in 12."""
    return catalogue.replace('zone = "UTC"', 'zone = "America/Los_Angeles"')


LIMITED = row("p", 1, more=limits(requests_day=1000))
THREE = {
    "counted": pacific(row("counted", 1, more=limits(requests_day=3))),
    "limited": row("limited", 2, more=limits(requests_day=1000)),
    "unpaid": pacific(row("unpaid", 3, more=limits(requests_day=1000))),
}


@dataclass(frozen=True)
class Street:
    """Fakes that answer while the gate is open."""

    house: House
    fakes: dict[str, FakeUpstream]
    gate: threading.Event

    def received(self) -> dict[str, int]:
        return {name: fake.counts.received for name, fake in self.fakes.items()}

    def wait_for(self, name: str, calls: int) -> None:
        """Until so many have arrived in all."""
        give_up = time.monotonic() + PATIENCE
        while self.fakes[name].counts.received < calls:
            assert time.monotonic() < give_up, "nobody calls"
            time.sleep(0.005)

    def ask(self, _: int = 0) -> str | AllRoutesOut:
        """Who answered, or why nobody did."""
        try:
            return self.house.ask().route.partition("/")[0]
        except AllRoutesOut as out:
            return out
        finally:
            self.house.store.close()

    def exhaust(self) -> None:
        """The first by our own count, the second by its word, the third for want of money."""
        assert [self.ask() for _ in range(3)] == ["counted"] * 3
        self.fakes["limited"].plan("429-day")
        self.fakes["unpaid"].plan("402")
        assert isinstance(self.ask(), AllRoutesOut)
        assert self.received() == {"counted": 3, "limited": 1, "unpaid": 1}


Open = Callable[..., Street]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def street_of(backend: str, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def build(rows: dict[str, str], wrapped: Callable[[Store], Store] = lambda store: store) -> Street:
            clock, gate = FrozenCalendar(), threading.Event()
            gate.set()

            def reply(_: Exchange) -> str:
                assert gate.wait(PATIENCE)
                return "Thank you."

            fakes = {n: stack.enter_context(FakeUpstream(n, reply=reply, clock=clock)) for n in rows}
            store = wrapped(BACKENDS[backend](tmp_path))
            house = build_house(tmp_path, "".join(rows.values()), clock, fakes, {"store": store})
            stack.callback(house.close)
            stack.callback(gate.set)
            return Street(house, fakes, gate)

        yield build


@pytest.fixture
def street(street_of: Open) -> Street:
    built = street_of(THREE)
    built.exhaust()
    return built


def test_a_thousand_calls_get_reasons_and_reach_nobody(street: Street) -> None:
    with ThreadPoolExecutor(8) as pool:
        outs = list(pool.map(street.ask, range(1000)))
    for out in outs:
        assert isinstance(out, AllRoutesOut)
        told = {s.route.provider: (s.reason.removeprefix(f"{s.route.name}: "), s.until) for s in out.skipped}
        assert told == {
            "counted": ("requests per day used up", NOON + 20 * HOUR),
            "limited": ("daily quota used up", NOON + 12 * HOUR),
            "unpaid": ("no free calls or credits left on this account", NOON + 20 * HOUR),
        }
        assert out.soonest == NOON + 12 * HOUR
    assert street.received() == {"counted": 3, "limited": 1, "unpaid": 1}


def test_until_the_first_reset_nobody_is_called_and_then_one_call_goes_first(street: Street) -> None:
    street.house.clock.advance(12 * HOUR - 1)
    assert all(isinstance(street.ask(), AllRoutesOut) for _ in range(5))
    street.house.clock.advance(1)
    street.gate.clear()
    with ThreadPoolExecutor(CROWD) as pool:
        waiting = {pool.submit(street.ask, n) for n in range(CROWD)}
        turned_away: set[Future[str | AllRoutesOut]] = set()
        while len(turned_away) < CROWD - 1:
            done, waiting = wait(waiting, PATIENCE, FIRST_COMPLETED)
            assert done, "more than one call is under way"
            turned_away |= done
        street.wait_for("limited", 2)
        assert street.received() == {"counted": 3, "limited": 2, "unpaid": 1}
        street.gate.set()
        assert [each.result() for each in waiting] == ["limited"]
        assert all(isinstance(each.result(), AllRoutesOut) for each in turned_away)
        assert list(pool.map(street.ask, range(CROWD))) == ["limited"] * CROWD, "then traffic"
    assert street.received() == {"counted": 3, "limited": 2 + CROWD, "unpaid": 1}


def test_when_the_first_call_fails_nobody_follows_it(street: Street) -> None:
    street.fakes["limited"].plan("429-day")
    street.house.clock.advance(12 * HOUR)
    with ThreadPoolExecutor(CROWD) as pool:
        outs = list(pool.map(street.ask, range(CROWD)))
    assert all(isinstance(out, AllRoutesOut) for out in outs)
    last = street.ask()
    assert isinstance(last, AllRoutesOut)
    assert last.soonest == NOON + 20 * HOUR, "of the others"
    assert street.received() == {"counted": 3, "limited": 2, "unpaid": 1}


class Interleaved:
    """Documents where `between` happens right after the `due`-th read from now, before its reader goes on."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.due = 0
        self.between: Callable[[], object] = list

    def get(self, key: str) -> str | None:
        found = self._documents.get(key)
        if key == DOCUMENT:
            self.due -= 1
            if self.due == 0:
                self.between()
        return found

    def replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        return self._documents.replace(key, old, new, ttl)

    def keys(self) -> Iterator[str]:
        return self._documents.keys()


def interleaved(street_of: Open, name: str) -> tuple[Street, Interleaved]:
    seen: list[Interleaved] = []

    def wrapped(store: Store) -> Store:
        seen.append(Interleaved(store.documents))
        return replace(store, documents=seen[0])

    return street_of({name: THREE[name]}, wrapped), seen[0]


@pytest.mark.parametrize("due", [1, 2, 3])
def test_who_read_before_the_first_call_failed_does_not_follow_it(due: int, street_of: Open) -> None:
    street, documents = interleaved(street_of, "limited")
    street.fakes["limited"].always("429-day")
    assert isinstance(street.ask(), AllRoutesOut)
    street.house.clock.advance(12 * HOUR)
    documents.due, documents.between = due, street.ask
    assert isinstance(street.ask(), AllRoutesOut)
    assert documents.due <= 0, "it read as often as that"
    assert street.received() == {"limited": 2}


def test_what_the_store_stopped_before_it_was_sent_is_given_back(street_of: Open) -> None:
    def away() -> None:
        raise StoreError("away for a moment")

    street, documents = interleaved(street_of, "counted")
    documents.due, documents.between = 2, away
    assert isinstance(street.ask(), AllRoutesOut)
    assert [street.ask() for _ in range(3)] == ["counted"] * 3
    assert street.received() == {"counted": 3}


def test_a_day_that_we_counted_turns_without_a_herd(street_of: Open) -> None:
    street = street_of({"counted": row("counted", 1, more=limits(requests_day=3))})
    for day in (1, 2):
        with ThreadPoolExecutor(CROWD) as pool:
            served = [out for out in pool.map(street.ask, range(CROWD)) if out == "counted"]
        assert len(served) == 3
        assert street.received() == {"counted": 3 * day}
        street.house.clock.advance(12 * HOUR)


def test_one_that_is_well_serves_after_one_that_wants_money(street_of: Open) -> None:
    street = street_of({"unpaid": row("unpaid", 1), "well": row("well", 2)})
    street.fakes["unpaid"].always("402")
    assert street.ask() == "well"
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(street.ask, range(100))) == {"well"}
    assert street.received() == {"unpaid": 1, "well": 101}
    street.house.clock.advance(12 * HOUR)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(street.ask, range(40))) == {"well"}
    assert street.received() == {"unpaid": 2, "well": 141}


def test_of_all_processes_one_goes_first(street_of: Open, backend: str, tmp_path: Path) -> None:
    """All of them ask on and on, until they are answered."""
    street = street_of({"p": LIMITED})
    street.fakes["p"].plan("429-day")
    assert isinstance(street.ask(), AllRoutesOut)
    street.gate.clear()
    today = race(backend, tmp_path, street.fakes["p"], LIMITED, Crew(processes=4, threads=5, calls=20))
    with racers() as crew, crew.under_way(replace(today, at=NOON + 12 * HOUR)) as run:
        street.wait_for("p", 2)
        time.sleep(0.3)  # for a herd to arrive
        assert street.received() == {"p": 2}
        street.gate.set()
    assert [sum(end.values()) if end else 0 for end in run.ends] == [20] * 4
    assert {how for end in run.ends if end for how in end} == {SERVED, LEFT}
    assert street.received() == {"p": 1 + 4 * 20}
