"""Refusals that say odd things about when to come back: none shortens a cooldown, crashes, or lasts for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from core.balancer import AllRoutesOut
from tests.error_replies import NOW, google
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import House, build_house, limits, row
from tests.verbatim import Verbatim, Words

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
SHORTEST, LONGEST = 1.0, 31 * DAY
CATALOGUES = {
    "plain": row("plain", 1, more=limits(requests_day=1000)),
    "gemini": '[gemini]\nkey_setting = "GEMINI_KEY"\nmodels = [{ id = "gemini-3.8-flash", tier = "small" }]',
}
UNSAID = MINUTE

# Seconds until the provider may be asked again, for a bare 429 that says this in its Retry-After.
TIMES: dict[str, float] = {
    "0": SHORTEST,
    "0.2": SHORTEST,
    "-0": SHORTEST,
    "-5": UNSAID,
    "-1e9": UNSAID,
    "  7  ": 7.0,
    "90.5": 90.5,
    "90000ms": 90.0,
    "120ms": SHORTEST,
    "2m59.56s": 179.56,
    "1h2m": 3_720.0,
    "40d": LONGEST,
    str(300 * 86_400): LONGEST,
    "99999999999999": UNSAID,
    "1e400": UNSAID,
    "9" * 5_000: UNSAID,
    "NaN": UNSAID,
    "inf": UNSAID,
    "-inf": UNSAID,
    formatdate(NOW + 90, usegmt=True): 90.0,
    formatdate(NOW - 90, usegmt=True): SHORTEST,
    "Tuesday, 24-Nov-26 00:01:30 GMT": 90.0,
    "Tue Nov 24 00:01:30 2026": 90.0,
    "Tue, 24 Nov 2026 01:01:30 +0100": 90.0,
    "2026-11-24T00:01:30Z": 90.0,
    "Fri, 31 Dec 9999 23:59:59 GMT": UNSAID,
    "Thu, 01 Jan 1970 00:00:00 GMT": SHORTEST,
    "Tue, 99 Nov 2026 25:61:61 GMT": UNSAID,
    str(int(NOW) + 90): 90.0,
    str(int(NOW + 90) * 1000): 90.0,
    str(int(NOW) - 90): SHORTEST,
    "253402300799": UNSAID,
    "253402300799000": UNSAID,
    "soon": UNSAID,
    "": UNSAID,
    "5, 9": UNSAID,
    "5; q=1": UNSAID,
    "\x00": UNSAID,
    "5\x00": UNSAID,
    "\xbd": UNSAID,
    "{}[]\"'<script>": UNSAID,
    "%s%n%d": UNSAID,
}


def named(value: str) -> str:
    return ascii(value[:40])


@pytest.fixture(scope="module")
def fakes() -> Iterator[Mapping[str, Verbatim]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(Verbatim(name)) for name in CATALOGUES}


class Scene:
    def __init__(self, house: House, fake: Verbatim) -> None:
        self.house, self.fake = house, fake
        self._heard = fake.counts.received

    def ask(self) -> AllRoutesOut | None:
        """Why nobody answered, if nobody did."""
        try:
            self.house.ask()
        except AllRoutesOut as out:
            return out
        finally:
            self.house.store.close()
        return None

    def received(self) -> int:
        return self.fake.counts.received - self._heard

    def assert_back_at(self, at: float) -> None:
        """Nobody is called before, and somebody then."""
        before = self.received()
        out = self.ask()
        assert out is not None
        assert out.soonest == pytest.approx(at, abs=1e-3)
        self.house.clock.at = at - 0.002
        assert self.ask() is not None
        assert self.received() == before
        self.house.clock.at = at + 0.002
        self.ask()
        assert self.received() == before + 1


@pytest.fixture
def plain(tmp_path: Path, fakes: Mapping[str, Verbatim]) -> Iterator[Scene]:
    yield from _scene("plain", tmp_path, fakes)


@pytest.fixture
def gemini(tmp_path: Path, fakes: Mapping[str, Verbatim]) -> Iterator[Scene]:
    yield from _scene("gemini", tmp_path, fakes)


def _scene(name: str, folder: Path, fakes: Mapping[str, Verbatim]) -> Iterator[Scene]:
    fakes[name].says = None
    house = build_house(folder, CATALOGUES[name], FrozenCalendar(NOW), {name: fakes[name]})
    with closing(house):
        yield Scene(house, fakes[name])


@pytest.mark.parametrize("value", TIMES, ids=named)
def test_how_long_a_refusal_lasts(value: str, plain: Scene) -> None:
    plain.fake.says = Words(429, "", {"Retry-After": value})
    assert plain.ask() is not None
    plain.assert_back_at(NOW + TIMES[value])


# Elsewhere than in a bare Retry-After. A minute is over in an hour at most, and a day does not end in seconds.

HARD = [
    "0",
    "-5",
    "120ms",
    "2m59.56s",
    "40d",
    "1e400",
    "9" * 5_000,
    "NaN",
    "\x00",
    "soon",
    "253402300799",
    str(DAY),
]
HARD += [formatdate(NOW + 90, usegmt=True), "Fri, 31 Dec 9999 23:59:59 GMT", str(int(NOW + 90) * 1000)]
TIMES[str(DAY)] = DAY


@pytest.mark.parametrize("value", HARD, ids=named)
def test_how_long_a_minute_lasts(value: str, plain: Scene) -> None:
    plain.fake.says = Words(429, "Only 10 requests per minute, please.", {"Retry-After": value})
    assert plain.ask() is not None
    plain.assert_back_at(NOW + min(HOUR, TIMES[value]))


@pytest.mark.parametrize("value", HARD, ids=named)
def test_how_long_a_day_lasts(value: str, plain: Scene) -> None:
    plain.fake.says = Words(429, {"error": "You have reached your daily limit."}, {"Retry-After": value})
    assert plain.ask() is not None
    plain.assert_back_at(NOW + (TIMES[value] if TIMES[value] > HOUR else DAY))


@pytest.mark.parametrize("value", HARD, ids=named)
def test_a_reset_header_is_no_less_hostile(value: str, plain: Scene) -> None:
    headers = {"X-RateLimit-Remaining-Requests": "0", "X-RateLimit-Reset-Requests": value}
    plain.fake.says = Words(429, "", headers)
    assert plain.ask() is not None
    plain.assert_back_at(NOW + TIMES[value])


@pytest.mark.parametrize("value", [*HARD, 21, -1, None, {"seconds": 5}, ["5s"], True], ids=lambda v: named(str(v)))
def test_googles_delay_is_no_less_hostile(value: Any, gemini: Scene) -> None:
    gemini.fake.says = Words(429, google(429, "Resource has been exhausted", {"retryDelay": value}))
    assert gemini.ask() is not None
    gemini.assert_back_at(NOW + (TIMES[value] if isinstance(value, str) else UNSAID))


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("Please retry in 21.5s.", 21.5),
        ("Please retry in -5s.", UNSAID),
        ("Please retry in 0s.", SHORTEST),
        ("Try again in 999999999999d", UNSAID),
        (f"Try again in {'9' * 500}s", UNSAID),
        ("Try again in 300d", LONGEST),
        ("Resets in ~30s, or retry in 5s", 30.0),
        ("Try again in s", UNSAID),
    ],
)
def test_prose_is_no_less_hostile(said: str, wait: float, plain: Scene) -> None:
    plain.fake.says = Words(429, {"error": said})
    assert plain.ask() is not None
    plain.assert_back_at(NOW + wait)


def test_a_header_that_is_too_long_to_read_is_a_failure_like_any_other(plain: Scene) -> None:
    plain.fake.says = Words(429, "", {"Retry-After": "9" * 70_000})
    assert plain.ask() is not None
    plain.assert_back_at(NOW + 30)


# Late failures


@pytest.mark.parametrize("value", TIMES, ids=named)
def test_a_late_failure_shortens_nothing(value: str, plain: Scene) -> None:
    """It was sent before, and comes back with its own idea while the route rests for an hour."""

    def meanwhile() -> None:
        plain.fake.says = Words(429, "", {"Retry-After": "3600"})
        assert plain.ask() is not None

    plain.fake.meanwhile = meanwhile
    plain.fake.says = Words(429, "", {"Retry-After": value})
    assert plain.ask() is not None
    assert plain.received() == 2
    plain.assert_back_at(NOW + max(HOUR, TIMES[value]))


def test_a_late_failure_tells_when_the_route_is_really_back(plain: Scene) -> None:
    def meanwhile() -> None:
        plain.fake.says = Words(429, "", {"Retry-After": "3600"})
        assert plain.ask() is not None

    plain.fake.meanwhile = meanwhile
    plain.fake.says = Words(429, "", {"Retry-After": "0"})
    late = plain.ask()
    assert late is not None
    assert late.soonest == NOW + HOUR


def test_a_failed_trial_tells_when_the_route_is_really_back(plain: Scene) -> None:
    plain.fake.says = Words(503, "")
    assert plain.ask() is not None
    plain.assert_back_at(NOW + 30)
    plain.house.clock.at += 600
    told, later = plain.ask(), plain.ask()
    assert told is not None
    assert later is not None
    assert told.soonest == later.soonest
