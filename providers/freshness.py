"""How old the catalogue's facts may get before somebody should look again. Pure."""

from __future__ import annotations

from datetime import date

from providers.catalog import Catalog
from providers.rows import ProviderRow

DAYS_FRESH = 180


def stale(catalog: Catalog, today: date, days: int = DAYS_FRESH) -> tuple[ProviderRow, ...]:
    """The rows whose facts are more than `days` old. Nothing changes any more about one that is retired."""
    return tuple(row for row in catalog.values() if row.free != "retired" and (today - row.as_of).days > days)
