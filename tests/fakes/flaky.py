"""Documents on a store that misbehaves at a test's word."""

from __future__ import annotations

from collections.abc import Iterator

from core.stores.contract import Documents, StoreError


class Flaky:
    """Passes everything on to a real store, except that it fails for keys that begin with `down`.

    `loses_answers`: changes happen, and then it fails. `is_outrun`: somebody else is always a moment faster.
    `reads` and `writes` count what it was asked for.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.down: str | None = None
        self.loses_answers = self.is_outrun = False
        self.reads = self.writes = 0

    def get(self, key: str) -> str | None:
        self.reads += 1
        self._fail(key)
        return self._documents.get(key)

    def replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        self.writes += 1
        self._fail(key)
        done = not self.is_outrun and self._documents.replace(key, old, new, ttl)
        if self.loses_answers:
            raise StoreError("no answer")
        return done

    def keys(self) -> Iterator[str]:
        self._fail("")
        return self._documents.keys()

    def _fail(self, key: str) -> None:
        if self.down is not None and key.startswith(self.down):
            raise StoreError("down")
