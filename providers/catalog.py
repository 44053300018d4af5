"""The catalogue: the shipped rows, with the operator's own over them, checked and typed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from providers.loose import items, mapping
from providers.rows import ProviderRow

SHIPPED = Path(__file__).with_name("catalog.toml")


class CatalogError(Exception):
    """One line: which file, row and key (or which setting), what is wrong, what to do. Never a key's value."""


Catalog = Mapping[str, ProviderRow]
_ROW = TypeAdapter(ProviderRow)


def load_catalog(local: Path | None = None) -> Catalog:
    """The shipped rows, with those of `local` (if it exists) over them key by key. Raises CatalogError."""
    shipped = _read(SHIPPED)
    own = _read(local) if local and local.exists() else {}
    return {name: _row(name, shipped.get(name, {}), own.get(name, {}), local) for name in {**shipped, **own}}


def provider_settings(catalog: Catalog) -> frozenset[str]:
    """The name of every setting that `registry.connect` may read."""
    return frozenset({"ALLOW_LOCAL_UPSTREAMS", "ALLOW_PAID"}).union(*(row.settings for row in catalog.values()))


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        raise CatalogError(f"{path}: cannot be read: make it a UTF-8 text file that the app may read") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{path}: is not valid TOML: {error}") from None
    for name, row in rows.items():
        if not isinstance(row, dict):
            raise CatalogError(f"{path}: {name} stands outside of any row: move it under a [provider] heading")
        if stray := {"name", "origin", "id_settings"} & row.keys():
            raise CatalogError(f"{path}: [{name}] {min(stray)} is not a known key: remove it")
    return rows


def _row(name: str, shipped: dict[str, Any], own: dict[str, Any], local: Path | None) -> ProviderRow:
    def file_of(key: int | str) -> Path:
        return local if local and own and (key in own or not shipped) else SHIPPED

    row = {
        **_without_stale_tells(shipped, own),
        **_undiscovered(own),
        **own,
        "name": name,
        "origin": file_of("base_url"),
    }
    try:
        return _ROW.validate_python(row)
    except ValidationError as error:
        first = min(
            error.errors(include_input=False, include_url=False), key=lambda each: each["type"] != _UNKNOWN
        )
        loc = first["loc"] or tuple(own)  # what concerns several keys is the operator's doing if he gave any
        raise CatalogError(f"{file_of(loc[0] if loc else '')}: [{name}] {_problem(first)}") from None


def _undiscovered(own: dict[str, Any]) -> dict[str, Any]:
    """Models that the operator names are not exchanged for others."""
    return {"discover": False} if "models" in own else {}


def _without_stale_tells(shipped: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The shipped row; where the operator gives other limits, only with what headers tell of those."""
    if own.keys().isdisjoint({"limits", "models"}):
        return shipped
    row = {**shipped, **own}
    places = map(mapping, (row, *items(row.get("models"))))
    limits = [mapping(limit) for place in places for limit in items(place.get("limits"))]
    pairs = [(limit.get("unit"), limit.get("window")) for limit in limits]
    tells = shipped.get("tells", {}).items()
    return {**shipped, "tells": {name: tell for name, tell in tells if (tell["unit"], tell["window"]) in pairs}}


_UNKNOWN = "unexpected_keyword_argument"  # told first: a misspelt key is often why another one is missing
_WORDS = {
    _UNKNOWN: "is not a known key: remove it or correct its spelling",
    "missing": "is missing: add it",
    "date_type": "is not a date: write it like 2026-01-31, without quotes",
    "tuple_type": "is not a list: write [ ] around it",
    "string_pattern_mismatch": "is not written as it should be: it has to match {pattern}",
}


def _problem(error: ErrorDetails) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    words = _WORDS.get(error["type"], "").format_map(error.get("ctx", {}))
    return f"{path} {words or re.sub(r'^(Value error, |(Input|Tuple) (?=should))', '', error['msg'])}".strip()
