"""The composition root: the only place where the parts meet."""

from __future__ import annotations

import atexit
import hashlib
import random
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from pydantic import SecretStr

from core import tasks
from core.access import Access
from core.balancer import LoadBalancer, Parts
from core.cache import ResponseCache
from core.check import ProviderCheck
from core.clock import SystemClock
from core.discovery import with_free_models
from core.dispatch import Dispatcher
from core.health import Health
from core.history import History
from core.interview.after import After
from core.interview.archive import Archive
from core.interview.engine import Engine
from core.interview.grader import Grader
from core.interview.narrative import Narrator
from core.interview.past import Shelf
from core.interview.planner import Planner
from core.interview.pool import PlanPool
from core.interview.resume_review import ResumeReviewer
from core.interview.review_store import ReviewStore
from core.quotas import QuotaManager
from core.settings import BadSetting, Settings, load_provider_values, load_settings
from core.status import StatusReader
from core.stores.contract import Documents, Ledger, StoreError
from core.stores.disk import DiskDocuments, DiskLedger, open_cache
from providers.contracts import Clock
from providers.registry import CatalogError, Fleet, connect, load_catalog, provider_settings

REPLIES_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class App:
    """What the pages and the HTTP routes may use."""

    settings: Settings
    fleet: Fleet
    engine: Engine
    after: After
    shelf: Shelf
    grader: Grader
    reviewer: ResumeReviewer
    balancer: LoadBalancer
    history: History
    status: StatusReader
    check: ProviderCheck
    clock: Clock
    announce: Callable[[str], None]

    @cached_property
    def access(self) -> Access:
        """Made by who serves pages, and then at once: a script has no use for one-time secrets on its console."""
        password, token = self.settings.admin_password, self.settings.api_token
        return Access(_plain(password), _plain(token), self.clock, self.announce)


@dataclass(frozen=True)
class Stores:
    """What one backend keeps. Cooldowns stand beside the counters; `clock` is right for all who share them."""

    ledger: Ledger
    cooldowns: Documents
    archive: Documents
    history: Documents
    replies: Documents
    clock: Clock


def build(
    settings: Settings, values: Mapping[str, str], clock: Clock | None, announce: Callable[[str], None]
) -> App:
    """Put the app together. `values` are the providers' settings in plain; `announce` writes to the console.

    Without a `clock` the stores' own is used. Raises CatalogError, StoreError.
    """
    stores = _redis(settings.redis_url.get_secret_value()) if settings.redis_url else _disk(settings.data_dir)
    clock = clock or stores.clock
    fleet = connect(load_catalog(settings.catalog_local), values, clock)
    fleet = connect(with_free_models(fleet, stores.cooldowns, clock), values, clock)
    history = History(stores.history, clock)
    health = Health(stores.cooldowns, clock, _key_ids(fleet, values))
    dispatcher = Dispatcher(fleet.providers, QuotaManager(stores.ledger, clock), health, history, clock)
    cache = ResponseCache(stores.replies, clock, time.sleep, _nonce)
    parts = Parts(dispatcher, cache, clock, random.SystemRandom(), settings.strategy)
    balancer = LoadBalancer(fleet.routes, parts)
    turn = tasks.turn(settings.answer_deadline)
    grader = Grader(balancer, clock, turn, _nonce)
    archive = Archive(stores.archive, settings.retention_days, lambda: secrets.token_urlsafe(24))
    pool, rng = PlanPool(stores.replies), random.SystemRandom()
    plan = tasks.plan(settings.answer_deadline, tailored=settings.tailored_questions)
    planner = Planner(balancer, plan, _nonce, pool, rng)
    narrator = Narrator(balancer, tasks.report(settings.answer_deadline), _nonce)
    reviews = ReviewStore(stores.archive, settings.retention_days)
    engine = Engine(archive, grader, planner, clock)
    return App(
        settings=settings,
        fleet=fleet,
        engine=engine,
        after=After(archive, grader, narrator, clock),
        shelf=Shelf(engine),
        grader=grader,
        reviewer=ResumeReviewer(balancer, tasks.resume(settings.answer_deadline), _nonce, reviews),
        balancer=balancer,
        history=history,
        status=StatusReader(fleet, balancer, turn),
        check=ProviderCheck(fleet, balancer, dispatcher, clock),
        clock=clock,
        announce=announce,
    )


@cache
def current() -> App:
    """This process's app, built on first use. Raises BadSetting with one line that names the remedy."""
    settings = load_settings()
    try:
        catalog = load_catalog(settings.catalog_local)
        app = build(settings, load_provider_values(provider_settings(catalog)), None, _to_console)
    except CatalogError as error:
        raise BadSetting(str(error)) from None
    except (StoreError, OSError) as error:
        if settings.redis_url:
            raise BadSetting(f"REDIS_URL: {error}. Start that server or correct the address.") from None
        raise BadSetting(f"DATA_DIR: {error}. Give a folder that the app may write to.") from None
    atexit.register(_save, app.history)
    return app


def _save(history: History) -> None:
    with suppress(StoreError):  # the process ends; the last few seconds of the statistics are all that is lost
        history.flush()


def _nonce() -> str:
    return secrets.token_hex(8)


def _disk(folder: Path) -> Stores:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ledger = open_cache(folder / "ledger")
    cooldowns, archive = DiskDocuments(ledger), DiskDocuments(open_cache(folder / "archive"))
    history = DiskDocuments(open_cache(folder / "history"))
    replies = DiskDocuments(open_cache(folder / "replies", largest=REPLIES_BYTES))
    for kept in (cooldowns, archive, history, replies):
        kept.sweep()
    return Stores(DiskLedger(ledger), cooldowns, archive, history, replies, SystemClock())


def _redis(url: str) -> Stores:
    from core.stores import redis  # one machine does without the package's import and memory

    client = redis.open_client(url)
    return Stores(
        redis.RedisLedger(client),
        cooldowns=redis.RedisDocuments(client, redis.LEDGER),
        archive=redis.RedisDocuments(client, redis.ARCHIVE),
        history=redis.RedisDocuments(client, redis.HISTORY),
        replies=redis.RedisDocuments(client, redis.REPLIES),
        clock=redis.RedisClock(client, SystemClock()),
    )


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
