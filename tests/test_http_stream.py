"""Streamed answers on a real wire: order, deadline, cap, and the connection given back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from core.clock import SystemClock
from providers.contracts import Down
from providers.http import Http
from tests.wire import Script, Wire, drips, sends, stalls

HEADERS = {"Authorization": "Bearer canary-key-5f2c"}


@pytest.fixture
def wire() -> Iterator[Callable[..., Wire]]:
    opened: list[Wire] = []

    def open_wire(script: Script, keep_alive: bool = False) -> Wire:
        opened.append(Wire(script, keep_alive))
        return opened[-1]

    yield open_wire
    for each in opened:
        each.close()


@pytest.fixture
def http() -> Iterator[Http]:
    door = Http(SystemClock())
    yield door
    door.close()


EVENTS = b": hello\n\ndata: one\r\n\r\nevent: x\nid: 3\ndata:two\n\n\n: keep-alive\n\ndata: t\xc3\xa9n\n\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def test_a_stream_yields_data_lines_only(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(sends(STREAM_HEAD + EVENTS + b"data: [DONE]"))
    with http.open_stream(server.url, HEADERS, {}, 5.0) as stream:
        assert list(stream.events()) == ["one", "two", "tén", "[DONE]"]


def test_a_streams_events_come_before_it_ends(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(stalls(STREAM_HEAD + EVENTS))
    with http.open_stream(server.url, HEADERS, {}, 5.0) as stream:
        assert next(stream.events()) == "one"


@pytest.mark.parametrize(
    "script", [drips(STREAM_HEAD, b": keep-alive\n\n"), stalls(STREAM_HEAD), drips(b"", b"H")]
)
def test_a_stream_obeys_the_deadline(http: Http, wire: Callable[..., Wire], script: Script) -> None:
    server = wire(script)
    with (
        pytest.raises(Down, match=r"within 0\.4 s") as caught,
        http.open_stream(server.url, HEADERS, {}, 0.4) as stream,
    ):
        list(stream.events())
    assert caught.value.outcome == "no_reply"


def test_a_stream_obeys_the_cap(http: Http, wire: Callable[..., Wire]) -> None:
    server = wire(sends(STREAM_HEAD + b"data: x\n\n" * 200_000))
    with pytest.raises(Down, match="1 MB"), http.open_stream(server.url, HEADERS, {}, 5.0) as stream:
        list(stream.events())


def test_closing_a_stream_closes_the_connection(http: Http, wire: Callable[..., Wire]) -> None:
    gone = threading.Event()

    def script(sock: socket.socket) -> None:
        sock.sendall(STREAM_HEAD + EVENTS)
        if sock.recv(1) == b"":
            gone.set()

    server = wire(script)
    with http.open_stream(server.url, HEADERS, {}, 30.0) as stream:
        events = stream.events()
        next(events)
        events.close()  # type: ignore[attr-defined]
        assert gone.wait(5)
