"""Which free models OpenRouter has today: read once a day, with the row to fall back on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.discovery import KEPT, choose, with_free_models
from core.stores.contract import Documents
from providers.openrouter import FreeModel
from providers.registry import Fleet, connect, load_catalog
from providers.rows import ModelRow
from tests.fakes.clock import FrozenClock
from tests.fakes.stores import disk
from tests.fakes.upstream import FakeUpstream
from tests.fakes.wire_lists import row

OWN = ("google/gemma-4-26b-a4b-it:free", "nvidia/nemotron-3-super-120b-a12b:free")
JSON, SCHEMA = ["response_format"], ["response_format", "structured_outputs"]


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[Documents]:
    with closing(disk(tmp_path)) as store:
        yield store.documents


def fleet(fake: FakeUpstream, clock: FrozenClock, local: Path | None = None) -> Fleet:
    values = {
        "OPENROUTER_API_KEY": "sk-or-canary",
        "OPENROUTER_BASE_URL": fake.base_url,
        "ALLOW_LOCAL_UPSTREAMS": "1",
    }
    return connect(load_catalog(local), values, clock)


def models_today(
    fake: FakeUpstream, documents: Documents, clock: FrozenClock, local: Path | None = None
) -> list[str]:
    with closing(fleet(fake, clock, local)) as found:
        catalog = with_free_models(found, documents, clock)
    return [model.id for model in catalog["openrouter"].models]


def test_the_rows_models_stay_while_they_are_listed_and_others_join_them(documents: Documents) -> None:
    listed = [
        row("openrouter", OWN[0], supported_parameters=SCHEMA),
        row("openrouter", "qwen/qwen3.8-27b:free", supported_parameters=JSON),
        row("openrouter", "nvidia/nemotron-3-ultra-550b-a55b:free", supported_parameters=JSON),
        row("openrouter", "openai/gpt-oss-120b", supported_parameters=SCHEMA),
    ]
    with FakeUpstream("openrouter") as fake:
        fake.listed = listed
        with closing(fleet(fake, FrozenClock())) as found:
            catalog = with_free_models(found, documents, FrozenClock())
    small, large, spare = catalog["openrouter"].models
    assert (small.id, small.json, small.tier) == (OWN[0], "schema", "small")
    assert (large.id, large.tier) == ("nvidia/nemotron-3-ultra-550b-a55b:free", "large")
    assert (spare.id, spare.tier) == ("qwen/qwen3.8-27b:free", "small")


def test_what_costs_or_cannot_do_json_or_makes_pictures_is_left_out(documents: Documents) -> None:
    pictures = {"architecture": {"output_modalities": ["image"]}}
    with FakeUpstream("openrouter") as fake:
        fake.listed = [
            row("openrouter", "a/dear-30b:free", supported_parameters=SCHEMA, pricing={"prompt": "0.1"}),
            row("openrouter", "a/plain-30b:free", supported_parameters=["max_tokens"]),
            row("openrouter", "a/painter-30b:free", supported_parameters=SCHEMA, **pictures),
            row("openrouter", "a/../evil 30b:free", supported_parameters=SCHEMA),
        ]
        assert models_today(fake, documents, FrozenClock()) == list(OWN)


def test_it_is_asked_once_a_day_by_all_processes_together(documents: Documents) -> None:
    clock = FrozenClock()
    with FakeUpstream("openrouter") as fake:
        fake.listed = [row("openrouter", "a/new-30b:free", supported_parameters=SCHEMA)]
        for _ in range(3):
            assert models_today(fake, documents, clock) == ["a/new-30b:free"]
        assert len(fake.lookups()) == 1
        clock.at += KEPT + 1
        models_today(fake, documents, clock)
        assert len(fake.lookups()) == 2
        assert fake.counts.charged == 0


def test_a_long_list_is_read_to_its_end(documents: Documents) -> None:
    with FakeUpstream("openrouter") as fake:
        fake.listed = [row("openrouter", f"a/model-{n}") for n in range(1200)]
        fake.listed.append(row("openrouter", "a/last-30b:free", supported_parameters=SCHEMA))
        assert models_today(fake, documents, FrozenClock()) == ["a/last-30b:free"]


@pytest.mark.parametrize("step", ["500", "garbage", "html", "drop", "deep", "429"])
def test_without_a_list_the_rows_models_are_used(documents: Documents, step: str) -> None:
    with FakeUpstream("openrouter") as fake:
        fake.always_get(step)
        assert models_today(fake, documents, FrozenClock()) == list(OWN)


def test_a_kept_list_that_was_spoiled_is_asked_for_again(documents: Documents) -> None:
    for spoiled in ("", "[]", '{"at": "x", "models": [{"id": 1}]}', json.dumps({"at": 9e99, "models": []})):
        documents.replace("free-models:openrouter", documents.get("free-models:openrouter"), spoiled)
        with FakeUpstream("openrouter") as fake:
            fake.listed = [row("openrouter", "a/new-30b:free", supported_parameters=SCHEMA)]
            assert models_today(fake, documents, FrozenClock()) == ["a/new-30b:free"]


def test_models_of_the_operators_own_are_not_exchanged(documents: Documents, tmp_path: Path) -> None:
    local = tmp_path / "catalog.local.toml"
    local.write_text('[openrouter]\nmodels = [{ id = "mine/model:free", tier = "small" }]\n', encoding="utf-8")
    with FakeUpstream("openrouter") as fake:
        assert models_today(fake, documents, FrozenClock(), local) == ["mine/model:free"]
        assert fake.lookups() == []


@given(st.lists(st.builds(FreeModel, st.text(max_size=30), st.sampled_from(["schema", "object"]))))
def test_there_are_always_models_and_never_one_twice(listed: list[FreeModel]) -> None:
    own = (ModelRow(id="own", tier="small"),)
    ids = [model.id for model in choose(own, listed)]
    assert ids
    assert len(set(ids)) == len(ids)
