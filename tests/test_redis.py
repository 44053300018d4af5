"""What only the Redis store promises. The suites over BACKENDS hold it to everything else."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core import windows
from core.stores.contract import Claim, Counter, Hold, Ledger, Lesson, Level, StoreError
from core.stores.redis import LEDGER, RedisClock, RedisDocuments, RedisLedger, open_client
from providers.contracts import Told, Window
from tests.fakes.asking import NOON
from tests.fakes.clock import FrozenClock
from tests.fakes.stores import BACKENDS, DAY, daily, levels, reserve, settle, sliding
from tests.redis_server import RedisServer, running

COUNTERS = f"{LEDGER}counters"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """One of this test's own."""
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with open_client(server.url) as opened:
        yield opened


@pytest.fixture
def ledger(client: redis.Redis) -> RedisLedger:
    made = RedisLedger(client)
    assert reserve(made, "hold", [daily(5)], NOON, 180) is None
    return made


# In step with the disk

CEILINGS: dict[Window, float] = {
    "day": 12.0,
    "month": 30.0,
    "minute": 7.5,
    "hour": 20.0,
    "rolling-day": 30.0,
    "refill-day": 100.0,
    "call": 3.0,
}
WINDOWS = sorted(CEILINGS)
SECONDS = [0.1, 1.0, 20.0, 59.9, 60.0, 97.0, 180.0, 3_600.0, DAY, 2 * DAY, 40 * DAY]
COSTS = st.sampled_from([0.0, 0.1, 0.2, 0.7, 1.0, 1.0, 2.5, 3.003, 40.0, 101.0])
ENVELOPES = st.sampled_from(["", "", "a", "b"])


@dataclass(frozen=True)
class Reserving:
    windows: set[Window]
    cost: float
    leave: float = 0.0
    envelope: str = ""
    ttl: float = 180.0


@dataclass(frozen=True)
class Promising:
    envelope: str
    windows: set[Window]
    amount: float
    ttl: float


@dataclass(frozen=True)
class Settling:
    number: int
    costs: dict[str, float]
    good: bool
    told: dict[Window, tuple[float | None, float | None]]


@dataclass(frozen=True)
class Passing:
    seconds: float


Act = Reserving | Promising | Settling | Passing
SOME = st.sets(st.sampled_from(WINDOWS), min_size=1)
TOLD = st.tuples(
    st.none() | st.sampled_from([0.0, 0.5, 2.0, 5.5, 200.0]), st.none() | st.sampled_from([0.0, 1.0, 4.5])
)
RESERVING = st.builds(
    Reserving, SOME, COSTS, st.sampled_from([0.0, 0.0, 0.2]), ENVELOPES, st.sampled_from([4.0, 180.0, 5_000.0])
)
PROMISING = st.builds(Promising, st.sampled_from("ab"), SOME, COSTS, st.sampled_from([60.0, 7_200.0]))
SETTLING = st.builds(
    Settling,
    st.integers(0, 12),
    st.dictionaries(st.sampled_from(WINDOWS), COSTS),
    st.booleans(),
    st.dictionaries(st.sampled_from(WINDOWS), TOLD, max_size=2),
)
PASSING = st.builds(Passing, st.one_of(st.sampled_from(SECONDS), st.sampled_from([-s for s in SECONDS])))
ANOTHER_DAY = st.builds(Passing, st.sampled_from([-DAY, DAY]))
ACTS = st.one_of(RESERVING, RESERVING, SETTLING, PROMISING, PASSING, ANOTHER_DAY)


def claim(window: Window, cost: float, now: float, leave: float = 0.0) -> Claim:
    period = windows.period(window, "UTC", now)
    times = (period.id, period.next_id, period.begins, period.ends)
    counter = Counter(window, windows.kind(window), CEILINGS[window], *times, windows.span(window))
    return Claim(counter, cost, leave)


