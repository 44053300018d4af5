"""Every kind of store under one name, so that one suite judges them all, and the claims that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.stores.contract import Claim, Counter, Documents, Hold, Ledger, Level, Refusal
from core.stores.disk import DiskDocuments, DiskLedger, open_cache
from core.stores.redis import RedisDocuments, RedisLedger, open_client
from tests import redis_server

DAY = 86_400.0


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
    day = datetime.fromisoformat(window).replace(tzinfo=UTC)
    following = day + timedelta(days=1)
    spans = day.timestamp(), following.timestamp()
    return Claim(Counter(key, "calendar", ceiling, window, f"{following:%Y-%m-%d}", *spans), cost)


def sliding(ceiling: float, cost: float = 1, key: str = "p|requests|minute", span: float = 60.0) -> Claim:
    return Claim(Counter(key, "sliding", ceiling, span=span), cost)


def refill(ceiling: float, cost: float = 1, key: str = "g|requests|refill-day") -> Claim:
    return Claim(Counter(key, "refill", ceiling, span=DAY), cost)


def at_once(ceiling: float, key: str = "d|concurrent|call") -> Claim:
    return Claim(Counter(key, "concurrent", ceiling), 1)


def levels(ledger: Ledger, claims: Sequence[Claim], now: float) -> list[Level]:
    return ledger.levels([claim.counter for claim in claims], now)


_HOLDS: dict[str, Hold] = {}  # what was asked for last under each name


def reserve(ledger: Ledger, name: str, claims: Sequence[Claim], now: float, ttl: float) -> Refusal | None:
    _HOLDS[name] = Hold(name, tuple(claims))
    return ledger.reserve(_HOLDS[name], now, ttl)


def settle(
    ledger: Ledger, name: str, costs: Mapping[str, float], now: float, claims: Sequence[Claim] = ()
) -> bool:
    """Of the hold made last under this name, or one that another process made for these claims."""
    hold = Hold(name, tuple(claims)) if claims else _HOLDS.get(name, Hold(name, ()))
    return ledger.settle(hold, costs, now)
