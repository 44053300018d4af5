"""Streamed answers on a real wire: order, deadline, cap, the caller's pulse, and the connection given back."""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
import requests

from core.clock import SystemClock
from providers.contracts import Pulse
from providers.errors import Down
from providers.http import Http
from tests.certificates import self_signed
from tests.fakes.clock import FrozenClock
from tests.wire import Script, Wire, answer, drips, sends, stalls

HEADERS = {"Authorization": "Bearer canary-key-5f2c"}


@pytest.fixture
def wire() -> Iterator[Callable[..., Wire]]:
    opened: list[Wire] = []

    def open_wire(script: Script, keep_alive: bool = False, tls: ssl.SSLContext | None = None) -> Wire:
        opened.append(Wire(script, keep_alive, tls))
        return opened[-1]

    yield open_wire
    for each in opened:
        each.close()


@pytest.fixture
def http() -> Iterator[Http]:
    door = Http(SystemClock(), private=True)
    yield door
    door.close()


def quiet() -> None:
    """A pulse of somebody who wants to go on."""


def read(http: Http, url: str, timeout: float, pulse: Pulse = quiet) -> list[str]:
    with http.open_stream(url, HEADERS, {}, timeout, pulse) as stream:
        return list(stream.events())


EVENTS = b": hello\n\ndata: one\r\n\r\nevent: x\nid: 3\ndata:two\n\n\n: keep-alive\n\ndata: t\xc3\xa9n\n\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def test_a_stream_yields_data_lines_only(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(sends(STREAM_HEAD + EVENTS + b"data: [DONE]"))
    assert read(http, server.url, 5.0) == ["one", "two", "tén", "[DONE]"]


