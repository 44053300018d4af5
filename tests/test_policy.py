"""The order in which routes are tried, and the words for those that are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.health import Cooldown
from core.policy import Ranking, Skipped, Task, View, Wish, rank
from core.quotas import Standing
from providers.contracts import Limit, Route, Tier

NOW = 1_795_435_200.0
SMALL, LARGE = Task("turn", "small"), Task("report", "large")
MINUTE, MIDNIGHT = NOW + 60, NOW + 12 * 3600


def a_route(name: str, priority: int = 10, tier: Tier = "small", pool: str = "", **per: int) -> Route:
    """`minute=3, day=50` are the route's request limits."""
    provider, _, model = name.partition("/")
    pool = pool or name
    limits = tuple(Limit(pool, "requests", amount, window) for window, amount in per.items())  # type: ignore[arg-type]
    return Route(provider, model, tier, pool, limits, priority)


def view(routes: Iterable[Route], used: Mapping[str, float] | None = None, *cooldowns: Cooldown) -> View:
    """`used` by limit key."""
    resets = {"minute": MINUTE, "day": MIDNIGHT, "month": NOW + 8 * 86_400}
    standings = {
        li: Standing(li, (used or {}).get(li.key, 0), 0, resets[li.window]) for r in routes for li in r.limits
    }
    return View(NOW, standings, {c.subject: c for c in cooldowns})


def names(ranking: Ranking) -> list[str]:
    return [r.name for r in ranking.order]


def test_the_operators_order_decides_within_a_tier() -> None:
    routes = [a_route("c/x", 30), a_route("a/x", 20), a_route("b/x", 10)]
    assert names(rank(routes, view(routes), SMALL)) == ["b/x", "a/x", "c/x"]


def test_the_wanted_tier_goes_before_the_operators_order_and_the_other_tier_still_serves() -> None:
    routes = [a_route("a/small", 1), a_route("b/large", 99, "large")]
    assert names(rank(routes, view(routes), LARGE)) == ["b/large", "a/small"]
    assert names(rank(routes, view(routes), SMALL)) == ["a/small", "b/large"]


def test_the_pinned_route_goes_first_whatever_its_tier_and_order() -> None:
    routes = [a_route("a/x", 1), a_route("b/y", 99, "large")]
    assert names(rank(routes, view(routes), SMALL, Wish(pinned="b/y"))) == ["b/y", "a/x"]
    assert names(rank(routes, view(routes), SMALL, Wish(pinned="gone/z"))) == ["a/x", "b/y"]


def test_a_pinned_route_that_is_out_is_skipped_like_any_other() -> None:
    routes = [a_route("a/x", 1), a_route("b/y", day=5)]
    ranking = rank(routes, view(routes, {"b/y|requests|day": 5}), SMALL, Wish(pinned="b/y"))
    assert names(ranking) == ["a/x"]
    assert [s.route.name for s in ranking.skipped] == ["b/y"]


def test_between_equals_the_larger_share_left_goes_first_and_minutes_do_not_matter() -> None:
    routes = [a_route("a/x", day=100, minute=10), a_route("b/x", day=1000, minute=10)]
    used = {"a/x|requests|day": 40, "b/x|requests|day": 500, "a/x|requests|minute": 9}
    assert names(rank(routes, view(routes, used), SMALL)) == ["a/x", "b/x"]
    assert names(rank(routes, view(routes, used | {"a/x|requests|day": 51}), SMALL)) == ["b/x", "a/x"]


def test_between_routes_alike_in_everything_the_name_decides() -> None:
    routes = [a_route("b/x"), a_route("a/x")]
    assert names(rank(routes, view(routes), SMALL)) == ["a/x", "b/x"]