@dataclass
class Pair:
    """Two ledgers that are told the same and must say the same."""

    disk: Ledger
    redis: Ledger
    now: float = NOON + DAY / 2 - 100.123457
    holds: list[Hold] = field(default_factory=list)

    def act(self, act: Act) -> None:
        match act:
            case Passing():
                self.now += act.seconds
            case Reserving():
                claims = [claim(window, act.cost, self.now, act.leave) for window in sorted(act.windows)]
                hold = Hold(f"h{len(self.holds)}", tuple(claims), act.envelope)
                self.holds.append(hold)
                self.agree(lambda ledger: ledger.reserve(hold, self.now, act.ttl))
            case Promising():
                claims = [claim(window, act.amount, self.now) for window in sorted(act.windows)]
                self.agree(lambda ledger: ledger.promise(act.envelope, claims, self.now, act.ttl))
            case Settling() if act.number < len(self.holds):
                told: dict[str, Told] = {name: Told("requests", name, *said) for name, said in act.told.items()}
                hold, lesson = self.holds[act.number], Lesson(act.good, told)
                self.agree(lambda ledger: ledger.settle(hold, act.costs, self.now, lesson))
        counters = [claim(window, 0, self.now).counter for window in WINDOWS]
        self.agree(lambda ledger: ledger.levels(counters, self.now))

    def agree(self, ask: Callable[[Ledger], object]) -> None:
        assert ask(self.disk) == ask(self.redis)


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTS, min_size=20, max_size=50))
@example([Reserving({"day"}, 1), Passing(DAY)] * 4 + [Passing(-4 * DAY)])  # the fourth day drops the first
def test_disk_and_redis_agree_at_every_step(history: list[Act]) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stores = {name: opener(folder) for name, opener in BACKENDS.items()}
        for store in stores.values():
            stack.callback(store.close)
        pair = Pair(stores["disk"].ledger, stores["redis"].ledger)
        for act in history:
            pair.act(act)


# Whole, once, in one round trip


def test_every_operation_is_one_round_trip(server: RedisServer, client: redis.Redis) -> None:
    ledger, documents = RedisLedger(client), RedisDocuments(client)

    def everything(hold: str) -> None:
        claims = [daily(5), sliding(5)]
        reserve(ledger, hold, claims, NOON, 180)
        ledger.promise("envelope", claims, NOON, 180)
        levels(ledger, claims, NOON)
        settle(ledger, hold, {}, NOON)
        documents.replace("k", None, hold, ttl=60)
        documents.get("k")

    everything("first")  # the server has the scripts from here on
    with server.client() as watcher, watcher.monitor() as monitor:
        everything("second")
        client.echo("end")
        sent: list[str] = []
        while not sent or not sent[-1].startswith("ECHO"):
            heard = monitor.next_command()
            if heard["client_type"] != "lua":
                sent.append(heard["command"])
    assert [command.split()[0] for command in sent] == ["EVALSHA"] * 5 + ["GET", "ECHO"]


def test_a_server_that_forgot_the_scripts_gets_them_again(client: redis.Redis, ledger: RedisLedger) -> None:
    client.script_flush()
    assert reserve(ledger, "next", [daily(5)], NOON, 180) is None
    assert levels(ledger, [daily(5)], NOON) == [Level(0, 2)]


def test_documents_go_away_by_themselves_and_counters_do_not(client: redis.Redis, ledger: RedisLedger) -> None:
    RedisDocuments(client, "d:").replace("k", None, "text", ttl=60)
    RedisDocuments(client, "d:").replace("kept", None, "text")
    assert 0 < client.pttl("d:k") <= 60_000
    assert client.pttl(COUNTERS) == client.pttl("d:kept") == -1
    assert client.dbsize() == 3


def test_numbers_are_kept_to_the_last_digit(ledger: RedisLedger) -> None:
    now, cost = 1_795_435_200.123457, 123_456_789.000001
    assert reserve(ledger, "exact", [sliding(1e9, cost)], now, 0.1 + 0.2) is None
    assert levels(ledger, [sliding(1e9)], now) == [Level(0, cost, now + 5 + 60)]
    assert levels(ledger, [sliding(1e9)], now + 1) == [Level(cost, 0, now + 5 + 60)]


# Time


def test_the_servers_clock_rules_and_is_asked_once_a_minute(client: redis.Redis) -> None:
    local = FrozenClock(at=0)
    clock = RedisClock(client, local)
    assert math.isclose(clock.now(), time.time(), abs_tol=5)
    first = clock.now()
    local.advance(59)
    assert clock.now() == first + 59
    local.advance(2)
    assert clock.now() < first + 50, "asked again, the server says that no minute has passed"


def test_time_goes_on_while_the_server_is_away(server: RedisServer, client: redis.Redis) -> None:
    local = FrozenClock(at=0)
    clock = RedisClock(client, local)
    first = clock.now()
    server.kill()
    local.advance(61)
    assert clock.now() == first + 61
    with pytest.raises(StoreError):
        RedisClock(client, local)
