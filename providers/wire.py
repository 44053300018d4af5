"""Bounds on the wire: a total deadline, a size cap, no redirects, for any requests.Session.

A timeout in requests and urllib3 bounds one read, so a server that drips bytes can hold a caller for ever.
Here the deadline of the running exchange reaches every blocking step: each address tried, the request, the
status line, the headers and the body. While an answer is waited for, the caller's pulse is felt several times a
second, and what it raises ends the exchange.
"""

from __future__ import annotations

import http.client
import io
import logging
import socket
import ssl
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

from providers.addresses import is_inside, look_up
from providers.contracts import Clock
from providers.errors import Down
from providers.exchange import Exchange, Stopped

MAX_BYTES = 1 << 20
CONNECT_SECONDS = 5.0
DEFAULT_SECONDS = 30.0
_NETWORK_ERRORS = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException)
_running: ContextVar[Exchange] = ContextVar("running_exchange")


def _without_paths(record: logging.LogRecord) -> bool:
    """urllib3 writes down each path at DEBUG, and an account's id may stand in one."""
    if isinstance(record.args, tuple):
        record.args = tuple("/…" if isinstance(arg, str) and arg.startswith("/") else arg for arg in record.args)
    return True


logging.getLogger("urllib3.connectionpool").addFilter(_without_paths)


class _BoundedReader(io.RawIOBase):
    """A socket reader whose every read waits no longer than the exchange may still last.

    It reads first and waits afterwards: TLS may hold bytes back that no waiting for the socket would show, and a
    socket that has bytes may have none of the answer's.
    """

    def __init__(self, raw: Any, sock: socket.socket, exchange: Exchange) -> None:
        super().__init__()
        self._raw, self._sock, self._exchange = raw, sock, exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.setblocking(False)
        while True:
            self._exchange.go_on()
            try:
                count: int | None = self._raw.readinto(buffer)
            except ssl.SSLWantReadError:
                count = None
            if count is not None:
                return count
            self._exchange.wait(self._sock)

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
            found = look_up(name, self.port, budget)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(name, self, socket.gaierror(str(error))) from None
        if not exchange.private and any(map(is_inside, found)):
            raise Down(f"{exchange.host}: leads into a private or reserved network", outcome="not_sent")
        try:
            for address in sorted(found, key=lambda text: ":" in text):
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
        self.sock.settimeout(exchange.left())  # urllib3 would give it the time for connecting
        super().send(data)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Body:
    """The bytes of an answer as they arrive, decompressed, within deadline and cap."""

    def __init__(self, raw: Any, exchange: Exchange) -> None:
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
        except Stopped as stopped:
            raise stopped.error from stopped.error.__cause__
        return data

    def close(self) -> None:
        self._raw.close()


class GuardedAdapter(HTTPAdapter):
    """Bounds whole exchanges on any requests.Session it is mounted on.

    The timeout of a call (seconds) is the deadline for everything from connecting to the last byte. Raises
    Down, never a requests exception, when the network or the server does not play along. The body has been
    read when send() returns, unless the call asked to stream. A call may bring a `pulse`; what that raises comes
    out of send() inside of Stopped, and out of a streamed body as it is. Unless `private` is set, no name is
    connected to that leads into a private network, whatever it led to when it was checked.
    """

    def __init__(self, clock: Clock, private: bool = False) -> None:
        super().__init__(pool_maxsize=32)
        self._clock = clock
        self._private = private
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        seconds, host = _total_seconds(kwargs.get("timeout")), urlsplit(str(request.url)).hostname or "no host"
        exchange = Exchange(self._clock, seconds, host, kwargs.pop("pulse", None))
        exchange.private = self._private
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
