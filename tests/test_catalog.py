"""The catalogue that ships, and the operator's rows over it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.catalog import Catalog, CatalogError, load_catalog
from providers.contracts import ChargeRules, Limit, Route

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
limits = [{ unit = "requests", amount = 7, window = "day" }]
models = [{ id = "anvil", tier = "small" }]
"""

Write = Callable[[str], Path]


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


def limits(route: Route) -> dict[str, int]:
    return {limit.key: limit.amount for limit in route.limits}


def test_a_new_row_adds_a_provider_and_taking_it_out_removes_it(write: Write) -> None:
    assert load_catalog(write(ACME))["acme"].routes[0].limits == (
        Limit("acme", "requests", 7, "day", "Asia/Tokyo"),
    )
    assert "acme" not in load_catalog(write(""))


def test_scalars_override_one_by_one_and_lists_replace_whole(write: Write, shipped: Catalog) -> None:
    text = '[openrouter]\npriority = 1\nlimits = [{ unit = "requests", amount = 1000, window = "day" }]\n'
    row = load_catalog(write(text))["openrouter"]
    assert row.label == shipped["openrouter"].label
    assert [limits(route) for route in row.routes] == [{"openrouter|requests|day": 1000}] * 2
    assert {route.priority for route in row.routes} == {1}


def test_a_row_may_say_that_a_stream_that_is_left_costs_no_more(write: Write) -> None:
    row = load_catalog(write(f"{ACME}\n[acme.charge]\nstops_when_left = true\n"))["acme"]
    assert row.routes[0].charge == ChargeRules(stops_when_left=True)


