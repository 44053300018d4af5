"""Replies that must fit a schema: repaired here, asked for once more, then asked of the next route."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from core.balancer import AllRoutesOut, Answer, Wanted
from core.policy import Task
from core.structured import read_as, schema_of
from tests.fakes.clock import FrozenClock
from tests.fakes.exchange import Exchange
from tests.fakes.house import REQUEST, TASK, House, limits, row
from tests.fakes.upstream import FakeUpstream
from tests.scene import Scene


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    level: str


MODEL = '{ id = "m", tier = "small", json = "schema" }'
LIMITS = limits(requests_day=50, tokens_day=9000)
ONE, TWO = row("first", 1, MODEL, LIMITS), row("second", 2, MODEL, LIMITS)
FIRST, TOKENS = "first|requests|day", "first|tokens|day"
ASKED = replace(REQUEST, schema=schema_of(Shape))
GOOD, BAD = '{"level": "strong"}', '{"level": 7}'
Reply = Callable[[Exchange], str]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def saying(*texts: str) -> Reply:
    """These, one after the other, and then the last one for ever."""
    said = itertools.chain(texts, itertools.repeat(texts[-1]))
    return lambda _: next(said)


def asked(house: House, task: Task = TASK) -> Answer[Shape]:
    return house.balancer.complete(Wanted(task, ASKED, lambda text: read_as(Shape, text)))


@pytest.fixture
def second(scene: Scene) -> FakeUpstream:
    return scene.fake("second", reply=saying(GOOD))


# Repaired here


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",
        f"Sure! Here it is:\n\n{GOOD}\n\nLet me know if you need more.",
        f"<think>strong or weak?</think>{GOOD}",
        f"\ufeff  {GOOD}\n",
    ],
    ids=["fences", "prose around", "thoughts", "byte order mark"],
)
def test_what_can_be_repaired_here_needs_no_second_call(text: str, scene: Scene, second: FakeUpstream) -> None:
    first = scene.fake("first", reply=saying(text))
    answer = asked(scene.house(ONE + TWO))
    assert (answer.value, answer.route) == (Shape(level="strong"), "first/m")
    assert (first.counts.received, second.counts.received) == (1, 0)


# Asked for once more


@pytest.mark.parametrize("bad", [BAD, "I cannot say.", '{"level": "strong", "level": "weak"}', '{"level": NaN}'])
def test_an_unusable_reply_is_sent_back_once_with_what_is_wrong(
    bad: str, scene: Scene, second: FakeUpstream
) -> None:
    first = scene.fake("first", reply=saying(bad, GOOD))
    house = scene.house(ONE + TWO)
    answer = asked(house)
    assert (answer.value, answer.route, answer.failed) == (Shape(level="strong"), "first/m", ())
    before, again = (exchange.messages for exchange in first.requests())
    assert again[: len(before)] == before
    assert again[len(before)] == ("assistant", bad)
    assert again[len(before) + 1][0] == "user"
    assert "the reply" in again[len(before) + 1][1]
    assert len(again) == len(before) + 2
    formats = [exchange.body["response_format"] for exchange in first.requests()]
    assert formats[0] == formats[1]
    assert second.counts.received == 0


def test_both_calls_are_charged_and_counted(scene: Scene) -> None:
    first = scene.fake("first", reply=saying(BAD, GOOD))
    house = scene.house(ONE)
    asked(house)
    assert (house.used(FIRST), house.used(TOKENS)) == (first.counts.charged, first.counts.tokens)
    assert first.counts.charged == 2
    (hour,) = house.history.hours(0).values()
    assert (hour["first"].calls, hour["first"].failures) == (2, {"BadReply": 1})


def test_after_a_second_unusable_reply_the_next_route_is_asked_afresh(scene: Scene, second: FakeUpstream) -> None:
    first = scene.fake("first", reply=saying(BAD))
    house = scene.house(ONE + TWO)
    answer = asked(house)
    assert answer.route == "second/m"
    assert (first.counts.received, second.counts.received) == (2, 1)
    assert second.requests()[0].messages == first.requests()[0].messages
    assert [(s.route.name, s.until) for s in answer.failed] == [("first/m", None)]
    assert house.health.cooldowns() == {}


def test_a_second_call_that_fails_otherwise_benches_the_route(scene: Scene, second: FakeUpstream) -> None:
    first = scene.fake("first", reply=saying(BAD))
    first.plan("ok", "429:90")
    house = scene.house(ONE + TWO)
    assert asked(house).route == "second/m"
    assert first.counts.received == 2
    assert list(house.health.cooldowns()) == ["first/m"]


@pytest.mark.parametrize("step", ["empty", "garbage", "500", "html"])
def test_what_is_no_reply_at_all_is_not_sent_back(step: str, scene: Scene, second: FakeUpstream) -> None:
    first = scene.fake("first", reply=saying(GOOD))
    first.plan(step)
    assert asked(scene.house(ONE + TWO)).route == "second/m"
    assert first.counts.received == 1


def test_the_second_call_needs_quota_of_its_own(scene: Scene, second: FakeUpstream) -> None:
    first = scene.fake("first", reply=saying(BAD), per_day=1)
    house = scene.house(row("first", 1, MODEL, limits(requests_day=1)) + TWO)
    assert asked(house).route == "second/m"
    assert (first.counts.received, first.counts.refused) == (1, 0)


def test_without_attempts_left_nobody_asks_again(scene: Scene) -> None:
    first = scene.fake("first", reply=saying(BAD, GOOD))
    house = scene.house(ONE)
    with suppress(AllRoutesOut):
        asked(house, replace(TASK, attempts=1))
    assert first.counts.received == 1


@pytest.mark.parametrize("seconds", [11.0, 19.9], ids=["some time is left", "no time is left"])
def test_asking_again_ends_with_the_deadline(seconds: float, tmp_path: Path) -> None:
    """Each reply takes so many of the twenty seconds that there are."""
    clock = FrozenClock()

    def reply(_: Exchange) -> str:
        clock.advance(seconds)
        return BAD if clock.monotonic() <= seconds else GOOD

    with ExitStack() as stack:
        scene = Scene(tmp_path, stack, clock)
        first = scene.fake("first", reply=reply)
        house = scene.house(ONE)
        patient = replace(ASKED, timeout=TASK.deadline)
        with pytest.raises(AllRoutesOut):
            house.balancer.complete(Wanted(TASK, patient, lambda text: read_as(Shape, text)))
    assert first.counts.received == (2 if seconds < 19.8 else 1)


# How many are tried


def rows(*names: str, more: str = "") -> str:
    return "".join(row(name, number, MODEL, more) for number, name in enumerate(names))


def test_only_so_many_routes_are_tried_and_the_others_have_a_reason(scene: Scene) -> None:
    names = ("alpha", "beta", "gamma", "delta")
    fakes = [scene.fake(name) for name in names]
    for fake in fakes:
        fake.always("500")
    house = scene.house(rows(*names))
    with pytest.raises(AllRoutesOut) as caught:
        asked(house, replace(TASK, attempts=2))
    assert [fake.counts.received for fake in fakes] == [1, 1, 0, 0]
    reasons = {s.route.provider: s.reason for s in caught.value.skipped}
    assert list(reasons) == list(names)
    assert [reasons[name] for name in names[2:]] == ["enough others were tried"] * 2
    assert caught.value.soonest == scene.clock.now()
    with pytest.raises(AllRoutesOut):
        asked(house, replace(TASK, attempts=2))
    assert [fake.counts.received for fake in fakes] == [1, 1, 1, 1], "those that rest are no attempt"


def test_routes_that_are_never_called_are_no_attempt(scene: Scene) -> None:
    names = ("alpha", "beta", "gamma")
    fakes = [scene.fake(name, reply=saying(GOOD)) for name in names]
    house = scene.house(rows("alpha", "beta", more=limits(tokens_minute=40)) + row("gamma", 9, MODEL))
    with suppress(AllRoutesOut):
        asked(house, replace(TASK, attempts=2))
    assert [fake.counts.received for fake in fakes] == [0, 0, 1]


def test_the_schema_goes_out_with_the_request(scene: Scene) -> None:
    first = scene.fake("first", reply=saying(GOOD))
    asked(scene.house(ONE))
    sent = first.requests()[0].body["response_format"]["json_schema"]["schema"]
    assert json.loads(json.dumps(schema_of(Shape))) == sent
