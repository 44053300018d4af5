"""The balancer when the ledger fails and when many call at once; again the fake's own counters are the judge."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import House, build_house, disk_of, limits, row
from tests.fakes.upstream import Exchange, FakeUpstream

ROW = row("first", 1, more=limits(requests_day=50))

Start = Callable[..., tuple[House, FakeUpstream]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """One provider with 50 requests a day; the options are the fake's."""
    with ExitStack() as stack:

        def make(**options: object) -> tuple[House, FakeUpstream]:
            clock = FrozenCalendar()
            fake = stack.enter_context(FakeUpstream("first", clock=clock, **options))  # type: ignore[arg-type]
            house = build_house(tmp_path, ROW, clock, {"first": fake})
            stack.callback(house.close)
            return house, fake

        yield make


def plant(house: House) -> None:
    """Turn every row of the store into a pickle."""
    disk_of(house)._sql("UPDATE Cache SET mode = 4, value = ?", (b"\x80\x04N.",))


def refused(house: House) -> AllRoutesOut:
    with pytest.raises(AllRoutesOut) as caught:
        house.ask()
    return caught.value


def was_loud(caplog: pytest.LogCaptureFixture) -> bool:
    return any(r.levelno >= logging.ERROR and "store" in r.message for r in caplog.records)


# Store trouble


def test_an_unreadable_ledger_means_no_call_and_a_loud_log(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    house, fake = start()
    house.ask()
    plant(house)
    (skipped,) = refused(house).skipped
    assert (skipped.reason, skipped.until) == ("the quota store cannot be read", None)
    assert fake.counts.received == 1
    assert was_loud(caplog)


def test_a_ledger_that_cannot_be_written_means_no_call(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    house, fake = start()
    disk_of(house)._sql("PRAGMA query_only = 1")
    assert refused(house).skipped[0].reason == "the quota store failed"
    assert fake.counts.received == 0
    assert was_loud(caplog)


def test_a_store_that_fails_during_a_call_does_not_lose_the_answer(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    houses: list[House] = []

    def reply(exchange: Exchange) -> str:
        plant(houses[0])
        houses[0].store.close()
        return "worth keeping"

    house, fake = start(reply=reply)
    houses.append(house)
    assert house.ask().value == "worth keeping"
    assert was_loud(caplog)
    refused(house)
    assert fake.counts.received == 1


# Many at once


def test_many_threads_use_a_day_to_its_last_call_and_no_further(start: Start) -> None:
    house, fake = start(per_day=50, latency=0.01)

    def ask_twenty(_: int) -> int:
        answered = 0
        for _ in range(20):
            try:
                answered += house.ask().value != ""
            except AllRoutesOut:
                continue
        house.store.close()
        return answered

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask_twenty, range(8))) == 50
    assert (fake.counts.served, fake.counts.charged, fake.counts.refused) == (50, 50, 0)
    assert house.used("first|requests|day") == 50


def test_a_call_sent_before_a_bench_does_not_end_it(start: Start) -> None:
    house, fake = start()
    fake.plan("slow:0.7", "429-day")

    def ask() -> str:
        name = house.ask().route.partition("/")[0]
        house.store.close()
        return name

    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(ask)
        while not (fake.requests() or early.done()):
            time.sleep(0.01)
        refused(house)
        early.result()
    assert list(house.health.cooldowns()) == ["first"]


def test_when_the_day_turns_one_call_goes_first_then_the_others(start: Start) -> None:
    house, fake = start(latency=0.3)
    fake.plan("429-day")
    refused(house)
    clock = house.clock
    assert isinstance(clock, FrozenCalendar)
    clock.advance(86_400)

    def ask(_: int) -> bool:
        try:
            house.ask()
        except AllRoutesOut:
            return False
        finally:
            house.store.close()
        return True

    with ThreadPoolExecutor(12) as pool:
        served = list(pool.map(ask, range(12)))
    assert served.count(True) == fake.counts.received - 1 == 1, "no herd"
    assert all(ask(n) for n in range(3)), "then traffic"
