"""What one provider did, as numbers that can be added up. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import add
from typing import Annotated

from pydantic import Field

# Upper edges of the latency buckets in seconds; the last bucket is open. Tallies saved with others cannot be read.
EDGES = (
    *(0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0),
    *(4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 45.0, 60.0),
)
BUCKETS = len(EDGES) + 1
WORD = r"^[A-Za-z]{1,30}$"
OTHER = "Other"
KINDS = 20  # of failures told apart in one tally; the errors that we raise are fewer

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Kind = Annotated[str, Field(pattern=WORD)]
Latency = Annotated[tuple[Count, ...], Field(min_length=BUCKETS, max_length=BUCKETS)]


@dataclass(frozen=True)
class Tally:
    """What one provider did in one hour, or in several added up.

    `seconds` and `latency` (calls per bucket of EDGES) are those of good calls, `tokens` those of all. The
    provider was first choice for `first_calls`; `wasted_calls` of these failed, after `wasted_seconds` altogether.
    `failures` adds up to `failed`, by kind. `saved` are calls that were not made, because the cache held a reply
    of this provider; no other number includes them.
    """

    calls: Count = 0
    failed: Count = 0
    tokens: Count = 0
    seconds: Seconds = 0.0
    first_calls: Count = 0
    wasted_calls: Count = 0
    wasted_seconds: Seconds = 0.0
    saved: Count = 0
    failures: Mapping[Kind, Count] = field(default_factory=dict)
    latency: Latency = (0,) * BUCKETS

    @property
    def waste(self) -> float | None:
        """Share of the first choices that failed, 0 to 1; None if it was first choice for nothing."""
        return self.wasted_calls / self.first_calls if self.first_calls else None

    @property
    def p50(self) -> float | None:
        """Half of the good calls took about this many seconds or less; None without a good call."""
        return self._percentile(50)

    @property
    def p95(self) -> float | None:
        """95 % of the good calls took about this many seconds or less; None without a good call."""
        return self._percentile(95)

    def __add__(self, other: Tally) -> Tally:
        failures = dict(self.failures)
        for kind, count in other.failures.items():
            told = kind if kind in failures or len(failures) < KINDS else OTHER
            failures[told] = failures.get(told, 0) + count
        return Tally(
            self.calls + other.calls,
            self.failed + other.failed,
            self.tokens + other.tokens,
            self.seconds + other.seconds,
            self.first_calls + other.first_calls,
            self.wasted_calls + other.wasted_calls,
            self.wasted_seconds + other.wasted_seconds,
            self.saved + other.saved,
            failures,
            tuple(map(add, self.latency, other.latency)),
        )

    def _percentile(self, percent: int) -> float | None:
        """In the bucket of the call with this rank, as if that bucket's calls were spread evenly over it.

        Of the open bucket only the lower edge is known, so that is told.
        """
        rank = -(-percent * sum(self.latency) // 100)
        before = 0
        for low, high, count in zip((0.0, *EDGES), (*EDGES, EDGES[-1]), self.latency, strict=True):
            if count and before + count >= rank:
                return high - (high - low) * (before + count - rank) / count
            before += count
        return None


def histogram(seconds: float) -> Latency:
    """The latency of one call."""
    bucket = bisect_left(EDGES, seconds)
    return tuple(int(n == bucket) for n in range(BUCKETS))
