"""One request to write down what was said, as the fake provider understood it."""

from __future__ import annotations

import base64
import io
import re
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import unquote, urlsplit

from tests.fakes.exchange import json_object

_CLOUDFLARE_CALL = re.compile(r"/ai/run/(?P<model>@cf/openai/whisper[^/]*)$")


@dataclass(frozen=True)
class Speech:
    """`path` has no query string; header names are lower-case; `language` is "" when the caller did not say.

    `audio` is what was uploaded; `seconds` its length as a WAV, or None when it is none. `fields` are the other
    fields of the form (or of the JSON body, as text), each with every value that it was given.
    """

    path: str
    headers: Mapping[str, str]
    model: str
    audio: bytes
    file_name: str
    media_type: str
    language: str
    fields: Mapping[str, tuple[str, ...]]
    seconds: float | None

    def field(self, name: str) -> str:
        """The first value of a field, or ""."""
        return next(iter(self.fields.get(name, ())), "")

    @property
    def wants_words(self) -> bool:
        """True when the caller asked when each word was said."""
        return "word" in self.fields.get("timestamp_granularities[]", ())


def hear(target: str, headers: Mapping[str, str], raw: bytes) -> Speech | None:
    """None when `target`, a request path with its query, does not take speech."""
    path = unquote(urlsplit(target).path)
    names = {name.lower(): value for name, value in headers.items()}
    call = _CLOUDFLARE_CALL.search(path)
    if call:
        return _from_json(path, names, call["model"], raw)
    return _from_form(path, names, raw) if path.endswith("/audio/transcriptions") else None


def wav_seconds(audio: bytes) -> float | None:
    """How long the sound that is really there lasts, whatever the header promises; None when it is no WAV."""
    try:
        with wave.open(io.BytesIO(audio)) as sound:
            size = len(sound.readframes(len(audio)))
            bytes_per_second: int = sound.getnchannels() * sound.getsampwidth() * sound.getframerate()
            return size / bytes_per_second
    except (wave.Error, EOFError, ZeroDivisionError):
        return None


def _from_json(path: str, headers: Mapping[str, str], model: str, raw: bytes) -> Speech:
    body = json_object(raw)
    audio = _bytes(body.get("audio")) if "turbo" not in model else _base64(body.get("audio"))
    fields = {name: (str(value),) for name, value in body.items() if name != "audio"}
    language = str(body.get("language") or "")
    return Speech(path, headers, model, audio, "", "", language, fields, wav_seconds(audio))


def _base64(audio: object) -> bytes:
    """What cannot be decoded stays as it is, which is no WAV."""
    try:
        return base64.b64decode(str(audio or ""), validate=True)
    except ValueError:
        return str(audio).encode()


def _bytes(audio: object) -> bytes:
    """The older whisper takes numbers, one a byte."""
    try:
        return bytes(audio) if isinstance(audio, list) else str(audio or "").encode()
    except (TypeError, ValueError):
        return b"?"


def _from_form(path: str, headers: Mapping[str, str], raw: bytes) -> Speech:
    fields: dict[str, tuple[str, ...]] = {}
    audio, file_name, media_type = b"", "", ""
    for part in _parts(headers, raw):
        content = part.get_payload(decode=True)
        name = str(part.get_param("name", "", "content-disposition"))
        if not isinstance(content, bytes):
            continue
        if name == "file":
            audio, file_name, media_type = content, part.get_filename() or "", part.get_content_type()
        else:
            fields[name] = (*fields.get(name, ()), content.decode("utf-8", "replace"))
    model, language = (next(iter(fields.get(name, ())), "") for name in ("model", "language"))
    return Speech(path, headers, model, audio, file_name, media_type, language, fields, wav_seconds(audio))


def _parts(headers: Mapping[str, str], raw: bytes) -> list[Message]:
    """The parts of a form; none when it is not one."""
    head = f"Content-Type: {headers.get('content-type', '')}\r\n\r\n".encode("latin-1", "replace")
    form = BytesParser(policy=HTTP).parsebytes(head + raw)
    return [part for part in form.walk() if not part.is_multipart()] if form.is_multipart() else []
