"""The Redis store in trouble: it says so soon, recovers by itself, and never takes a counter for fresh."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from core.stores.contract import Level, StoreError
from core.stores.redis import LEDGER, RedisDocuments, RedisLedger, open_client
from tests.fakes.asking import NOON
from tests.fakes.stores import daily, levels, reserve, settle, sliding
from tests.redis_server import RedisServer, running

COUNTERS, ROW = f"{LEDGER}counters", daily(5).counter.key


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """One of this test's own, to be killed, filled up or spoiled."""
    with running(tmp_path, "appendonly yes", "appendfsync always") as made:
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


def everything_refuses(client: redis.Redis) -> None:
    ledger, documents = RedisLedger(client), RedisDocuments(client)
    for act in (
        lambda: levels(ledger, [daily(5)], NOON),
        lambda: reserve(ledger, "next", [daily(5)], NOON, 180),
        lambda: settle(ledger, "hold", {daily(5).counter.key: 0}, NOON),
        lambda: documents.get("k"),
        lambda: documents.replace("k", None, "fresh"),
        lambda: list(documents.keys()),
    ):
        with pytest.raises(StoreError):
            act()


def reserve_until_trouble(ledger: RedisLedger) -> int:
    """How many holds were promised before the store failed."""
    for promised in range(1_000_000):
        try:
            assert reserve(ledger, f"h{promised}", [daily(1e9)], NOON, 180) is None
        except StoreError:
            return promised
    raise AssertionError("the server was never killed")


def test_killed_in_the_middle_and_back_with_its_data(server: RedisServer, client: redis.Redis) -> None:
    ledger = RedisLedger(client)
    killer = threading.Timer(0.3, server.kill)
    killer.start()
    promised = reserve_until_trouble(ledger)
    killer.join()
    everything_refuses(client)
    server.start()
    held = levels(ledger, [daily(1e9)], NOON)[0].held
    assert promised <= held <= promised + 1, "the last one may have happened without our hearing of it"
    assert reserve(ledger, "next", [daily(1e9)], NOON, 180) is None
    assert settle(ledger, "h0", {daily(5).counter.key: 0}, NOON) is True


def test_killed_in_the_middle_and_back_empty(server: RedisServer, client: redis.Redis) -> None:
    ledger = RedisLedger(client)
    killer = threading.Timer(0.2, server.kill)
    killer.start()
    reserve_until_trouble(ledger)
    killer.join()
    everything_refuses(client)
    server.forget()
    server.start()
    assert settle(ledger, "h0", {daily(5).counter.key: 0}, NOON) is False
    assert reserve(ledger, "next", [daily(5)], NOON, 180) is None
    assert levels(ledger, [daily(5)], NOON) == [Level(0, 1)]


def test_a_server_that_hangs_is_an_error_and_recovers(
    server: RedisServer, client: redis.Redis, ledger: RedisLedger
) -> None:
    server.pause()
    began = time.monotonic()
    with pytest.raises(StoreError, match="TimeoutError"):
        reserve(ledger, "next", [daily(5)], NOON, 180)
    assert time.monotonic() - began < 4
    server.resume()
    assert reserve(ledger, "other", [daily(5)], NOON, 180) is None
    assert levels(ledger, [daily(5)], NOON)[0].held in (2, 3), "it may have read what it was sent while it hung"


def test_a_full_server_is_an_error_and_changes_nothing(client: redis.Redis, ledger: RedisLedger) -> None:
    client.config_set("maxmemory", "1mb")
    with pytest.raises(StoreError, match="OutOfMemory"):
        reserve(ledger, "next", [daily(5), sliding(5)], NOON, 180)
    with pytest.raises(StoreError, match="OutOfMemory"):
        settle(ledger, "hold", {daily(5).counter.key: 0}, NOON)
    with pytest.raises(StoreError, match="OutOfMemory"):
        RedisDocuments(client).replace("k", None, "text")
    client.config_set("maxmemory", "0")
    assert levels(ledger, [daily(5), sliding(5)], NOON) == [Level(0, 1), Level(0, 0)]
    assert settle(ledger, "hold", {daily(5).counter.key: 0}, NOON) is True


