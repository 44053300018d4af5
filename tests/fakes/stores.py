"""Every kind of store under one name, so that one suite judges them all, and the claims that it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from core.stores.contract import Claim, Documents, Ledger
from core.stores.disk import DiskDocuments, DiskLedger, open_cache
from core.stores.redis import RedisDocuments, RedisLedger, open_client
from tests import redis_server


@dataclass(frozen=True)
class Store:
    ledger: Ledger
    documents: Documents
    close: Callable[[], None]


def disk(folder: Path) -> Store:
    cache = open_cache(folder / "ledger")
    return Store(DiskLedger(cache), DiskDocuments(cache), cache.close)


def redis(folder: Path) -> Store:
    """On the server that all tests share; the folder stands for the part of it that is this test's own."""
    client = open_client(redis_server.shared_url())
    ledger = RedisLedger(client, f"greenroom:{folder}:ledger:")
    documents = RedisDocuments(client, f"greenroom:{folder}:documents:")
    return Store(ledger, documents, lambda: client.connection_pool.disconnect(inuse_connections=False))


BACKENDS: dict[str, Callable[[Path], Store]] = {"disk": disk, "redis": redis}


def daily(ceiling: float, cost: float = 1, key: str = "p|requests|day", window: str = "2026-11-23") -> Claim:
    following = (date.fromisoformat(window) + timedelta(days=1)).isoformat()
    return Claim(key, "calendar", ceiling, cost, window, following)


def sliding(ceiling: float, cost: float = 1, key: str = "p|requests|minute") -> Claim:
    return Claim(key, "sliding", ceiling, cost, span=60)
