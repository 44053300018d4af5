"""Quota windows turn where the provider's day turns, whatever the length of that day and wherever we run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.windows import SPANS, period, resets_at, span
from providers.contracts import Window

HOUR = 3600.0
FIRST, LAST = datetime(2015, 1, 1, tzinfo=UTC).timestamp(), datetime(2037, 12, 1, tzinfo=UTC).timestamp()
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
# Days that begin at 01:00, end twice at midnight, shift by half an hour, or lie at the ends of the earth.
ODD_ZONES = (
    "America/Los_Angeles",
    "America/Havana",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Atlantic/Azores",
)
CALENDAR: tuple[Window, ...] = ("day", "month")


def window_id(window: Window, zone: str, now: float) -> str:
    return period(window, zone, now).id


def at(zone: str, *local: int) -> float:
    return datetime(*local, tzinfo=ZoneInfo(zone)).timestamp()  # type: ignore[misc, arg-type]


@cache
def odd_days(zone: str) -> list[float]:
    """The first moment of every day from 2015 to 2037 that does not last 24 hours."""
    place, first = ZoneInfo(zone), date(2015, 1, 1)
    days = [first + timedelta(days=n) for n in range(23 * 365)]
    starts = [datetime.combine(day, clock_time(), place).timestamp() for day in days]
    return [a for a, b in pairwise(starts) if b - a != 24 * HOUR] or starts[:1]


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, float]:
    """A zone and a moment, half of them on or beside a day of unusual length."""
    if draw(st.booleans()):
        return draw(st.sampled_from(ZONES)), draw(st.floats(FIRST, LAST).map(lambda x: round(x, 3)))
    zone = draw(st.sampled_from(ODD_ZONES))
    day = draw(st.sampled_from(odd_days(zone)))
    return zone, day + draw(st.integers(-30 * 3600, 30 * 3600))


@settings(deadline=None)  # the first look at a zone's odd days takes a while
@given(moments(), st.sampled_from(CALENDAR))
def test_the_window_changes_exactly_at_its_reset(moment: tuple[str, float], window: Window) -> None:
    zone, now = moment
    reset = resets_at(window, zone, now)
    assert reset > now
    assert window_id(window, zone, reset - 0.001) == window_id(window, zone, now)
    assert window_id(window, zone, reset) > window_id(window, zone, now)


@settings(deadline=None)
@given(moments(), st.floats(0, 1), st.sampled_from(CALENDAR))
def test_every_moment_of_a_window_agrees_on_name_and_reset(
    moment: tuple[str, float], part: float, window: Window
) -> None:
    zone, now = moment
    reset = resets_at(window, zone, now)
    later = min(now + part * (reset - now), reset - 0.001)
    assert window_id(window, zone, later) == window_id(window, zone, now)
    assert resets_at(window, zone, later) == reset


@settings(deadline=None)
@given(moments())
def test_a_local_day_has_one_reset(moment: tuple[str, float]) -> None:
    zone, now = moment
    first = resets_at("day", zone, now)
    second = resets_at("day", zone, first)
    assert 20 * HOUR <= second - first <= 28 * HOUR
    local = [datetime.fromtimestamp(reset, ZoneInfo(zone)).date() for reset in (first, second)]
    assert local[1] - local[0] == timedelta(days=1)


@settings(deadline=None)
@given(moments(), st.floats(0, 40 * 86_400))
def test_names_never_run_backwards(moment: tuple[str, float], passed: float) -> None:
    zone, now = moment
    for window in CALENDAR:
        assert window_id(window, zone, now + passed) >= window_id(window, zone, now)


@pytest.mark.parametrize(("day", "hours"), [(8, 23), (9, 24)])
def test_the_short_pacific_day_of_spring(day: int, hours: int) -> None:
    midnight = at("America/Los_Angeles", 2026, 3, day)
    assert resets_at("day", "America/Los_Angeles", midnight) == midnight + hours * HOUR


def test_the_long_pacific_day_of_autumn_is_one_day_also_in_its_repeated_hour() -> None:
    midnight = at("America/Los_Angeles", 2026, 11, 1)
    names = {window_id("day", "America/Los_Angeles", midnight + n * HOUR / 2) for n in range(50)}
    assert names == {"2026-11-01"}
    assert resets_at("day", "America/Los_Angeles", midnight + 2.5 * HOUR) == midnight + 25 * HOUR


def test_a_day_without_a_midnight_begins_when_the_clock_jumps() -> None:
    before = at("America/Havana", 2026, 3, 7, 23, 59, 59)
    assert window_id("day", "America/Havana", before) == "2026-03-07"
    assert resets_at("day", "America/Havana", before) == before + 1
    assert window_id("day", "America/Havana", before + 1) == "2026-03-08"


def test_a_year_ends_in_the_providers_zone() -> None:
    eve = at("Asia/Tokyo", 2026, 12, 31, 23, 59)
    assert (window_id("day", "Asia/Tokyo", eve), window_id("month", "Asia/Tokyo", eve)) == (
        "2026-12-31",
        "2026-12",
    )
    assert resets_at("day", "Asia/Tokyo", eve) == resets_at("month", "Asia/Tokyo", eve) == eve + SPANS["minute"]
    assert window_id("month", "Asia/Tokyo", eve + SPANS["minute"]) == "2027-01"
    assert window_id("day", "UTC", eve) == "2026-12-31"
    assert resets_at("day", "UTC", eve) == eve + SPANS["minute"] + 9 * HOUR


def test_a_minute_slides_and_has_no_name() -> None:
    assert (span("minute"), span("day"), span("month")) == (60.0, 0.0, 0.0)
    assert window_id("minute", "UTC", FIRST) == ""
    assert resets_at("minute", "UTC", FIRST) == FIRST + SPANS["minute"]


@pytest.fixture(params=["Pacific/Kiritimati", "America/Los_Angeles", "UTC"])
def host_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with monkeypatch.context() as patch:
        patch.setitem(os.environ, "TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def test_the_hosts_own_zone_does_not_matter(host_zone: str) -> None:
    midnight = at("America/Los_Angeles", 2026, 7, 4)
    for hour in range(24):
        now = midnight + hour * HOUR
        assert window_id("day", "America/Los_Angeles", now) == "2026-07-04"
        assert resets_at("day", "America/Los_Angeles", now) == midnight + 24 * HOUR
