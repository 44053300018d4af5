"""A whole balancer on real parts: a catalogue written here, fakes as its providers, a ledger on disk."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import diskcache

from core.balancer import Answer, LoadBalancer, Parts, Wanted
from core.cache import ResponseCache
from core.dispatch import Dispatcher
from core.health import Health
from core.history import History
from core.policy import Task
from core.quotas import QuotaManager
from core.status import StatusReader
from core.stores.disk import DiskLedger
from providers.contracts import ChatRequest, Message
from providers.registry import Fleet, connect, load_catalog
from tests.fakes.clock import FrozenClock
from tests.fakes.stores import Store, disk
from tests.fakes.upstream import FakeUpstream

TASK = Task("turn", "small", deadline=20)
REQUEST = ChatRequest((Message("user", "How did I do?"),), max_tokens=50, timeout=10)


def row(name: str, priority: int, models: str = '{ id = "m", tier = "small" }', more: str = "") -> str:
    """A catalogue row. `models` and `more` are TOML; limits of the account stand in `more`."""
    return f"""
[{name}]
label = "{name.title()}"
dialect = "openai-chat"
base_url = "https://93.184.216.34/v1"
key_setting = "{name.upper()}_KEY"
console = "https://{name}.example/keys"
free = "recurring"
zone = "UTC"
priority = {priority}
fact = "Made up."
source = "https://{name}.example/limits"
as_of = 2026-11-01
models = [{models}]
{more}
"""


def limits(**amounts: int) -> str:
    """`limits(requests_day=50)` as TOML, for a row or a model."""
    parts = [(*name.partition("_"), amount) for name, amount in amounts.items()]
    rows = [f'{{ unit = "{unit}", amount = {amount}, window = "{window}" }}' for unit, _, window, amount in parts]
    return f"limits = [{', '.join(rows)}]"


def disk_of(house: House) -> diskcache.Cache:
    """The database under a house on disk, to be spoiled."""
    ledger = house.store.ledger
    assert isinstance(ledger, DiskLedger)
    return ledger.cache


@dataclass(frozen=True)
class House:
    """Close it when done; a thread of its own that called in closes its store connection with `store.close()`."""

    balancer: LoadBalancer
    dispatcher: Dispatcher
    quota: QuotaManager
    health: Health
    history: History
    status: StatusReader
    fleet: Fleet
    store: Store
    clock: FrozenClock

    def ask(
        self, read: Callable[[str], str] = str, task: Task = TASK, request: ChatRequest = REQUEST
    ) -> Answer[str]:
        return self.balancer.complete(Wanted(task, request, read))

    def used(self, key: str) -> float:
        """What is settled on the limit with this key."""
        every = self.quota.standings(limit for route in self.fleet.routes for limit in route.limits)
        return next(s.used for s in every if s.limit.key == key)

    def close(self) -> None:
        self.fleet.close()
        self.store.close()


def build_house(
    folder: Path,
    catalogue: str,
    clock: FrozenClock,
    fakes: Mapping[str, FakeUpstream],
    more: Mapping[str, Any] = MappingProxyType({}),
) -> House:
    """Every provider of `fakes` is on; the shipped rows are off. `more` may give a `key`, a `store` or parts of a
    balancer."""
    path = folder / "catalog.local.toml"
    path.write_text(catalogue, encoding="utf-8")
    key = more.get("key", "right")
    values = {"ALLOW_LOCAL_UPSTREAMS": "1"}
    for name, fake in fakes.items():
        values |= {f"{name.upper()}_KEY": key, f"{name.upper()}_BASE_URL": fake.base_url}
    fleet = connect(load_catalog(path), values, clock)
    store = more.get("store") or disk(folder)
    quota = QuotaManager(store.ledger, clock)
    health = Health(store.documents, clock, dict.fromkeys(fleet.providers, key))
    history = History(store.documents, clock)
    dispatcher = Dispatcher(fleet.providers, quota, health, history, clock)
    cache = ResponseCache(store.documents, clock, more.get("sleep", time.sleep), lambda: uuid.uuid4().hex)
    rng, strategy = more.get("rng", random.Random(7)), more.get("strategy", "priority")
    parts = Parts(dispatcher, cache, clock, rng, strategy)
    balancer = LoadBalancer(fleet.routes, parts)
    status = StatusReader(fleet, balancer, Task("turn", "small"))
    return House(balancer, dispatcher, quota, health, history, status, fleet, store, clock)
