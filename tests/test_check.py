"""Checking providers: what is found out, and what it costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.check import Finding, ProviderCheck
from tests.fakes.clock import FrozenClock
from tests.fakes.exchange import Exchange
from tests.fakes.house import House, build_house, limits, row
from tests.fakes.upstream import FakeUpstream
from tests.scripts import run_module

READY = '{"ready": true}'
KEY = "right"  # what build_house sends


def ready(_: Exchange) -> str:
    return READY


def check(house: House) -> dict[str, Finding]:
    found = ProviderCheck(house.fleet, house.balancer, house.dispatcher, house.clock)
    return {finding.provider: finding for finding in found.run() if finding.state != "off"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def house(folder: Path, fake: FakeUpstream, more: str = "", profile: str = "acme") -> House:
    models = '{ id = "m", tier = "small", json = "schema" }, { id = "n", tier = "large" }'
    return build_house(folder, row(profile, 1, models, more), FrozenClock(), {profile: fake})


def test_a_provider_that_works_costs_one_call(folder: Path) -> None:
    with FakeUpstream("local", reply=ready) as fake:
        found = house(folder, fake, limits(requests_day=5))
        finding = check(found)["acme"]
        assert (finding.state, finding.key, finding.model) == ("works", "accepted", "m")
        assert finding.keeps_json is True
        assert finding.seconds is not None
        assert finding.problem == ""
        assert fake.counts.received == 1
        assert found.used("acme|requests|day") == 1, "the check is charged like any other call"
        found.close()


def test_models_that_are_not_listed_are_named(folder: Path) -> None:
    with FakeUpstream("local", reply=ready) as fake:
        fake.listed = [{"id": "m"}]
        found = house(folder, fake)
        assert check(found)["acme"].missing == ("n",)
        found.close()


def test_a_refused_key_is_said_and_costs_nothing(folder: Path) -> None:
    with FakeUpstream("local", key="another") as fake:
        found = house(folder, fake)
        finding = check(found)["acme"]
        assert (finding.state, finding.key) == ("trouble", "refused")
        assert "key not accepted" in finding.problem
        assert KEY not in repr(finding)
        assert fake.counts.received == 0
        found.close()


def test_where_models_are_listed_to_anybody_the_call_shows_that_the_key_is_refused(folder: Path) -> None:
    with FakeUpstream("local") as fake:
        fake.plan("401")
        found = house(folder, fake)
        assert check(found)["acme"].key == "refused"
        found.close()


def test_an_answer_without_the_json_is_no_success(folder: Path) -> None:
    with FakeUpstream("local", reply=lambda _: "Yes, ready!") as fake:
        found = house(folder, fake)
        finding = check(found)["acme"]
        assert (finding.state, finding.key, finding.keeps_json) == ("trouble", "accepted", False)
        assert "not with the JSON" in finding.problem
        assert fake.counts.received == 1, "nobody is asked twice"
        found.close()


def test_nobody_is_called_past_a_quota_or_in_a_rest(folder: Path) -> None:
    with FakeUpstream("local", reply=ready) as fake:
        found = house(folder, fake, limits(requests_day=1))
        assert check(found)["acme"].state == "works"
        finding = check(found)["acme"]
        assert finding.problem == "not called: requests per day used up"
        assert fake.counts.received == 1
        found.close()


def test_openrouter_says_how_much_of_the_day_is_left(folder: Path) -> None:
    text = '[openrouter]\nkey_setting = "OPENROUTER_KEY"\ndiscover = false\n'
    with FakeUpstream("openrouter", reply=ready, per_day=50) as fake:
        found = build_house(folder, text, FrozenClock(), {"openrouter": fake})
        left = check(found)["openrouter"].left
        assert [(told.unit, told.window, told.limit) for told in left] == [("requests", "day", 50.0)]
        found.close()


# The command


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"DATA_DIR": str(tmp_path / "data"), "CATALOG_LOCAL": str(tmp_path / "none.toml")}


def test_the_command_prints_a_table_and_charges_the_apps_ledger(settings: dict[str, str]) -> None:
    with FakeUpstream("cerebras", reply=ready, per_day=9) as fake:
        at = {"CEREBRAS_API_KEY": "csk-canary", "CEREBRAS_BASE_URL": fake.base_url, "ALLOW_LOCAL_UPSTREAMS": "1"}
        code, said, errors = run_module("providers", "check", **settings, **at)
        assert (code, errors) == (0, "")
        assert "Cerebras" in said.splitlines()[1]
        assert "DeepSeek: off, paid: set ALLOW_PAID=deepseek" in said
        assert "canary" not in said
        code, said, _ = run_module("providers", "check", "--json", **settings, **at)
        found = {each["provider"]: each for each in json.loads(said)}
        assert (code, found["cerebras"]["state"], found["gemini"]["state"]) == (0, "works", "off")
        assert fake.counts.received == 2


def test_the_command_says_when_something_is_wrong(settings: dict[str, str]) -> None:
    assert run_module("providers", "check", **settings)[0] == 2
    code, _, errors = run_module("providers", "check", **settings, CLOUDFLARE_ACCOUNT_ID="canary")
    assert (code, errors.count("\n")) == (2, 1)
    assert "CLOUDFLARE_ACCOUNT_ID is malformed" in errors
    with FakeUpstream("cerebras", key="another") as fake:
        at = {"CEREBRAS_API_KEY": "csk-canary", "CEREBRAS_BASE_URL": fake.base_url, "ALLOW_LOCAL_UPSTREAMS": "1"}
        code, said, errors = run_module("providers", "check", **settings, **at)
        assert (code, "canary" in said + errors) == (1, False)
        assert "key not accepted" in said
