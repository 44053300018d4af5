"""What only the Redis store promises. The suites over BACKENDS hold it to everything else."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.stores.contract import Claim, Counter, Hold, Ledger, Lesson, Level, Refusal, StoreError
from core.stores.redis import LEDGER, RedisClock, RedisDocuments, RedisLedger, open_client
from core.windows import Kind
from providers.contracts import Told
from tests.fakes.asking import NOON
from tests.fakes.clock import FrozenClock
from tests.fakes.stores import BACKENDS, daily, levels, reserve, settle, sliding
from tests.redis_server import RedisServer, running

ROOT = Path(__file__).parent.parent
DAY = 86_400.0
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

CEILINGS: dict[Kind, float] = {"calendar": 12.0, "sliding": 7.5, "refill": 100.0, "concurrent": 3.0}
KINDS = sorted(CEILINGS)
COSTS = st.sampled_from([0.0, 0.1, 0.2, 0.7, 1.0, 1.0, 2.5, 3.003, 40.0, 101.0])


@dataclass(frozen=True)
class Reserving:
    kinds: set[Kind]
    cost: float
    leave: float = 0.0
    envelope: str = ""


@dataclass(frozen=True)
class Promising:
    envelope: str
    kinds: set[Kind]
    cost: float


@dataclass(frozen=True)
class Settling:
    number: int
    costs: dict[str, float]
    good: bool = False
    told: dict[str, Told] = field(default_factory=dict)


@dataclass(frozen=True)
class Passing:
    seconds: float


SECONDS = [0.1, 1.0, 20.0, 59.9, 60.0, 180.0, 3_600.0, DAY, 2 * DAY, 40 * DAY]
MOMENTS = st.one_of(st.sampled_from(SECONDS), st.sampled_from([-s for s in SECONDS]))
KIND_SETS, ENVELOPES = st.sets(st.sampled_from(KINDS), min_size=1), st.sampled_from(["e1", "e2"])
AMOUNTS = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 5.0, 30.0]))
TOLD = st.builds(Told, st.just("requests"), st.just("day"), AMOUNTS, AMOUNTS)
LEAVES = st.sampled_from([0.0, 0.0, 1.5])
RESERVING = st.builds(Reserving, KIND_SETS, COSTS, LEAVES, st.one_of(st.just(""), ENVELOPES))
PROMISING = st.builds(Promising, ENVELOPES, KIND_SETS, COSTS)
LESSONS = st.dictionaries(st.sampled_from(KINDS), TOLD, max_size=2)
SETTLING = st.builds(
    Settling, st.integers(0, 12), st.dictionaries(st.sampled_from(KINDS), COSTS), st.booleans(), LESSONS
)
PASSING = st.builds(Passing, MOMENTS)
ANOTHER_DAY = st.builds(Passing, st.sampled_from([-DAY, DAY]))
ACTS = st.one_of(RESERVING, RESERVING, PROMISING, SETTLING, SETTLING, PASSING, ANOTHER_DAY)
HISTORIES = st.lists(ACTS, min_size=20, max_size=50)


def claim(kind: Kind, cost: float, now: float) -> Claim:
    span = {"sliding": 60.0, "refill": DAY}.get(kind, 0.0)
    today, tomorrow = (f"{now // DAY + n:06.0f}" if kind == "calendar" else "" for n in (0, 1))
    begins = now // DAY * DAY if kind == "calendar" else 0.0
    ends = begins + DAY if kind == "calendar" else 0.0
    return Claim(Counter(kind, kind, CEILINGS[kind], today, tomorrow, begins, ends, span), cost)


@settings(max_examples=120, deadline=None)
@given(HISTORIES)
@example([Reserving({"calendar"}, 1), Passing(DAY)] * 4 + [Passing(-4 * DAY)])  # the fourth day drops the first
def test_disk_and_redis_agree_at_every_step(history: list[Reserving | Promising | Settling | Passing]) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stores = [opener(folder) for opener in BACKENDS.values()]
        for store in stores:
            stack.callback(store.close)
        ledgers = [store.ledger for store in stores]
        now = NOON + 0.123457
        holds: list[Hold] = []
        for act in history:
            if isinstance(act, Passing):
                now += act.seconds
            else:
                disk, redis_ = (done(ledger, act, now, holds) for ledger in ledgers)
                assert disk == redis_
            if isinstance(act, Reserving):
                holds.append(held(act, now, len(holds)))
            asked = [claim(kind, 0, now).counter for kind in KINDS]
            disk_says, redis_says = (ledger.levels(asked, now) for ledger in ledgers)
            assert disk_says == redis_says


def held(act: Reserving, now: float, number: int) -> Hold:
    claims = [replace(claim(kind, act.cost, now), leave=act.leave) for kind in sorted(act.kinds)]
    return Hold(f"h{number}", tuple(claims), act.envelope)


def done(
    ledger: Ledger, act: Reserving | Promising | Settling, now: float, holds: list[Hold]
) -> Refusal | bool | None:
    match act:
        case Reserving():
            return ledger.reserve(held(act, now, len(holds)), now, 180)
        case Promising():
            return ledger.promise(act.envelope, [claim(k, act.cost, now) for k in sorted(act.kinds)], now, 7_200)
    if act.number >= len(holds):
        return None
    return ledger.settle(holds[act.number], act.costs, now, Lesson(act.good, act.told))


# Whole, once, in one round trip


def test_every_operation_is_one_round_trip(server: RedisServer, client: redis.Redis) -> None:
    ledger, documents = RedisLedger(client), RedisDocuments(client)

    def everything(hold: str) -> None:
        claims = [daily(5), sliding(5)]
        reserve(ledger, hold, claims, NOON, 180)
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
    assert [command.split()[0] for command in sent] == ["EVALSHA"] * 4 + ["GET", "ECHO"]


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


RACER = """
import os, sys
from pathlib import Path
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, daily, reserve, sliding
store = BACKENDS["redis"](Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
holds = [f"{os.getpid()}-{n}" for n in range(25)]
print(sum(reserve(store.ledger, hold, [daily(50), sliding(60)], NOON, 180) is None for hold in holds))
store.close()
"""


def racer(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RACER, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.mark.parametrize("again", range(3))
def test_eight_processes_admit_exactly_the_limit(again: int, tmp_path: Path) -> None:
    store = BACKENDS["redis"](tmp_path)
    with ExitStack() as stack:
        racers = []
        for _ in range(
            8
        ):  # one after the other: eight starts at once can starve a small machine past our time-outs
            racers.append(stack.enter_context(racer(tmp_path)))
            assert racers[-1].stdout
            assert racers[-1].stdout.readline() == "ready\n"
        for each in racers:
            assert each.stdin
            each.stdin.write("go\n")
            each.stdin.flush()
        assert sum(int(each.communicate(timeout=60)[0]) for each in racers) == 50
    assert levels(store.ledger, [daily(50), sliding(60)], NOON) == [Level(0, 50), Level(0, 50, NOON + 65)]
    store.close()


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
