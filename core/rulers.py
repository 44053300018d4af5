"""How well each model grades: what it did with answers of ours whose anchors we know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from core.stores.contract import Documents, StoreError

PREFIX = "ruler:"
KEPT_SECONDS = 180 * 86_400.0  # providers change what stands behind a model's name
ATTEMPTS = 50


@dataclass(frozen=True)
class Ruling:
    """One trial of a model at a time in seconds since the epoch, by the anchors of version `rubric`.

    `figures` have a name and a value each; `missed` names those that are not as they should be.
    """

    model: str
    at: float
    rubric: str
    figures: Mapping[str, float]
    missed: tuple[str, ...]


_RULING = TypeAdapter(Ruling)


class Rulers:
    """The latest trial of each model. Methods raise StoreError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def save(self, ruling: Ruling) -> None:
        key, new = PREFIX + ruling.model, _RULING.dump_json(ruling).decode()
        for _ in range(ATTEMPTS):
            if self._documents.replace(key, self._documents.get(key), new, KEPT_SECONDS):
                return
        raise StoreError("too many writers")

    def all(self) -> tuple[Ruling, ...]:
        """By model's name; those saved by another version are left out."""
        keys = self._documents.keys()
        found = (_read(self._documents.get(key)) for key in sorted(keys) if key.startswith(PREFIX))
        return tuple(ruling for ruling in found if ruling is not None)


def _read(saved: str | None) -> Ruling | None:
    try:
        return None if saved is None else _RULING.validate_json(saved)
    except ValidationError:
        return None
