"""Ledger and documents on diskcache: one machine, any number of processes.

Two traps of diskcache 5.6.3 are closed here. It unpickles rows planted in its database (CVE-2025-69872, also
through its JSONDisk), so `TextDisk` writes and accepts plain text only. And its default eviction silently
deletes counters once a cache is full, so nothing here is ever evicted; retention is the caller's rule.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import diskcache

from core.stores import changes, rows
from core.stores.book import Book
from core.stores.contract import NO_LESSON, Claim, Counter, Hold, Lesson, Level, Refusal, StoreError
from core.stores.rows import Row

T = TypeVar("T")

BUSY_SECONDS = 2.0
PATIENCE = 0.0  # seconds that SQLite itself waits for a lock; `patiently` does it better
SHORT_SLEEPS = (0.0001, 0.0006)
LEDGER = "ledger"
OPEN_SECONDS = 3.0
SWEEP_SECONDS = 3_600.0
GARBLED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # what reading a foreign row can raise


def patiently(act: Callable[[], T]) -> T:
    """What `act` returns, tried again for a while as long as the database is locked.

    SQLite's own back-off lets an unlucky waiter sleep for a second; short sleeps of random length do not.
    """
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return act()
        except (diskcache.Timeout, sqlite3.OperationalError) as error:
            locked = isinstance(error, diskcache.Timeout) or "locked" in str(error)
            if not locked or time.monotonic() > give_up:
                raise
        time.sleep(random.uniform(*SHORT_SLEEPS))  # noqa: S311 (no secret)


@contextmanager
def exclusive(cache: diskcache.Cache) -> Iterator[None]:
    """One transaction; nobody else writes meanwhile."""
    with ExitStack() as stack:
        patiently(lambda: stack.enter_context(cache.transact(retry=False)))
        yield


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


def open_cache(folder: Path, largest: int | None = None) -> diskcache.Cache:
    """Open or create; raises StoreError. Beyond `largest` bytes the oldest values go; without it none ever does.

    A first start by many processes at once can find SQLite locked whatever the timeout says (its journal switch
    does not wait), so opening is tried again for a while.
    """
    give_up = time.monotonic() + OPEN_SECONDS
    while True:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_if_locked(folder / diskcache.core.DBNAME)
            return diskcache.Cache(
                str(folder),
                timeout=PATIENCE,
                disk=TextDisk,
                eviction_policy="least-recently-stored" if largest else "none",
                cull_limit=10 if largest else 0,
                size_limit=largest or 2**40,
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


@dataclass(frozen=True)
class _Known:
    row: Row
    counter: Counter
    since: float
    until: float
    level: Level

    def holds(self, row: Row, counter: Counter, now: float) -> bool:
        return self.row is row and self.counter is counter and self.since <= now < self.until


class DiskLedger:
    def __init__(self, cache: diskcache.Cache) -> None:
        self.cache = cache
        self._last: Book | None = None
        self._known: dict[str, _Known] = {}

    def reserve(self, hold: Hold, now: float, ttl: float) -> Refusal | None:
        with trouble(), self._writing() as book:
            turned = _turned(book, [claim.counter for claim in hold.claims], now)
            if refusal := _refusal(turned, hold.claims, now, hold.envelope):
                return refusal
            for row, claim in zip(turned, hold.claims, strict=True):
                changes.charge(row, claim, hold.id, now, now + ttl)
                changes.draw(row, hold.envelope, hold.id)
                book.put(claim.counter.key, row)
        return None

    def promise(self, envelope: str, claims: Sequence[Claim], now: float, ttl: float) -> Refusal | None:
        with trouble(), self._writing() as book:
            turned = _turned(book, [claim.counter for claim in claims], now)
            if refusal := _refusal(turned, claims, now, envelope):
                return refusal
            for row, claim in zip(turned, claims, strict=True):
                changes.promise(row, envelope, claim.cost, now, now + ttl)
                book.put(claim.counter.key, row)
        return None

    def settle(self, hold: Hold, costs: Mapping[str, float], now: float, lesson: Lesson = NO_LESSON) -> bool:
        with trouble(), self._writing() as book:
            for counter in [claim.counter for claim in hold.claims]:
                row = changes.turn(book.row(counter.key), counter, now)
                if hold.id not in row.open:
                    continue
                held = row.open[hold.id]
                cost = costs.get(counter.key, held.cost)
                changes.settle(row, counter, hold.id, cost, now)
                changes.give_back(row, hold.envelope, held.drawn - cost)
                changes.learn(row, counter, held, lesson, now)
                book.put(counter.key, row)
        return book.is_changed

    def levels(self, counters: Sequence[Counter], now: float) -> list[Level]:
        with trouble():
            book = self._book()
            found = [self._level(book, counter, now) for counter in counters]
            if book.is_changed:
                with self._writing() as book:
                    found = [self._level(book, counter, now) for counter in counters]
            self._last = book
            return found

    def _level(self, book: Book, counter: Counter, now: float) -> Level:
        """Most rows have not changed since they were asked last, and then neither has what they say."""
        known = self._known.get(counter.key)
        if known and known.holds(book.row(counter.key), counter, now):
            return known.level
        (turned,) = _turned(book, [counter], now)
        row, level = book.row(counter.key), turned.level(counter)
        self._known[counter.key] = _Known(row, counter, now, turned.steady_until(counter), level)
        return level

    @contextmanager
    def _writing(self) -> Iterator[Book]:
        """The ledger while nobody else writes. What is put into it is kept if nothing fails."""
        with exclusive(self.cache):
            book = self._book()
            yield book
            if book.is_changed:
                self._write(book.close())
            self._last = book

    def _book(self) -> Book:
        return Book(patiently(lambda: self.cache.get(LEDGER)), self._last)

    def _write(self, text: str) -> None:
        """In place, which takes half as long as `cache.set`."""
        update = "UPDATE Cache SET value = ? WHERE key = ? AND raw = 1"
        if not self.cache._sql(update, (text, LEDGER)).rowcount:
            self.cache.set(LEDGER, text)


def _turned(book: Book, counters: Sequence[Counter], now: float) -> list[Row]:
    """The rows as of `now`. What a clock that ran ahead has left on them is mended for good."""
    found = []
    for counter in counters:
        row = book.row(counter.key)
        if changes.is_ahead(row, counter, now):
            row = changes.tamed(row, counter, now)
            book.put(counter.key, row)
        found.append(changes.turn(row, counter, now))
    return found


def _refusal(turned: Sequence[Row], claims: Sequence[Claim], now: float, envelope: str) -> Refusal | None:
    for row, claim in zip(turned, claims, strict=True):
        if not rows.fits(row, claim, now, envelope):
            return Refusal(claim, rows.free_at(row, claim, now, envelope))
    return None


class DiskDocuments:
    def __init__(self, cache: diskcache.Cache) -> None:
        self._cache = cache
        self._swept = time.monotonic()

    def get(self, key: str) -> str | None:
        with trouble():
            found: str | None = patiently(lambda: self._cache.get(key))
            return found

    def replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        with trouble(), exclusive(self._cache):
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
            yield from patiently(lambda: list(self._cache.iterkeys()))

    def sweep(self) -> int:
        """Delete what has outlived its ttl; returns how many. Writes do so too, once an hour."""
        self._swept = time.monotonic()
        with trouble(), exclusive(self._cache):
            gone: int = self._cache.expire()
        if gone:
            self._wipe()
        return gone

    def _wipe(self) -> None:
        """Deleted text is overwritten in the database, but older copies stand in its log until that is emptied."""
        with trouble():
            patiently(lambda: self._cache._sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
