"""What one request may still spend: time and attempts, over all routes and everything that it waits for."""

from __future__ import annotations

from dataclasses import dataclass

from core.dispatch import Done, Failed
from core.policy import Task
from providers.contracts import Clock

SHORTEST_ATTEMPT = 0.2  # seconds; with less no provider can answer, and asking would only cost quota


@dataclass(frozen=True)
class Spent:
    """What was asked upstream for one request, failed calls included."""

    calls: int = 0
    tokens: int = 0


NOTHING = Spent()


class Budget:
    def __init__(self, task: Task, clock: Clock, calls: int | None = None) -> None:
        """`calls` bounds those that reach a provider, beside the attempts that the task allows."""
        self._clock = clock
        self._give_up = clock.monotonic() + task.deadline
        self._attempts = task.attempts
        self._calls = task.attempts if calls is None else calls
        self.spent = Spent()

    @property
    def left(self) -> int:
        """Attempts that may still be made."""
        return min(self._attempts, self._calls - self.spent.calls)

    def count(self, outcome: object) -> None:
        """Only a call that was made is an attempt, and only one that was sent is spent."""
        if isinstance(outcome, Done | Failed):
            self._attempts -= 1
            sent = isinstance(outcome, Done) or outcome.sent
            self.spent = Spent(self.spent.calls + sent, self.spent.tokens + outcome.tokens)

    def obstacle(self) -> str | None:
        """Why no further call may be made."""
        if self._time() < SHORTEST_ATTEMPT:
            return "no time was left to try it"
        return "enough others were tried" if self.left <= 0 else None

    def seconds(self, *, is_last: bool) -> float:
        """Half of what is left, so that a provider that hangs leaves time for those behind it."""
        if is_last or self.left <= 1:
            return self._time()
        return max(self._time() / 2, SHORTEST_ATTEMPT)

    def _time(self) -> float:
        return self._give_up - self._clock.monotonic()
