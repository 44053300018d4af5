"""The one place that speaks HTTP. No message that leaves here holds a header, a key, a query or a body."""

from __future__ import annotations

import ipaddress
import json
import math
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import requests

from providers.contracts import BadReply, Clock, Down, KeyRejected, Pulse
from providers.exchange import Stopped
from providers.wire import Body, GuardedAdapter

__all__ = ["EventStream", "GuardedAdapter", "Http", "HttpReply", "parse_json", "refuse_unsafe"]

VERSION = "0.1.0"
USER_AGENT = f"Greenroom/{VERSION} (+mock interviews)"


def parse_json(text: str) -> Any:
    """The value in `text`; ValueError (without the text in it) for anything but finite, sanely nested JSON."""
    try:
        return json.loads(text.lstrip("\ufeff"), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise ValueError("not valid JSON") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


@dataclass(frozen=True)
class HttpReply:
    """A whole answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    text: str = field(repr=False)

    @classmethod
    def of(cls, response: requests.Response) -> HttpReply:
        return cls(response.status_code, _lower(response), response.content.decode("utf-8", "replace"))

    @property
    def is_page(self) -> bool:
        """True for HTML where JSON was due: something other than the provider answered."""
        return self.text.lstrip("\ufeff \r\n\t").startswith("<")

    def json(self, where: str = "the provider") -> Any:
        """The parsed body; BadReply when it is not JSON or not finite."""
        try:
            return parse_json(self.text)
        except ValueError:
            raise BadReply(f"{where}: the answer is not valid JSON") from None


class EventStream:
    """An answer that is still arriving. Close it, or use it in a `with`."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self.headers = _lower(response)
        self._body = cast(Body, response.raw)

    def read(self) -> HttpReply:
        """Everything that comes, for an answer that turned out not to be a stream."""
        return HttpReply(self.status, self.headers, b"".join(self._body.chunks()).decode("utf-8", "replace"))

    def events(self) -> Iterator[str]:
        """The payload of each `data:` line. A last line that was cut off is dropped, unless it is the end mark."""
        rest = b""
        for chunk in self._body.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"data:"):
                    yield line[5:].decode("utf-8", "replace").strip()
        if rest.removeprefix(b"data:").strip() == b"[DONE]":
            yield "[DONE]"

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Http:
    """JSON over HTTPS. One session per thread, one pool of kept connections for all of them."""

    def __init__(self, clock: Clock) -> None:
        self._adapter = GuardedAdapter(clock)
        self._threads = threading.local()

    def post_json(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any], timeout: float
    ) -> HttpReply:
        """The answer, whatever its status. One attempt; raises Down, or KeyRejected for an unsendable key."""
        return HttpReply.of(self._send(self._prepare(url, headers, body), timeout=timeout))

    def open_stream(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any], timeout: float, pulse: Pulse
    ) -> EventStream:
        """The answer as it arrives, whatever its status; same errors as post_json. `timeout` bounds all of it.

        `pulse` is called at least every quarter of a second while the answer is waited for, here and while it is
        read; what it raises closes the connection and comes out as it is.
        """
        request = self._prepare(url, headers, body)
        return EventStream(self._send(request, timeout=timeout, stream=True, pulse=pulse))

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _prepare(self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> requests.PreparedRequest:
        data = json.dumps(body, allow_nan=False).encode()
        sent = {"Content-Type": "application/json", **headers}
        try:
            return self._session().prepare_request(requests.Request("POST", url, headers=sent, data=data))
        except requests.exceptions.InvalidHeader:
            raise _unsendable(url) from None
        except (requests.RequestException, ValueError):
            raise _unusable() from None

    def _send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        try:
            return self._session().send(request, allow_redirects=False, **how)
        except Stopped as stopped:
            raise stopped.error from stopped.error.__cause__
        except UnicodeError:
            raise _unsendable(str(request.url)) from None
        except requests.RequestException:  # not the network's: the adapter speaks for that
            raise _unusable() from None

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = requests.Session()
            session.trust_env = False
            session.headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
            session.mount("https://", self._adapter)
            session.mount("http://", self._adapter)
        return session


def _unsendable(url: str) -> KeyRejected:
    # The errors this replaces quote the header, and with it the key.
    host = urlsplit(url).hostname
    return KeyRejected(
        f"{host}: a header cannot be sent; look for stray characters in the key", outcome="not_sent"
    )


def _unusable() -> Down:
    return Down("the provider's address is not usable", outcome="not_sent")


def _lower(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def refuse_unsafe(url: str, allow_local: bool) -> None:
    """ValueError with a one-line remedy unless `url` is https to a public host, or `allow_local` is set.

    A name that does not resolve passes: calling it fails as Down. The message never repeats the whole URL.
    """
    try:
        parts = urlsplit(url)
        host, userinfo = parts.hostname or "", "@" in parts.netloc
    except ValueError:
        raise ValueError("the base URL is malformed; write it as https://host/path") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("the base URL needs a scheme and a host; write it as https://host/path")
    if allow_local:
        return
    remedy = "use a public https address, or set ALLOW_LOCAL_UPSTREAMS=1"
    if userinfo:
        raise ValueError(f"{host}: a base URL must not hold a user name or password; {remedy}")
    if parts.scheme != "https":
        raise ValueError(f"{host}: plain http is not allowed; {remedy}")
    if any(_is_inside(address) for address in _addresses(host)):
        raise ValueError(f"{host}: points into a private or reserved network; {remedy}")


def _addresses(host: str) -> list[str]:
    """Where `host` leads, by the rules of the resolver (0x7f.1 is 127.0.0.1); empty when it does not resolve."""
    if host == "localhost" or host.endswith((".localhost", "localhost.")):
        return ["127.0.0.1"]
    try:
        return [str(row[4][0]) for row in socket.getaddrinfo(host.partition("%")[0], None)]
    except (OSError, UnicodeError):
        return []


def _is_inside(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
        ip = ip.ipv4_mapped or ip.sixtofour or nat64 or ip
    return not ip.is_global or ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
