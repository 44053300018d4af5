"""One maker for all who ask at once, the kept text for whoever asks later; trouble costs calls but no answer."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

from core.cache import ResponseCache, Terms, fingerprint
from core.clock import SystemClock
from core.stores.contract import Documents, StoreError
from tests.caches import KEY, TERMS, Maker, Shaky, Sleeper, anything, ask, cache, fail, lose
from tests.fakes.stores import BACKENDS


@pytest.fixture(params=BACKENDS)
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Documents]:
    store = BACKENDS[request.param](tmp_path)
    yield store.documents
    store.close()


# Kept


def test_what_was_made_is_kept_for_everybody(documents: Documents) -> None:
    make = Maker()
    assert [ask(documents, make) for _ in range(3)] == [("text 1", True), ("text 1", False), ("text 1", False)]


def test_what_was_kept_long_enough_is_made_anew(documents: Documents) -> None:
    make, short = Maker(), Terms(keep=0.01, wait=10, lease=60)
    assert cache(documents).text(KEY, short, make, anything) == ("text 1", True)
    time.sleep(0.05)
    assert ask(documents, make) == ("text 2", True)


def test_what_was_lost_is_made_anew(documents: Documents) -> None:
    make = Maker()
    ask(documents, make)
    lose(documents)
    assert [ask(documents, make), ask(documents, make)] == [("text 2", True), ("text 2", False)]


def test_a_kept_text_that_does_not_fit_is_replaced(documents: Documents) -> None:
    make = Maker()
    ask(documents, make)
    assert cache(documents).text(KEY, TERMS, make, lambda text: text != "text 1") == ("text 2", True)
    assert ask(documents, make) == ("text 2", False)


@pytest.mark.parametrize("text", ["", "Ünfinished \u2028\x00'\"\\", "half of a surrogate: \ud800", '{"by": "x"}'])
def test_every_text_comes_back_as_it_was(documents: Documents, text: str) -> None:
    assert [ask(documents, lambda: text), ask(documents, fail)] == [(text, True), (text, False)]


@pytest.mark.parametrize("garbled", ["", "{", "null", "1", "[]", '{"text": 1}', '{"by": null}', "[" * 100_000])
def test_what_is_garbled_is_replaced(documents: Documents, garbled: str) -> None:
    documents.replace(KEY, None, garbled)
    make = Maker()
    assert [ask(documents, make), ask(documents, make)] == [("text 1", True), ("text 1", False)]


# Together


def test_another_key_does_not_wait(documents: Documents) -> None:
    other = cache(documents)

    def make() -> str:
        assert other.text("answer:another", TERMS, lambda: "theirs", anything) == ("theirs", True)
        return "ours"

    assert ask(documents, make) == ("ours", True)
    assert ask(documents, fail) == ("ours", False)
    assert other.text("answer:another", TERMS, fail, anything) == ("theirs", False)


def test_a_follower_gets_what_the_leader_made(documents: Documents) -> None:
    leading, go_on = threading.Event(), threading.Event()

    def make() -> str:
        leading.set()
        assert go_on.wait(10)
        return "the leader's"

    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(ask, documents, make)
        assert leading.wait(10)

        def finish() -> None:
            go_on.set()
            assert leader.result(10) == ("the leader's", True)

        sleeper = Sleeper(meanwhile=finish)
        assert ask(documents, fail, sleeper) == ("the leader's", False)
    assert len(sleeper.naps) == 1


def test_who_has_waited_long_enough_makes_it_and_spares_the_others_the_wait(documents: Documents) -> None:
    sleeper = Sleeper()

    def slow() -> str:
        assert ask(documents, lambda: "the follower's", sleeper) == ("the follower's", True)
        assert ask(documents, fail) == ("the follower's", False)
        return "the leader's"

    assert ask(documents, slow) == ("the leader's", True)
    assert ask(documents, fail) == ("the follower's", False)
    assert sleeper.naps[:5] == [0.01, 0.02, 0.04, 0.08, 0.1]
    assert max(sleeper.naps) == 0.1
    assert sum(sleeper.naps) == pytest.approx(TERMS.wait)


def test_who_has_waited_in_vain_and_fails_leaves_the_leader_alone(documents: Documents) -> None:
    def slow() -> str:
        with pytest.raises(ValueError, match="nobody"):
            ask(documents, fail, Sleeper())
        return "the leader's"

    assert ask(documents, slow) == ("the leader's", True)
    assert ask(documents, fail) == ("the leader's", False)


def test_a_lease_that_is_lost_is_taken_over(documents: Documents) -> None:
    sleeper = Sleeper(meanwhile=lambda: lose(documents))

    def slow() -> str:
        assert ask(documents, lambda: "the follower's", sleeper) == ("the follower's", True)
        return "the leader's"

    assert ask(documents, slow) == ("the leader's", True)
    assert ask(documents, fail) == ("the follower's", False)
    assert len(sleeper.naps) == 1


@pytest.mark.parametrize("trouble", [ValueError, StoreError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_leader_who_fails_hears_why_and_nobody_waits_for_it(
    documents: Documents, trouble: type[BaseException]
) -> None:
    def stop() -> NoReturn:
        raise trouble

    with pytest.raises(trouble):
        ask(documents, stop)
    assert ask(documents, lambda: "text") == ("text", True)


def test_when_the_leader_fails_one_of_twelve_takes_over(documents: Documents) -> None:
    callers, make = 12, Maker()
    waiting: set[int] = set()
    all_wait = threading.Event()

    def first_fails() -> str:
        text = make()
        if text == "text 1":
            assert all_wait.wait(30)
            fail()
        return text

    def sleep(seconds: float) -> None:
        waiting.add(threading.get_ident())
        if len(waiting) == callers - 1:
            all_wait.set()
        time.sleep(seconds)

    shared = ResponseCache(documents, SystemClock(), sleep, lambda: uuid.uuid4().hex)

    def call(_: int) -> tuple[str, bool] | str:
        try:
            return shared.text(KEY, Terms(keep=60, wait=60, lease=60), first_fails, anything)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(callers) as pool:
        outcomes = list(pool.map(call, range(callers)))
    assert make.made == 2
    assert outcomes.count("nobody could make it") == outcomes.count(("text 2", True)) == 1
    assert outcomes.count(("text 2", False)) == callers - 2


@pytest.mark.parametrize("ending", [lambda: "the slow one's", fail], ids=["makes it late", "fails late"])
def test_a_leader_who_was_too_slow_leaves_its_successor_alone(
    documents: Documents, ending: Callable[[], str]
) -> None:
    leading, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        leading.set()
        assert go_on.wait(10)
        return ending()

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(ask, documents, slow)
        assert leading.wait(10)
        lose(documents)

        def succeed() -> str:
            go_on.set()
            failed = late.exception(10) is not None
            assert failed or late.result() == ("the slow one's", True)
            return "the successor's"

        assert ask(documents, succeed) == ("the successor's", True)
    assert ask(documents, fail) == ("the successor's", False)


# The store in trouble


@pytest.mark.parametrize(
    ("plan", "later"),
    [
        ("fail", ("text 1", False)),
        ("ok fail", ("text 2", True)),
        ("ok lost", ("text 1", False)),
        ("ok ok lost", ("text 1", False)),
        ("fail fail", ("text 2", True)),
        ("ok fail fail", ("text 2", True)),
    ],
)
def test_store_trouble_loses_no_answer(
    documents: Documents, caplog: pytest.LogCaptureFixture, plan: str, later: tuple[str, bool]
) -> None:
    caplog.set_level(logging.DEBUG)
    make = Maker()
    assert ask(Shaky(documents, *plan.split()), make) == ("text 1", True)
    assert ask(documents, make) == later
    told = [record for record in caplog.records if record.name == "core.cache"]
    assert len(told) == plan.count("fail") + plan.count("lost")
    assert KEY not in caplog.text
    assert "text 1" not in caplog.text


def test_what_could_not_be_kept_keeps_others_waiting_no_longer_than_a_dead_leader(documents: Documents) -> None:
    make, sleeper = Maker(), Sleeper()
    assert ask(Shaky(documents, "ok", "ok", "fail"), make) == ("text 1", True)
    assert ask(documents, make, sleeper) == ("text 2", True)
    assert sum(sleeper.naps) == pytest.approx(TERMS.wait)
    assert ask(documents, make) == ("text 2", False)


def test_store_trouble_while_waiting_ends_the_wait(documents: Documents) -> None:
    def slow() -> str:
        assert ask(Shaky(documents, "ok", "fail"), lambda: "the follower's", sleeper) == ("the follower's", True)
        return "the leader's"

    sleeper = Sleeper()
    assert ask(documents, slow) == ("the leader's", True)
    assert len(sleeper.naps) == 1


def test_store_trouble_never_hides_why_the_leader_failed(documents: Documents) -> None:
    with pytest.raises(ValueError, match="nobody"):
        ask(Shaky(documents, "ok", "ok", "fail"), fail)


# Keys


def test_a_fingerprint_is_the_same_everywhere_and_whatever_the_order() -> None:
    canonical = rb'["turn",3,{"a":"\u00dcnfinished","b":[1,null]}]'
    expected = f"answer:{hashlib.sha256(canonical).hexdigest()}"
    assert fingerprint("turn", 3, {"b": [1, None], "a": "Ünfinished"}) == expected
    assert fingerprint("turn", 3, {"a": "Ünfinished", "b": (1, None)}) == expected


def test_different_parts_have_different_fingerprints() -> None:
    alike: list[tuple[object, ...]]
    alike = [(), ("",), ("", ""), ("ab", "c"), ("a", "bc"), (["a", "bc"],), ("1",), (1,), (True,), (None,), ({},)]
    assert len({fingerprint(*parts) for parts in alike}) == len(alike)


@pytest.mark.parametrize("part", [object(), {1, 2}, b"bytes", float("nan")])
def test_what_json_cannot_say_has_no_fingerprint(part: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        fingerprint(part)
