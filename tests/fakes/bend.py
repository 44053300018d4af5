"""What a step makes of a text, a stream and a reply."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.fakes.answer import Answer, Delivery, Finish, Stream

_CAPTCHA = b"<!DOCTYPE html><html><title>Just a moment...</title><body>Verify you are human.</body></html>"
_DEEP = b"[" * 200_000
_BOMB_MEGABYTES = 300
_HUGE_MEGABYTES = 100
_MARK = "\0number\0"
_BODIES: Mapping[str, tuple[str, bytes]] = {
    "garbage": ("application/json", b"{'choices': oops"),
    "html": ("text/html; charset=utf-8", _CAPTCHA),
    "deep": ("application/json", _DEEP),
    "no-choices": ("application/json", b'{"choices": [], "candidates": [], "object": "chat.completion"}'),
    "swapped-types": (
        "application/json",
        b'{"choices": "none", "candidates": 7, "usage": [], "usageMetadata": "", "id": 5, "status": [], '
        b'"urls": 1, "output": 7, "metrics": [], "text": 7, "words": "none", "duration": {}, "data": 7, '
        b'"result": "none"}',
    ),
}
_DELIVERIES: Mapping[str, Delivery] = {
    "drop-mid": "cut",
    "stream-cut": "cut",
    "stall": "stall",
    "drip": "drip",
    "never": "never",
    "short-length": "short",
    "bad-chunk": "bad-chunk",
    "reset-later": "reset-later",
}


def text(name: str, argument: str, said: str) -> tuple[str, Finish]:
    """The text as the step leaves it, and how it ended."""
    if name == "truncated":
        return said[: max(1, len(said) // 2)], "length"
    if name == "length-empty":
        return "", "length"
    if name == "filtered":
        return "", "content_filter"
    literal = _literal(argument)
    bent = {
        "empty": "",
        "prose": "Sure! I think that was a good answer.",
        "nan": f'{{"score": {literal}, "items": [{literal}]}}',
    }
    return bent.get(name, said), "stop"


def stream(name: str, argument: str, whole: Stream) -> Answer:
    """A streamed reply with its content, ending or error as the step wants it."""
    pieces = whole.opening + whole.content + whole.ending
    if name == "stream-no-end":
        pieces = whole.opening + whole.content
    if name == "stream-error":
        pieces = whole.opening + whole.content[: max(1, len(whole.content) // 2)] + whole.error
    if name == "stall":
        pieces = whole.opening + whole.content[: int(argument or 2)]
    return Answer(200, pieces, {"Content-Type": whole.content_type}, chunked=True)


def answer(name: str, argument: str, whole: Answer) -> Answer:
    """The reply as the step sends it."""
    if name in _BODIES:
        content_type, body = _BODIES[name]
        return _with_body(whole, (body,), {"Content-Type": content_type})
    if name == "bom":
        return replace(whole, pieces=(b"\xef\xbb\xbf", *whole.pieces))
    if name == "wrong-type":
        return replace(whole, headers={**whole.headers, "Content-Type": "text/plain"})
    if name == "many-headers":
        return replace(whole, headers={**whole.headers, **{f"X-Extra-{n}": "1" for n in range(150)}})
    if name == "gzip-bomb":
        body = _padding() + gzip.compress(b"".join(whole.pieces))
        return _with_body(whole, (body,), {"Content-Encoding": "gzip"})
    if name == "huge":
        return _with_body(whole, (b" " * 1_000_000,) * _HUGE_MEGABYTES + whole.pieces, {})
    if name == "numbers":
        return replace(whole, pieces=tuple(_rewritten(piece, _numbers(argument)) for piece in whole.pieces))
    if name == "duplicate-keys":
        return replace(whole, pieces=tuple(_rewritten(piece, _twice) for piece in whole.pieces))
    if name == "slow":
        return replace(whole, delay=whole.delay + float(argument or 5))
    return _delivered(name, whole)


def _delivered(name: str, whole: Answer) -> Answer:
    if name == "short-length":
        whole = replace(whole, chunked=False)
    if name == "bad-chunk" and not whole.chunked:
        body = b"".join(whole.pieces)
        whole = replace(whole, pieces=(body[: len(body) // 2], body[len(body) // 2 :]), chunked=True)
    return replace(whole, delivery=_DELIVERIES.get(name, whole.delivery))


def _with_body(whole: Answer, pieces: tuple[bytes, ...], headers: Mapping[str, str]) -> Answer:
    return replace(whole, pieces=pieces, headers={**whole.headers, **headers}, chunked=False)


def _literal(argument: str) -> str:
    return "9" * 5000 if argument == "digits" else argument or "NaN"


def _rewritten(piece: bytes, write: Callable[[Any], str]) -> bytes:
    """The piece with the JSON in it written anew; a piece without any stays as it is."""
    start, end = piece.find(b"{"), piece.rfind(b"}") + 1
    try:
        value = json.loads(piece[start:end]) if start >= 0 else None
    except ValueError:
        start, end, value = 0, len(piece), json.loads(piece)
    return piece if value is None else piece[:start] + write(value).encode() + piece[end:]


def _numbers(argument: str) -> Callable[[Any], str]:
    literal = _literal(argument)

    def marked(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: marked(item) for key, item in value.items()}
        if isinstance(value, list):
            return [marked(item) for item in value]
        return _MARK if isinstance(value, int | float) and not isinstance(value, bool) else value

    return lambda value: json.dumps(marked(value)).replace(json.dumps(_MARK), literal)


def _twice(value: Any) -> str:
    """Most parsers believe the second of two equal keys, which is null here."""
    if isinstance(value, list):
        return f"[{', '.join(map(_twice, value))}]"
    if not isinstance(value, dict):
        return json.dumps(value)
    first = [f"{json.dumps(key)}: {json.dumps(item)}" for key, item in value.items()]
    return "{" + ", ".join([*first, *(f"{json.dumps(key)}: null" for key in value)]) + "}"


@functools.cache
def _padding() -> bytes:
    """White space as gzip members; a gzip file may be many of them in a row."""
    return gzip.compress(b" " * 1_000_000, mtime=0) * _BOMB_MEGABYTES
