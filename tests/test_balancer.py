"""The balancer over real HTTP: the fakes keep their own counters, and those are the judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut
from core.health import LONGEST_DOWN
from core.policy import Task
from providers.errors import BadReply, Refused
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import REQUEST, TASK, House, build_house, limits, row
from tests.fakes.upstream import Counts, FakeUpstream

TWO_MODELS = '{ id = "m", tier = "small" }, { id = "n", tier = "small" }'
BOTH = row("first", 1, more=limits(requests_day=50)) + row(
    "second", 2, more=limits(requests_day=50, tokens_day=9000)
)
FIRST, SECOND = "first|requests|day", "second|requests|day"
NOON_TO_MIDNIGHT = 12 * 3600

Build = Callable[..., House]


@pytest.fixture
def clock() -> FrozenCalendar:
    return FrozenCalendar()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def first(stack: ExitStack, clock: FrozenCalendar) -> FakeUpstream:
    return stack.enter_context(FakeUpstream("first", key="right", clock=clock))


@pytest.fixture
def second(stack: ExitStack, clock: FrozenCalendar) -> FakeUpstream:
    return stack.enter_context(FakeUpstream("second", key="right", clock=clock))


@pytest.fixture
def build(stack: ExitStack, tmp_path: Path, clock: FrozenCalendar) -> Build:
    def make(catalogue: str, **fakes: FakeUpstream) -> House:
        house = build_house(tmp_path, catalogue, clock, fakes)
        stack.callback(house.close)
        return house

    return make


@pytest.fixture
def house(build: Build, first: FakeUpstream, second: FakeUpstream) -> House:
    return build(BOTH, first=first, second=second)


def all_out(house: House, task: Task = TASK) -> AllRoutesOut:
    with pytest.raises(AllRoutesOut) as caught:
        house.ask(task=task)
    return caught.value


# Failing over


def test_whatever_the_first_does_the_second_answers_and_the_books_agree(
    house: House, first: FakeUpstream, second: FakeUpstream, clock: FrozenCalendar
) -> None:
    steps = ["429:90", "500", "drop", "503", "drop-mid", "garbage", "html", "empty", "error-in-200"]
    first.plan(*steps)
    for n, _ in enumerate(steps, 1):
        answer = house.ask()
        assert (answer.route.partition("/")[0], answer.value) == ("second", "Thank you, that is a clear answer.")
        assert [s.route.provider for s in answer.failed] == ["first"]
        assert (first.counts.received, second.counts.received) == (n, n)
        clock.advance(LONGEST_DOWN + 1)
    assert house.used(FIRST) == first.counts.charged
    assert (house.used(SECOND), house.used("second|tokens|day")) == (second.counts.charged, second.counts.tokens)
    assert house.ask().route.partition("/")[0] == "first"


@pytest.mark.parametrize(
    "step", ["429:90", "500", "drop", "503", "drop-mid", "garbage", "empty", "filtered", "ok"]
)
def test_each_outcome_is_charged_as_the_provider_charges_it(step: str, house: House, first: FakeUpstream) -> None:
    first.plan(step)
    if step == "filtered":
        with pytest.raises(Refused):
            house.ask()
    else:
        house.ask()
    assert (house.used(FIRST), first.counts.received) == (first.counts.charged, 1)


@pytest.mark.parametrize("charged", [True, False])
def test_a_429_is_charged_where_the_row_says_so(
    charged: bool, build: Build, stack: ExitStack, second: FakeUpstream, clock: FrozenCalendar
) -> None:
    fake = stack.enter_context(FakeUpstream("first", charges_429=charged, clock=clock))
    rule = f"charge = {{ rate_limited = {str(charged).lower()} }}"
    catalogue = row("first", 1, more=f"{limits(requests_day=50)}\n{rule}") + row("second", 2)
    house = build(catalogue, first=fake, second=second)
    fake.plan("429")
    house.ask()
    assert house.used(FIRST) == fake.counts.charged == int(charged)


def test_retry_after_is_kept_to_the_second(
    house: House, first: FakeUpstream, second: FakeUpstream, clock: FrozenCalendar
) -> None:
    first.plan("429:120")
    assert house.ask().failed[0].until == clock.now() + 120
    clock.advance(119)
    assert house.ask().route.partition("/")[0] == "second"
    assert first.counts.received == 1
    clock.advance(1)
    assert house.ask().route.partition("/")[0] == "first"
    assert (first.counts.received, second.counts.received) == (2, 2)


def test_a_refused_request_goes_to_nobody_else(house: House, first: FakeUpstream, second: FakeUpstream) -> None:
    first.plan("filtered")
    with pytest.raises(Refused):
        house.ask()
    assert (first.counts.received, second.counts.received) == (1, 0)
    assert house.health.cooldowns() == {}


def test_a_reply_of_no_use_moves_on_is_paid_for_and_benches_nobody(
    house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    def read(text: str) -> str:
        if len(first.requests()) > len(second.requests()):
            raise BadReply("not what was asked for")
        return text

    answer = house.ask(read)
    assert (answer.route.partition("/")[0], answer.failed[0].reason) == ("second", "not what was asked for")
    assert (answer.failed[0].until, answer.failed[0].benched) == (None, None)
    assert house.used(FIRST) == first.counts.charged == 1
    assert house.health.cooldowns() == {}


def test_a_reply_of_no_use_costs_the_tokens_it_reported(build: Build, first: FakeUpstream) -> None:
    house = build(row("first", 1, more=limits(tokens_day=9000)), first=first)

    def read(text: str) -> str:
        raise BadReply("no")

    with pytest.raises(AllRoutesOut):
        house.ask(read)
    assert house.used("first|tokens|day") == first.counts.tokens == 13


def test_a_rejected_key_benches_all_of_its_provider_after_one_request(
    build: Build, stack: ExitStack, second: FakeUpstream, clock: FrozenCalendar
) -> None:
    locked = stack.enter_context(FakeUpstream("first", key="another", clock=clock))
    catalogue = row("first", 1, TWO_MODELS, limits(requests_day=50)) + row("second", 2)
    house = build(catalogue, first=locked, second=second)
    for _ in range(3):
        assert house.ask().route.partition("/")[0] == "second"
    assert locked.counts == Counts(received=1, refused=1)
    assert list(house.health.cooldowns()) == ["first"]


def test_a_rejected_key_costs_nothing(build: Build, stack: ExitStack, clock: FrozenCalendar) -> None:
    locked = stack.enter_context(FakeUpstream("first", key="another", clock=clock))
    house = build(row("first", 1, more=limits(requests_day=50)), first=locked)
    all_out(house)
    assert house.used(FIRST) == locked.counts.charged == 0


def test_both_routes_of_a_rejected_key_are_told_apart_from_the_key(
    build: Build, stack: ExitStack, clock: FrozenCalendar
) -> None:
    locked = stack.enter_context(FakeUpstream("first", key="another", clock=clock))
    house = build(row("first", 1, TWO_MODELS), first=locked)
    out = all_out(house)
    assert {s.route.model for s in out.skipped} == {"m", "n"}
    assert len({s.reason for s in out.skipped}) == 1
    assert "right" not in str(out)
    assert locked.counts.received == 1


# Deadlines


def test_a_slow_route_leaves_time_for_the_next(house: House, first: FakeUpstream) -> None:
    first.always("slow:8")
    answer = house.ask(task=TASK, request=replace(REQUEST, timeout=0.3))
    assert answer.route.partition("/")[0] == "second"


def test_a_hanging_provider_leaves_time_for_the_next(house: House, first: FakeUpstream) -> None:
    """The request's own timeout is as long as the whole deadline, as it is in the app."""
    first.always("slow:8")
    answer = house.ask(task=replace(TASK, deadline=2.0), request=replace(REQUEST, timeout=2.0))
    assert answer.route.partition("/")[0] == "second"


