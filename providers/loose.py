"""Reading JSON that promises nothing: each reader gives an empty value instead of failing on a wrong type."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def first(value: object) -> Any:
    """The first item of a list, None where there is none."""
    return value[0] if isinstance(value, list) and value else None


def items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """A believable number of tokens; None for anything else, booleans among it."""
    return value if type(value) is int and 0 <= value < 10**9 else None


def amount(value: object) -> float | None:
    """A finite number that is not negative, also when written as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number >= 0 and math.isfinite(number) else None
