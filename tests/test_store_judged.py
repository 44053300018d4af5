"""Judged by a provider that may count each call at any moment from its sending to its certain arrival."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import windows
from core.stores.contract import ARRIVAL_SECONDS, Claim, Counter, Hold, Ledger
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS

LIMIT = 10
TTL = 45.0
PACIFIC = ZoneInfo("America/Los_Angeles")


Counting = Callable[[float], Counter]


@dataclass(frozen=True)
class Call:
    """Made at `at`, with an answer after `lasts` seconds (None: never heard of again) that costs `cost`."""

    at: float
    lasts: float | None
    held: int
    cost: int

    @property
    def over(self) -> float:
        return self.at + (TTL if self.lasts is None else self.lasts)

    @property
    def arrived(self) -> float:
        return min(self.over, self.at + ARRIVAL_SECONDS)

    @property
    def charged(self) -> int:
        return self.held if self.lasts is None else self.cost


def calls(times: st.SearchStrategy[float]) -> st.SearchStrategy[list[Call]]:
    lasts = st.none() | st.integers(1, 4 * 44).map(lambda quarters: quarters / 4)
    amounts = st.tuples(st.integers(1, 6), st.integers(0, 6)).map(lambda pair: (max(pair), pair[1]))
    made = st.builds(lambda at, ends, amounts: Call(at, ends, *amounts), times, lasts, amounts)
    return st.lists(made, min_size=5, max_size=40)


@contextmanager
def ledger_of_its_own() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder:
        store = BACKENDS["disk"](Path(folder))
        yield store.ledger
        store.close()


def admitted(wanted: list[Call], counter: Counting, may_count: Callable[[Call, Call], bool]) -> list[Call]:
    """Which calls the ledger lets through, made and settled in the order of time.

    A refusal must be due to calls that may still count when the refused one is made, by `may_count`.
    """
    through: list[Call] = []
    holds: dict[int, Hold] = {}
    events = [(call.at, "made", n) for n, call in enumerate(wanted)]
    events += [(call.over, "ends", n) for n, call in enumerate(wanted) if call.lasts is not None]
    with ledger_of_its_own() as ledger:
        for now, what, n in sorted(events):
            call = wanted[n]
            if what == "ends" and n in holds:
                assert ledger.settle(holds[n], {"p": call.cost}, now) is True
            elif what == "made":
                hold = Hold(f"h{n}", (Claim(counter(now), call.held),))
                if ledger.reserve(hold, now, TTL) is None:
                    holds[n] = hold
                    through.append(call)
                else:
                    in_the_way = [c for c in through if may_count(c, call)]
                    assert sum(c.charged if c.over <= now else c.held for c in in_the_way) + call.held > LIMIT
    return through


# Any minute


@settings(max_examples=150, deadline=None)
@given(calls(st.integers(0, 4 * 200).map(lambda quarters: NOON + quarters / 4)))
def test_no_minute_ever_sees_more_than_the_limit(wanted: list[Call]) -> None:
    through = admitted(wanted, lambda now: Counter("p", "sliding", LIMIT, span=60.0), in_the_same_minute)
    for first in through:
        begins, ends = first.arrived, first.arrived + 60
        assert sum(c.charged for c in through if c.arrived >= begins and c.at < ends) <= LIMIT


def in_the_same_minute(earlier: Call, refused: Call) -> bool:
    known = earlier.arrived if earlier.over <= refused.at else earlier.at + ARRIVAL_SECONDS
    return known + 60 + 60 / 240 > refused.at


# Any day


def pacific(at: float) -> date:
    return datetime.fromtimestamp(at, PACIFIC).date()


def on(now: float) -> Counter:
    period = windows.period("day", "America/Los_Angeles", now)
    return Counter("p", "calendar", LIMIT, period.id, period.next_id, period.begins, period.ends)


def turns(first: date) -> list[float]:
    """The beginnings of this day, the next and the one after, in Pacific time."""
    days = [datetime(first.year, first.month, first.day + n, tzinfo=PACIFIC) for n in range(3)]
    return [day.timestamp() for day in days]


@pytest.mark.parametrize(
    ("first", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 10), 24)]
)
def test_no_day_ever_sees_more_than_the_limit_however_long_it_is(first: date, hours: int) -> None:
    midnights = turns(first)
    assert midnights[1] - midnights[0] == hours * 3_600
    near = st.builds(
        lambda turn, quarters: turn + quarters / 4, st.sampled_from(midnights), st.integers(-4 * 50, 4 * 50)
    )

    @settings(max_examples=100, deadline=None)
    @given(calls(near))
    def judge(wanted: list[Call]) -> None:
        through = admitted(wanted, on, on_the_same_day)
        for day in {pacific(call.at) for call in through} | {pacific(call.arrived) for call in through}:
            on_that_day = [c for c in through if pacific(c.at) <= day <= pacific(c.arrived)]
            assert sum(c.charged for c in on_that_day) <= LIMIT

    judge()


def on_the_same_day(earlier: Call, refused: Call) -> bool:
    known = earlier.arrived if earlier.over <= refused.at else earlier.at + ARRIVAL_SECONDS
    return pacific(known) >= pacific(refused.at)
