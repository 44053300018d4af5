"""A provider is a row: one in the operator's file is enough, and without it nothing of it is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core import app
from providers.registry import connect, load_catalog, provider_settings
from tests.dialects import line_in
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import build_house, row
from tests.fakes.upstream import FakeUpstream

SAID = "Thank you, that is a clear answer."


@pytest.mark.parametrize("dialect", ["openai-chat", "openrouter", "gemini", "replicate", "cloudflare"])
def test_a_row_makes_a_working_route_and_nothing_else_is_needed(dialect: str, tmp_path: Path) -> None:
    path = 'path = "/accounts/1/ai/v1/chat/completions"' if dialect == "cloudflare" else ""
    model = "m" if dialect == "gemini" else "owner/m"
    made = row("acme", 1, f'{{ id = "{model}", tier = "small" }}', path)
    catalogue = made.replace('dialect = "openai-chat"', f'dialect = "{dialect}"')
    with FakeUpstream("local" if dialect == "openai-chat" else dialect, key="right") as fake:
        house = build_house(tmp_path, catalogue, FrozenCalendar(), {"acme": fake})
        answer = house.ask()
        status = house.status.read()
        house.close()
    assert (answer.value, answer.route, answer.failed) == (SAID, f"acme/{model}", ())
    assert list(status.as_json()["quotas"]) == ["acme"]
    assert fake.counts.served == 1


def test_a_row_that_is_removed_is_gone_everywhere(tmp_path: Path) -> None:
    def everywhere(catalogue: str) -> str:
        with FakeUpstream("local") as fake:
            house = build_house(tmp_path, catalogue, FrozenCalendar(), {"acme": fake, "other": fake})
            house.ask()
            status, fleet = house.status.read(), house.fleet
            house.close()
        settings = sorted(provider_settings(fleet.catalog))
        off, routes = sorted(fleet.off), [route.name for route in fleet.routes]
        ranked = [*status.ranking.order, *status.ranking.skipped]
        return repr((status.as_json(), status.off, ranked, settings, off, routes, sorted(fleet.providers))).lower()

    other = row("other", 2)
    assert "acme" in everywhere(row("acme", 1) + other)
    without = everywhere(other)
    assert "acme" not in without
    assert "other/m" in without


def test_the_app_reads_the_settings_of_an_added_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "catalog.local.toml").write_text(row("acme", 1), encoding="utf-8")
    monkeypatch.setenv("ACME_KEY", "right")
    found = app.current()
    assert "acme/m" in [route.name for route in found.fleet.routes]
    assert "acme" in found.status.read().as_json()["quotas"]
    found.fleet.close()


def test_a_row_that_only_listens_makes_a_working_route(tmp_path: Path) -> None:
    path = tmp_path / "catalog.local.toml"
    path.write_text(row("ears", 1, '{ id = "whisper-x", does = "transcribe" }'), encoding="utf-8")
    with FakeUpstream("local", key="right") as fake:
        values = {"EARS_KEY": "right", "EARS_BASE_URL": fake.base_url, "ALLOW_LOCAL_UPSTREAMS": "1"}
        fleet = connect(load_catalog(path), values, FrozenCalendar())
        _, reply = line_in(fleet, ("ears", "speech")).call()
        fleet.close()
    assert reply.text == "I split the work and we shipped it on time."


def test_switching_a_row_off_leaves_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "catalog.local.toml"
    path.write_text('[groq]\nfree = "retired"\n', encoding="utf-8")
    fleet = connect(load_catalog(path), {"GROQ_API_KEY": "k"}, FrozenCalendar())
    assert "groq" not in fleet.providers
    assert not [route for route in fleet.routes if route.provider == "groq"]
    assert "retired" in fleet.off["groq"]


LAZY = """
import sys
import core.app
from core.clock import SystemClock
from providers.contracts import ChatRequest, Message
from providers.registry import connect, load_catalog

values = {"GEMINI_API_KEY": "canary-key", "GEMINI_BASE_URL": sys.argv[1], "ALLOW_LOCAL_UPSTREAMS": "1"}
fleet = connect(load_catalog(), values, SystemClock())
assert not {"google.generativeai", "google.ai", "grpc"} & set(sys.modules)
route = next(route for route in fleet.routes if route.provider == "gemini")
request = ChatRequest((Message("user", "Hi"),))
print(fleet.providers["gemini"].complete(route, request).text)
assert "google.generativeai" in sys.modules
*pieces, = fleet.providers["gemini"].stream(route, request, lambda: None)
print("".join(pieces))
fleet.close()
"""


def test_the_sdk_is_loaded_by_the_first_call_and_neither_prints_anything() -> None:
    with FakeUpstream("gemini") as fake:
        done = subprocess.run(
            [sys.executable, "-W", "default", "-c", LAZY, fake.base_url],
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["Thank you, that is a clear answer."] * 2
