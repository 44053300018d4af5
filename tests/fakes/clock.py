"""Clocks that a test moves by hand. Both can be given to a FakeUpstream as its clock too."""

from __future__ import annotations

import time

from tests.fakes.asking import HandClock


class FrozenClock(HandClock):
    """Stands still until it is moved. Setting `at` alone is a step of the host's clock: no time passes."""

    elapsed = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        self.at += seconds
        self.elapsed += seconds


class FrozenCalendar(FrozenClock):
    """The calendar stands still while deadlines run: for quota and health in a test that makes real HTTP calls."""

    def monotonic(self) -> float:
        return time.monotonic()
