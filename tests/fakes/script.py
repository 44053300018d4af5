"""Which step comes next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from tests.fakes import faults

Check = Callable[[str], object]


class Script:
    """Steps in their order, and one for all that follow them. Safe from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plan: deque[str] = deque()
        self._otherwise = "ok"

    def plan(self, steps: Iterable[str], check: Check = faults.split) -> None:
        """Append steps; what `check` raises for one of them leaves the plan as it was."""
        wanted = list(steps)
        for step in wanted:
            check(step)
        with self._lock:
            self._plan.extend(wanted)

    def always(self, step: str, check: Check = faults.split) -> None:
        check(step)
        with self._lock:
            self._otherwise = step

    def next(self) -> str:
        with self._lock:
            return self._plan.popleft() if self._plan else self._otherwise
