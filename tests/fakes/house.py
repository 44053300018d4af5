"""A whole balancer on real parts: a catalogue written here, fakes as its providers, a ledger on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import diskcache

from core.balancer import Answer, LoadBalancer
from core.health import Health
from core.policy import Task
from core.quotas import QuotaManager
from core.status import StatusReader
from core.stores.disk import DiskDocuments, DiskLedger, open_cache
from providers.contracts import ChatRequest, Message
from providers.http import Http
from providers.registry import Fleet, connect, load_catalog
from tests.fakes.clock import FrozenClock
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


@dataclass(frozen=True)
class House:
    """Close it when done; a thread of its own that called in closes its store connection with `cache.close()`."""

    balancer: LoadBalancer
    quota: QuotaManager
    health: Health
    status: StatusReader
    fleet: Fleet
    cache: diskcache.Cache
    http: Http

    def ask(
        self, read: Callable[[str], str] = str, task: Task = TASK, request: ChatRequest = REQUEST
    ) -> Answer[str]:
        return self.balancer.complete(task, request, read)

    def used(self, key: str) -> float:
        """What is settled on the limit with this key."""
        every = self.quota.standings(limit for route in self.fleet.routes for limit in route.limits)
        return next(s.used for s in every if s.limit.key == key)

    def close(self) -> None:
        self.http.close()
        self.cache.close()


def build_house(
    folder: Path, catalogue: str, clock: FrozenClock, fakes: Mapping[str, FakeUpstream], key: str = "right"
) -> House:
    """Every provider of `fakes` is on, with this key; the shipped rows are off."""
    path = folder / "catalog.local.toml"
    path.write_text(catalogue, encoding="utf-8")
    values = {"ALLOW_LOCAL_UPSTREAMS": "1"}
    for name, fake in fakes.items():
        values |= {f"{name.upper()}_KEY": key, f"{name.upper()}_BASE_URL": fake.base_url}
    http = Http(clock)
    fleet = connect(load_catalog(path), values, http=http, clock=clock)
    cache = open_cache(folder / "ledger")
    quota = QuotaManager(DiskLedger(cache), clock)
    health = Health(DiskDocuments(cache), clock, dict.fromkeys(fleet.providers, key))
    balancer = LoadBalancer(fleet.providers, fleet.routes, quota, health, clock)
    return House(
        balancer,
        quota,
        health,
        StatusReader(fleet, quota, health, clock, Task("turn", "small")),
        fleet,
        cache,
        http,
    )