@pytest.mark.parametrize(("used", "out"), [(49, False), (50, True), (51, True)])
def test_a_route_is_out_when_not_one_unit_is_left(used: int, out: bool) -> None:
    routes = [a_route("a/x", day=50, minute=5)]
    ranking = rank(routes, view(routes, {"a/x|requests|day": used}), SMALL)
    assert ranking.skipped == ((Skipped(routes[0], "requests per day used up", MIDNIGHT),) if out else ())


@pytest.mark.parametrize("subject", ["acme", "acme/pool", "acme/x"])
def test_a_cooldown_of_provider_pool_or_route_is_the_reason(subject: str) -> None:
    routes = [a_route("acme/x", pool="acme/pool"), a_route("other/x")]
    ranking = rank(routes, view(routes, None, Cooldown(subject, NOW + 7, "key not accepted")), SMALL)
    assert names(ranking) == ["other/x"]
    assert ranking.skipped == (Skipped(routes[0], "key not accepted", NOW + 7),)


@pytest.mark.parametrize(
    ("used", "cooldowns"),
    [
        pytest.param({"acme/x|requests|minute": 5, "acme/x|requests|day": 50}, (), id="minute and day"),
        pytest.param({"acme/x|requests|day": 50}, (Cooldown("acme", NOW + 30, "down"),), id="cooldown and day"),
        pytest.param(
            {}, (Cooldown("acme", NOW + 30, "down"), Cooldown("acme/x", MIDNIGHT, "gone")), id="two cooldowns"
        ),
    ],
)
def test_a_route_is_back_when_its_last_obstacle_is_gone(
    used: dict[str, float], cooldowns: tuple[Cooldown, ...]
) -> None:
    routes = [a_route("acme/x", minute=5, day=50)]
    (skipped,) = rank(routes, view(routes, used, *cooldowns), SMALL).skipped
    assert skipped.until == MIDNIGHT


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3), st.sampled_from(["small", "large"]))),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 12)),
    st.randoms(use_true_random=False),
)
def test_every_route_is_ranked_or_skipped_once_whatever_order_it_came_in(
    rows: list[tuple[str, int, Tier]], used: dict[str, int], random: Random
) -> None:
    routes = [a_route(f"{p}/{n}", priority, tier, day=10) for n, (p, priority, tier) in enumerate(rows)]
    seen = view(routes, {r.limits[0].key: used.get(r.provider, 0) for r in routes})
    ranking = rank(routes, seen, SMALL)
    assert sorted([*names(ranking), *(s.route.name for s in ranking.skipped)]) == sorted(r.name for r in routes)
    assert all(s.reason and s.until == MIDNIGHT for s in ranking.skipped)
    shuffled = routes[:]
    random.shuffle(shuffled)
    assert rank(shuffled, seen, SMALL).order == ranking.order


# Strategies


def test_spread_drains_evenly_and_spares_minutes() -> None:
    routes = [a_route("a/x", 1, day=100, minute=10), a_route("b/x", 9, day=1_000, minute=10)]
    spread = Wish(strategy="spread")
    assert names(rank(routes, view(routes), SMALL, spread)) == ["a/x", "b/x"], (
        "the operator's order between equals"
    )
    assert names(rank(routes, view(routes, {"a/x|requests|day": 10}), SMALL, spread)) == ["b/x", "a/x"]
    used = {"a/x|requests|day": 10, "b/x|requests|minute": 2}
    assert names(rank(routes, view(routes, used), SMALL, spread)) == ["a/x", "b/x"]


def test_spread_empties_routes_of_any_size_at_the_same_time() -> None:
    routes = [a_route("a/x", day=50), a_route("b/x", day=200), a_route("c/x", day=350)]
    used = dict.fromkeys(("a/x|requests|day", "b/x|requests|day", "c/x|requests|day"), 0.0)
    for done in range(1, 600):
        used[f"{rank(routes, view(routes, used), SMALL, Wish(strategy='spread')).order[0].name}|requests|day"] += 1
        shares = [used[f"{r.name}|requests|day"] / r.limits[0].amount for r in routes]
        assert max(shares) - min(shares) <= 1 / 50 + 1e-9, f"after {done} calls"
    assert not rank(routes, view(routes, {**used, **{key: used[key] + 1 for key in used}}), SMALL).order


