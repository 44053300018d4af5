"""A damaged ledger, a full disk, a database that another process has locked: denied, and nothing is lost."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import diskcache
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stores.contract import Ledger, Level, StoreError
from core.stores.disk import LEDGER, DiskLedger, open_cache
from tests.fakes.asking import NOON
from tests.fakes.stores import DAY, daily, levels, refill, reserve, settle, sliding

ROOT = Path(__file__).parent.parent
DAY_KEY = "p|requests|day"
CLAIMS = [daily(50, 2), sliding(50, 2), refill(50, 2)]
NOW = NOON + 3


def filled(ledger: Ledger) -> None:
    """Calls that are settled, one that is under way, and an envelope."""
    for n in range(3):
        reserve(ledger, f"h{n}", CLAIMS, NOON + n, 180)
        settle(ledger, f"h{n}", {DAY_KEY: 1}, NOON + n)
    ledger.promise("envelope", CLAIMS, NOON, DAY)
    reserve(ledger, "open", CLAIMS, NOON, 180)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[diskcache.Cache]:
    with closing(open_cache(tmp_path / "ledger")) as opened:
        filled(DiskLedger(opened))
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[diskcache.Cache]:
    """For what Hypothesis damages and mends again."""
    with closing(open_cache(tmp_path_factory.mktemp("ledger"))) as opened:
        filled(DiskLedger(opened))
        yield opened


def refusals(ledger: Ledger) -> list[Callable[[], object]]:
    return [
        lambda: reserve(ledger, "next", CLAIMS, NOW, 180),
        lambda: settle(ledger, "open", {DAY_KEY: 0}, NOW, CLAIMS),
        lambda: ledger.promise("other", CLAIMS, NOW, DAY),
    ]


def everything_refuses(ledger: Ledger) -> None:
    for act in (lambda: levels(ledger, CLAIMS, NOW), *refusals(ledger)):
        with pytest.raises(StoreError):
            act()


# Damage


@contextmanager
def damaged(cache: diskcache.Cache, content: bytes) -> Iterator[None]:
    """The ledger's text is `content` meanwhile, valid UTF-8 or not."""
    with closing(sqlite3.connect(Path(cache.directory, "cache.db"))) as other, other:
        (good,) = other.execute("SELECT value FROM Cache WHERE key = ?", (LEDGER,)).fetchone()
        other.execute("UPDATE Cache SET value = CAST(? AS TEXT) WHERE key = ?", (content, LEDGER))
    yield
    cache.set(LEDGER, good)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_ledger_with_a_flipped_byte_is_never_read(shared: diskcache.Cache, data: st.DataObject) -> None:
    warm, good = DiskLedger(shared), shared[LEDGER].encode()
    stood = levels(warm, CLAIMS, NOW)
    place = data.draw(st.integers(0, len(good) - 1))
    flipped = bytes([good[place] ^ data.draw(st.integers(1, 255))])
    with damaged(shared, good[:place] + flipped + good[place + 1 :]):
        everything_refuses(warm)
        everything_refuses(DiskLedger(shared))
    assert levels(warm, CLAIMS, NOW) == levels(DiskLedger(shared), CLAIMS, NOW) == stood


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_ledger_that_lost_its_end_is_never_read(shared: diskcache.Cache, data: st.DataObject) -> None:
    good = shared[LEDGER].encode()
    with damaged(shared, good[: data.draw(st.integers(0, len(good) - 1))]):
        everything_refuses(DiskLedger(shared))


# No room


@contextmanager
def no_more_pages(cache: diskcache.Cache) -> Iterator[None]:
    (pages,) = cache._sql("PRAGMA page_count").fetchone()
    cache._sql(f"PRAGMA max_page_count = {pages}")
    yield
    cache._sql("PRAGMA max_page_count = 1000000")


@contextmanager
def no_growing_files(cache: diskcache.Cache) -> Iterator[None]:
    """As on a disk that is full, for the whole process."""
    largest = Path(cache.directory, "cache.db-wal").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


SHORTAGES = {"pages": no_more_pages, "files": no_growing_files}


def runs_short(shortage: str, folder: Path) -> None:
    """What happens, in a process of its own."""
    large = [daily(9, key=f"{n}" * 3_000) for n in range(3)]
    with closing(open_cache(folder)) as cache:
        ledger = DiskLedger(cache)
        filled(ledger)
        stood = levels(ledger, CLAIMS, NOW)
        with SHORTAGES[shortage](cache):
            for _ in range(3):
                with pytest.raises(StoreError):
                    reserve(ledger, "large", [*CLAIMS, *large], NOW, 180)
                with pytest.raises(StoreError):
                    ledger.promise("large", [*CLAIMS, *large], NOW, 180)
                assert levels(ledger, [*CLAIMS, *large], NOW) == [*stood, *[Level(0, 0)] * 3]
        assert levels(DiskLedger(cache), CLAIMS, NOW) == stood
        assert settle(ledger, "large", {}, NOW) is False
        assert reserve(ledger, "large", [*CLAIMS, *large], NOW, 180) is None
        assert settle(ledger, "open", {DAY_KEY: 0}, NOW, CLAIMS) is True
        assert levels(ledger, large, NOW) == [Level(0, 1)] * 3


@pytest.mark.parametrize("shortage", SHORTAGES)
def test_a_full_disk_is_an_error_that_changes_nothing_and_passes(shortage: str, tmp_path: Path) -> None:
    script = "import pathlib, sys; from tests.test_store_damage import runs_short as run; "
    script += "run(sys.argv[1], pathlib.Path(sys.argv[2])); print('done')"
    command = [sys.executable, "-c", script, shortage, str(tmp_path / "ledger")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "done\n", done.stderr


# Locked by another process

LOCKER = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
if sys.argv[2:]:
    time.sleep(float(sys.argv[2]))
else:
    sys.stdin.readline()
other.execute("ROLLBACK")
"""


def locker(cache: diskcache.Cache, *seconds: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LOCKER, str(Path(cache.directory, "cache.db")), *seconds]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_locked_ledger_denies_and_tells_the_truth_and_then_goes_on(
    cache: diskcache.Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.stores.disk.BUSY_SECONDS", 0.1)
    ledger = DiskLedger(cache)
    stood = levels(ledger, CLAIMS, NOW)
    with locker(cache) as other:
        for act in [*refusals(ledger), *refusals(DiskLedger(cache))]:
            with pytest.raises(StoreError):
                act()
        assert levels(ledger, CLAIMS, NOW) == levels(DiskLedger(cache), CLAIMS, NOW) == stood
        other.communicate("go on\n", timeout=20)
    assert levels(ledger, CLAIMS, NOW) == stood
    for act in refusals(ledger):
        assert act() in (None, True)
    assert (levels(ledger, CLAIMS, NOW)[0].used, levels(ledger, CLAIMS, NOW)[0].held) == (3, 2 + 2 + 2)


@pytest.mark.slow
def test_a_ledger_locked_for_ten_seconds_counts_right_afterwards(cache: diskcache.Cache) -> None:
    ledger = DiskLedger(cache)
    (before, *_) = levels(ledger, CLAIMS, NOW)
    denied = 0
    with locker(cache, "10") as other:
        while True:
            try:
                assert reserve(ledger, "patient", CLAIMS, NOW, 180) is None
                break
            except StoreError:
                denied += 1
        assert other.wait(20) == 0
    assert denied >= 1
    assert levels(ledger, CLAIMS, NOW)[0].held == before.held + 2
