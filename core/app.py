"""The composition root: the only place where the parts meet."""

from __future__ import annotations

import hashlib
import random
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import SecretStr

from core.access import Access
from core.balancer import LoadBalancer
from core.clock import SystemClock
from core.health import Health
from core.interview.archive import Archive
from core.interview.engine import Engine
from core.interview.grader import Grader
from core.policy import Task
from core.quotas import QuotaManager
from core.settings import BadSetting, Settings, load_provider_values, load_settings
from core.status import StatusReader
from core.stores.contract import Documents, Ledger, StoreError
from core.stores.disk import DiskDocuments, DiskLedger, open_cache
from providers.contracts import Clock
from providers.http import Http
from providers.registry import CatalogError, Fleet, connect, load_catalog, provider_settings


@dataclass(frozen=True)
class App:
    """What the pages and the HTTP routes may use."""

    settings: Settings
    fleet: Fleet
    engine: Engine
    status: StatusReader
    access: Access


@dataclass(frozen=True)
class Stores:
    """What one backend keeps. Cooldowns stand beside the counters; `clock` is right for all who share them."""

    ledger: Ledger
    cooldowns: Documents
    archive: Documents
    clock: Clock


def build(
    settings: Settings, values: Mapping[str, str], clock: Clock | None, announce: Callable[[str], None]
) -> App:
    """Put the app together. `values` are the providers' settings in plain; `announce` writes to the console.

    Without a `clock` the stores' own is used. Raises CatalogError, StoreError.
    """
    stores = _redis(settings.redis_url.get_secret_value()) if settings.redis_url else _disk(settings.data_dir)
    clock = clock or stores.clock
    fleet = connect(load_catalog(settings.catalog_local), values, http=Http(clock), clock=clock)
    quota = QuotaManager(stores.ledger, clock)
    health = Health(stores.cooldowns, clock, _key_ids(fleet, values))
    balancer = LoadBalancer(fleet.providers, fleet.routes, quota, health, clock)
    turn = Task("turn", "small", settings.answer_deadline)
    grader = Grader(balancer, clock, turn, lambda: secrets.token_hex(8))
    archive = Archive(stores.archive, settings.retention_days, lambda: secrets.token_urlsafe(24))
    return App(
        settings=settings,
        fleet=fleet,
        engine=Engine(archive, grader, clock, random.SystemRandom()),
        status=StatusReader(fleet, quota, health, clock, turn),
        access=Access(_plain(settings.admin_password), _plain(settings.api_token), clock, announce),
    )


@cache
def current() -> App:
    """This process's app, built on first use. Raises BadSetting with one line that names the remedy."""
    settings = load_settings()
    try:
        catalog = load_catalog(settings.catalog_local)
        return build(settings, load_provider_values(provider_settings(catalog)), None, _to_console)
    except CatalogError as error:
        raise BadSetting(str(error)) from None
    except (StoreError, OSError) as error:
        if settings.redis_url:
            raise BadSetting(f"REDIS_URL: {error}. Start that server or correct the address.") from None
        raise BadSetting(f"DATA_DIR: {error}. Give a folder that the app may write to.") from None


def _disk(folder: Path) -> Stores:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ledger = open_cache(folder / "ledger")
    cooldowns, archive = DiskDocuments(ledger), DiskDocuments(open_cache(folder / "archive"))
    for kept in (cooldowns, archive):
        kept.sweep()
    return Stores(DiskLedger(ledger), cooldowns, archive, SystemClock())


def _redis(url: str) -> Stores:
    from core.stores import redis  # one machine does without the package's import and memory

    client = redis.open_client(url)
    cooldowns, archive = (redis.RedisDocuments(client, prefix) for prefix in (redis.LEDGER, redis.ARCHIVE))
    return Stores(redis.RedisLedger(client), cooldowns, archive, redis.RedisClock(client, SystemClock()))


def _to_console(line: str) -> None:
    """Past logging, whose handlers may carry lines to places where more people read."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _key_ids(fleet: Fleet, values: Mapping[str, str]) -> dict[str, str]:
    """A fingerprint of each provider's key, ids and address, so that a change is noticed and no key is stored."""
    given = {name: [values.get(s, "") for s in sorted(fleet.catalog[name].settings)] for name in fleet.providers}
    return {name: hashlib.sha256("\n".join(all_).encode()).hexdigest()[:12] for name, all_ in given.items()}


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
