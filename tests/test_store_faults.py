"""The disk store in trouble: it says so, runs nothing that was planted, and never takes a counter for fresh."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import diskcache
import pytest

from core.stores.contract import Level, StoreError
from core.stores.disk import LEDGER, DiskDocuments, DiskLedger, open_cache
from tests.fakes.asking import NOON
from tests.fakes.stores import daily, levels, reserve, settle

ROOT = Path(__file__).parent.parent
CLAIM = daily(5)


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def cache(folder: Path) -> Iterator[diskcache.Cache]:
    with closing(open_cache(folder)) as opened:
        reserve(DiskLedger(opened), "hold", [CLAIM], NOON, 180)
        yield opened


def execute(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute(statement, values)


def plant(folder: Path, key: str | bytes, value: object, *, mode: int, filename: str | None = None) -> None:
    """Text keys are planted raw, as ours are, and others as diskcache stores a pickle."""
    execute(folder, "DELETE FROM Cache WHERE key = ?", key)
    columns = "key, raw, mode, filename, value, store_time, access_time, size"
    sql = f"INSERT INTO Cache ({columns}) VALUES (?, ?, ?, ?, ?, 0, 0, 0)"
    execute(folder, sql, key, isinstance(key, str), mode, filename, value)


def everything_refuses(cache: diskcache.Cache) -> None:
    ledger = DiskLedger(cache)
    for act in (
        lambda: levels(ledger, [CLAIM], NOON),
        lambda: reserve(ledger, "next", [CLAIM], NOON, 180),
        lambda: settle(ledger, "hold", {CLAIM.counter.key: 0}, NOON),
        lambda: DiskDocuments(cache).get(LEDGER),
        lambda: DiskDocuments(cache).replace(LEDGER, None, "fresh"),
    ):
        with pytest.raises(StoreError):
            act()


@pytest.mark.parametrize("mode", [0, 2, 3, 4])
def test_a_planted_value_is_refused_and_not_run(
    mode: int, folder: Path, cache: diskcache.Cache, tmp_path: Path
) -> None:
    plant(folder, LEDGER, pickle.dumps(Bomb(tmp_path / "ran")), mode=mode)
    everything_refuses(cache)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("mode", [2, 3, 4])
def test_a_text_of_a_kind_that_we_never_write_is_refused(mode: int, folder: Path, cache: diskcache.Cache) -> None:
    plant(folder, LEDGER, cache[LEDGER], mode=mode)
    everything_refuses(cache)


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
def test_a_planted_file_is_refused_and_not_run(
    mode: int, folder: Path, cache: diskcache.Cache, tmp_path: Path
) -> None:
    (folder / "planted.val").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    plant(folder, LEDGER, None, mode=mode, filename="planted.val")
    everything_refuses(cache)
    assert not (tmp_path / "ran").exists()


def test_a_planted_key_is_refused_and_not_run(folder: Path, cache: diskcache.Cache, tmp_path: Path) -> None:
    plant(folder, pickle.dumps(Bomb(tmp_path / "ran")), "text", mode=1)
    with pytest.raises(StoreError):
        list(DiskDocuments(cache).keys())
    assert levels(DiskLedger(cache), [CLAIM], NOON) == [Level(0, 1)]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", [None, 7, 1.5, b"{}"])
def test_values_and_keys_that_are_not_text_are_not_written(value: object, cache: diskcache.Cache) -> None:
    for key, held in (("k", value), (value, "v")):
        with pytest.raises(TypeError):
            cache.set(key, held)


ROWS = [
    "",
    "{",
    "null",
    "7",
    "[]",
    '{"used": "many"}\t[]',
    '{"used": []}\t[]',
    '{"used": {"2026-11-23": "many"}}\t[]',
    '{"open": {"h": 1}}\t[]',
    '{"open": []}\t[]',
    '{"open": {"h": [1, 2, 3]}}\t[]',
    '{"promised": {"e": [1]}}\t[]',
    '{"at": "noon"}\t[]',
    '{"strange": 1}\t[]',
    "{}\t[[1]]",
    "{}\t",
    "[" * 200_000,
]


def sealed(row: str) -> str:
    """A ledger of this one row, as if we had written it."""
    body = f"{CLAIM.counter.key}\t{row}"
    return f"{zlib.crc32(body.encode()):08x}\n{body}"


@pytest.mark.parametrize("text", [*ROWS, *map(sealed, ROWS)], ids=lambda text: text[:60])
def test_a_garbled_counter_is_never_a_fresh_one(text: str, folder: Path, cache: diskcache.Cache) -> None:
    plant(folder, LEDGER, text, mode=1)
    ledger = DiskLedger(cache)
    with pytest.raises(StoreError):
        levels(ledger, [CLAIM], NOON)
    with pytest.raises(StoreError):
        reserve(ledger, "next", [CLAIM], NOON, 180)


def test_a_failed_settle_may_be_tried_again(folder: Path, cache: diskcache.Cache) -> None:
    good = cache[LEDGER]
    plant(folder, LEDGER, "garbled", mode=1)
    with pytest.raises(StoreError):
        settle(DiskLedger(cache), "hold", {CLAIM.counter.key: 0}, NOON)
    plant(folder, LEDGER, good, mode=1)
    assert settle(DiskLedger(cache), "hold", {CLAIM.counter.key: 0}, NOON) is True
    assert levels(DiskLedger(cache), [CLAIM], NOON) == [Level(0, 0)]


def test_a_lost_table_is_an_error(folder: Path, cache: diskcache.Cache) -> None:
    execute(folder, "DROP TABLE Cache")
    everything_refuses(cache)


def test_garbage_in_place_of_the_database_is_an_error(folder: Path) -> None:
    folder.mkdir()
    (folder / "cache.db").write_bytes(b"this is not a database, " * 1000)
    with pytest.raises(StoreError, match="DatabaseError"):
        open_cache(folder)
    assert (folder / "cache.db").read_bytes().startswith(b"this is not")


def test_garbage_written_over_an_open_database_is_an_error(folder: Path, cache: diskcache.Cache) -> None:
    cache.close()
    for name in ("cache.db-wal", "cache.db-shm"):
        (folder / name).unlink(missing_ok=True)
    content = bytearray((folder / "cache.db").read_bytes())
    content[: len(content)] = b"\xa5" * len(content)
    (folder / "cache.db").write_bytes(content)
    everything_refuses(cache)


def test_a_file_in_place_of_the_folder_is_an_error(folder: Path) -> None:
    folder.write_text("in the way")
    with pytest.raises(StoreError, match=r"ledger cannot be opened"):
        open_cache(folder)


def test_a_locked_database_is_an_error_and_reading_it_still_tells_the_truth(
    folder: Path, cache: diskcache.Cache
) -> None:
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            reserve(DiskLedger(cache), "next", [CLAIM], NOON, 180)
        assert levels(DiskLedger(cache), [CLAIM], NOON) == [Level(0, 1)]
        other.execute("ROLLBACK")
    assert reserve(DiskLedger(cache), "next", [CLAIM], NOON, 180) is None
    assert levels(DiskLedger(cache), [CLAIM], NOON) == [Level(0, 2)]


@pytest.mark.slow
def test_opening_a_locked_database_gives_up_soon(folder: Path, cache: diskcache.Cache) -> None:
    script = "import pathlib, sys; from core.stores.disk import open_cache; open_cache(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", script, str(folder)]
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = subprocess.run(command, cwd=ROOT, timeout=8, capture_output=True, text=True, check=False)
    assert "StoreError" in done.stderr


READ_ONLY = """
import os, sys
from pathlib import Path
from core.stores.contract import StoreError
from core.stores.disk import DiskLedger, open_cache
from tests.fakes.stores import daily, reserve
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
for folder in sys.argv[1:]:
    try:
        reserve(DiskLedger(open_cache(Path(folder))), "next", [daily(5)], 0.0, 180)
    except StoreError:
        print("refused")
