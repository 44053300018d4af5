"""Every kind of store under one name, so that one suite judges them all, and the claims that it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from core.stores.contract import Claim, Documents, Ledger
from core.stores.disk import DiskDocuments, DiskLedger, open_cache


@dataclass(frozen=True)
class Store:
    ledger: Ledger
    documents: Documents
    close: Callable[[], None]


def disk(folder: Path) -> Store:
    cache = open_cache(folder / "ledger")
    return Store(DiskLedger(cache), DiskDocuments(cache), cache.close)


BACKENDS: dict[str, Callable[[Path], Store]] = {"disk": disk}


def daily(ceiling: float, cost: float = 1, key: str = "p|requests|day", window: str = "2026-11-23") -> Claim:
    following = (date.fromisoformat(window) + timedelta(days=1)).isoformat()
    return Claim(key, "calendar", ceiling, cost, window, following)


def sliding(ceiling: float, cost: float = 1, key: str = "p|requests|minute") -> Claim:
    return Claim(key, "sliding", ceiling, cost, span=60)