def test_the_deadline_bounds_all_attempts_together(
    house: House, first: FakeUpstream, second: FakeUpstream
) -> None:
    first.always("slow:8")
    second.always("drip")
    started = time.monotonic()
    with pytest.raises(AllRoutesOut):
        house.ask(task=replace(TASK, deadline=1.0), request=replace(REQUEST, timeout=0.6))
    assert time.monotonic() - started < 4
    assert (house.used(FIRST), house.used(SECOND)) == (first.counts.charged, second.counts.charged) == (1, 1)


def test_a_route_for_which_no_time_is_left_gets_a_reason_too(house: House, first: FakeUpstream) -> None:
    first.always("slow:8")
    out = all_out(house, replace(TASK, deadline=0.3))
    assert {s.route.provider for s in out.skipped} == {"first", "second"}


# Everything out


def test_when_everything_is_out_nobody_is_called(
    house: House, first: FakeUpstream, second: FakeUpstream, clock: FrozenCalendar
) -> None:
    first.plan("429-day")
    second.plan("402")
    out = all_out(house)
    assert out.soonest == clock.now() + NOON_TO_MIDNIGHT
    for _ in range(20):
        out = all_out(house)
    assert {s.route.provider: bool(s.reason) for s in out.skipped} == {"first": True, "second": True}
    assert out.soonest == clock.now() + NOON_TO_MIDNIGHT
    assert (first.counts.received, second.counts.received) == (1, 1)
    clock.advance(NOON_TO_MIDNIGHT)
    assert house.ask().route.partition("/")[0] == "first"


def test_a_day_that_we_counted_to_its_end_is_not_asked_again(
    build: Build, first: FakeUpstream, second: FakeUpstream, clock: FrozenCalendar
) -> None:
    catalogue = row("first", 1, more=limits(requests_day=2)) + row("second", 2, more=limits(requests_minute=1))
    house = build(catalogue, first=first, second=second)
    assert [house.ask().route.partition("/")[0] for _ in range(3)] == ["first", "first", "second"]
    out = all_out(house)
    assert {s.reason for s in out.skipped} == {"requests per day used up", "requests per minute used up"}
    assert out.soonest == clock.now() + 60
    assert (first.counts.received, second.counts.received) == (2, 1)


def test_the_soonest_return_of_a_full_minute_draws_nearer(
    build: Build, first: FakeUpstream, clock: FrozenCalendar
) -> None:
    house = build(row("first", 1, more=limits(requests_minute=1)), first=first)
    back = clock.now() + 60
    house.ask()
    clock.advance(50)
    assert all_out(house).soonest == back


@pytest.mark.parametrize("window", ["minute", "day"])
def test_waiting_does_not_help_a_call_that_can_never_fit(window: str, build: Build, first: FakeUpstream) -> None:
    house = build(row("first", 1, more=limits(**{f"tokens_{window}": 40})), first=first)
    out = all_out(house)
    assert first.counts.received == 0
    assert (out.skipped[0].until, out.soonest) == (None, None)


def test_without_any_provider_everything_is_out(build: Build) -> None:
    out = all_out(build(row("first", 1)))
    assert (str(out), out.skipped, out.soonest) == ("no provider is configured", (), None)
