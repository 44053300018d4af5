"""Cooldowns: what each error benches and for how long, and that they only grow, survive, and end by a trial."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import diskcache
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.health import DOCUMENT, TRIAL_SECONDS, Health
from core.stores.contract import StoreError
from core.stores.disk import DiskDocuments, open_cache
from providers.contracts import Limit, Route
from providers.errors import BadReply, Busy, Down, KeyRejected, ModelGone, PaymentNeeded, ProviderError, Refused
from tests.fakes.clock import FrozenClock

DAY = 86_400.0
LONGEST = 31 * DAY
PACIFIC = "America/Los_Angeles"
ROUTE = Route("acme", "m", "small", "acme/pool", (Limit("acme/pool", "requests", 5, "day", PACIFIC),), 10)
SIBLING = Route("acme", "n", "small", "acme/pool", ROUTE.limits, 10)
STRANGER = Route("other", "m", "small", "other/m", (), 10)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[diskcache.Cache]:
    with closing(open_cache(tmp_path / "ledger")) as opened:
        yield opened


@pytest.fixture
def documents(cache: diskcache.Cache) -> DiskDocuments:
    return DiskDocuments(cache)


@pytest.fixture
def health(documents: DiskDocuments, clock: FrozenClock) -> Health:
    return Health(documents, clock, {"acme": "key-1", "other": "key-2"})


def untils(health: Health, clock: FrozenClock) -> dict[str, float]:
    """Seconds left by subject."""
    return {subject: c.until - clock.now() for subject, c in health.cooldowns().items()}


def pacific(*local: int) -> float:
    return datetime(*local, tzinfo=ZoneInfo(PACIFIC)).timestamp()  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("error", "benched"),
    [
        (Busy("x", scope="route"), {"acme/m": 60}),
        (Busy("x", scope="pool"), {"acme/pool": 60}),
        (Busy("x", scope="provider"), {"acme": 60}),
        (Busy("x", scope="pool", period="minute"), {"acme/pool": 60}),
        (Busy("x", scope="pool", period="day"), {"acme/pool": 20 * 3600}),  # 04:00 to midnight Pacific
        (Busy("x", scope="provider", period="month"), {"acme": 7 * DAY + 20 * 3600}),
        (KeyRejected("x"), {"acme": 6 * 3600}),
        (PaymentNeeded("x"), {"acme": 20 * 3600}),
        (ModelGone("x"), {"acme/m": DAY}),
        (Down("x"), {"acme/m": 30}),
        (Down("x", outcome="no_reply"), {"acme/m": 30}),
        (Down("x", outcome="not_sent"), {"acme": 30}),
        (BadReply("x"), {}),
        (Refused("x"), {}),
    ],
)
def test_what_each_error_benches(
    error: ProviderError, benched: dict[str, float], health: Health, clock: FrozenClock
) -> None:
    told = health.learn(ROUTE, error)
    assert untils(health, clock) == benched
    assert (told is None) is (not benched)
    assert all(c == told and c.reason == "x" for c in health.cooldowns().values())


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [(90, 90), (0.2, 1), (0, 1), (-600, 1), (30 * DAY, 30 * DAY), (32 * DAY, LONGEST), (9e9, LONGEST)],
)
def test_the_providers_own_time_is_used_within_a_second_and_31_days(
    wait: float, seconds: float, health: Health, clock: FrozenClock
) -> None:
    health.learn(ROUTE, Busy("x", until=clock.now() + wait, period="day"))
    assert untils(health, clock) == {"acme/m": seconds}


def test_a_spent_day_lasts_to_midnight_also_on_a_long_day(health: Health, clock: FrozenClock) -> None:
    clock.at = pacific(2026, 11, 1)
    health.learn(ROUTE, Busy("x", scope="pool", period="day"))
    clock.advance(25 * 3600 - 1)
    assert untils(health, clock) == {"acme/pool": 1}
    clock.advance(1)
    assert untils(health, clock) == {}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1, 1e7), min_size=1, max_size=6))
def test_a_cooldown_only_grows(tmp_path_factory: pytest.TempPathFactory, waits: list[float]) -> None:
    clock = FrozenClock()
    with closing(open_cache(tmp_path_factory.mktemp("ledger"))) as cache:
        health = Health(DiskDocuments(cache), clock, {})
        for n, wait in enumerate(waits, 1):
            health.learn(ROUTE, Busy(f"{wait}", until=clock.now() + wait))
            assert untils(health, clock) == {"acme/m": clock.now() + min(max(waits[:n]), LONGEST) - clock.now()}


def test_a_late_failure_does_not_shorten_a_day(health: Health, clock: FrozenClock) -> None:
    health.learn(ROUTE, Busy("day", period="day"))
    health.learn(ROUTE, Down("late"))
    assert health.cooldowns()["acme/m"].reason == "day"


def test_cooldowns_outlive_the_process(health: Health, documents: DiskDocuments, clock: FrozenClock) -> None:
    health.learn(ROUTE, Busy("x", until=clock.now() + 600))
    clock.advance(599)
    assert untils(Health(documents, clock, {"acme": "key-1"}), clock) == {"acme/m": 1}
    clock.advance(1)
    assert untils(Health(documents, clock, {"acme": "key-1"}), clock) == {}


def test_a_clock_that_steps_back_brings_nothing_back_early(health: Health, clock: FrozenClock) -> None:
    health.learn(ROUTE, Busy("x", until=clock.now() + 60))
    clock.at -= 600
    assert untils(health, clock) == {"acme/m": 660}


@pytest.mark.parametrize(("key", "rests"), [("key-1", True), ("key-9", False)])
def test_a_new_key_is_not_blamed_for_the_old_one(
    key: str, rests: bool, health: Health, documents: DiskDocuments, clock: FrozenClock
) -> None:
    health.learn(ROUTE, KeyRejected("x"))
    health.learn(STRANGER, KeyRejected("y"))
    renewed = Health(documents, clock, {"acme": key, "other": "key-2"})
    assert ("acme" in renewed.cooldowns()) is rests
    assert "other" in renewed.cooldowns()


def test_a_new_key_that_is_rejected_too_rests(
    health: Health, documents: DiskDocuments, clock: FrozenClock
) -> None:
    health.learn(ROUTE, KeyRejected("old"))
    clock.advance(60)
    renewed = Health(documents, clock, {"acme": "key-9"})
    renewed.learn(ROUTE, KeyRejected("new"))
    assert renewed.cooldowns()["acme"].reason == "new"


@pytest.mark.parametrize("error", [PaymentNeeded("new"), Busy("new", scope="provider", period="day")])
def test_a_new_key_learns_its_own_lessons(
    error: ProviderError, health: Health, documents: DiskDocuments, clock: FrozenClock
) -> None:
    health.learn(ROUTE, KeyRejected("old"))
    renewed = Health(documents, clock, {"acme": "key-9"})
    renewed.learn(ROUTE, error)
    assert {s: c.reason for s, c in renewed.cooldowns().items()} == {"acme": "new"}


def test_a_new_key_does_not_undo_what_was_not_the_keys_fault(
    health: Health, documents: DiskDocuments, clock: FrozenClock
) -> None:
    health.learn(ROUTE, PaymentNeeded("x"))
    assert "acme" in Health(documents, clock, {"acme": "key-9"}).cooldowns()


def test_no_lesson_is_lost_among_threads(health: Health, cache: diskcache.Cache) -> None:
    def learn(n: int) -> None:
        for m in range(5):
            health.learn(Route("acme", f"{n}-{m}", "small", "p", (), 1), Down("x"))
        cache.close()  # each thread has a connection of its own

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(learn, range(4)))
    assert len(health.cooldowns()) == 20


def test_a_store_that_fails_is_not_a_clean_bill_of_health(health: Health, cache: diskcache.Cache) -> None:
    health.learn(ROUTE, Down("x"))
    cache._sql("UPDATE Cache SET mode = 4, value = ?", (b"\x80\x04N.",))
    with pytest.raises(StoreError):
        health.cooldowns()
    with pytest.raises(StoreError):
        health.learn(ROUTE, Down("y"))


@pytest.mark.parametrize("text", ["{", "[7]", '[{"subject": "acme"}]', '[{"from": "a later version"}]'])
def test_an_unreadable_document_is_store_trouble(text: str, health: Health, documents: DiskDocuments) -> None:
    documents.replace(DOCUMENT, None, text)
    with pytest.raises(StoreError):
        health.cooldowns()


# Trials


def test_after_a_cooldown_one_call_tries_and_the_others_wait(
    health: Health, documents: DiskDocuments, clock: FrozenClock
) -> None:
    another = Health(documents, clock, {"acme": "key-1"})
    assert health.admit(ROUTE) == "open"
    health.learn(ROUTE, Down("x"))
    clock.advance(31)
    assert health.cooldowns() == {}
    assert health.admit(ROUTE) == "trial"
    assert [another.admit(ROUTE), health.admit(ROUTE)] == ["wait", "wait"]
    assert list(another.cooldowns()) == ["acme/m"]
    assert another.admit(STRANGER) == "open"
    health.proven(ROUTE)
    assert [another.admit(ROUTE), another.admit(ROUTE)] == ["open", "open"]


def test_a_trial_whose_caller_died_is_taken_over(health: Health, clock: FrozenClock) -> None:
    health.learn(ROUTE, Down("x"))
    clock.advance(31)
    assert health.admit(ROUTE) == "trial"
    clock.advance(TRIAL_SECONDS + 1)
    assert health.admit(ROUTE) == "trial"


def test_each_failed_trial_doubles_the_rest_up_to_ten_minutes(health: Health, clock: FrozenClock) -> None:
    rests = []
    for _ in range(7):
        health.learn(ROUTE, Down("x"))
        rests.append(untils(health, clock)["acme/m"])
        clock.advance(rests[-1] + 1)
        assert health.admit(ROUTE) == "trial"
    assert rests == [30, 60, 120, 240, 480, 600, 600]
    health.proven(ROUTE)
    health.learn(ROUTE, Down("x"))
    assert untils(health, clock) == {"acme/m": 30}


def test_failures_of_calls_under_way_together_count_once(health: Health, clock: FrozenClock) -> None:
    for _ in range(5):
        health.learn(ROUTE, Down("x"))
    clock.advance(31)
    health.learn(ROUTE, Down("x"))
    assert untils(health, clock) == {"acme/m": 60}


def test_one_of_many_threads_gets_the_trial(health: Health, cache: diskcache.Cache, clock: FrozenClock) -> None:
    health.learn(ROUTE, Busy("x", scope="provider", until=clock.now() + 10))
    clock.advance(11)

    def ask(_: int) -> str:
        admission = health.admit(ROUTE)
        cache.close()
        return admission

    with ThreadPoolExecutor(8) as pool:
        admitted = list(pool.map(ask, range(40)))
    assert (admitted.count("trial"), admitted.count("wait")) == (1, 39)
