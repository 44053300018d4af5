"""One request and its answer on the wire: its deadline, its pulse, and what its failure means."""

from __future__ import annotations

import math
import socket

import requests
import urllib3
from urllib3.exceptions import NameResolutionError
from urllib3.util import wait_for_read

from providers.contracts import Clock, Pulse
from providers.errors import Down

PULSE_SECONDS = 0.2


class Stopped(BaseException):
    """The pulse raised `error`. No Exception, so that nobody on the way up takes it for trouble of the network."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


class Exchange:
    """One request and its answer: how much time is left, and whether a byte may have been sent.

    `private` allows a server in a private network. `pulse` is called at least every quarter of a second while the
    answer is waited for.
    """

    def __init__(self, clock: Clock, seconds: float, host: str, pulse: Pulse | None) -> None:
        self.clock = clock
        self.seconds = seconds
        self.host = host
        self.private = False
        self.stage = "unknown"  # stays so when something (a test) replaces the wire
        self._ends = clock.monotonic() + seconds
        self._pulse = pulse
        self._pulsed = clock.monotonic()

    def left(self) -> float:
        """Seconds until the deadline; TimeoutError when it has passed."""
        left = self._ends - self.clock.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        return left

    def go_on(self) -> None:
        """Pulse if it is time to. Raises TimeoutError, or Stopped."""
        self.left()
        if self._quiet() <= 0:
            self._beat()

    def wait(self, sock: socket.socket) -> None:
        """Until `sock` has something to read, with a pulse now and then. Raises TimeoutError, or Stopped."""
        left = self.left()
        while left > 0:
            tick = min(left, max(self._quiet(), 0.0))
            if wait_for_read(sock, tick):
                return
            self._beat()
            left = min(left - tick, self.left())  # also ends where the clock is one that stands still
        raise TimeoutError("deadline passed")

    def _quiet(self) -> float:
        """Seconds until the next pulse is due."""
        return self._pulsed + PULSE_SECONDS - self.clock.monotonic() if self._pulse else math.inf

    def _beat(self) -> None:
        if self._pulse is None:
            return
        try:
            self._pulse()
        except BaseException as error:
            raise Stopped(error) from error
        self._pulsed = self.clock.monotonic()

    def failure(self, error: Exception) -> Down:
        """What `error` means for the caller, without a word of the request in it."""
        unsent = self.stage == "connecting" or (
            self.stage == "unknown" and isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError)
        )
        if unsent:
            return Down(f"{self.host}: {_why_not_connected(error)}", outcome="not_sent")
        timed_out = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError)
        what = f"no complete answer within {self.seconds:g} s" if timed_out else "the answer broke off"
        return Down(f"{self.host}: {what}", outcome="no_reply")


def _why_not_connected(error: Exception) -> str:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.SSLError):
        return "no trustworthy TLS connection"
    if isinstance(error, requests.Timeout):
        return "no connection in time"
    return "host name not found" if isinstance(reason, NameResolutionError) else "could not connect"
