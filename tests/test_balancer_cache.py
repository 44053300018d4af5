"""Kept replies through the balancer: what is shared, what never is, and who asks when many want the same."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut
from providers.contracts import Message
from providers.errors import BadReply, Refused
from tests.fakes.clock import FrozenClock
from tests.fakes.exchange import Exchange
from tests.fakes.house import REQUEST, TASK, House, limits, row
from tests.fakes.stores import BACKENDS
from tests.fakes.upstream import FakeUpstream
from tests.scene import Scene

ROOT = Path(__file__).parent.parent
LIMITS = limits(requests_day=50, tokens_day=9000)
ONE, TWO = row("first", 1, more=LIMITS), row("second", 2, more=LIMITS)
FIRST, TOKENS = "first|requests|day", "first|tokens|day"
KEPT = replace(TASK, keep=60.0)
SCHEMA = {"type": "object"}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


@pytest.fixture
def first(scene: Scene) -> FakeUpstream:
    numbers = itertools.count(1)
    return scene.fake("first", reply=lambda _: f"reply {next(numbers)}")


@pytest.fixture
def house(scene: Scene, first: FakeUpstream) -> House:
    return scene.house(ONE)


def kept(house: House) -> list[str]:
    """The keys under which replies stand."""
    keys = house.store.documents.keys()
    return [key for key in keys if key.startswith("answer:")]


# What is shared


def test_the_same_question_again_costs_nothing_and_says_so(
    scene: Scene, first: FakeUpstream, backend: str
) -> None:
    house = scene.house(ONE, store=BACKENDS[backend](scene.folder / "store"))
    fresh, again = house.ask(task=KEPT), house.ask(task=KEPT)
    assert (fresh.value, fresh.cached, again.value, again.cached) == ("reply 1", False, "reply 1", True)
    assert (again.route, again.failed) == ("first/m", ())
    assert (first.counts.received, house.used(FIRST), house.used(TOKENS)) == (1, 1, first.counts.tokens)
    (hour,) = house.history.hours(0).values()
    assert (hour["first"].calls, hour["first"].saved) == (1, 1)


def test_a_reply_serves_even_where_nobody_could_answer_any_more(house: House, first: FakeUpstream) -> None:
    house.ask(task=KEPT)
    first.plan("429-day")
    with pytest.raises(AllRoutesOut):
        house.ask()
    assert house.ask(task=KEPT).value == "reply 1"


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": (Message("user", "How did I do??"),)},
        {"messages": (Message("system", "How did I do?"),)},
        {"messages": (Message("user", "How did"), Message("user", " I do?"))},
        {"max_tokens": 51},
        {"schema": SCHEMA},
        {"temperature": 0.7},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_question_is_asked_for_itself(
    changes: dict[str, object], house: House, first: FakeUpstream, request: pytest.FixtureRequest
) -> None:
    house.ask(task=KEPT)
    other = house.ask(task=KEPT, request=replace(REQUEST, **changes))  # type: ignore[arg-type]
    assert (other.value, other.cached, first.counts.received) == ("reply 2", False, 2)


def test_another_kind_of_call_is_asked_for_itself(house: House, first: FakeUpstream) -> None:
    house.ask(task=KEPT)
    assert house.ask(task=replace(KEPT, name="plan")).value == "reply 2"


def test_a_shorter_timeout_does_not_make_another_question(house: House, first: FakeUpstream) -> None:
    house.ask(task=KEPT)
    assert house.ask(task=KEPT, request=replace(REQUEST, timeout=3.0)).cached


def test_what_may_not_be_kept_neither_serves_nor_is_served(house: House, first: FakeUpstream) -> None:
    for number in (1, 2):
        answer = house.ask()
        assert (answer.value, answer.cached) == (f"reply {number}", False)
    assert kept(house) == []
    assert house.ask(task=KEPT).value == "reply 3"
    assert house.ask().value == "reply 4", "a kept reply is not for those who may not keep one"


def test_a_reply_that_no_longer_fits_is_asked_for_again_and_kept_in_its_place(
    house: House, first: FakeUpstream
) -> None:
    def read(text: str) -> str:
        if text == "reply 1":
            raise BadReply("of an older shape")
        return text

    house.ask(task=KEPT)
    answer = house.ask(read, KEPT)
    assert (answer.value, answer.cached) == ("reply 2", False)
    assert house.ask(task=KEPT).value == "reply 2"
    assert first.counts.received == 2


# What is never kept


@pytest.mark.parametrize("step", ["empty", "garbage", "429:1", "500", "filtered", "truncated"])
def test_only_a_good_reply_is_kept(
    step: str, scene: Scene, house: House, first: FakeUpstream, request: pytest.FixtureRequest
) -> None:
    first.plan(step)
    with suppress(AllRoutesOut, Refused):
        house.ask(task=KEPT)
    scene.clock.advance(40)  # what was benched is back, and a reply would still be kept
    answer = house.ask(task=KEPT)
    assert (answer.cached, first.counts.received) == (False, 2)
    assert house.ask(task=KEPT).value == answer.value
    assert first.counts.received == 2


def test_a_reply_that_its_own_reader_refuses_is_not_kept(house: House, first: FakeUpstream) -> None:
    def read(text: str) -> str:
        raise BadReply("no")

    with pytest.raises(AllRoutesOut):
        house.ask(read, KEPT)
    assert house.ask(task=KEPT).value == "reply 2"


def test_a_mistake_of_the_readers_own_keeps_nothing_and_holds_nobody_up(house: House, first: FakeUpstream) -> None:
    def read(text: str) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        house.ask(read, KEPT)
    assert house.used(TOKENS) >= first.counts.tokens
    assert house.ask(task=KEPT).value == "reply 2"


# All at once


def ask_ten_times(house: House) -> Counter[str]:
    def ask(_: int) -> str:
        try:
            return "cached" if house.ask(task=KEPT).cached else "made"
        except AllRoutesOut:
            return "out"
        finally:
            house.store.close()

    with ThreadPoolExecutor(10) as pool:
        return Counter(pool.map(ask, range(10)))


def test_if_the_first_route_fails_the_one_who_asks_goes_on_to_the_second(scene: Scene) -> None:
    first, second = (scene.fake(name, latency=0.3) for name in ("first", "second"))
    first.plan("503")
    assert ask_ten_times(scene.house(ONE + TWO)) == {"made": 1, "cached": 9}
    assert (first.counts.received, second.counts.received) == (1, 1)


def test_if_the_only_route_is_benched_nobody_asks_again(scene: Scene) -> None:
    fake = scene.fake("first", latency=0.3)
    fake.plan("429-day")
    assert ask_ten_times(scene.house(ONE)) == {"out": 10}
    assert fake.counts.received == 1


def test_who_has_waited_for_another_has_only_the_rest_of_the_deadline(tmp_path: Path) -> None:
    """The other one's process died without a word, and its lease stayed."""
    clock = FrozenClock()
    pauses = iter([0.0, 0.6 * KEPT.deadline])

    def reply(_: Exchange) -> str:
        clock.advance(next(pauses))
        return "a reply"

    with ExitStack() as stack:
        scene = Scene(tmp_path, stack, clock)
        first, second = scene.fake("first", reply=reply), scene.fake("second")
        house = scene.house(ONE + TWO, sleep=clock.advance)
        house.ask(task=KEPT)
        (key,) = kept(house)
        documents = house.store.documents
        documents.replace(key, documents.get(key), '{"by": "the dead one"}')
        with suppress(AllRoutesOut):
            house.ask(task=KEPT)
    assert first.counts.received == 2
    assert clock.monotonic() >= KEPT.deadline, "half of it went by in waiting, the rest on the first route"
    assert second.counts.received == 0
