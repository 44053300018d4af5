"""Fake providers on one clock and balancers in front of them, all closed when the test is over."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from core.balancer import AllRoutesOut, Answer, LoadBalancer, Wanted
from core.policy import Task
from core.quotas import Envelope, Standing
from tests.fakes.clock import FrozenCalendar, FrozenClock
from tests.fakes.house import REQUEST, TASK, House, build_house
from tests.fakes.upstream import FakeUpstream

T = TypeVar("T")


@dataclass(frozen=True)
class _Elsewhere:
    base_url: str


class Scene:
    """Calendars stand still until a test moves them. Each fake answers to the catalogue row of its name."""

    def __init__(self, folder: Path, stack: ExitStack, clock: FrozenClock | None = None) -> None:
        self.folder = folder
        self.clock = clock or FrozenCalendar()
        self.fakes: dict[str, FakeUpstream] = {}
        self._stack = stack

    def fake(self, name: str, profile: str = "", **options: Any) -> FakeUpstream:
        """`profile` is the provider whose words and wire format it uses; the options are FakeUpstream's."""
        made = FakeUpstream(profile or name, clock=self.clock, **options)
        self.fakes[name] = self._stack.enter_context(made)
        return made

    def house(self, catalogue: str, at: Mapping[str, str] = MappingProxyType({}), **more: Any) -> House:
        """On the fakes made so far, and on servers `at` other addresses, by name. A second one is the same
        balancer started again, or in another process: what stands in the store is there."""
        found = {**self.fakes, **{name: _Elsewhere(url) for name, url in at.items()}}
        house = build_house(self.folder, catalogue, self.clock, cast(Mapping[str, FakeUpstream], found), more)
        self._stack.callback(house.close)
        return house


def drain(balancer: LoadBalancer, most: int = 200, task: Task = TASK, envelope: Envelope | None = None) -> int:
    """How many calls are answered before all is out, of so many at most."""
    for number in range(most):
        try:
            balancer.complete(Wanted(task, REQUEST, str, envelope=envelope))
        except AllRoutesOut:
            return number
    return most


def standing(balancer: LoadBalancer, key: str) -> Standing:
    """Of the limit with this key."""
    return next(found for limit, found in balancer.view().standings.items() if limit.key == key)


def heard(stream: Generator[str, None, Answer[T]]) -> tuple[list[str], Answer[T]]:
    """Every piece of a stream, and what it returned."""
    pieces = []
    try:
        while True:
            pieces.append(next(stream))
    except StopIteration as end:
        answer: Answer[T] = end.value
        return pieces, answer
