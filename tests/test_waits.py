"""Waiting times, in every way that providers say them."""

from __future__ import annotations

import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.classify import parse_wait

NOW = 1_795_478_400.0
DAY = 86400.0

WAITS = [
    ("0", 0.0),
    ("0.0", 0.0),
    ("5", 5.0),
    (" 5.5 ", 5.5),
    ("17s", 17.0),
    ("120ms", 0.12),
    ("2m59.56s", 179.56),
    ("9m38.016s", 578.016),
    ("1h2m", 3720.0),
    ("1d", DAY),
    ("86399", 86399.0),
    (str(int(NOW) + 90), 90.0),
    (str(int(NOW * 1000) + 90_500), 90.5),
    (str(int(NOW) - 90), 0.0),
    (formatdate(NOW + 60, usegmt=True), 60.0),
    (formatdate(NOW - 60, usegmt=True), 0.0),
    ("2026-11-24T01:00:00Z", 3600.0),
    (str(40 * DAY), 31 * DAY),
]


@pytest.mark.parametrize(("text", "wait"), WAITS)
def test_waits_are_read(text: str, wait: float) -> None:
    assert parse_wait(text, NOW) == pytest.approx(wait)


NO_WAITS = [
    "",
    "-5",
    "-1s",
    "NaN",
    "inf",
    "-inf",
    "1e20",
    "1e400",
    "soon",
    "s",
    "5 parsecs",
    "9999-12-31",
    "9" * 5000,
]
NO_WAITS += ["Fri, 31 Dec 9999 23:59:59 GMT", "253402300799", "Tue, 99 Nov 2026 00:00:00 GMT", "2m59.56s later"]


@pytest.mark.parametrize("text", NO_WAITS)
def test_no_waits_are_ignored(text: str) -> None:
    assert parse_wait(text, NOW) is None


@given(
    st.text(max_size=40)
    | st.floats().map(str)
    | st.integers().map(str)
    | st.from_regex(r"[\d.]+(ms|[smhd])[\d.s]*")
)
def test_any_wait_is_none_or_within_a_month(text: str) -> None:
    wait = parse_wait(text, NOW)
    assert wait is None or (math.isfinite(wait) and 0 <= wait <= 31 * DAY)
