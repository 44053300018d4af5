"""How old the catalogue's facts may get before somebody should look again. Pure."""

from __future__ import annotations

from datetime import date

from providers.catalog import Catalog
from providers.rows import ProviderRow

DAYS_FRESH = 180


def stale(catalog: Catalog, today: date, days: int = DAYS_FRESH) -> tuple[ProviderRow, ...]:
    """The rows whose facts are more than `days` old.

    A retired one changes no more, and what an own server does its operator knows best.
    """
    return tuple(
        row for row in catalog.values() if row.free not in ("retired", "own") and (today - row.as_of).days > days
    )
