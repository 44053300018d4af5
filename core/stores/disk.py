"""Ledger and documents on diskcache: one machine, any number of processes.

Two traps of diskcache 5.6.3 are closed here. It unpickles rows planted in its database (CVE-2025-69872, also
through its JSONDisk), so `TextDisk` writes and accepts plain text only. And its default eviction silently
deletes counters once a cache is full, so nothing here is ever evicted; retention is the caller's rule.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import diskcache

from core.stores import rows
from core.stores.contract import ORPHAN_SECONDS, Claim, Level, Refusal, StoreError
from core.stores.rows import Row

BUSY_SECONDS = 2.0
OPEN_SECONDS = 3.0
SWEEP_SECONDS = 3_600.0
GARBLED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # what reading a foreign row can raise


class TextDisk(diskcache.Disk):  # type: ignore[misc]
    """Keeps str keys and str values as plain SQLite text; refuses everything else, on write and on read."""

    def put(self, key: object) -> tuple[str, bool]:
        if not isinstance(key, str):
            raise TypeError(f"store keys are text, got {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: object) -> str:
        if not raw or not isinstance(key, str):
            raise StoreError("the store holds a key that we never write")
        return key

    def store(self, value: object, read: bool, key: object = None) -> tuple[int, int, None, str]:  # noqa: ARG002 (signature is diskcache's)
        if read or not isinstance(value, str):
            raise TypeError(f"store values are text, got {type(value).__name__}")
        return 0, diskcache.core.MODE_RAW, None, value

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> str:
        if mode != diskcache.core.MODE_RAW or filename or read or not isinstance(value, str):
            raise StoreError("the store holds a value that we never write")
        return value


def open_cache(folder: Path) -> diskcache.Cache:
    """Open or create; raises StoreError. A first start by many processes at once can find SQLite locked
    whatever the timeout says (its journal switch does not wait), so opening is tried again for a while."""
    give_up = time.monotonic() + OPEN_SECONDS
    while True:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_if_locked(folder / diskcache.core.DBNAME)
            return diskcache.Cache(
                str(folder),
                timeout=BUSY_SECONDS,
                disk=TextDisk,
                eviction_policy="none",
                cull_limit=0,
                statistics=0,
                sqlite_secure_delete=1,
            )
        except (sqlite3.Error, OSError, diskcache.Timeout) as error:
            if time.monotonic() > give_up:
                raise StoreError(f"{folder} cannot be opened: {type(error).__name__}") from None
            time.sleep(0.05)


def _refuse_if_locked(path: Path) -> None:
    """diskcache would wait a minute for a locked database before it says so."""
    if path.exists():
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as probe:
            probe.execute("BEGIN IMMEDIATE")
            probe.rollback()


@contextmanager
def trouble() -> Iterator[None]:
    """Every way diskcache and SQLite have of failing, as one error."""
    try:
        yield
    except (diskcache.Timeout, sqlite3.Error, OSError, *GARBLED) as error:
        raise StoreError(f"the store failed: {type(error).__name__}") from error


class DiskLedger:
    def __init__(self, cache: diskcache.Cache) -> None:
        self._cache = cache

    def reserve(self, hold: str, claims: Sequence[Claim], now: float, ttl: float) -> Refusal | None:
        with trouble(), self._cache.transact():
            turned = [rows.turn(self._row(c.key), c, now) for c in claims]
            for row, claim in zip(turned, claims, strict=True):
                if not rows.fits(row, claim):
                    return Refusal(claim, rows.free_at(row, claim))
            held = []
            for row, claim in zip(turned, claims, strict=True):
                held.append(asdict(replace(claim, window=rows.charge(row, claim, hold, now, now + ttl))))
                self._put(claim.key, row)
            self._cache.set(f"hold:{hold}", json.dumps({"at": now, "claims": held}), expire=ORPHAN_SECONDS)
        return None

    def settle(self, hold: str, costs: Mapping[str, float], now: float) -> bool:
        with trouble(), self._cache.transact():
            text = self._cache.get(f"hold:{hold}")
            if text is None:
                return False
            record = json.loads(text)
            for held in (Claim(**found) for found in record["claims"]):
                row = rows.turn(self._row(held.key), held, now) if held.kind == "refill" else self._row(held.key)
                rows.settle(row, hold, held, costs.get(held.key, held.cost), max(0.0, now - record["at"]))
                self._put(held.key, row)
            del self._cache[f"hold:{hold}"]
        return True

    def levels(self, claims: Sequence[Claim], now: float) -> list[Level]:
        with trouble():
            return [rows.turn(self._row(c.key), c, now).level(c) for c in claims]

    def _row(self, key: str) -> Row:
        text = self._cache.get(f"row:{key}")
        if text is None:
            return Row()
        found: dict[str, Any] = json.loads(text)
        entries = [(float(at), float(cost), str(hold)) for at, cost, hold in found["entries"]]
        is_open = {str(h): (float(c), float(e), str(w)) for h, (c, e, w) in found["open"].items()}
        used = {str(w): float(c) for w, c in found["used"].items()}
        return Row(used, entries, float(found["drained"]), float(found["at"]), is_open)

    def _put(self, key: str, row: Row) -> None:
        self._cache[f"row:{key}"] = json.dumps(asdict(row))


class DiskDocuments:
    def __init__(self, cache: diskcache.Cache) -> None:
        self._cache = cache
        self._swept = time.monotonic()

    def get(self, key: str) -> str | None:
        with trouble():
            text: str | None = self._cache.get(key)
            return text

    def replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        with trouble(), self._cache.transact():
            if self._cache.get(key) != old:
                return False
            if new is None:
                self._cache.pop(key)
            else:
                self._cache.set(key, new, expire=ttl)
        if new is None:
            self._wipe()
        elif time.monotonic() - self._swept > SWEEP_SECONDS:
            self.sweep()
        return True

    def keys(self) -> Iterator[str]:
        with trouble():
            yield from self._cache.iterkeys()

    def sweep(self) -> int:
        """Delete what has outlived its ttl; returns how many. Writes do so too, once an hour."""
        self._swept = time.monotonic()
        with trouble():
            gone: int = self._cache.expire()
        if gone:
            self._wipe()
        return gone

    def _wipe(self) -> None:
        """Deleted text is overwritten in the database, but older copies stand in its log until that is emptied."""
        with trouble():
            self._cache._sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