def test_the_fastest_goes_first_and_the_untried_are_tried() -> None:
    routes = [a_route("a/x", 1), a_route("b/x", 2), a_route("c/x", 3)]
    seen = replace(view(routes), pace={"a/x": 2.0, "b/x": 0.7})
    fastest = Wish(strategy="fastest")
    assert names(rank(routes, seen, SMALL, fastest)) == ["c/x", "b/x", "a/x"]
    known = replace(seen, pace={**seen.pace, "c/x": 9.0})
    assert names(rank(routes, known, SMALL, fastest)) == ["b/x", "a/x", "c/x"]
    assert names(rank(routes, known, SMALL, replace(fastest, explored="c/x"))) == ["c/x", "b/x", "a/x"]
    assert names(rank(routes, known, LARGE, replace(fastest, pinned="a/x")))[0] == "a/x"


# Tasks


def test_a_route_that_lacks_what_the_task_needs_is_passed_over_for_good() -> None:
    routes = [replace(a_route("a/x"), json="object"), replace(a_route("b/x"), json="schema"), a_route("c/x")]
    ranking = rank(routes, view(routes), replace(SMALL, needs=frozenset({"json_schema"})))
    assert names(ranking) == ["b/x"]
    assert {(s.route.name, s.reason, s.until) for s in ranking.skipped} == {
        ("a/x", "has no json_schema", None),
        ("c/x", "has no json_schema", None),
    }
    assert names(rank(routes, view(routes), replace(SMALL, needs=frozenset({"json_object"})))) == ["a/x", "b/x"]


def test_who_cannot_do_a_task_is_no_candidate_for_it() -> None:
    routes = [a_route("a/x"), replace(a_route("b/ear"), does="transcribe")]
    assert names(rank(routes, view(routes), SMALL)) == ["a/x"]
    spoken = rank(routes, view(routes), replace(SMALL, does="transcribe"))
    assert (names(spoken), spoken.skipped) == (["b/ear"], ())


def test_the_last_share_of_a_day_is_left_to_those_who_matter_more() -> None:
    routes = [a_route("a/x", day=50, minute=10)]
    modest = replace(SMALL, leaves=0.2)
    used = {"a/x|requests|day": 39.0, "a/x|requests|minute": 9.0}
    assert names(rank(routes, view(routes, used), modest)) == ["a/x"], "a minute is nothing to save"
    used["a/x|requests|day"] = 40
    (skipped,) = rank(routes, view(routes, used), modest).skipped
    assert skipped.reason == "the last 20% of requests per day are kept for scoring answers"
    assert skipped.until == MIDNIGHT
    assert names(rank(routes, view(routes, used), SMALL)) == ["a/x"]


def test_quota_kept_for_an_interview_is_no_obstacle_to_that_interview_and_goes_first() -> None:
    routes = [a_route("a/x", 1), a_route("b/x", 9, day=10)]
    full = view(routes, {"b/x|requests|day": 10})
    assert names(rank(routes, full, SMALL)) == ["a/x"]
    assert names(rank(routes, full, SMALL, Wish(kept=frozenset(routes[1].limits)))) == ["b/x", "a/x"]
    pinned = Wish(pinned="a/x", kept=frozenset(routes[1].limits))
    assert names(rank(routes, full, SMALL, pinned)) == ["a/x", "b/x"]


def test_what_the_provider_told_lowers_what_is_left() -> None:
    routes = [a_route("a/x", day=500)]
    told = view(routes, {"a/x|requests|day": 20})
    (limit,) = routes[0].limits
    told = replace(told, standings={limit: replace(told.standings[limit], cap=20)})
    assert (told.standings[limit].source, told.standings[limit].remaining) == ("learned", 0)
    assert not rank(routes, told, SMALL).order