"""


def test_a_folder_that_may_not_be_written_is_an_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        parent, folder = Path(name), Path(name, "ledger")
        open_cache(folder).close()
        (folder / "cache.db").chmod(0o444)
        folder.chmod(0o555)
        parent.chmod(0o555)
        command = [sys.executable, "-c", READ_ONLY, str(folder), str(parent / "new")]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        parent.chmod(0o755)
        folder.chmod(0o755)
    assert done.stdout.split() == ["refused", "refused"]


def test_nothing_is_evicted_from_a_full_store(cache: diskcache.Cache) -> None:
    cache.reset("size_limit", 10_000)
    documents = DiskDocuments(cache)
    for n in range(50):
        assert documents.replace(f"k{n}", None, f"{n} " * 5_000)
    assert cache.volume() > 10_000
    assert levels(DiskLedger(cache), [CLAIM], NOON) == [Level(0, 1)]
    assert [documents.get(f"k{n}") == f"{n} " * 5_000 for n in range(50)] == [True] * 50


def test_only_the_sweep_deletes_and_only_what_has_expired(cache: diskcache.Cache) -> None:
    documents = DiskDocuments(cache)
    documents.replace("old", None, "x", ttl=-1)
    documents.replace("new", None, "x", ttl=600)
    documents.replace("kept", None, "x")
    assert (documents.sweep(), documents.sweep()) == (1, 0)
    assert {key for key in documents.keys() if key != LEDGER} == {"new", "kept"}  # noqa: SIM118
    assert levels(DiskLedger(cache), [CLAIM], NOON) == [Level(0, 1)]
