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
PORTABLE = frozenset(
    {"type", "properties", "required", "items", "enum", "anyOf", "$ref", "$defs", "additionalProperties"}
)
# Strings are matched so that nothing in them is; a comma with nothing before it is no trailing one.
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+"?|[{\[]\s*,)|,(?=\s*[}\]])', re.S)


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """The shape as the JSON schema that every provider's strict mode takes: plain keywords, all keys required.

    Lengths and patterns are left out because several providers refuse them; `read_as` checks them anyway.
    """
    portable: dict[str, Any] = _portable(shape.model_json_schema())
    return portable


def _portable(node: Any) -> Any:
    if isinstance(node, list):
        return [_portable(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _portable(value) for key, value in node.items() if key in PORTABLE}
    for group in ("properties", "$defs"):
        if group in node:
            kept[group] = {name: _portable(value) for name, value in node[group].items()}
    if "properties" in node:
        kept |= {"required": list(node["properties"]), "additionalProperties": False}
    return kept


def read_as(shape: type[Shape], text: str) -> Shape:
    """The reply as `shape`; what stands around the outermost braces (fences, prose) is ignored.

    Two faults that leave no doubt about what is meant are passed over: a comma before a closing bracket, and line
    breaks, tabs and other control characters that stand unescaped in a string.

    Raises BadReply for no JSON, NaN or Infinity, a key that stands twice, or a value that the shape refuses.
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start or len(text) > LONGEST:
        raise BadReply("the reply holds no JSON object")
    try:
        mended = _TRAILING_COMMA.sub(r"\1", text[start : end + 1])
        found = json.loads(
            mended, strict=False, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
        return shape.model_validate(found)
    except ValidationError as error:
        # Only the kind of fault: its place may be a key that the model made up from somebody's words.
        kind = error.errors(include_input=False, include_url=False)[0]["type"]
        raise BadReply(f"the reply breaks its schema: {kind}") from None
    except (ValueError, RecursionError):
        raise BadReply("the reply is not valid JSON") from None


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
