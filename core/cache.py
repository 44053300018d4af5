"""Texts that cost a call, made once for all who ask at the same time and kept for those who ask later.

Under a key stands nothing, or the lease `{"by": id}` of whoever is making the text, or the text, `{"text": ...}`.
It goes from one to the next by compare-and-swap, so threads, processes and machines agree on who makes it. If the
document is lost, or the whole store, that costs further calls but never an answer.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.stores.contract import Documents, StoreError
from providers.contracts import Clock

SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 0.1  # seconds between two looks at what somebody else is making

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Terms:
    """On which a text is shared, in seconds.

    `keep` is how long it is served, `wait` how long a caller waits for another one to make it, and `lease` after
    what time whoever was making it has surely died or given up.
    """

    keep: float
    wait: float
    lease: float


@dataclass(frozen=True)
class _Turn:
    """The text is for this caller to make, and to be put in the place of `there` if that still stands.

    With `leads` that is the caller's own lease, which others are waiting on.
    """

    there: str | None
    leads: bool


class ResponseCache:
    """`new_id` returns another text each time, in whatever process."""

    def __init__(
        self, documents: Documents, clock: Clock, sleep: Callable[[float], None], new_id: Callable[[], str]
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._sleep = sleep
        self._new_id = new_id

    def text(
        self, key: str, terms: Terms, make: Callable[[], str], fits: Callable[[str], bool]
    ) -> tuple[str, bool]:
        """The text kept under `key`, or the one that `make` returns; True with it if it was made by this call.

        Of any number of callers at once one makes it and the others wait. If that one fails, another takes over;
        what was raised is raised to the failed one alone. A kept text that does not fit is replaced. Store trouble
        is logged and raised to nobody.
        """
        found = self._find(key, terms, fits)
        if isinstance(found, str):
            return found, False
        try:
            made = make()
        except BaseException:
            if found.leads:
                self._replace(key, found.there, None)
            raise
        self._replace(key, found.there, json.dumps({"text": made}), terms.keep)
        return made, True

    def _find(self, key: str, terms: Terms, fits: Callable[[str], bool]) -> str | _Turn:
        give_up = self._clock.monotonic() + terms.wait
        lease = json.dumps({"by": self._new_id()})
        pause = SHORTEST_PAUSE
        while True:
            try:
                there = self._documents.get(key)
            except StoreError as error:
                log.warning("The response cache cannot be read: %s", error)
                return _Turn(None, leads=False)
            match _read(there):
                case {"text": str(kept)} if fits(kept):
                    return kept
                case {"by": str()}:
                    pass
                case _ if self._replace(key, there, lease, terms.lease):
                    return _Turn(lease, leads=True)
            left = give_up - self._clock.monotonic()
            if left <= 0:
                # Its text may replace the lease it waited on, so that nobody else waits on one who has died.
                return _Turn(there, leads=False)
            self._sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        """False if something other than `old` stands there. In doubt True: the change may have happened."""
        try:
            return self._documents.replace(key, old, new, ttl)
        except StoreError as error:
            log.warning("The response cache cannot be written: %s", error)
            return True


def fingerprint(*parts: object) -> str:
    """A key for what is made of these parts, the same in every process; the order of a mapping does not matter.

    Raises TypeError or ValueError for a part that JSON cannot say.
    """
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"answer:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _read(document: str | None) -> Any:
    """None for what is absent or garbled."""
    try:
        return json.loads(document or "null")
    except (ValueError, RecursionError):
        return None
