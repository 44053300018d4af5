"""Contestants timed by turns in one run, so that what the machine does besides hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Run = Callable[[int], Sequence[float]]
"""Do an operation so many times; the seconds of each."""


@dataclass(frozen=True)
class Sample:
    """What one contestant took: the seconds of every operation, round by round."""

    rounds: tuple[tuple[float, ...], ...]

    @property
    def seconds(self) -> list[float]:
        """Those of all rounds together, the shortest first."""
        return sorted(second for one in self.rounds for second in one)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        seconds = self.seconds
        return seconds[min(len(seconds) - 1, len(seconds) * 99 // 100)]

    @property
    def worst(self) -> float:
        return self.seconds[-1]


def timed(operation: Callable[[], object], calls: int) -> list[float]:
    """The seconds of each of so many calls in a row. What the operation raises comes out."""
    seconds = []
    for _ in range(calls):
        began = time.perf_counter()
        operation()
        seconds.append(time.perf_counter() - began)
    return seconds


def alternate(contestants: Mapping[str, Run], rounds: int, calls: int) -> dict[str, Sample]:
    """Every contestant runs so many calls in every round, after one round that warms up and does not count.

    Who begins changes from round to round, so that nobody always follows the same one.
    """
    names = list(contestants)
    taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds = tuple(contestants[name](calls))
            if number >= 0:
                taken[name].append(seconds)
    return {name: Sample(tuple(seconds)) for name, seconds in taken.items()}


def ratio(sample: Sample, base: Sample) -> float:
    """How many times as long as `base` the median operation took: the median of that ratio over the rounds."""
    pairs = zip(sample.rounds, base.rounds, strict=True)
    return statistics.median(statistics.median(one) / statistics.median(other) for one, other in pairs)


def verdict(value: float, most: float, unit: str = "x") -> str:
    """The target beside what was seen. It is for the reader; a missed target is not an error."""
    return f"target <= {most:.3g}{unit}: {'met' if value <= most else 'missed'}"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown, with columns as wide as a reader of the plain text needs them."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = (head, ["-" * width for width in widths], *rows)
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)
