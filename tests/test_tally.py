"""Tallies: they add up whatever the order, and their percentiles hold against a sorted list."""

from __future__ import annotations

import math
from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from core.tally import EDGES, Tally, histogram

TIMES = st.lists(st.floats(0, 100) | st.sampled_from(EDGES), min_size=1, max_size=50)


def tallied(times: list[float]) -> Tally:
    return sum((Tally(1, seconds=s, latency=histogram(s)) for s in times), Tally())


@given(TIMES, st.integers(0, 50))
def test_percentiles_are_in_the_bucket_of_the_call_that_has_the_rank(times: list[float], cut: int) -> None:
    added = tallied(times[cut:]) + tallied(times[:cut])
    for told, percent in ((added.p50, 50), (added.p95, 95)):
        oracle = sorted(times)[-(-percent * len(times) // 100) - 1]
        bucket = bisect_left(EDGES, oracle)
        assert told is not None
        assert [0.0, *EDGES][bucket] <= told <= [*EDGES, EDGES[-1]][bucket]
    assert added.calls == sum(added.latency) == len(times)
    assert math.isclose(added.seconds, math.fsum(times), abs_tol=1e-9)


def test_a_percentile_moves_through_its_bucket() -> None:
    assert tallied([4.5] * 4).p50 == 4.5
    assert tallied([4.5] * 20).p95 == 4.95
    assert tallied([99.0]).p50 == EDGES[-1]


def test_what_was_not_counted_is_not_told() -> None:
    failed = Tally(1, 1, failures={"Busy": 1})
    assert (failed.p50, failed.p95, failed.waste) == (None, None, None)
