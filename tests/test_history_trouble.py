"""The history in trouble: what the store does not take arrives later, once, and what is garbled costs one hour."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.history import Attempt, History
from core.stores.contract import StoreError
from core.stores.disk import open_cache
from core.stores.redis import open_client
from tests import redis_server
from tests.fakes.asking import NOON
from tests.fakes.clock import FrozenClock
from tests.fakes.flaky import Flaky
from tests.fakes.stores import BACKENDS, Store

HOUR, DAY = 3_600.0, 86_400.0
KEY, NAME, NEXT = "history:2026-11-23T12", "2026-11-23T12", "2026-11-23T13"
CALL = Attempt("gemini", "gemini/m", 1.5, None, first=True)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(backend: str, tmp_path: Path) -> Iterator[Store]:
    opened = BACKENDS[backend](tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def documents(store: Store) -> Flaky:
    return Flaky(store.documents)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def history(documents: Flaky, clock: FrozenClock) -> History:
    """Goes to the store with every record."""
    return History(documents, clock, every=0)


def calls(history: History) -> dict[str, int]:
    """By hour."""
    return {name: tallies["gemini"].calls for name, tallies in history.hours(0).items()}


def test_what_a_failing_store_does_not_take_arrives_later(
    documents: Flaky, clock: FrozenClock, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    for hour in range(3):
        documents.down = ""
        for _ in range(10):
            history.record(CALL)
        with pytest.raises(StoreError):
            history.flush()
        with pytest.raises(StoreError):
            history.hours(0)
        assert [r.levelno for r in caplog.records] == [logging.WARNING] * (hour + 1), "one line for each trouble"
        documents.down = None
        assert sum(calls(history).values()) == 11 * hour + 10
        history.record(CALL)
        assert calls(History(documents, clock)) == calls(history)
        assert sum(calls(history).values()) == 11 * (hour + 1)
        clock.advance(HOUR)


def test_a_failing_store_is_asked_no_more_often_than_another(documents: Flaky, clock: FrozenClock) -> None:
    history = History(documents, clock, every=5)
    documents.down = KEY
    clock.advance(5)
    for _ in range(20):
        history.record(CALL)
    asked = documents.reads
    assert asked == 1
    clock.advance(5)
    history.record(CALL)
    assert documents.reads == 2


def test_what_was_written_though_no_answer_came_counts_once(
    documents: Flaky, clock: FrozenClock, history: History
) -> None:
    other = History(documents, clock, every=0)
    for n in range(1, 4):
        documents.loses_answers = True
        history.record(CALL)
        history.record(CALL)
        documents.loses_answers = False
        assert calls(history) == {NAME: 5 * n - 3}
        other.record(CALL)
        history.record(CALL)
        history.record(CALL)
        assert calls(history) == calls(other) == {NAME: 5 * n}


def test_with_too_many_writers_the_numbers_wait(documents: Flaky, clock: FrozenClock, history: History) -> None:
    documents.is_outrun = True
    history.record(CALL)
    with pytest.raises(StoreError, match="too many writers"):
        history.flush()
    documents.is_outrun = False
    history.flush()
    assert calls(History(documents, clock)) == {NAME: 1}


def test_an_hour_that_cannot_be_read_holds_up_none_after_it(
    documents: Flaky, clock: FrozenClock, history: History
) -> None:
    documents.down = KEY
    history.record(CALL)
    clock.advance(HOUR)
    history.record(CALL)
    documents.down = None
    assert calls(History(documents, clock)) == {NEXT: 1}
    assert calls(history) == {NAME: 1, NEXT: 1}


def test_what_waits_is_bounded_by_35_days(documents: Flaky, clock: FrozenClock, history: History) -> None:
    documents.down = ""
    clock.at = NOON + 400 * DAY
    history.record(CALL)
    clock.at = NOON
    for _ in range(900):
        clock.advance(HOUR)
        history.record(CALL)
        history.record(CALL)
    documents.down = None
    waiting = calls(history)
    assert (len(waiting), set(waiting.values()), min(waiting)) == (840, {2}, "2026-11-26T01")
    history.flush()
    assert calls(History(documents, clock)) == waiting


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "null",
        lambda text: "[" * 200_000,
        lambda text: text[:-1],
        lambda text: text.replace('"calls":1', '"calls":-1'),
        lambda text: text.replace('"calls":1', '"calls":"CANARY"'),
        lambda text: text.replace('"seconds":1.5', '"seconds":Infinity'),
        lambda text: text.replace('"failures":{}', '"failures":{"I led the CANARY":1}'),
        lambda text: text.replace('"latency":[0,', '"latency":['),
    ],
)
def test_a_garbled_document_costs_one_hour(
    damage: Callable[[str], str], documents: Flaky, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    first, history = History(documents, clock, every=0), History(documents, clock, every=0)
    first.record(CALL)
    clock.advance(HOUR)
    first.record(CALL)
    text = documents.get(KEY)
    assert text
    assert damage(text) != text
    documents.replace(KEY, text, damage(text))
    for _ in range(3):
        assert calls(history) == {NEXT: 1}
    clock.at = NOON
    for n in range(1, 4):
        history.record(CALL)
        assert calls(history) == {NAME: n, NEXT: 1}
    assert [NAME in r.getMessage() for r in caplog.records] == [True]
    assert "CANARY" not in caplog.text


def test_a_document_is_kept_for_35_days_from_the_last_call(
    backend: str, store: Store, history: History, tmp_path: Path
) -> None:
    history.record(CALL)
    text = store.documents.get(KEY)
    assert store.documents.replace(KEY, text, text, ttl=60)
    history.record(CALL)
    if backend == "redis":
        with closing(open_client(redis_server.shared_url())) as client:
            left = client.pttl(f"greenroom:{tmp_path}:documents:{KEY}") / 1000
    else:
        with closing(open_cache(tmp_path / "ledger")) as cache:
            left = cache.get(KEY, expire_time=True)[1] - time.time()
    assert 34.9 * DAY < left <= 35 * DAY


def test_a_document_stays_small(history: History, store: Store) -> None:
    for n in range(300):
        history.record(replace(CALL, provider=f"p{n % 20}", failure=f"X{chr(65 + n % 26)}", tokens=10**6))
    text = store.documents.get(KEY) or ""
    assert len(text) < 20_000
    assert len(json.loads(text)["batches"]) == 50


def test_documents_of_others_are_left_alone(history: History, store: Store) -> None:
    history.record(CALL)
    for key in ("cooldowns", "history:", "history:2026-11-23", f"{KEY}:00", f"pre{KEY}", "history:thirteenth"):
        store.documents.replace(key, None, store.documents.get(KEY))
    assert calls(history) == {NAME: 1}
