"""Bounds on the wire: a total deadline, a size cap, no redirects, for any requests.Session.

A timeout in requests and urllib3 bounds one read, so a server that drips bytes can hold a caller for ever.
Here the deadline of the running exchange reaches every blocking step: each address tried, the request, the
status line, the headers and the body.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError

from providers.contracts import Clock, Down

MAX_BYTES = 1 << 20
CONNECT_SECONDS = 5.0
DEFAULT_SECONDS = 30.0
_NETWORK_ERRORS = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException)


class _Exchange:
    """One request and its answer: how much time is left, and whether a byte may have been sent."""

    def __init__(self, clock: Clock, seconds: float, host: str) -> None:
        self.clock = clock
        self.seconds = seconds
        self.host = host
        self.stage = "unknown"  # stays so when something (a test) replaces the wire
        self._ends = clock.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the deadline; TimeoutError when it has passed."""
        left = self._ends - self.clock.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        return left

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


_running: ContextVar[_Exchange] = ContextVar("running_exchange")


class _BoundedReader(io.RawIOBase):
    """A socket reader whose every read waits no longer than the exchange may still last."""

    def __init__(self, raw: Any, sock: socket.socket, exchange: _Exchange) -> None:
        super().__init__()
        self._raw, self._sock, self._exchange = raw, sock, exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._exchange.left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    """Bounds the status line and the headers too, which a slow server can drip just as well as a body."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock, _running.get()))


class _Connection(HTTPConnection):
    response_class = _BoundedResponse

    def _new_conn(self) -> socket.socket:
        """Share one connect budget among all addresses of the host; urllib3 would give it to each of them."""
        name, exchange = self._dns_host, _running.get()
        exchange.stage = "connecting"
        budget = min(CONNECT_SECONDS, exchange.left())
        try:
            found = {row[4][0] for row in socket.getaddrinfo(name, self.port, type=socket.SOCK_STREAM)}
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(name, self, socket.gaierror(str(error))) from None
        try:
            for address in sorted(map(str, found), key=lambda text: ":" in text):
                self._dns_host, self.timeout = address, min(budget / len(found), exchange.left())
                try:
                    return super()._new_conn()
                except urllib3.exceptions.HTTPError as error:
                    last = error
            raise last
        finally:
            self._dns_host = name

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange = _running.get()
        exchange.stage = "sent"
        self.sock.settimeout(exchange.left())  # a kept connection still has the last exchange's timeout
        super().send(data)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Body:
    """The bytes of an answer as they arrive, decompressed, within deadline and cap."""

    def __init__(self, raw: Any, exchange: _Exchange) -> None:
        self._raw, self._exchange = raw, exchange

    def chunks(self) -> Iterator[bytes]:
        seen = 0
        try:
            while chunk := self._next():
                seen += len(chunk)
                if seen > MAX_BYTES:
                    raise Down(f"{self._exchange.host}: the answer is larger than 1 MB", outcome="no_reply")
                yield chunk
        except BaseException:
            self.close()  # a half-read connection must not be used again
            raise
        self._raw.release_conn()

    def _next(self) -> bytes:
        try:
            self._exchange.left()
            data: bytes = self._raw.read1(1 << 14, decode_content=True)
        except _NETWORK_ERRORS as error:
            raise self._exchange.failure(error) from None
        return data

    def close(self) -> None:
        self._raw.close()


class GuardedAdapter(HTTPAdapter):
    """Bounds whole exchanges on any requests.Session it is mounted on.

    The timeout of a call (seconds) is the deadline for everything from connecting to the last byte. Raises
    Down, never a requests exception, when the network or the server does not play along. The body has been
    read when send() returns, unless the call asked to stream.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(pool_maxsize=32)
        self._clock = clock
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        seconds = _total_seconds(kwargs.get("timeout"))
        exchange = _Exchange(self._clock, seconds, urlsplit(str(request.url)).hostname or "no host")
        if seconds <= 0:
            raise Down(f"{exchange.host}: no time left to ask", outcome="not_sent")
        stream = kwargs.get("stream", False)
        kwargs |= {"stream": True, "timeout": (min(CONNECT_SECONDS, seconds), seconds)}
        token = _running.set(exchange)
        try:
            response = super().send(request, *args, **kwargs)
        except _NETWORK_ERRORS as error:
            raise exchange.failure(error) from None
        finally:
            _running.reset(token)
        if 300 <= response.status_code < 400:
            response.close()
            raise Down(f"{exchange.host}: answered with a redirect, which is not followed", outcome="rejected")
        body = Body(response.raw, exchange)
        response.raw = body if stream else io.BytesIO(b"".join(body.chunks()))
        return response


def _total_seconds(timeout: Any) -> float:
    if isinstance(timeout, tuple):
        timeout = timeout[-1]
    return float(timeout) if isinstance(timeout, int | float) else DEFAULT_SECONDS