def test_a_streams_events_come_before_it_ends(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(stalls(STREAM_HEAD + EVENTS))
    with http.open_stream(server.url, HEADERS, {}, 5.0, quiet) as stream:
        assert next(stream.events()) == "one"


@pytest.mark.parametrize(
    "script", [drips(STREAM_HEAD, b": keep-alive\n\n"), stalls(STREAM_HEAD), drips(b"", b"H"), stalls(b"")]
)
def test_a_stream_obeys_the_deadline(http: Http, wire: Callable[..., Wire], script: Script) -> None:
    server = wire(script)
    with pytest.raises(Down, match=r"within 0\.4 s") as caught:
        read(http, server.url, 0.4)
    assert caught.value.outcome == "no_reply"
    assert server.left.wait(10)


def test_a_stream_obeys_the_cap(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(sends(STREAM_HEAD + b"data: x\n\n" * 200_000))
    with pytest.raises(Down, match="1 MB"):
        read(http, server.url, 5.0)


def test_closing_a_stream_closes_the_connection(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(stalls(STREAM_HEAD + EVENTS))
    with http.open_stream(server.url, HEADERS, {}, 30.0, quiet) as stream:
        events = stream.events()
        next(events)
        events.close()  # type: ignore[attr-defined]
        assert server.left.wait(5)


def test_a_stream_that_nobody_reads_is_closed_too(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(stalls(STREAM_HEAD + EVENTS))
    with http.open_stream(server.url, HEADERS, {}, 30.0, quiet) as stream:
        assert stream.status == 200
    assert server.left.wait(5)


# The pulse


class Gone(BaseException):
    """Like what Streamlit raises to end a script: no Exception."""


class Ticks:
    """A pulse that raises `error` after `calm` calls without."""

    def __init__(self, error: BaseException, calm: int = 2) -> None:
        self.error, self.calm, self.count = error, calm, 0

    def __call__(self) -> None:
        self.count += 1
        if self.count > self.calm:
            raise self.error


SILENCES = {
    "before the headers": stalls(b""),
    "in the headers": stalls(b"HTTP/1.1 200 OK\r\nContent-"),
    "before the first event": stalls(STREAM_HEAD),
    "between events": stalls(STREAM_HEAD + EVENTS),
    "within a chunk": stalls(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\ndata: x"),
    "dripping comments": drips(STREAM_HEAD, b": keep-alive\n\n"),
    "dripping headers": drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
}


@pytest.mark.parametrize("silence", SILENCES)
def test_a_pulse_ends_a_silent_stream_and_the_server_sees_it(
    http: Http, wire: Callable[..., Wire], silence: str
) -> None:
    server, ticks = wire(SILENCES[silence]), Ticks(Gone())
    with pytest.raises(Gone) as caught:
        read(http, server.url, 60.0, ticks)
    assert caught.value is ticks.error
    assert ticks.count == 3
    assert server.left.wait(10)


@pytest.mark.parametrize(
    "error",
    [
        OSError("x"),
        TimeoutError("x"),
        UnicodeError("x"),
        requests.ConnectionError("x"),
        Down("x"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("silence", ["before the headers", "between events"])
def test_what_a_pulse_raises_is_never_taken_for_trouble_of_the_network(
    http: Http, wire: Callable[..., Wire], silence: str, error: BaseException
) -> None:
    error.__cause__ = cause = LookupError("why")
    server = wire(SILENCES[silence])
    with pytest.raises(type(error)) as caught:
        read(http, server.url, 60.0, Ticks(error, calm=0))
    assert caught.value is error
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize("silence", ["before the headers", "in the headers", "between events"])
def test_a_pulse_comes_four_times_a_second_and_a_clock_that_stands_still_does_not_stop_it(
    wire: Callable[..., Wire], silence: str
) -> None:
    beats: list[None] = []
    with pytest.raises(Down, match="within 1 s"):
        read(Http(FrozenClock(), private=True), wire(SILENCES[silence]).url, 1.0, lambda: beats.append(None))
    assert 4 <= len(beats) <= 6


def test_a_pulse_also_comes_while_a_slow_reader_has_always_something_to_read(wire: Callable[..., Wire]) -> None:
    clock, beats = FrozenClock(), 0

    def pulse() -> None:
        nonlocal beats
        beats += 1

    server = wire(sends(STREAM_HEAD + 12 * (b"data: " + b"x" * 10_000 + b"\n\n")))
    with Http(clock, private=True).open_stream(server.url, HEADERS, {}, 60.0, pulse) as stream:
        events = stream.events()
        next(events)
        assert server.sent.wait(10)
        beats = 0
        for _ in events:
            clock.advance(0.3)
    assert beats >= 5


def test_after_a_pulse_has_raised_the_connection_is_not_used_again(http: Http, wire: Callable[..., Wire]) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    scripts = [sends(answer(b"{}")), stalls(chunked)]

    def one_after_the_other(sock: socket.socket) -> None:
        scripts.pop()(sock)

    server = wire(one_after_the_other, keep_alive=True)
    with pytest.raises(Gone):
        read(http, server.url, 60.0, Ticks(Gone()))
    assert http.post_json(server.url, HEADERS, {}, 5.0).json() == {}
    assert server.connections == 2


def test_an_answer_read_whole_is_pulsed_too(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(stalls(b"HTTP/1.1 401 No\r\nContent-Length: 500\r\n\r\n{"))
    with (
        pytest.raises(Gone),
        http.open_stream(server.url, HEADERS, {}, 60.0, Ticks(Gone())) as stream,
    ):
        stream.read()
    assert server.left.wait(10)


# The same through TLS, where the socket does not show what can be read


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    context, trusted = self_signed(tmp_path)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(trusted))
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("silence", ["before the headers", "between events", "dripping comments"])
def test_a_pulse_is_felt_through_tls(
    http: Http, wire: Callable[..., Wire], tls: ssl.SSLContext, version: ssl.TLSVersion, silence: str
) -> None:
    """TLS 1.3 sends tickets after the handshake: bytes on the socket that are no part of the answer."""
    tls.minimum_version = tls.maximum_version = version
    server = wire(SILENCES[silence], tls=tls)
    with pytest.raises(Gone):
        read(http, server.url, 60.0, Ticks(Gone()))
    assert server.left.wait(10)


def test_what_tls_holds_back_is_read_before_anything_is_waited_for(
    http: Http, wire: Callable[..., Wire], tls: ssl.SSLContext
) -> None:
    """One record of 16 KB, of which a reader takes half: the rest never makes the socket readable."""
    count = math.floor((16_384 - len(STREAM_HEAD)) / len(b"data: x\n\n"))
    server = wire(stalls(STREAM_HEAD + b"data: x\n\n" * count), tls=tls)
    with http.open_stream(server.url, HEADERS, {}, 60.0, Ticks(Gone())) as stream:
        assert sum(1 for _ in islice(stream.events(), count)) == count


def test_connections_are_kept_through_tls(http: Http, wire: Callable[..., Wire], tls: ssl.SSLContext) -> None:
    server = wire(sends(answer(b'{"a": 1}')), keep_alive=True, tls=tls)
    for _ in range(3):
        assert http.post_json(server.url, HEADERS, {}, 5.0).json() == {"a": 1}
    assert (len(server.requests), server.connections) == (3, 1)
