"""Two ways to count what was used of late: amounts that slide out of a span, and a bucket that leaks."""

from __future__ import annotations

from collections import deque


class SlidingSum:
    """The amounts of the last `span` seconds. Not for several threads at once."""

    def __init__(self, span: float) -> None:
        self._span = span
        self._rows: deque[tuple[float, int]] = deque()

    def add(self, now: float, amount: int) -> None:
        self._rows.append((now, amount))

    def total(self, now: float) -> int:
        while self._rows and self._rows[0][0] <= now - self._span:
            self._rows.popleft()
        return sum(amount for _, amount in self._rows)

    def oldest_leaves(self, now: float) -> float:
        """When the first amount leaves, in seconds since the epoch; a span from now when there is none."""
        return (self._rows[0][0] if self._rows else now) + self._span


class LeakyBucket:
    """A level that sinks evenly by `size` per `span` seconds, as Groq counts seconds of audio. Not for threads.

    Seen in its refusals: Limit 7200, Used 7170, Requested 230, try again in 1m39.7s: 200 s at 2 per second.
    """

    def __init__(self, size: float, span: float) -> None:
        self._rate = size / span
        self._level, self._at = 0.0, float("-inf")

    def add(self, now: float, amount: float) -> None:
        self._level, self._at = self.level(now) + amount, max(now, self._at)

    def level(self, now: float) -> float:
        if not self._level:
            return 0.0
        return max(0.0, self._level - self._rate * max(0.0, now - self._at))

    def sinks_by(self, amount: float) -> float:
        """In how many seconds the level is lower by `amount`."""
        return amount / self._rate
