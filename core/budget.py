"""What one request may still spend: time and attempts, over all routes and everything that it waits for."""

from __future__ import annotations

from core.dispatch import Done, Failed
from core.policy import Task
from providers.contracts import Clock

SHORTEST_ATTEMPT = 0.2  # seconds; with less no provider can answer, and asking would only cost quota


class Budget:
    def __init__(self, task: Task, clock: Clock) -> None:
        self._clock = clock
        self._give_up = clock.monotonic() + task.deadline
        self._attempts = task.attempts

    def count(self, outcome: object) -> None:
        """Only a call that was made is an attempt."""
        self._attempts -= isinstance(outcome, Done | Failed)

    def obstacle(self) -> str | None:
        """Why no further call may be made."""
        if self._left() < SHORTEST_ATTEMPT:
            return "no time was left to try it"
        return "enough others were tried" if self._attempts <= 0 else None

    def seconds(self, *, is_last: bool) -> float:
        """Half of what is left, so that a provider that hangs leaves time for those behind it."""
        if is_last or self._attempts <= 1:
            return self._left()
        return max(self._left() / 2, SHORTEST_ATTEMPT)

    def _left(self) -> float:
        return self._give_up - self._clock.monotonic()
