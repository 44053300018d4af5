"""The one place that speaks HTTP. No message that leaves here holds a header, a key, a query or a body."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import requests

from providers.contracts import Clock, Pulse
from providers.errors import BadReply, Down, KeyRejected
from providers.exchange import Stopped
from providers.wire import Body, GuardedAdapter

__all__ = ["EventStream", "Form", "GuardedAdapter", "Http", "HttpReply", "parse_json"]

VERSION = "0.1.0"
USER_AGENT = f"Greenroom/{VERSION} (+mock interviews)"


_SURROGATE = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def parse_json(text: str) -> Any:
    """The value in `text`; ValueError (without the text in it) for anything but finite, sanely nested JSON.

    Half of a surrogate pair becomes a replacement character: it could be neither sent on nor saved.
    """
    try:
        value = json.loads(text.lstrip("\ufeff"), parse_constant=_finite, parse_float=_finite)
        return _mended(value) if _SURROGATE.search(text) else value
    except (ValueError, RecursionError):
        raise ValueError("not valid JSON") from None


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    return value


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
    """An answer that is still arriving. Close it, or use it in a `with`. `head` is the part before the body."""

    def __init__(self, response: requests.Response) -> None:
        self.head = HttpReply(response.status_code, _lower(response), "")
        self._body = cast(Body, response.raw)

    @property
    def status(self) -> int:
        return self.head.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.head.headers

    def read(self) -> HttpReply:
        """Everything that comes, for an answer that turned out not to be a stream."""
        return replace(self.head, text=b"".join(self._body.chunks()).decode("utf-8", "replace"))

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


@dataclass(frozen=True)
class Form:
    """A form with one file in it, as transcriptions are asked for."""

    fields: tuple[tuple[str, str], ...]
    file: bytes = field(repr=False)
    file_name: str
    media_type: str


class Http:
    """JSON over HTTPS. One session per thread, one pool of kept connections for all of them.

    Every method makes one attempt and gives the answer, whatever its status. `timeout` bounds all of it, in
    seconds. `pulse` is called at least every quarter of a second while the answer is waited for, and what it
    raises comes out as it is. Raises Down, or KeyRejected for a key that cannot be sent. With `private`, servers
    in a private network may be called.
    """

    def __init__(self, clock: Clock, private: bool = False) -> None:
        self.clock, self.private = clock, private
        self._adapter = GuardedAdapter(clock, private)
        self._threads = threading.local()

    def get_json(
        self, url: str, headers: Mapping[str, str], timeout: float, pulse: Pulse | None = None
    ) -> HttpReply:
        request = self._prepare(requests.Request("GET", url, headers))
        return HttpReply.of(self._send(request, timeout=timeout, pulse=pulse))

    def post_json(
        self,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any],
        timeout: float,
        pulse: Pulse | None = None,
    ) -> HttpReply:
        request = self._prepare(_json_post(url, headers, body))
        return HttpReply.of(self._send(request, timeout=timeout, pulse=pulse))

    def post_form(self, url: str, headers: Mapping[str, str], form: Form, timeout: float) -> HttpReply:
        file = (form.file_name, form.file, form.media_type)
        request = requests.Request("POST", url, headers, data=form.fields, files={"file": file})
        return HttpReply.of(self._send(self._prepare(request), timeout=timeout))

    def open_stream(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any], timeout: float, pulse: Pulse
    ) -> EventStream:
        """The answer as it arrives; time and pulse run on while it is read."""
        request = self._prepare(_json_post(url, headers, body))
        return EventStream(self._send(request, timeout=timeout, stream=True, pulse=pulse))

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _prepare(self, request: requests.Request) -> requests.PreparedRequest:
        try:
            return self._session().prepare_request(request)
        except requests.exceptions.InvalidHeader:
            raise _unsendable(str(request.url)) from None
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


def _json_post(url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> requests.Request:
    data = json.dumps(body, allow_nan=False).encode()
    return requests.Request("POST", url, {"Content-Type": "application/json", **headers}, data=data)


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
