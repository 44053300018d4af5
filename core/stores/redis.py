"""Ledger and documents on a Redis server: any number of machines. Imported only where REDIS_URL is set.

Every operation is one Lua script and one round trip, so it happens whole or not at all. Nothing is sent twice: an
operation whose reply was lost may have happened, and is never repeated here.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from core.stores.contract import NO_LESSON, Claim, Counter, Hold, Lesson, Level, Refusal, StoreError
from providers.contracts import Clock, Told

SOCKET_SECONDS = 2.0
REFRESH_SECONDS = 60.0
LEDGER, ARCHIVE = "greenroom:ledger:", "greenroom:archive:"
HISTORY, REPLIES = "greenroom:history:", "greenroom:replies:"
GARBLED = (ValueError, TypeError, AttributeError)  # what reading a foreign reply can raise

log = logging.getLogger(__name__)
_json = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


@contextmanager
def trouble() -> Iterator[None]:
    """Every way Redis has of failing, as one error. What it says can quote the URL or a password, so only
    the code it begins with is told."""
    try:
        yield
    except (redis.RedisError, OSError, *GARBLED) as error:
        code = str(error).partition(" ")[0]
        raise StoreError(f"Redis failed: {code if code.isupper() else type(error).__name__}") from None


def open_client(url: str) -> redis.Redis:
    """A pool of connections to the server at `url`, which answered. Raises StoreError."""
    with trouble():
        client = redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        client.ping()
        _warn_of_eviction(client)
        return client


def _warn_of_eviction(client: redis.Redis) -> None:
    try:
        policy = client.info("memory").get("maxmemory_policy", "noeviction")
    except redis.ResponseError:  # a hosted server may keep this to itself
        return
    if policy != "noeviction":
        log.warning(
            "REDIS_URL: this server's maxmemory-policy is %s. When its memory is full it deletes quota counters, "
            "and calls beyond the free quota follow. Set maxmemory-policy noeviction in redis.conf.",
            policy,
        )


class RedisClock:
    """The server's time, so that machines whose clocks disagree count in the same windows.

    Asked for at the start (raises StoreError) and then once a minute; in between, and while the server is away,
    `local` carries it on.
    """

    def __init__(self, client: redis.Redis, local: Clock) -> None:
        self._client = client
        self._local = local
        self._measure()

    def now(self) -> float:
        if self._local.monotonic() > self._due:
            try:
                self._measure()
            except StoreError:
                log.warning("Redis does not tell the time; going on with what it told last")
        return self._local.monotonic() + self._offset

    def monotonic(self) -> float:
        return self._local.monotonic()

    def _measure(self) -> None:
        asked = self._local.monotonic()
        self._due = asked + REFRESH_SECONDS  # before asking, so that a server that hangs holds up one caller only
        with trouble():
            seconds, micros = self._client.time()
            self._offset = seconds + micros / 1e6 - (asked + self._local.monotonic()) / 2


class RedisLedger:
    def __init__(self, client: redis.Redis, prefix: str = LEDGER) -> None:
        self._keys = [f"{prefix}counters"]
        self._reserve = _script(client, "rows", "changes", "reserve")
        self._promise = _script(client, "rows", "changes", "promise")
        self._settle = _script(client, "rows", "changes", "settle")
        self._levels = _script(client, "rows", "changes", "levels")

    def reserve(self, hold: Hold, now: float, ttl: float) -> Refusal | None:
        with trouble():
            asked = _json([_claims(hold.claims), now, now + ttl, hold.id, hold.envelope])
            return _refusal(self._reserve(self._keys, [asked]), hold.claims)

    def promise(self, envelope: str, claims: Sequence[Claim], now: float, ttl: float) -> Refusal | None:
        with trouble():
            asked = _json([_claims(claims), now, now + ttl, envelope])
            return _refusal(self._promise(self._keys, [asked]), claims)

    def settle(self, hold: Hold, costs: Mapping[str, float], now: float, lesson: Lesson = NO_LESSON) -> bool:
        counters = [_counter(claim.counter) for claim in hold.claims]
        told = {key: _limit(told) for key, told in lesson.told.items()}
        with trouble():
            asked = _json([counters, now, hold.id, hold.envelope, dict(costs), lesson.good, told])
            return bool(self._settle(self._keys, [asked]))

    def levels(self, counters: Sequence[Counter], now: float) -> list[Level]:
        if not counters:
            return []
        with trouble():
            found = self._levels(self._keys, [_json([[_counter(c) for c in counters], now])])
            return [Level(*level) for level in _answer(found)]


class RedisDocuments:
    def __init__(self, client: redis.Redis, prefix: str = ARCHIVE) -> None:
        self._client = client
        self._prefix = prefix
        self._replace = _script(client, "replace")

    def get(self, key: str) -> str | None:
        with trouble():
            found = self._client.get(self._prefix + key)
            return found.decode() if isinstance(found, bytes) else found

    def replace(self, key: str, old: str | None, new: str | None, ttl: float | None = None) -> bool:
        texts = ["-" if text is None else f"+{text}" for text in (old, new)]
        with trouble():
            return bool(self._replace([self._prefix + key], [*texts, "" if ttl is None else _millis(ttl)]))

    def keys(self) -> Iterator[str]:
        pattern = "".join(f"\\{c}" if c in "*?[]\\" else c for c in self._prefix) + "*"
        with trouble():
            found = {key.decode() for key in self._client.scan_iter(pattern, count=500)}  # it may tell a key twice
        yield from (key.removeprefix(self._prefix) for key in sorted(found))


def _script(client: redis.Redis, *names: str) -> Script:
    """The Lua files beside this one, joined. The server keeps it; after a restart it is sent again."""
    folder = Path(__file__).parent
    return client.register_script(
        "\n".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in names)
    )


def _claims(claims: Sequence[Claim]) -> list[list[object]]:
    return [[*_counter(claim.counter), claim.cost, claim.leave] for claim in claims]


def _counter(counter: Counter) -> list[object]:
    return list(vars(counter).values())


def _limit(told: Told) -> dict[str, float]:
    said = {"limit": told.limit, "remaining": told.remaining}
    return {name: value for name, value in said.items() if value is not None}


def _refusal(answer: bytes | None, claims: Sequence[Claim]) -> Refusal | None:
    if answer is None:
        return None
    number, free_at = _answer(answer)
    return Refusal(claims[int(number) - 1], free_at)


def _answer(text: bytes) -> list[Any]:
    found: list[Any] = json.loads(text, parse_int=float)
    return found


def _millis(seconds: float) -> int:
    return math.ceil(seconds * 1000)