def test_headers_stay_explained_as_far_as_they_fit_the_operators_limits(write: Write, shipped: Catalog) -> None:
    limits = '[{ unit = "tokens", amount = 5, window = "minute" }]'
    other = f'models = [{{ id = "m", tier = "small", limits = {limits} }}]\n'
    tells = load_catalog(write(f"[groq]\n{other}"))["groq"].tells
    assert tells.keys() == {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens"}
    assert load_catalog(write("[groq]\nlimits = []\n"))["groq"].tells == shipped["groq"].tells
    assert load_catalog(write("[groq]\npriority = 1\n"))["groq"].tells == shipped["groq"].tells
    assert load_catalog(write(f"[groq]\n{other}tells = {{}}\n"))["groq"].tells == {}


def test_without_a_local_file_the_shipped_rows_stand(tmp_path: Path, shipped: Catalog) -> None:
    assert load_catalog(tmp_path / "none.toml") == shipped


def test_models_may_share_a_pool_and_then_agree_on_its_limits(write: Write) -> None:
    models = """
[[acme.models]]
id = "hammer"
tier = "large"
pool = "tools"
limits = [{ unit = "requests", amount = 9, window = "minute" }]
[[acme.models]]
id = "tongs"
tier = "small"
pool = "tools"
limits = [{ unit = "requests", amount = 9, window = "minute" }]
"""
    text = ACME[: ACME.index("models =")] + models
    hammer, tongs = load_catalog(write(text))["acme"].routes
    assert hammer.pool == tongs.pool == "acme/tools"
    assert hammer.limits == tongs.limits
    with pytest.raises(CatalogError, match=r"\[acme\] models: tongs shares a pool but not its limits"):
        load_catalog(write(text.replace("amount = 9", "amount = 8", 1)))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("amount = 7", "amount = 0", r"limits\[0\]\.amount should be greater than 0"),
        ("amount = 7", "amount = -7", r"limits\[0\]\.amount should be greater than 0"),
        ("amount = 7", 'amount = "7"', r"limits\[0\]\.amount should be a valid integer"),
        ("amount = 7", "amount = true", r"limits\[0\]\.amount should be a valid integer"),
        (
            'unit = "requests"',
            'unit = "calls"',
            r"limits\[0\]\.unit should be 'requests', 'tokens', 'neurons', 'seconds' or 'concurrent'",
        ),
        ('unit = "requests"', 'unit = "neurons"', r"models: anvil is limited in neurons: give its neurons_per"),
        ('window = "day"', 'window = "year"', r"limits\[0\]\.window should be 'minute', 'hour'"),
        ('window = "day"', 'window = "call"', r"limits\[0\].* the unit \"concurrent\" goes with the window"),
        ("Asia/Tokyo", "Asia/Atlantis", r"zone is not a time zone: write an IANA name"),
        ("Asia/Tokyo", "../etc", r"zone is not a time zone: write an IANA name"),
        ("as_of = 2026-11-01", "", r"as_of is missing: add it"),
        ("as_of = 2026-11-01", 'as_of = "2026-11-01"', r"as_of is not a date: write it like .* without quotes"),
        ("source =", "sauce =", r"sauce is not a known key: remove it or correct its spelling"),
        ('source = "https://acme.example/limits"', "", r"source is missing: add it"),
        ('tier = "small"', 'tier = "tiny"', r"models\[0\]\.tier should be 'small' or 'large'"),
        (
            'dialect = "openai-chat"',
            'dialect = "soap"',
            r"dialect should be 'openai-chat', 'gemini', .* or 'replicate'",
        ),
        ("priority = 5", "priority = 5\ncharge = { no_reply = 'yes' }", r"charge should only hold true and false"),
        ("priority = 5", "priority = 5\nbody = { day = 2026-11-01 }", r"body holds what JSON has no word for"),
        ("priority = 5", 'priority = 5\nheaders = { X-Title = "a\\nb" }', r"headers\.X-Title is not written as"),
        ("priority = 5", 'priority = 5\npath = "/{team}/chat"', r"path: its \{names\} are not those in ids"),
        ('tier = "small" }', 'does = "sing" }', r"models\[0\]\.does should be 'chat' or 'transcribe'"),
        ('{ id = "anvil", tier = "small" }', "", r"models: there is none: add one"),
        ("ACME_KEY", "acme key", r"key_setting is not written as it should be"),
        ("priority = 5", "priority = 5\nstream_usage = 1", r"stream_usage should be a valid boolean"),
        ("priority = 5", "priority = 5\nstream_json = 'no'", r"stream_json should be a valid boolean"),
        ("priority = 5", "priority = 5\ncharge = { left = true }", r"charge\.left is not a known key"),
        (
            "priority = 5",
            'priority = 5\ntells = { x-left = { unit = "requests", window = "minute", what = "limit" } }',
            r"tells: x-left is of requests per minute, which this row does not limit: correct or remove it",
        ),
        (
            "priority = 5",
            'priority = 5\ntells = { x-left = { unit = "tokens", window = "day", what = "limit" } }',
            r"tells: x-left is of tokens per day, which this row does not limit",
        ),
        (
            "priority = 5",
            'priority = 5\ntells = { x-left = { unit = "requests", window = "day", what = "used" } }',
            r"tells\.x-left\.what should be 'limit' or 'remaining'",
        ),
        (
            "priority = 5",
            'priority = 5\ntells = { X-Left = { unit = "requests", window = "day", what = "limit" } }',
            r"tells\.X-Left.* is not written as it should be",
        ),
        (
            "priority = 5",
            'priority = 5\ntells = { x-left = { unit = "requests", window = "day" } }',
            r"tells\.x-left\.what is missing: add it",
        ),
        (
            "priority = 5",
            'priority = 5\ntells = { x-left = { unit = "requests", window = "day", what = "limit", per = 1 } }',
            r"tells\.x-left\.per is not a known key",
        ),
    ],
)
def test_a_bad_row_is_refused_in_one_line_with_file_row_key_and_remedy(
    write: Write, old: str, new: str, says: str
) -> None:
    assert old in ACME
    path = write(ACME.replace(old, new))
    with pytest.raises(CatalogError, match=rf"^{re.escape(str(path))}: \[acme\] {says}") as caught:
        load_catalog(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[gemini]\npriority = -1", r"\[gemini\] priority should be greater than or equal to 0"),
        ("[gemini]\nprioirty = 1", r"\[gemini\] prioirty is not a known key"),
        ("priority = 1", r"priority stands outside of any row: move it under a \[provider\] heading"),
        ("[gemini", r"is not valid TOML: .*"),
    ],
)
def test_a_bad_change_to_a_shipped_row_names_the_operators_file(write: Write, text: str, says: str) -> None:
    path = write(text)
    with pytest.raises(CatalogError, match=rf"^{re.escape(str(path))}: {says}"):
        load_catalog(path)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "bytes.toml", tmp_path):
        with pytest.raises(CatalogError, match="cannot be read: make it a UTF-8 text file"):
            load_catalog(path)


def test_only_some_dialects_can_transcribe(write: Write) -> None:
    text = ACME.replace('tier = "small"', 'does = "transcribe"')
    assert load_catalog(write(text))["acme"].routes[0].does == "transcribe"
    with pytest.raises(CatalogError, match="anvil cannot transcribe in the dialect gemini: remove it"):
        load_catalog(write(text.replace("openai-chat", "gemini")))
