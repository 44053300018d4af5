"""What is left, worked out by hand; the JSON of the status page; alerts at exactly 75 and 90 per cent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from core.alerts import Alert, limit_alerts
from core.balancer import PassedOver
from core.quotas import Cost, Standing
from core.status import ProviderStatus, calls_left
from core.stores.contract import StoreError
from providers.contracts import Limit
from providers.errors import Busy, Down, KeyRejected
from tests.fakes.clock import FrozenClock
from tests.fakes.house import House, build_house, disk_of, limits, row
from tests.fakes.upstream import FakeUpstream

Build = Callable[..., House]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def build(tmp_path: Path, clock: FrozenClock) -> Iterator[Build]:
    """A house for this catalogue; `names` are the providers that have a key. No reply matters."""
    with ExitStack() as stack:

        def make(catalogue: str, *names: str) -> House:
            fake = stack.enter_context(FakeUpstream())
            house = build_house(tmp_path, catalogue, clock, dict.fromkeys(names, fake))
            stack.callback(house.close)
            return house

        yield make


def spend(house: House, model: str, calls: int, cost: Cost, *, settle: bool = True) -> None:
    route = next(r for r in house.fleet.routes if r.model == model)
    for _ in range(calls):
        held = house.quota.reserve(route, cost).reservation
        assert held
        if settle:
            house.quota.settle(held, cost)


def left(house: House) -> dict[str, int | None]:
    return {p.name: p.calls_left for p in house.status.read().providers}


def model(name: str, more: str = "", tier: str = "small") -> str:
    return f'{{ id = "{name}", tier = "{tier}"{", " if more else ""}{more} }}'


# Calls left: a typical call is one request of 1,500 + 500 tokens


def test_pools_of_their_own_add_up(build: Build) -> None:
    own = model("m", limits(requests_day=20)) + ", " + model("n", limits(requests_day=500, tokens_day=101_999))
    house = build(row("acme", 1, own), "acme")
    assert left(house) == {"acme": 20 + 50}  # 101,999 tokens are 50 calls of 2,000
    spend(house, "m", 3, Cost(1, 0, 0))
    spend(house, "m", 1, Cost(1, 0, 0), settle=False)
    spend(house, "n", 1, Cost(1, 2000, 0))
    assert left(house) == {"acme": 16 + 49}


def test_models_of_one_account_share_its_limit(build: Build) -> None:
    house = build(
        row("acme", 1, f"{model('m')}, {model('n')}", limits(requests_day=50, requests_minute=20)), "acme"
    )
    assert left(house) == {"acme": 50}
    spend(house, "n", 9, Cost(1, 0, 0))
    assert left(house) == {"acme": 41}


def test_models_that_share_a_named_pool_count_once(build: Build) -> None:
    pool = f'pool = "flash", {limits(requests_day=30)}'
    house = build(
        row("acme", 1, f"{model('m', pool)}, {model('n', pool)}, {model('o', limits(requests_day=5))}"), "acme"
    )
    assert left(house) == {"acme": 35}


@pytest.mark.parametrize(("account", "expected"), [(50, 50), (500, 120)])
def test_an_account_bounds_the_sum_of_its_models(account: int, expected: int, build: Build) -> None:
    own = f"{model('m', limits(requests_day=20))}, {model('n', limits(requests_day=100))}"
    assert left(build(row("acme", 1, own, limits(requests_day=account)), "acme")) == {"acme": expected}


def test_an_account_bounds_models_with_and_without_limits_of_their_own(build: Build) -> None:
    mixed = f"{model('m', limits(requests_day=100))}, {model('n')}"
    assert left(build(row("acme", 1, mixed, limits(requests_day=50)), "acme")) == {"acme": 50}


def test_neurons_last_as_long_as_the_cheapest_model_makes_them(build: Build) -> None:
    cheap = model("m", "neurons_per_million = [4625.0, 30475.0]")  # 6.9375 + 15.2375 = 22.175 a call
    dear = model("n", "neurons_per_million = [26668.0, 204805.0]", "large")  # 142.405 a call
    house = build(row("acme", 1, f"{cheap}, {dear}", limits(neurons_day=10_000)), "acme")
    assert left(house) == {"acme": 450}  # 10,000 / 22.175 = 450.9
    spend(house, "n", 10, Cost(1, 2000, 142.405))
    assert left(house) == {"acme": 386}  # 8,575.95 / 22.175 = 386.7
    spend(house, "m", 1, Cost(1, 2000, 8575.5))
    assert left(house) == {"acme": 0}


def test_where_nothing_lasting_is_counted_the_number_is_unknown_and_not_zero(build: Build) -> None:
    house = build(row("acme", 1) + row("tiny", 2, more=limits(requests_minute=5)), "acme", "tiny")
    status = house.status.read()
    assert {p.name: p.calls_left for p in status.providers} == {"acme": None, "tiny": None}
    assert (status.total_requests_remaining, status.providers_active) == (0, 2)


def test_no_routes_no_calls() -> None:
    assert calls_left([], {}) == 0


def test_totals_cover_all_providers_and_an_interview_takes_eight_calls(build: Build) -> None:
    rows = [
        row(name, 1, more=limits(requests_day=amount)) for name, amount in (("one", 10), ("two", 21), ("off", 99))
    ]
    status = build("".join(rows), "one", "two").status.read()
    assert status.total_requests_remaining == 31
    assert status.estimated_interviews_remaining == 3
    assert "OFF_KEY" in status.off["off"]


# Who rests


def test_a_provider_rests_when_none_of_its_routes_may_be_called(build: Build, clock: FrozenClock) -> None:
    models = f"{model('m', limits(requests_day=5))}, {model('n', limits(requests_day=7))}"
    house = build(row("acme", 1, models) + row("other", 2), "acme", "other")
    m, n = (r for r in house.fleet.routes if r.provider == "acme")
    house.health.learn(m, Down("m is down"))
    status = house.status.read()
    assert (status.providers[0].resting, status.providers[0].calls_left, status.providers_active) == (None, 12, 2)
    assert [c.subject for c in status.providers[0].cooldowns] == ["acme/m"]
    house.health.learn(n, KeyRejected("key not accepted"))
    status = house.status.read()
    assert (status.providers[0].resting, status.providers[0].calls_left) == ("key not accepted", 0)
    assert (status.providers_active, status.providers[1].cooldowns) == (1, ())


def test_why_a_route_was_last_passed_over_stands_beside_the_order(build: Build, clock: FrozenClock) -> None:
    """Told by the calls that were made; looking at the status is none."""
    house = build(row("acme", 1) + row("other", 2), "acme", "other")
    house.health.learn(house.fleet.routes[0], Busy("too many requests", until=clock.now() + 60))
    assert house.status.read().passed_over == {}
    house.ask()
    asked = clock.now()
    clock.advance(61)
    status = house.status.read()
    assert status.passed_over == {"acme/m": PassedOver(asked, "too many requests")}
    assert [route.name for route in status.ranking.order] == ["acme/m", "other/m"]


@pytest.mark.parametrize("trouble", ["a full minute", "half a minute's cooldown"])
def test_a_moments_rest_takes_nothing_from_the_day(trouble: str, build: Build, clock: FrozenClock) -> None:
    house = build(row("acme", 1, more=limits(requests_minute=2, requests_day=50)), "acme")
    if trouble == "a full minute":
        spend(house, "m", 2, Cost(1, 0, 0))
    else:
        spend(house, "m", 1, Cost(1, 0, 0))
        house.health.learn(house.fleet.routes[0], Busy("x", until=clock.now() + 30))
    assert (left(house)["acme"] or 0) >= 48


def test_an_unreadable_ledger_is_not_a_status(build: Build) -> None:
    house = build(row("acme", 1, more=limits(requests_day=50)), "acme")
    spend(house, "m", 1, Cost(1, 0, 0))
    disk_of(house)._sql("UPDATE Cache SET mode = 4, value = ?", (b"\x80\x04N.",))
    with pytest.raises(StoreError):
        house.status.read()


# JSON


def test_the_json_of_the_status(build: Build, clock: FrozenClock) -> None:
    house = build(
        row("acme", 1, more=limits(requests_minute=50, requests_day=40)) + row("free", 2), "acme", "free"
    )
    spend(house, "m", 29, Cost(1, 0, 0))
    spend(house, "m", 1, Cost(1, 0, 0), settle=False)
    found = json.loads(json.dumps(house.status.read().as_json(), allow_nan=False))
    acme, free = found["quotas"]["acme"], found["quotas"]["free"]
    minute, day = acme.pop("standings")
    assert acme == {"limit": 40, "used": 29, "remaining": 10, "percentage_used": 75.0, "calls_left": 10}
    assert (minute["window"], minute["limit"], minute["remaining"]) == ("minute", 50, 20)
    assert day == {
        "pool": "acme",
        "unit": "requests",
        "window": "day",
        "limit": 40,
        "used": 29,
        "held": 1,
        "remaining": 10,
        "percentage_used": 75.0,
        "resets_at": "2026-11-24T00:00:00+00:00",
        "source": "catalogue",
    }
    nothing = dict.fromkeys(("limit", "used", "remaining", "percentage_used", "calls_left"))
    assert free == {**nothing, "standings": []}
    assert {key: value for key, value in found.items() if key != "quotas"} == {
        "total_requests_remaining": 10,
        "estimated_interviews_remaining": 1,
        "providers_active": 2,
        "alerts": [{"level": "warning", "provider": "acme", "message": "Acme: 75 % of 40 requests per day used"}],
        "timestamp": "2026-11-23T12:00:00+00:00",
    }
    assert datetime.fromisoformat(found["timestamp"]).timestamp() == clock.now()


def a_standing(window: str, used: float, amount: int = 100, pool: str = "acme/m") -> Standing:
    return Standing(Limit(pool, "requests", amount, window), used, 0, 0.0)  # type: ignore[arg-type]


def test_the_tightest_limit_is_a_lasting_one_where_there_is_any() -> None:
    minute, day, month = a_standing("minute", 99), a_standing("day", 20), a_standing("month", 30)

    def tightest(*standings: Standing) -> Standing | None:
        return ProviderStatus("acme", "Acme", standings, 1, None, ()).tightest

    assert tightest(minute, day, month) == month
    assert tightest(minute) == minute
    assert tightest() is None


# Alerts


@pytest.mark.parametrize("amount", [20, 40, 500, 10_000, 14_400])
def test_alerts_begin_at_exactly_75_and_90_per_cent(amount: int) -> None:
    def level(used: float) -> list[str]:
        return [a.level for a in limit_alerts("acme", "Acme", [a_standing("day", used, amount)])]

    warning, critical = amount * 3 // 4, amount * 9 // 10
    assert (level(warning - 0.01), level(warning)) == ([], ["warning"])
    assert (level(critical - 0.01), level(critical)) == (["warning"], ["critical"])
    assert level(amount + 1) == ["critical"]


def test_what_calls_hold_counts_towards_an_alert() -> None:
    standing = Standing(Limit("acme", "requests", 4, "day"), used=1, held=2, resets_at=0.0)
    assert limit_alerts("acme", "Acme", [standing]) == [
        Alert("warning", "acme", "Acme: 75 % of 4 requests per day used")
    ]


def test_a_minute_raises_no_alert_and_a_models_own_limit_names_it() -> None:
    standings = [a_standing("minute", 100), a_standing("month", 9_000, 10_000)]
    (alert,) = limit_alerts("acme", "Acme", standings)
    assert (alert.level, alert.message) == ("critical", "Acme (m): 90 % of 10,000 requests per month used")


def test_a_percentage_is_not_rounded_up_into_the_next_level() -> None:
    (alert,) = limit_alerts("acme", "Acme", [a_standing("day", 899, 1000)])
    assert (alert.level, "90 %" in alert.message) == ("warning", False)


def test_a_refused_key_is_an_alert_and_who_counts_nothing_is_named(build: Build) -> None:
    house = build(row("acme", 1, more=limits(requests_day=50)) + row("own", 2), "acme", "own")
    acme = next(r for r in house.fleet.routes if r.provider == "acme")
    house.health.learn(acme, KeyRejected("key not accepted"))
    status = house.status.read()
    assert [(a.level, a.provider) for a in status.alerts] == [("critical", "acme")]
    assert status.uncounted == ("Own",)
