"""Replies that must be JSON of a known shape: cut out, parsed strictly, checked against the model."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from providers.errors import BadReply

Shape = TypeVar("Shape", bound=BaseModel)
LONGEST = 20_000
PORTABLE = frozenset({"type", "properties", "required", "items", "enum", "additionalProperties"})
# Strings are matched so that nothing in them is; a comma with nothing before it is no trailing one.
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+"?|[{\[]\s*,)|,(?=\s*[}\]])', re.S)
_OBJECT = re.compile(r'\{\s*"')


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """The shape as the JSON schema that every provider's strict mode takes: plain keywords, all keys required, and
    everything written out where it stands.

    Lengths and patterns are left out because several providers refuse them; `read_as` checks them anyway.
    """
    whole = shape.model_json_schema()
    portable: dict[str, Any] = _portable(whole, whole.get("$defs", {}))
    return portable


def _portable(node: Any, named: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_portable(item, named) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _portable(named[node["$ref"].rpartition("/")[2]], named)
    kept = {key: _portable(value, named) for key, value in node.items() if key in PORTABLE}
    if "properties" in node:
        kept["properties"] = {name: _portable(value, named) for name, value in node["properties"].items()}
        kept |= {"required": list(node["properties"]), "additionalProperties": False}
    return kept


def read_as(shape: type[Shape], text: str) -> Shape:
    """The reply as `shape`; what stands around the outermost braces (fences, prose) is ignored.

    Faults that leave no doubt about what is meant are passed over: a comma before a closing bracket, control
    characters that stand unescaped in a string, and an end that was cut off: then what is whole counts.

    Raises BadReply for no JSON, NaN or Infinity, a key that stands twice, or a value that the shape refuses.
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or len(text) > LONGEST:
        raise BadReply("the reply holds no JSON object")
    try:
        return shape.model_validate(_parsed(text[start : end + 1], text[start:]))
    except ValidationError as error:
        # Only the kind of fault: its place may be a key that the model made up from somebody's words.
        kind = error.errors(include_input=False, include_url=False)[0]["type"]
        raise BadReply(f"the reply breaks its schema: {kind}") from None
    except (ValueError, RecursionError):
        raise BadReply("the reply is not valid JSON") from None


def _parsed(outermost: str, rest: str) -> Any:
    """Raises ValueError. Ends are looked for only where the text is no JSON as it is."""
    try:
        return _loaded(_TRAILING_COMMA.sub(r"\1", outermost))
    except json.JSONDecodeError:
        return _loaded(completed(_TRAILING_COMMA.sub(r"\1", rest)))


def _loaded(text: str) -> Any:
    return json.loads(
        text, strict=False, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
    )


def completed(text: str) -> str:
    """The JSON object that the text begins with: without the words behind it, or, where its end is missing, up to
    its last whole item and closed there.

    An object that is itself an item of a list counts whole or not at all. Raises ValueError for what leaves doubt,
    such as a second object.
    """
    open_: list[str] = []
    whole, quoted, escaped = "", False, False
    for at, sign in enumerate(text):
        if quoted:
            quoted, escaped = escaped or sign != '"', sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in "{[":
            open_.append("}" if sign == "{" else "]")
        elif sign in "}]":
            if open_.pop() != sign:
                raise ValueError("the brackets do not match")
            if not open_:
                return _alone(text, at + 1)
            whole = _closed(text[: at + 1], open_) or whole
        elif sign == ",":
            whole = _closed(text[:at], open_) or whole
    return whole


def _alone(text: str, end: int) -> str:
    if _OBJECT.search(text, end):
        raise ValueError("there is more than one object")
    return text[:end]


def _closed(text: str, open_: list[str]) -> str:
    """ "" inside an item of a list."""
    ends = "".join(open_)
    return "" if "]}" in ends else text + ends[::-1]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