def test_a_read_only_replica_is_an_error_that_still_tells_what_it_knows(
    client: redis.Redis, ledger: RedisLedger
) -> None:
    client.replicaof("127.0.0.1", 1)  # type: ignore[no-untyped-call, unused-ignore]
    with pytest.raises(StoreError, match="ReadOnly"):
        reserve(ledger, "next", [daily(5)], NOON, 180)
    assert levels(ledger, [daily(5)], NOON) == [Level(0, 1)]
    client.replicaof("NO", "ONE")  # type: ignore[no-untyped-call, unused-ignore]
    assert reserve(ledger, "next", [daily(5)], NOON, 180) is None


TEXTS = ["", "{", "null", "7", '"x"', "[]", "{}", "[" * 200_000, b"\xff\x00", b"\xc0", b"\x80", b"\x90"]
HELD = {"cost": 1, "made": NOON, "expires": NOON + 180, "window": "2026-11-23", "drawn": 0}
HELD |= {"next_window": "2026-11-24", "turns": NOON + 43_200}
WHOLE = {"used": {}, "times": [], "costs": [], "drained": 0, "at": 0, "promised": {}, "cap_until": 0}
WHOLE |= {"open": {"hold": HELD}}
ROWS = [
    {},
    [],
    7,
    {key: value for key, value in WHOLE.items() if key != "used"},
    {**WHOLE, "used": {"2026-11-23": "many"}},
    {**WHOLE, "used": 5},
    {**WHOLE, "open": {"h": 1}},
    {**WHOLE, "open": {"h": {"cost": 1}}},
    {**WHOLE, "promised": {"e": {}}},
]


def packed(client: redis.Redis, text: object) -> object:
    """A text as it is, and anything else as a row that we might have written."""
    if isinstance(text, str | bytes):
        return text
    return client.eval("return cmsgpack.pack(cjson.decode(ARGV[1]))", 0, json.dumps(text))  # type: ignore[no-untyped-call, unused-ignore]


@pytest.mark.parametrize("text", [*TEXTS, *ROWS], ids=lambda text: repr(text)[:60])
def test_a_garbled_counter_is_never_a_fresh_one(text: object, client: redis.Redis, ledger: RedisLedger) -> None:
    good = client.hget(COUNTERS, ROW)
    assert isinstance(good, bytes)
    client.hset(COUNTERS, ROW, packed(client, text))  # type: ignore[arg-type, unused-ignore]
    for act in (
        lambda: levels(ledger, [daily(5)], NOON),
        lambda: reserve(ledger, "next", [sliding(5), daily(5)], NOON, 180),
        lambda: settle(ledger, "hold", {daily(5).counter.key: 0}, NOON),
    ):
        with pytest.raises(StoreError):
            act()
    client.hset(COUNTERS, ROW, good)
    assert levels(ledger, [sliding(5)], NOON) == [Level(0, 0)], "nothing of a failed step may stay"
    assert settle(ledger, "hold", {daily(5).counter.key: 0}, NOON) is True


def test_values_that_we_never_write_are_errors(client: redis.Redis, ledger: RedisLedger) -> None:
    documents = RedisDocuments(client, "d:")
    client.set("d:bytes", b"\xff")
    client.rpush("d:list", "x")
    client.delete(COUNTERS)
    client.rpush(COUNTERS, "x")
    for act in (
        lambda: documents.get("bytes"),
        lambda: documents.get("list"),
        lambda: documents.replace("list", None, "x"),
        lambda: reserve(ledger, "next", [daily(5)], NOON, 180),
    ):
        with pytest.raises(StoreError):
            act()
