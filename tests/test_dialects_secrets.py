"""Keys, ids, headers and what candidates wrote never show, and never reach an address that is not public."""

from __future__ import annotations

import contextlib
import logging
import pprint
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from providers.errors import Down, ProviderError
from providers.registry import Fleet
from tests.dialects import (
    DISTINCT,
    HEADER,
    ROWS,
    SECRETS,
    Lines,
    Mode,
    dialled,
    key_of,
    line_in,
    opened,
    timed,
)
from tests.fakes import desk
from tests.fakes.answer import json_answer

Call = tuple[str, Mode]
BATTERY = (
    "ok",
    "401",
    "402",
    "404",
    "400",
    "429-day",
    "500",
    "html",
    "garbage",
    "error-in-200",
    "drop",
    "redirect",
)
EVERY_CALL = pytest.mark.parametrize("call", DISTINCT, ids="-".join)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with opened(tmp_path_factory.mktemp("secrets")) as running:
        yield running


@pytest.fixture
def every_log(lines: Lines, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that any logger says, down to the finest level, also those that usually keep to themselves."""
    lines["gemini", "whole"].call()  # loads the SDK, and with it its loggers
    named = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = [(each, each.level, each.propagate) for each in named]
    for each in named:
        each.setLevel(logging.NOTSET)
        each.propagate = True
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for each, level, propagate in before:
        each.setLevel(level)
        each.propagate = propagate


def told_in(log: pytest.LogCaptureFixture) -> str:
    """Messages, their arguments, whatever was attached, and formatted tracebacks."""
    return "\n".join((log.text, *(repr(vars(record)) for record in log.records)))


@EVERY_CALL
def test_nothing_secret_is_logged(lines: Lines, call: Call, every_log: pytest.LogCaptureFixture) -> None:
    line = lines[call]
    for step in BATTERY:
        with line.bent(step), contextlib.suppress(ProviderError):
            line.call()
    with line.bent("ok", get="401"), contextlib.suppress(ProviderError):
        line.provider.inspect(5.0)
    assert "urllib3" in every_log.text, "the log is not listened to"
    assert not [secret for secret in SECRETS if secret in told_in(every_log)]


@pytest.mark.parametrize("echo", ["key", "header", "prompt"])
@EVERY_CALL
def test_what_a_provider_repeats_of_us_does_not_come_back(
    lines: Lines, call: Call, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = lines[call]
    said = {"key": key_of(line.name), "header": HEADER, "prompt": "canary-resume"}[echo]
    reasons = {"reason": f"{said}", "code": said, "type": said, "status": said, "message": f"about {said}"}
    worded = {"error": {**reasons, "details": [reasons]}, "detail": f"about {said}", "title": said}
    for status in (400, 401, 429, 500):
        monkeypatch.setattr(
            desk, "refusal", lambda *_, status=status: json_answer(status, worded, {"X-Team": said})
        )
        with line.bent("400"):
            line.fails()


def test_nothing_secret_shows_in_a_provider(lines: Lines) -> None:
    for provider in lines.fleet.providers.values():
        shown = f"{provider!r}\n{provider!s}\n{pprint.pformat(provider)}\n{getattr(provider, 'account', '')!r}"
        assert not [secret for secret in SECRETS if secret in shown]


def test_nothing_secret_shows_in_the_fleet(lines: Lines) -> None:
    shown = f"{lines.fleet!r}\n{pprint.pformat(lines.fleet)}\n{lines.fleet.http!r}"
    assert not [secret for secret in SECRETS if secret in shown]


@EVERY_CALL
def test_a_redirect_carries_nothing_away(lines: Lines, call: Call) -> None:
    line = lines[call]
    for status in (301, 302, 303, 307, 308):
        asked, looked = len(line.seen()), len(line.upstream.lookups())
        with line.bent(f"redirect:{status}", get=f"redirect:{status}"):
            assert type(line.fails()) is Down
            with pytest.raises(Down):
                line.provider.inspect(5.0)
        assert len(line.seen()) == asked + 1
        assert len(line.upstream.lookups()) == looked + 1


INSIDE = (
    "127.0.0.1",
    "10.0.0.7",
    "169.254.169.254",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
)
PUBLIC = "93.184.216.34"


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that every name has; a test may change them. Literals stay what they are."""
    leads_to = [PUBLIC]

    def look_up(host: str, port: Any, *_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port)) for each in leads_to]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return leads_to


@pytest.fixture
def knocks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a socket was told to connect to; none of them is."""
    found: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        found.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return found


@contextlib.contextmanager
def renamed(folder: Path) -> Iterator[Fleet]:
    """All providers under one public name, without leave for private networks."""
    with dialled(folder, dict.fromkeys(ROWS, "https://rebinding.example"), ALLOW_LOCAL_UPSTREAMS="") as fleet:
        yield fleet


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_by_the_time_of_the_call_is_refused(
    address: str, name_server: list[str], knocks: list[Any], tmp_path: Path
) -> None:
    with renamed(tmp_path) as fleet:
        for leads_to in ([address], [PUBLIC, address]):
            name_server[:] = leads_to
            for call in DISTINCT:
                error = line_in(fleet, call).fails()
                assert (type(error), error.outcome) == (Down, "not_sent")
                assert "private" in str(error)
            with pytest.raises(Down):
                fleet.providers["openrouter"].inspect(5.0)
    assert knocks == []


def test_a_name_that_leads_outside_is_called(name_server: list[str], knocks: list[Any], tmp_path: Path) -> None:
    with renamed(tmp_path) as fleet:
        for call in DISTINCT:
            error = line_in(fleet, call).fails()
            assert (type(error), error.outcome) == (Down, "not_sent")
            assert "private" not in str(error)
    assert len(knocks) == len(DISTINCT)
    assert {address[0] for address in knocks} == {PUBLIC}


def test_a_shipped_address_is_checked_when_it_is_called(
    name_server: list[str], knocks: list[Any], tmp_path: Path
) -> None:
    name_server[:] = ["10.0.0.7"]
    with dialled(tmp_path, {}, ALLOW_LOCAL_UPSTREAMS="", GROQ_API_KEY=key_of("groq")) as fleet:
        error = line_in(fleet, ("groq", "whole")).fails()
    assert "private" in str(error)
    assert knocks == []


def test_a_name_server_that_hangs_does_not_outlast_the_deadline(
    name_server: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung, timeout = threading.Event(), 0.3

    def look_up(*_: object, **__: object) -> Any:
        hung.wait(30)
        raise socket.gaierror("too late")

    with renamed(tmp_path) as fleet:
        asked = [line_in(fleet, call) for call in (DISTINCT[0], DISTINCT[-1], ("gemini", "stream"))]
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        found = [timed(partial(line.fails, timeout)) for line in asked]
        hung.set()
    assert {(type(error), error.outcome) for error, _ in found} == {(Down, "not_sent")}
    assert all(seconds < timeout + 1 for _, seconds in found)
