"""What the operator's settings make of the catalogue."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import get_args

import pytest

from providers.contracts import ChatReply, ChatRequest, Message, Told
from providers.registry import (
    DIALECTS,
    Catalog,
    CatalogError,
    Fleet,
    connect,
    load_catalog,
    provider_settings,
)
from providers.rows import Dialect
from tests.fakes.upstream import FakeUpstream

KEYS = {
    "GEMINI_API_KEY": "gm-1",
    "CLOUDFLARE_API_KEY": "cf-1",
    "CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef0123456789abcdef",
    "CEREBRAS_API_KEY": "csk-1",
    "OPENROUTER_API_KEY": "sk-or-1",
    "DEEPSEEK_API_KEY": "sk-1",
    "HF_TOKEN": "hf_1",
    "GROQ_API_KEY": "gsk_1",
}
ACME = """
[acme]
label = "Acme"
dialect = "openai-chat"
base_url = "https://93.184.216.34/v1"
key_setting = "ACME_KEY"
console = "https://acme.example/keys"
free = "recurring"
zone = "Asia/Tokyo"
priority = 5
fact = "Seven requests a day."
source = "https://acme.example/limits"
as_of = 2026-11-01
models = [{ id = "anvil", tier = "small" }]
"""

Write = Callable[[str], Path]


class StoppedClock:
    def now(self) -> float:
        return 1_795_000_000.0

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_local(text: str) -> Path:
        path = tmp_path / "catalog.local.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_local


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog()


def fleet(catalog: Catalog, **values: str) -> Fleet:
    return connect(catalog, values, StoppedClock())


def test_every_dialect_that_a_row_may_name_can_be_spoken() -> None:
    assert set(get_args(Dialect)) == set(DIALECTS)


# Settings


def test_every_setting_that_is_read_is_announced(shipped: Catalog, write: Write) -> None:
    names = provider_settings(shipped)
    assert names >= KEYS.keys() | {"LOCAL_BASE_URL", "LOCAL_API_KEY", "ALLOW_PAID", "ALLOW_LOCAL_UPSTREAMS"}
    assert {f"{name.upper()}_BASE_URL" for name in shipped} <= names
    assert provider_settings(load_catalog(write(ACME))) - names == {"ACME_KEY", "ACME_BASE_URL"}


def test_without_settings_everything_is_off_and_says_what_to_set(shipped: Catalog) -> None:
    found = fleet(shipped)
    assert not found.providers
    assert not found.routes
    assert found.off.keys() == shipped.keys()
    assert found.off["groq"] == "no key: set GROQ_API_KEY"
    assert found.off["cloudflare"] == "no key: set CLOUDFLARE_API_KEY and CLOUDFLARE_ACCOUNT_ID"
    assert found.off["local"] == "no address: set LOCAL_BASE_URL"
    assert found.off["deepseek"] == "paid: set ALLOW_PAID=deepseek and DEEPSEEK_API_KEY to use it"


def test_with_all_keys_what_is_free_is_on_and_what_is_paid_is_not(shipped: Catalog) -> None:
    found = fleet(shipped, **KEYS)
    assert found.providers.keys() == {"gemini", "groq", "cloudflare", "openrouter", "cerebras"}
    assert {route.provider for route in found.routes} == found.providers.keys()
    assert found.off["deepseek"] == "paid: set ALLOW_PAID=deepseek to use it"


def test_paid_providers_are_used_when_they_are_named(shipped: Catalog) -> None:
    assert {"deepseek", "huggingface"} <= fleet(
        shipped, **KEYS, ALLOW_PAID="deepseek, HuggingFace"
    ).providers.keys()
    assert "huggingface" in fleet(shipped, **KEYS, ALLOW_PAID="deepseek").off


def test_a_row_of_the_operators_is_used_like_a_shipped_one(write: Write) -> None:
    found = fleet(load_catalog(write(ACME)), ACME_KEY="k")
    assert [route.name for route in found.routes] == ["acme/anvil"]
    assert found.providers.keys() == {"acme"}


def test_an_id_that_is_missing_is_named(shipped: Catalog) -> None:
    assert fleet(shipped, CLOUDFLARE_API_KEY="k").off["cloudflare"] == "no account id: set CLOUDFLARE_ACCOUNT_ID"


def test_a_blank_value_is_no_value(shipped: Catalog) -> None:
    assert fleet(shipped, GROQ_API_KEY=" \n").off["groq"] == "no key: set GROQ_API_KEY"


def test_a_retired_row_is_off_whatever_is_set(write: Write) -> None:
    found = fleet(load_catalog(write('[groq]\nfree = "retired"\n')), **KEYS)
    assert "groq" not in found.providers
    assert found.off["groq"].startswith("retired")


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("GROQ_API_KEY", "gsk secret", "paste the key again"),
        ("GROQ_API_KEY", "gsk\nsecret", "paste the key again"),
        ("GROQ_API_KEY", "gsk\x00secret", "paste the key again"),
        ("GROQ_API_KEY", "gsk\N{EN DASH}secret", "paste the key again"),
        ("CLOUDFLARE_ACCOUNT_ID", "secret", "copy the 32 hex digits"),
        ("CLOUDFLARE_ACCOUNT_ID", "../" + "a" * 29, "copy the 32 hex digits"),
        ("CEREBRAS_BASE_URL", "http://93.184.216.34/v1", "ALLOW_LOCAL_UPSTREAMS=1"),
        ("CEREBRAS_BASE_URL", "https://127.0.0.1/v1", "ALLOW_LOCAL_UPSTREAMS=1"),
        ("CEREBRAS_BASE_URL", "https://u:secret@93.184.216.34/v1", "use a public https address"),
        ("CEREBRAS_BASE_URL", "https://93.184.216.34/v1?key=secret", "write it as https://host/path"),
        ("CEREBRAS_BASE_URL", "https://93.184.216.34/ v1", "write it as https://host/path"),
        ("LOCAL_BASE_URL", "localhost:11434", "write it as https://host/path"),
        ("ALLOW_PAID", "deepseek,secret", "deepseek, huggingface"),
    ],
)
def test_a_bad_value_names_its_setting_and_the_remedy_but_not_itself(
    shipped: Catalog, setting: str, value: str, remedy: str
) -> None:
    with pytest.raises(CatalogError, match=f"^{setting}.*{remedy}") as caught:
        fleet(shipped, **{**KEYS, setting: value})
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_switch_for_local_upstreams_is_on_or_off(shipped: Catalog) -> None:
    with pytest.raises(CatalogError, match=r"^ALLOW_LOCAL_UPSTREAMS .* use 1"):
        fleet(shipped, LOCAL_BASE_URL="https://93.184.216.34/v1", ALLOW_LOCAL_UPSTREAMS="perhaps")


def test_an_own_server_needs_an_address_and_no_key(shipped: Catalog, write: Write) -> None:
    on = {"ALLOW_LOCAL_UPSTREAMS": "1"}
    assert list(fleet(shipped, LOCAL_BASE_URL="http://localhost:11434/v1", **on).providers) == ["local"]
    catalog = load_catalog(write('[local]\nbase_url = "http://127.0.0.1:8080/v1"\n'))
    assert list(fleet(catalog, **on).providers) == ["local"]


def test_an_address_in_the_operators_file_is_checked_like_a_setting(write: Write) -> None:
    path = write(ACME.replace("https://93.184.216.34", "http://127.0.0.1"))
    with pytest.raises(
        CatalogError, match=rf"^{re.escape(str(path))}: \[acme\] base_url: .*ALLOW_LOCAL_UPSTREAMS=1"
    ):
        fleet(load_catalog(path))


# On the wire


def ask_every_route(catalog: Catalog, upstream: FakeUpstream) -> None:
    name = upstream.provider
    values = KEYS | {f"{name.upper()}_BASE_URL": upstream.base_url + "/"}
    found = fleet(catalog, **values, ALLOW_LOCAL_UPSTREAMS="1", ALLOW_PAID="deepseek,huggingface")
    request = ChatRequest((Message("user", "Reply in JSON."),), max_tokens=77, schema={"type": "object"})
    for route in catalog[name].routes:
        reply = found.providers[name].complete(route, request)
        assert (reply.text == "{}") is (route.json != "none")


@pytest.mark.parametrize(
    "name", ["gemini", "groq", "cloudflare", "openrouter", "cerebras", "deepseek", "huggingface"]
)
def test_every_shipped_route_reaches_its_provider_with_key_and_model(shipped: Catalog, name: str) -> None:
    row = shipped[name]
    with FakeUpstream(name, key=KEYS[row.key_setting]) as upstream:
        ask_every_route(shipped, upstream)
        seen = upstream.requests()
    assert [exchange.model for exchange in seen] == [route.model for route in row.routes]
    assert {exchange.max_tokens for exchange in seen} == {77}


def streamed(pieces: Generator[str, None, ChatReply]) -> ChatReply:
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            reply: ChatReply = end.value
            return reply


@pytest.mark.parametrize("schema", [None, {"type": "object"}])
@pytest.mark.parametrize(
    "name", ["gemini", "groq", "cloudflare", "openrouter", "cerebras", "deepseek", "huggingface"]
)
def test_every_shipped_route_streams_what_it_can_and_learns_what_it_cost(
    shipped: Catalog, name: str, schema: dict[str, str] | None
) -> None:
    """The fakes refuse what their providers refuse: JSON in a stream, stream_options."""
    with FakeUpstream(name) as upstream:
        values = KEYS | {f"{name.upper()}_BASE_URL": upstream.base_url}
        found = fleet(shipped, **values, ALLOW_LOCAL_UPSTREAMS="1", ALLOW_PAID="deepseek,huggingface")
        request = ChatRequest((Message("user", "Reply in JSON."),), schema=schema)
        replies = [
            streamed(found.providers[name].stream(route, request, lambda: None)) for route in shipped[name].routes
        ]
        assert sum(reply.usage.total_tokens for reply in replies if reply.usage) == upstream.counts.tokens
        assert all(reply.text for reply in replies)


def test_an_answer_tells_what_the_rows_headers_say(shipped: Catalog) -> None:
    with FakeUpstream("groq", per_day=30) as upstream:
        values = KEYS | {"GROQ_BASE_URL": upstream.base_url, "ALLOW_LOCAL_UPSTREAMS": "1"}
        route = shipped["groq"].routes[0]
        reply = fleet(shipped, **values).providers["groq"].complete(route, ChatRequest((Message("user", "Hi"),)))
    assert reply.told == (Told("requests", "refill-day", 30, 29),)


def test_ids_and_static_fields_of_a_row_are_sent(shipped: Catalog) -> None:
    with FakeUpstream("cloudflare") as upstream:
        ask_every_route(shipped, upstream)
        account = KEYS["CLOUDFLARE_ACCOUNT_ID"]
        assert upstream.requests()[0].path == f"/client/v4/accounts/{account}/ai/v1/chat/completions"
        assert upstream.requests()[2].body["response_format"]["json_schema"] == {"type": "object"}
    with FakeUpstream("deepseek") as upstream:
        ask_every_route(shipped, upstream)
        assert upstream.requests()[0].body["thinking"] == {"type": "disabled"}


def test_looking_at_the_catalogue_does_not_load_googles_sdk() -> None:
    script = (
        "import sys; from core.clock import SystemClock; from providers.registry import connect, load_catalog;"
        "f = connect(load_catalog(), {'GEMINI_API_KEY': 'k'}, SystemClock());"
        "assert 'gemini' in f.providers; sys.exit(bool({'google.generativeai', 'google.ai'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parent.parent)
