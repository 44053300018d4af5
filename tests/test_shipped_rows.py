"""The rows that ship: what they say of each provider, and that it hangs together."""

from __future__ import annotations

import pytest

from providers.catalog import load_catalog
from providers.contracts import Limit, Route
from providers.registry import Catalog
from providers.told import Tell


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog()


def limits(route: Route) -> dict[str, int]:
    return {limit.key: limit.amount for limit in route.limits}


def test_every_provider_of_the_plan_is_there_and_says_what_was_claimed(shipped: Catalog) -> None:
    planned = {"gemini", "cloudflare", "cerebras", "openrouter", "deepseek", "huggingface"}
    grown = {"together", "fireworks", "replicate", "anyscale"}
    generous = {"groq", "nvidia", "mistral", "cohere", "sambanova", "local", "github"}
    assert shipped.keys() == planned | grown | generous
    assert all(shipped[name].claim for name in planned)
    assert shipped["gemini"].claim_interviews == 57.7
    assert shipped["deepseek"].claim_interviews is None


def test_a_row_says_where_a_key_is_made_and_how_old_its_facts_are(shipped: Catalog) -> None:
    for row in shipped.values():
        assert row.console.startswith("https://")
        assert row.as_of.year >= 2026
        assert row.source
        assert row.fact.endswith(".")


def test_what_costs_money_comes_after_what_does_not(shipped: Catalog) -> None:
    by_priority = sorted(shipped.values(), key=lambda row: row.priority)
    ranks = [("recurring", "credit-once", "own", "paid", "retired").index(row.free) for row in by_priority]
    assert ranks == sorted(ranks)
    assert len({row.priority for row in by_priority}) == len(by_priority)


def test_each_gemini_model_has_counters_of_its_own_that_turn_at_midnight_pacific(shipped: Catalog) -> None:
    lite, spare, flash = shipped["gemini"].routes
    assert lite.name == lite.pool == "gemini/gemini-3.5-flash-lite"
    assert Limit(lite.pool, "requests", 500, "day", "America/Los_Angeles") in lite.limits
    assert flash.tier == "large"
    assert limits(flash)["gemini/gemini-3.8-flash|requests|day"] == 20
    assert not limits(lite).keys() & limits(spare).keys()


def test_all_cloudflare_models_draw_on_the_accounts_neurons(shipped: Catalog) -> None:
    for route in shipped["cloudflare"].routes:
        assert route.pool == "cloudflare"
        assert limits(route)["cloudflare|neurons|day"] == 10_000
        assert route.neurons_per_million or route.neurons_per_minute


def test_openrouter_models_share_fifty_requests_a_day(shipped: Catalog) -> None:
    assert {limits(route)["openrouter|requests|day"] for route in shipped["openrouter"].routes} == {50}


@pytest.mark.parametrize(
    ("provider", "key", "real"),
    [("groq", "tokens|refill-day", 200_000), ("cerebras", "tokens|rolling-day", 1_000_000)],
)
def test_a_day_without_a_known_midnight_does_not_turn_at_one(
    shipped: Catalog, provider: str, key: str, real: int
) -> None:
    for route in shipped[provider].routes:
        assert route.does == "transcribe" or limits(route)[f"{route.pool}|{key}"] == real
        assert all(limit.window != "day" for limit in route.limits)


def test_groqs_headers_speak_of_the_days_requests_and_the_minutes_tokens(shipped: Catalog) -> None:
    """Nothing in their names says so: read the other way round, a full minute would look like a spent day."""
    tells = shipped["groq"].tells
    assert tells["x-ratelimit-remaining-requests"] == Tell("requests", "refill-day", "remaining")
    assert tells["x-ratelimit-remaining-tokens"] == Tell("tokens", "minute", "remaining")


def test_cerebras_headers_carry_their_window_in_the_name(shipped: Catalog) -> None:
    for header, tell in shipped["cerebras"].tells.items():
        window = "rolling-day" if tell.window == "rolling-day" else "minute"
        assert header == f"x-ratelimit-{tell.what}-{tell.unit}-{window.removeprefix('rolling-')}"


def test_nobody_is_known_to_stop_counting_when_a_stream_is_left(shipped: Catalog) -> None:
    assert not any(row.charge.stops_when_left for row in shipped.values())


def test_speech_is_limited_in_seconds_and_on_cloudflare_in_neurons(shipped: Catalog) -> None:
    ears = {r.name: r for row in shipped.values() for r in row.routes if r.does == "transcribe"}
    groq = ears["groq/whisper-large-v3-turbo"]
    assert limits(groq)[f"{groq.pool}|seconds|hour"] == 7_200
    assert limits(groq)[f"{groq.pool}|seconds|refill-day"] == 28_800
    assert ears["cloudflare/@cf/openai/whisper-large-v3-turbo"].neurons_per_minute == 46.63
