"""One chat request as the fake provider understood it, whatever wire format it came in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

Dialect = Literal["openai", "gemini", "replicate"]

_GEMINI_CALL = re.compile(r"/models/(?P<model>[^/]+):(?P<verb>generateContent|streamGenerateContent)$")
_PREDICTION = re.compile(r"/models/(?P<model>[^/]+/[^/]+)/predictions$")


@dataclass(frozen=True)
class Exchange:
    """`path` has no query string; header names are lower-case; `messages` are (role, text)
    with the roles as OpenAI names them.

    `body` is {} when the request body was not a JSON object, and then `model` may be empty.
    """

    path: str
    query: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    dialect: Dialect
    model: str
    messages: list[tuple[str, str]]
    wants_json: bool
    stream: bool

    @property
    def prompt_tokens(self) -> int:
        return sum(count_tokens(text) for _, text in self.messages)

    @property
    def max_tokens(self) -> int:
        """The output tokens the caller asked for at most; 0 when it did not say."""
        inside = {"gemini": "generationConfig", "replicate": "input"}.get(self.dialect)
        config = self.body.get(inside) if inside else self.body
        names = ("maxOutputTokens", "max_completion_tokens", "max_tokens", "max_new_tokens")
        values = [config.get(name) for name in names] if isinstance(config, dict) else []
        return next((value for value in values if type(value) is int and value > 0), 0)

    @property
    def include_usage(self) -> bool:
        """True when the caller asked for the usage at the end of a stream."""
        options = self.body.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True

    @property
    def int_enums(self) -> bool:
        """True when the caller asked for enum values as numbers, as Google's REST clients do."""
        return any("enum-encoding=int" in value for value in parse_qs(self.query).get("$alt", []))

    @property
    def sse(self) -> bool:
        """True when a streamed answer must be server-sent events rather than a JSON array."""
        return self.stream and (self.dialect == "openai" or parse_qs(self.query).get("alt") == ["sse"])


def count_tokens(text: str) -> int:
    """Four characters are one token, rounded up."""
    return -(-len(text) // 4)


def parse(target: str, headers: Mapping[str, str], raw: bytes) -> Exchange | None:
    """None when `target`, a request path with its query, is no chat endpoint."""
    url = urlsplit(target)
    path = unquote(url.path)
    body = json_object(raw)
    names = {name.lower(): value for name, value in headers.items()}
    call = _GEMINI_CALL.search(path)
    if call:
        config = body.get("generationConfig") or {}
        json_mode = isinstance(config, dict) and config.get("responseMimeType") == "application/json"
        streams = call["verb"] == "streamGenerateContent"
        said = _gemini_messages(body)
        return Exchange(path, url.query, names, body, "gemini", call["model"], said, json_mode, streams)
    prediction = _PREDICTION.search(path)
    if prediction:
        said = _replicate_messages(body)
        return Exchange(path, url.query, names, body, "replicate", prediction["model"], said, False, False)
    if not path.endswith("/chat/completions"):
        return None
    form = body.get("response_format") or {}
    json_mode = isinstance(form, dict) and form.get("type") in {"json_object", "json_schema"}
    model, streams = str(body.get("model") or ""), body.get("stream") is True
    return Exchange(path, url.query, names, body, "openai", model, _openai_messages(body), json_mode, streams)


def json_object(raw: bytes) -> dict[str, Any]:
    """{} for everything that is not a JSON object."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _openai_messages(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (str(message.get("role", "")), _text(message.get("content"))) for message in _dicts(body.get("messages"))
    ]


def _gemini_messages(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    system = body.get("systemInstruction")
    said = [("system", _text(system.get("parts")))] if isinstance(system, dict) else []
    for content in _dicts(body.get("contents")):
        role = "assistant" if content.get("role") == "model" else "user"
        said.append((role, _text(content.get("parts"))))
    return said


def _replicate_messages(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Empty without a prompt, which Replicate refuses; a system prompt is optional."""
    given = body.get("input")
    if not isinstance(given, dict) or not isinstance(given.get("prompt"), str):
        return []
    system = given.get("system_prompt")
    said = [("system", system)] if isinstance(system, str) and system else []
    return [*said, ("user", given["prompt"])]


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in _dicts(content))


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
