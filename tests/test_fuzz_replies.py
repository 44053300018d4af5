"""Real replies of the fakes, spoiled at random from a seed: nothing but a ProviderError may come out."""

from __future__ import annotations

import io
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from providers.contracts import ChatReply, Inspection, Told
from providers.errors import Busy, ProviderError
from providers.waits import LONGEST
from tests.dialects import SPEAKING, Line, Lines, Mode, assert_keeps_secrets, assert_sound, opened
from tests.fakes.asking import NOON

FEW, MANY = 150, 5_000
"""Spoiled answers for each way to call: a dialect is called whole and streamed, or spoken to by several rows."""
FUZZED = ("groq", "openrouter", "cloudflare", "gemini", "replicate")
STEPS = (
    "429-day",
    "429-minute",
    "401",
    "402",
    "404",
    "500",
    "filtered",
    "error-in-200",
    "stream-error",
    "truncated",
)
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    -0.5,
    10**30,
    -(10**30),
    1e308,
    "",
    "0",
    "-3",
    "NaN",
    "\ud83d",
    "\x00",
    "9" * 50,
    [],
    {},
    [[]],
    [None],
    {"text": None},
    ["a", 1, None],
)
LITERALS = (b"NaN", b"-Infinity", b"1e999", b"9" * 5_000, b"-1", b"true", b"null", b"[" * 3_000, b'{"a":' * 3_000)


@dataclass(frozen=True)
class Canned:
    """One answer as it was on the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Studio:
    """Stands where requests meets the network: records what a real exchange brought, or plays what it is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.recorded: list[Canned] = []
        self.plays: Callable[[], Canned] | None = None
        send = HTTPAdapter.send

        def sends(adapter: HTTPAdapter, request: requests.PreparedRequest, **how: Any) -> requests.Response:
            if self.plays is None:
                real = send(adapter, request, **how)
                if 300 <= real.status_code < 400:
                    return real
                self.recorded.append(Canned(real.status_code, dict(real.headers), real.raw.read()))
                return _response(adapter, request, self.recorded[-1])
            return _response(adapter, request, self.plays())

        monkeypatch.setattr(HTTPAdapter, "send", sends)


def _response(adapter: HTTPAdapter, request: requests.PreparedRequest, canned: Canned) -> requests.Response:
    framing = {"transfer-encoding", "content-length", "content-encoding"}
    headers = {name: value for name, value in canned.headers.items() if name.lower() not in framing}
    raw = urllib3.HTTPResponse(io.BytesIO(canned.body), headers, canned.status, preload_content=False)
    response: requests.Response = adapter.build_response(request, raw)
    return response


