"""A response cache on a real store, with a sleep that takes no time and a store that fails by plan."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from core.cache import ResponseCache, Terms
from core.stores.contract import Documents, StoreError
from tests.fakes.clock import FrozenClock

KEY = "answer:asked-by-everybody"
TERMS = Terms(keep=60, wait=10, lease=60)


class Maker:
    """Makes "text 1", "text 2" and so on."""

    made = 0

    def __call__(self) -> str:
        self.made += 1
        return f"text {self.made}"


class Sleeper:
    """Moves its clock instead of sleeping. `meanwhile` is what somebody else does during the first nap."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.clock = FrozenClock()
        self.naps: list[float] = []
        self._meanwhile = meanwhile

    def __call__(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.clock.advance(seconds)
        if len(self.naps) == 1:
            self._meanwhile()


class Shaky:
    """Documents in a store that fails by plan, one step per operation: `ok`, `fail`, or `lost`, which happens
    although its reply never arrives. After the plan all is well."""

    def __init__(self, inner: Documents, *plan: str) -> None:
        self._inner = inner
        self._plan = deque(plan)

    def get(self, key: str) -> str | None:
        with self._step():
            return self._inner.get(key)

    def replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        with self._step():
            return self._inner.replace(key, old, new, ttl)

    def keys(self) -> Iterator[str]:
        return self._inner.keys()

    @contextmanager
    def _step(self) -> Iterator[None]:
        step = self._plan.popleft() if self._plan else "ok"
        if step == "fail":
            raise StoreError("planned")
        yield
        if step == "lost":
            raise StoreError("planned")


def cache(documents: Documents, sleeper: Sleeper | None = None) -> ResponseCache:
    """Where nobody is expected to wait, no `sleeper` is needed."""
    sleeper = sleeper or Sleeper(lambda: pytest.fail("nobody should wait"))
    return ResponseCache(documents, sleeper.clock, sleeper, lambda: uuid.uuid4().hex)


def anything(text: str) -> bool:
    return True


def ask(documents: Documents, make: Callable[[], str], sleeper: Sleeper | None = None) -> tuple[str, bool]:
    return cache(documents, sleeper).text(KEY, TERMS, make, anything)


def lose(documents: Documents) -> None:
    """What stands there is evicted, or its time is over."""
    assert documents.replace(KEY, documents.get(KEY), None)


def fail() -> NoReturn:
    raise ValueError("nobody could make it")
