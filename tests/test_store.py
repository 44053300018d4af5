"""What every store promises: one suite for all backends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from core.stores.contract import Level, StoreError
from core.stores.disk import DiskDocuments, open_cache
from tests.fakes.asking import NOON
from tests.fakes.stores import BACKENDS, Store, daily, levels, reserve, settle, sliding


def amounts(levels: list[Level]) -> list[tuple[float, float]]:
    return [(level.used, level.held) for level in levels]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    return BACKENDS[request.param]


@pytest.fixture
def store(backend: Callable[[Path], Store], tmp_path: Path) -> Iterator[Store]:
    opened = backend(tmp_path)
    yield opened
    opened.close()


# Ledger


def test_a_refusal_names_the_claim_and_changes_nothing(store: Store) -> None:
    claims = [daily(10), sliding(1), daily(10, key="p|tokens|day")]
    assert reserve(store.ledger, "a", claims, NOON, 180) is None
    refusal = reserve(store.ledger, "b", claims, NOON + 20, 180)
    assert refusal is not None
    assert (refusal.claim, refusal.free_at) == (claims[1], NOON + 65), "it may reach the provider 5 s from now"
    assert amounts(levels(store.ledger, claims, NOON + 20)) == [(0, 1)] * 3
    assert settle(store.ledger, "b", {}, NOON) is False


def test_a_sliding_counter_says_when_enough_of_it_is_free(store: Store) -> None:
    for n, cost in enumerate((2, 3, 4)):
        assert reserve(store.ledger, f"h{n}", [sliding(10, cost)], NOON + 10 * n, 180) is None
        assert settle(store.ledger, f"h{n}", {}, NOON + 10 * n) is True
    for cost, free_at in ((1, None), (2, NOON + 60), (4, NOON + 70), (10, NOON + 80)):
        refusal = reserve(store.ledger, "x", [sliding(10, cost)], NOON + 30, 180)
        assert (refusal.free_at if refusal else None) == free_at
        settle(store.ledger, "x", {"p|requests|minute": 0}, NOON + 30)
    assert reserve(store.ledger, "y", [sliding(10, 10)], NOON + 80, 180) is None


def test_what_a_store_keeps_outlives_it(backend: Callable[[Path], Store], tmp_path: Path) -> None:
    first = backend(tmp_path)
    reserve(first.ledger, "a", [daily(5, 2)], NOON, 180)
    first.documents.replace("k", None, "text")
    first.close()
    second = backend(tmp_path)
    assert levels(second.ledger, [daily(5)], NOON) == [Level(0, 2)]
    assert settle(second.ledger, "a", {"p|requests|day": 1}, NOON) is True
    assert (levels(second.ledger, [daily(5)], NOON), second.documents.get("k")) == ([Level(1, 0)], "text")
    second.close()


def test_lowering_or_raising_a_limit_forgets_no_usage(store: Store) -> None:
    for n in range(4):
        reserve(store.ledger, f"h{n}", [daily(5)], NOON, 180)
    assert reserve(store.ledger, "low", [daily(3)], NOON, 180) is not None
    assert levels(store.ledger, [daily(3)], NOON) == [Level(0, 4)]
    assert reserve(store.ledger, "high", [daily(6)], NOON, 180) is None


def test_a_clock_that_jumps_over_midnight_and_back_does_not_forget_today(store: Store) -> None:
    for n in range(5):
        assert reserve(store.ledger, f"h{n}", [daily(5, window="2026-11-23")], NOON, 180) is None
    reserve(store.ledger, "ahead", [daily(5, window="2026-11-24")], NOON + 7200, 180)
    assert reserve(store.ledger, "back", [daily(5, window="2026-11-23")], NOON, 180) is not None


def test_two_that_share_a_ledger_see_what_the_other_did(backend: Callable[[Path], Store], tmp_path: Path) -> None:
    one, two = backend(tmp_path), backend(tmp_path)
    other = daily(9, key="q|requests|day")
    for n in range(3):
        for store in (one, two):
            assert reserve(store.ledger, f"{n}", [daily(9)], NOON, 180) is None
            assert settle(store.ledger, f"{n}", {}, NOON) is True
            assert reserve(store.ledger, f"{n}-{store is one}", [other], NOON + n, 180) is None
        both = [levels(store.ledger, [daily(9), other], NOON + n) for store in (one, two)]
        assert both[0] == both[1] == [Level(2 * n + 2, 0), Level(0, 2 * n + 2)]
    one.close()
    two.close()


# Documents


def test_compare_and_swap(store: Store) -> None:
    docs = store.documents
    assert docs.get("k") is None
    assert docs.replace("k", "something", "new") is False
    assert docs.replace("k", None, "one") is True
    assert docs.replace("k", None, "two") is False
    assert docs.replace("k", "one", "zwei \N{SNOWMAN}\x00'\"") is True
    assert (docs.get("k"), list(docs.keys())) == ("zwei \N{SNOWMAN}\x00'\"", ["k"])
    assert docs.replace("k", docs.get("k"), None) is True
    assert (docs.get("k"), list(docs.keys())) == (None, [])
    assert docs.replace("k", None, None) is True


def test_what_has_expired_is_absent(store: Store) -> None:
    assert store.documents.replace("k", None, "old", ttl=-1) is True
    assert store.documents.get("k") is None
    assert store.documents.replace("k", None, "new", ttl=60) is True
    assert store.documents.get("k") == "new"


def test_no_update_is_lost_among_four_threads(store: Store) -> None:
    def add_ten(_: int) -> None:
        for _ in range(10):
            while True:
                old = store.documents.get("n")
                if store.documents.replace("n", old, str(int(old or 0) + 1)):
                    break
        store.close()  # each thread has a connection of its own

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_ten, range(4)))
    assert store.documents.get("n") == "40"


def test_text_that_cannot_be_written_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError):
        store.documents.replace("k", None, "\ud800")
    assert store.documents.get("k") is None


def test_what_has_outlived_its_ttl_leaves_the_disk_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.stores.disk.SWEEP_SECONDS", 0.0)
    with closing(open_cache(tmp_path / "archive")) as cache:
        documents = DiskDocuments(cache)
        documents.replace("old", None, "CANARY", ttl=0.01)
        time.sleep(0.05)
        documents.replace("new", None, "text", ttl=60)
        assert list(documents.keys()) == ["new"]
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"CANARY" in p.read_bytes()]