class Spoiler:
    """Makes something else of an answer, the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)

    def spoil(self, canned: Canned) -> Canned:
        body = canned.body
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            body = self.rng.choice((self._structure, self._structure, self._structure, self._bytes, self._cut))(
                body
            )
        status = self.rng.choice((200, 201, 400, 401, 429, 500, 999)) if self.rng.random() < 0.1 else canned.status
        headers = {name: self._header(value) for name, value in canned.headers.items()}
        return Canned(status, headers, body)

    def _header(self, value: str) -> str:
        odd = ("", "-1", "NaN", "1e999", "9" * 400, "true", "Infinity", "text/html")
        return self.rng.choice(odd) if self.rng.random() < 0.05 else value

    def _bytes(self, body: bytes) -> bytes:
        found = bytearray(body)
        for _ in range(self.rng.randint(1, 8)):
            if found:
                found[self.rng.randrange(len(found))] = self.rng.randrange(256)
        return bytes(found)

    def _cut(self, body: bytes) -> bytes:
        at = self.rng.randrange(len(body) + 1)
        return self.rng.choice((body[:at], body[at:], body[:at] + self.rng.choice(LITERALS) + body[at:]))

    def _structure(self, body: bytes) -> bytes:
        """Spoils one piece of JSON in it: all of it, or one event of a stream."""
        lines = body.split(b"\n")
        at = self.rng.randrange(len(lines))
        start = lines[at].find(b"{")
        with suppress(ValueError, RecursionError):
            value = json.loads(lines[at][start:])
            lines[at] = lines[at][:start] + self._written(self._changed(value))
        return b"\n".join(lines)

    def _changed(self, value: Any) -> Any:
        """One place in it, at any depth, is of another kind, is gone or is there twice."""
        paths = [*_paths(value)]
        if not paths or self.rng.random() < 0.02:
            return self.rng.choice(ODD)
        holder, name = self.rng.choice(paths)
        what = self.rng.random()
        if what < 0.2:
            del holder[name]
        elif what < 0.3 and isinstance(holder, list):
            holder.append(holder[name])
        elif what < 0.35:
            holder[name] = _nested(holder[name], self.rng.choice((5, 500)))
        else:
            holder[name] = self.rng.choice(ODD)
        return value

    def _written(self, value: Any) -> bytes:
        text = json.dumps(value).encode()
        if self.rng.random() < 0.1:
            digits = [at for at, byte in enumerate(text) if chr(byte).isdigit()]
            if digits:
                at = self.rng.choice(digits)
                text = text[:at] + self.rng.choice(LITERALS) + text[at + 1 :]
        if self.rng.random() < 0.05 and text.startswith(b"{"):
            text = text[:-1] + b"," + text[1:] if len(text) > 2 else text  # every key twice
        return text


def _paths(value: Any) -> Iterator[tuple[Any, Any]]:
    names = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in list(names):
        yield value, name
        yield from _paths(value[name])


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with opened(tmp_path_factory.mktemp("fuzz"), thinking_tokens=7) as running:
        yield running


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Studio:
    return Studio(monkeypatch)


def recorded(studio: Studio, line: Line) -> tuple[list[Canned], list[Canned]]:
    """What the fake says to this kind of call when all is well, and what it says otherwise."""
    line.call()
    well = len(studio.recorded)
    for step in STEPS:
        with line.bent(step), suppress(ProviderError):
            line.call()
    if line.mode == "whole":
        line.provider.inspect(5.0)
    assert len(studio.recorded) >= well + len(STEPS)
    return studio.recorded[:well], studio.recorded[well:]


def check(found: ChatReply | Inspection) -> None:
    assert_believable(found.told)
    if isinstance(found, Inspection):
        assert found.models is None or all(type(name) is str and name for name in found.models)
        return
    assert_sound(found.usage)
    assert type(found.text) is type(found.model) is type(found.finish_reason) is str
    for word in found.speech.words if found.speech else ():
        assert 0 <= word.begins <= word.ends < math.inf


def check_failure(error: ProviderError) -> None:
    assert_keeps_secrets(error)
    assert_sound(error.usage)
    assert_believable(error.told)
    assert error.outcome != "not_sent"
    if isinstance(error, Busy) and error.until is not None:
        assert NOON <= error.until <= NOON + LONGEST


def assert_believable(said: tuple[Told, ...]) -> None:
    for told in said:
        for number in (told.limit, told.remaining):
            assert number is None or (type(number) in (int, float) and 0 <= number < math.inf), told


def hammer(studio: Studio, line: Line, count: int) -> tuple[int, int]:
    """How many of `count` spoiled answers were taken, and how many refused. Anything but these two is raised."""
    corpora, spoiler = recorded(studio, line), Spoiler(f"{line.name}-{line.mode}-{count}")
    studio.plays = lambda: spoiler.spoil(spoiler.rng.choice(spoiler.rng.choice(corpora)))
    taken, refused = 0, 0
    for _ in range(count):
        looks = line.mode == "whole" and spoiler.rng.random() < 0.1
        try:
            check(line.provider.inspect(5.0) if looks else line.call()[1])
            taken += 1
        except ProviderError as error:
            check_failure(error)
            refused += 1
    return taken, refused


CALLS: tuple[tuple[str, Mode], ...] = (
    *((name, "whole") for name in FUZZED),
    *((name, "stream") for name in FUZZED),
    *((name, "speech") for name in SPEAKING),
)


@pytest.mark.parametrize("call", CALLS, ids="-".join)
def test_spoiled_replies_are_taken_or_refused(lines: Lines, studio: Studio, call: tuple[str, Mode]) -> None:
    taken, refused = hammer(studio, lines[call], FEW)
    assert taken > 10, "nothing but rubbish proves little"
    assert refused > 50


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS, ids="-".join)
def test_thousands_of_spoiled_replies_are_taken_or_refused(
    lines: Lines, studio: Studio, call: tuple[str, Mode]
) -> None:
    taken, refused = hammer(studio, lines[call], MANY)
    assert taken > 300
    assert refused > 1_000
