"""Whom a dialect cannot reach it has not asked, and a call that is left leaves nobody behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from providers.errors import Down
from tests.certificates import self_signed
from tests.dialects import (
    DISTINCT,
    ROWS,
    assert_keeps_secrets,
    dialled,
    line_in,
    opened,
    quiet,
    request_of,
    timed,
)
from tests.wire import Wire, sends


@contextmanager
def unused_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextmanager
def full_port() -> Iterator[str]:
    """Listens, and takes no connection: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def plain_port() -> Iterator[str]:
    """Speaks no TLS where TLS is expected."""
    server = Wire(sends(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
    yield f"https://127.0.0.1:{server.port}"
    server.close()


@contextmanager
def no_such_name() -> Iterator[str]:
    yield "https://api.greenroom.invalid"


UNREACHABLE: dict[str, Callable[[], Any]] = {
    "refused": unused_port,
    "full": full_port,
    "no TLS": plain_port,
    "no such name": no_such_name,
}


@pytest.mark.parametrize("why", UNREACHABLE)
def test_who_cannot_be_reached_was_not_asked(why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if why == "no such name":
        monkeypatch.setattr(socket, "getaddrinfo", _unknown)
    with (
        UNREACHABLE[why]() as url,
        dialled(tmp_path, dict.fromkeys(ROWS, url)) as fleet,
        ThreadPoolExecutor(len(DISTINCT)) as pool,
    ):
        found = list(pool.map(lambda call: timed(lambda: line_in(fleet, call).fails(0.6)), DISTINCT))
    assert all(seconds < 1.6 for _, seconds in found)
    assert {(type(error), error.outcome) for error, _ in found} == {(Down, "not_sent")}


def _unknown(*_: object, **__: object) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_nobody_is_asked_whose_certificate_is_not_trusted(tmp_path: Path) -> None:
    tls, _ = self_signed(tmp_path)
    server = Wire(sends(b""), tls=tls)
    with dialled(tmp_path, dict.fromkeys(ROWS, f"https://127.0.0.1:{server.port}")) as fleet:
        errors = [line_in(fleet, call).fails(2.0) for call in DISTINCT]
    server.close()
    assert {(type(error), error.outcome) for error in errors} == {(Down, "not_sent")}
    assert not server.requests


class Enough(Exception):
    """What a pulse of ours raises."""


def impatient() -> None:
    raise Enough


STREAMING = ("groq", "openrouter", "cloudflare", "gemini")


def own_threads() -> set[threading.Thread]:
    """Those that run, but for the fakes'."""
    return {t for t in threading.enumerate() if "process_request_thread" not in t.name and "fake" not in t.name}


@pytest.mark.parametrize("name", STREAMING)
def test_a_stream_that_is_closed_half_way_leaves_nobody_behind(name: str, tmp_path: Path) -> None:
    with opened(tmp_path, [name]) as lines:
        line, before = lines[name, "stream"], own_threads()
        line.upstream.plan("stall:2")
        pieces = line.provider.stream(line.route, request_of(), quiet)
        assert next(pieces)
        pieces.close()
        assert line.upstream.wait_for_departures(1)
        assert own_threads() == before
        line.call()


@pytest.mark.parametrize("step", ["never", "stall:2"])
@pytest.mark.parametrize("name", STREAMING)
def test_a_pulse_that_raises_ends_the_call(name: str, step: str, tmp_path: Path) -> None:
    with opened(tmp_path, [name]) as lines:
        line, before = lines[name, "stream"], own_threads()
        line.upstream.plan(step)
        with pytest.raises(Enough) as caught:
            line.call(pulse=impatient)
        assert_keeps_secrets(caught.value)
        assert line.upstream.wait_for_departures(1)
        assert own_threads() == before
        line.call()
