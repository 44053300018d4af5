"""A whole ledger as one text. Pure.

SQLite's cost is a statement, not a byte, so one value for everything is the fastest. Its first line is a checksum:
a ledger with a flipped bit is an error, not another ledger. Each further line is a counter's key, its row as JSON
without the settled charges, and those. It is parsed only when it is asked for.
"""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from typing import Any

from core.stores.contract import StoreError
from core.stores.rows import Entry, Open, Promise, Row

EMPTY = vars(Row())
STEP = 2_048  # SQLite writes least where a value's length stays as it was, so it grows by so many bytes only
_json = json.JSONEncoder(check_circular=False).encode


class Book:
    """Rows that are read from it belong to everybody: `changes.turn` makes one that may be changed and put back.

    `last` is a ledger that was read or written before: what stands in both need not be parsed again.
    """

    def __init__(self, text: str | None, last: Book | None) -> None:
        """Raises StoreError for a text that is not a whole ledger. None is one with nothing in it."""
        self.text = text
        self.is_changed = False
        self._lines: dict[str, str] = {}
        self._rows: dict[str, Row] = {}
        if last is not None and last.text == text:
            self._lines, self._rows = dict(last._lines), dict(last._rows)
        elif text is not None:
            self._lines = _lines(text)
            if last is not None:
                self._rows = {key: row for key, row in last._rows.items() if self._has_line_of(last, key)}

    def row(self, key: str) -> Row:
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = _row(self._lines[key]) if key in self._lines else Row()
        return found

    def put(self, key: str, row: Row) -> None:
        fields = {name: value for name, value in vars(row).items() if value != EMPTY[name] and name != "entries"}
        self._lines[key] = f"{_json(fields)}\t[{','.join(map(_entry, row.entries))}]"
        self._rows[key] = row
        self.is_changed = True

    def close(self) -> str:
        """The text to be written, after the last `put`."""
        body = "\n".join([f"{key}\t{line}" for key, line in self._lines.items()])
        self.text = f"{_checksum(body).ljust(8 + -len(body) % STEP)}\n{body}"
        return self.text

    def _has_line_of(self, last: Book, key: str) -> bool:
        return self._lines.get(key) == last._lines.get(key)


def _lines(text: str) -> dict[str, str]:
    checksum, _, body = text.partition("\n")
    if checksum.rstrip(" ") != _checksum(body):
        raise StoreError("the ledger is damaged")
    return dict(line.partition("\t")[::2] for line in body.split("\n")) if body else {}


def _row(line: str) -> Row:
    """Raises whatever reading a foreign line may raise."""
    fields, _, entries = line.partition("\t")
    found: dict[str, Any] = json.loads(fields)
    if any(isinstance(EMPTY[name], dict) != isinstance(value, dict) for name, value in found.items()):
        raise StoreError("the ledger has a row that we never write")
    row = Row(**found, entries=[(at, cost) for at, cost in json.loads(entries)])
    row.open = {hold: Open(*held) for hold, held in row.open.items()}
    row.promised = {envelope: Promise(*kept) for envelope, kept in row.promised.items()}
    return row


@lru_cache(10_000)
def _entry(entry: Entry) -> str:
    """The same few hundred times are written again and again."""
    return _json(entry)


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
