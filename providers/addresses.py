"""Which addresses may be called: public ones over https, unless the operator allows a local server."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from urllib.parse import urlsplit

LOOK_UP_SECONDS = 5.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


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
    if any(is_inside(address) for address in _addresses(host)):
        raise ValueError(f"{host}: points into a private or reserved network; {remedy}")


def _addresses(host: str) -> list[str]:
    """Where `host` leads, by the rules of the resolver (0x7f.1 is 127.0.0.1); empty when it does not resolve."""
    if host == "localhost" or host.endswith((".localhost", "localhost.")):
        return ["127.0.0.1"]
    try:
        return sorted(look_up(host.partition("%")[0], None, LOOK_UP_SECONDS))
    except (OSError, UnicodeError):
        return []


def look_up(name: str, port: int | None, seconds: float) -> frozenset[str]:
    """The addresses of `name`. Raises OSError or UnicodeError where there are none, TimeoutError after `seconds`.

    The system's resolver cannot be told to hurry, so it is left behind on a thread of its own.
    """
    if _is_literal(name):
        return frozenset({name})
    answers: queue.SimpleQueue[frozenset[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            answers.put(frozenset(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="name-look-up").start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("no answer from the name server in time") from None
    if isinstance(found, Exception):
        raise found
    return found


def _is_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_inside(address: str) -> bool:
    """Does `address`, an IP address as text, lead into this machine or a private or reserved network?"""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
        ip = ip.ipv4_mapped or ip.sixtofour or nat64 or ip
    return not ip.is_global or ip.is_multicast
