"""The balancer as a contestant: `python -m benchmarks.ours KIND SETUP`.

Each round moves into a new house with an empty ledger. A round sends more calls within a minute than most free
tiers let through; a ledger that held those of all rounds would show a load that nobody can have.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pydantic import SecretStr

from benchmarks.task import MAX_TOKENS, MESSAGES, PLENTY, TIMEOUT, Setup, checked
from benchmarks.workers import Operation, main
from core import app
from core.balancer import AllRoutesOut, LoadBalancer, Wanted
from core.policy import Task
from core.settings import Settings
from providers.contracts import ChatRequest, Message

REQUEST = ChatRequest(
    (Message("system", MESSAGES[0]["content"]), Message("user", MESSAGES[1]["content"])),
    max_tokens=MAX_TOKENS,
    timeout=TIMEOUT,
)
WANTED = Wanted(Task("turn", "small", deadline=20), REQUEST, str)
SHAREABLE = Wanted(Task("text", "small", deadline=20, keep=3_600), REQUEST, str)


def balancer(setup: Setup) -> Operation:
    house = _house(setup)
    return lambda: checked(house.complete(WANTED).value)


def cached(setup: Setup) -> Operation:
    """With the reply kept from a call before: what is timed is finding it."""
    house = _house(setup)
    checked(house.complete(SHAREABLE).value)

    def ask() -> None:
        answer = house.complete(SHAREABLE)
        checked(answer.value)
        if not answer.cached:
            raise RuntimeError("somebody was called")

    return ask


def exhausted(setup: Setup) -> Operation:
    """With every route's day used up: what is timed is the answer that says so."""
    house = _house(setup)
    for _ in range(len(setup.routes) * setup.per_day):
        checked(house.complete(WANTED).value)

    def ask() -> None:
        try:
            house.complete(WANTED)
        except AllRoutesOut:
            return
        raise RuntimeError("somebody answered")

    return ask


def _house(setup: Setup) -> LoadBalancer:
    """The whole app on a fresh store."""
    folder = Path(tempfile.mkdtemp(dir=setup.folder))
    rows = folder / "catalog.local.toml"
    rows.write_text("".join(_row(n, url, setup.per_day) for n, url in enumerate(setup.routes)), encoding="utf-8")
    redis_url = _emptied(setup.redis_url) if setup.redis_url else None
    settings = Settings(data_dir=folder / "data", catalog_local=rows, redis_url=redis_url)
    keys = {f"ROUTE{n}_KEY": "key" for n in range(len(setup.routes))}
    return app.build(settings, {"ALLOW_LOCAL_UPSTREAMS": "1", **keys}, None, lambda _: None).balancer


def _emptied(redis_url: str) -> SecretStr:
    import redis  # not charged to the memory of the balancer on disk

    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    return SecretStr(redis_url)


def _row(number: int, base_url: str, per_day: int) -> str:
    amounts = (
        ("requests", "minute", PLENTY),
        ("tokens", "minute", PLENTY),
        ("requests", "day", per_day),
        ("tokens", "day", PLENTY),
    )
    limits = ", ".join(f'{{ unit = "{u}", window = "{w}", amount = {amount} }}' for u, w, amount in amounts)
    return f"""
[route{number}]
label = "Route {number}"
dialect = "openai-chat"
base_url = "{base_url}"
key_setting = "ROUTE{number}_KEY"
console = "https://route{number}.example/keys"
free = "recurring"
zone = "UTC"
priority = {number}
fact = "The benchmark's own."
source = "https://route{number}.example/limits"
as_of = 2026-11-01
models = [{{ id = "m", tier = "small" }}]
limits = [{limits}]
"""


if __name__ == "__main__":
    main({"balancer": balancer, "cached": cached, "exhausted": exhausted})
