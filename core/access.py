"""Who may see operations. Closed by default: a password, or a one-time code that only the console shows."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from providers.contracts import Clock

LONGEST_SECRET = 256
IDLE_SECONDS, LONGEST_SECONDS = 15 * 60, 8 * 3600
FREE_FAILURES, FAILURE_WINDOW = 5, 300.0  # as Grafana: five failures in five minutes


@dataclass(frozen=True)
class Verdict:
    """`wait` is how many seconds until another attempt is looked at, 0 when the next one is."""

    allowed: bool
    wait: float = 0.0


@dataclass
class _Grant:
    since: float
    seen: float


class Access:
    """Checks the admin's secret and the API's bearer token, and remembers who is signed in.

    Neither secret is kept in plain. A signed-in browser is known by a fingerprint that the caller takes from it.
    """

    def __init__(
        self, password: str | None, api_token: str | None, clock: Clock, announce: Callable[[str], None]
    ) -> None:
        """`announce` gets the lines that only somebody at the server's console may read."""
        self._clock = clock
        self._announce = announce
        self._lock = threading.Lock()
        self._failures: deque[float] = deque()
        self._grants: dict[str, _Grant] = {}
        self._salt = secrets.token_bytes(16)
        self.uses_code = password is None
        self._secret = self._hash(password) if password is not None else self._new_code()
        if api_token is None:
            api_token = secrets.token_urlsafe(24)
            announce(f"Status API token until the next start (set API_TOKEN to choose one): {api_token}")
        self._token = _digest(api_token)

    def sign_in(self, secret: str) -> Verdict:
        """Look at one attempt. It counts as a failure before it is hashed, so parallel guesses gain nothing."""
        with self._lock:
            wait = self._wait()
            if wait > 0 and not self.uses_code:  # a code cannot be guessed, so guessing must not lock it out
                return Verdict(False, wait)
            self._failures.append(self._clock.monotonic())
            expected = self._secret
        if not hmac.compare_digest(self._hash(secret), expected):
            return Verdict(False)
        with self._lock:
            if self._secret is not expected:  # somebody else has just spent this code
                return Verdict(False)
            self._failures.clear()
            if self.uses_code:
                self._secret = self._new_code()
        return Verdict(True)

    def admit(self, browser: str) -> None:
        """Keep this browser signed in, over reloads and in all its tabs."""
        now = self._clock.monotonic()
        with self._lock:
            self._grants = {b: g for b, g in self._grants.items() if _fresh(g, now)}
            self._grants[browser] = _Grant(now, now)

    def is_admitted(self, browser: str, in_use: bool = True) -> bool:
        """Is it signed in, used within 15 minutes and for no more than 8 hours? `in_use` counts this as use."""
        now = self._clock.monotonic()
        with self._lock:
            grant = self._grants.get(browser)
            if grant is None or not _fresh(grant, now):
                return False
            grant.seen = now if in_use else grant.seen
            return True

    def dismiss(self, browser: str) -> None:
        with self._lock:
            self._grants.pop(browser, None)

    def bearer(self, header: str | None) -> bool:
        """Is this Authorization header the API's bearer token?"""
        scheme, _, token = (header or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(_digest(token.strip()), self._token)

    def _wait(self) -> float:
        now = self._clock.monotonic()
        while self._failures and self._failures[0] <= now - FAILURE_WINDOW:
            self._failures.popleft()
        return self._failures[0] + FAILURE_WINDOW - now if len(self._failures) >= FREE_FAILURES else 0.0

    def _new_code(self) -> bytes:
        code = secrets.token_urlsafe(24)
        self._announce(
            f"Operations page: sign in with this one-time code (set ADMIN_PASSWORD to choose one): {code}"
        )
        return self._hash(code)

    def _hash(self, secret: str) -> bytes:
        """scrypt at 32 MiB and about 0.1 s, in line with OWASP's minimum for interactive sign-in."""
        text = secret[:LONGEST_SECRET].encode()
        return hashlib.scrypt(text, salt=self._salt, n=2**15, r=8, p=1, maxmem=64 * 2**20)


def _fresh(grant: _Grant, now: float) -> bool:
    return now - grant.seen < IDLE_SECONDS and now - grant.since < LONGEST_SECONDS


def _digest(token: str) -> bytes:
    return hashlib.sha256(token[:LONGEST_SECRET].encode()).digest()
