"""Facts grow old: the operations page says so, and a check run by a calendar fails; a fresh clone never does."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.app import build
from core.settings import Settings
from core.status import SystemStatus
from providers.catalog import Catalog, load_catalog
from providers.freshness import DAYS_FRESH, stale
from tests.fakes.clock import FrozenClock
from tests.screens import everything, fresh

PASSWORD = "correct-horse-battery"
OLD_AND_NEW = "[groq]\nas_of = 2020-01-01\n[cerebras]\nas_of = 2999-01-01\n[mistral]\nas_of = 2020-01-01\n"


def names(catalog: Catalog, today: date) -> list[str]:
    return [row.name for row in stale(catalog, today)]


def overdue(catalog: Catalog, today: date) -> str:
    """Which rows to look at again, where, and what to compare; empty where none is due."""
    lines = [f"[{row.name}] as of {row.as_of}: {row.source}; {row.console}" for row in stale(catalog, today)]
    todo = "compare limits, models, prices, terms and caveats, then set `as_of` in providers/catalog.toml"
    return "\n".join((f"facts older than {DAYS_FRESH} days: {todo}, for", *lines)) if lines else ""


@pytest.mark.scheduled
@pytest.mark.skipif(
    os.environ.get("CHECK_FACTS") != "1", reason="fails as time goes by; .ci/scheduled runs it with CHECK_FACTS=1"
)
def test_no_shipped_fact_is_overdue() -> None:
    if due := overdue(load_catalog(), datetime.now(UTC).date()):
        pytest.fail(due, pytrace=False)


def test_a_fact_is_stale_the_day_after_its_hundred_and_eightieth() -> None:
    catalog = load_catalog()
    gemini = {"gemini": catalog["gemini"]}
    last = catalog["gemini"].as_of + timedelta(days=180)
    assert names(gemini, last) == []
    assert names(gemini, last + timedelta(days=1)) == ["gemini"]
    assert stale(gemini, last - timedelta(days=173), days=7) == ()
    assert stale(gemini, last - timedelta(days=172), days=7) == (catalog["gemini"],)


def test_what_is_retired_or_your_own_never_goes_stale() -> None:
    catalog = load_catalog()
    settled = {name for name, row in catalog.items() if row.free in ("retired", "own")}
    assert settled
    assert {*names(catalog, date(2999, 1, 1))} == catalog.keys() - settled


def test_the_scheduled_check_says_what_to_look_at_again() -> None:
    catalog = load_catalog()
    newest = max(row.as_of for row in catalog.values())
    assert overdue(catalog, min(row.as_of for row in catalog.values())) == ""
    due = overdue(catalog, newest + timedelta(days=181))
    gemini = catalog["gemini"]
    assert f"[gemini] as of {gemini.as_of}: {gemini.source}; {gemini.console}" in due.splitlines()
    assert "older than 180 days" in due
    assert "anyscale" not in due


# On the operations page


def warned(status: SystemStatus, catalog: Catalog) -> list[str]:
    def script() -> None:
        import streamlit as st

        from pages.parts.overview import show_stale

        show_stale(st.session_state.status, st.session_state.catalog)

    page = AppTest.from_function(script)
    page.session_state["status"], page.session_state["catalog"] = status, catalog
    page.run()
    assert not page.exception
    return [warning.value for warning in page.warning]


def test_it_warns_by_the_apps_clock_from_the_first_day_on(tmp_path: Path) -> None:
    local = tmp_path / "catalog.local.toml"
    local.write_text("[groq]\nas_of = 2030-01-01\n[cerebras]\nas_of = 2029-12-31\n")
    clock = FrozenClock(at=datetime(2030, 6, 29, 23, 59, tzinfo=UTC).timestamp())
    values = {"GROQ_API_KEY": "CANARY-key", "CEREBRAS_API_KEY": "CANARY-key"}
    app = build(Settings(data_dir=tmp_path / "data", catalog_local=local), values, clock, announce=lambda _: None)
    said = []
    for _ in range(3):
        said += [warned(app.status.read(), app.fleet.catalog)]
        clock.advance(86_400)
    assert said == [
        [],
        ["Facts about Cerebras (as of 2029-12-31) are older than 180 days: check its limits."],
        [
            "Facts about Groq (as of 2030-01-01) and Cerebras (as of 2029-12-31) are older than 180 days: "
            "check their limits."
        ],
    ]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    """Operations, where two have a key: one with old facts, one with new ones."""
    (tmp_path / "catalog.local.toml").write_text(OLD_AND_NEW)
    for name in ("GROQ_API_KEY", "CEREBRAS_API_KEY"):
        monkeypatch.setenv(name, "CANARY-key")
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    page = fresh().run()
    page.switch_page("admin.py").run()
    page.text_input(key="secret").set_value(PASSWORD)
    page.button[0].click().run()
    assert not page.exception
    return page


def test_only_rows_in_use_are_warned_of(page: AppTest) -> None:
    told = [warning.value for warning in page.warning]
    assert told == ["Facts about Groq (as of 2020-01-01) are older than 180 days: check its limits."]


def test_each_row_tells_its_terms_caveats_and_source_and_why_it_is_off(page: AppTest) -> None:
    about = {each.label: each for each in page.expander}
    assert list(about)[:3] == ["**Groq** · in use", "**Cerebras** · in use", "**Google Gemini**"]
    assert len(about) == len(load_catalog())
    groq = about["**Groq** · in use"]
    assert not groq.caption
    words = groq.markdown[0].value
    for part in (
        "- The account needs a verified phone number.",
        "- JSON by schema is not streamed.",
        "/rate-limits>",
    ):
        assert part in words
    assert [each.value for each in about["**Google Gemini**"].caption] == [
        "Not in use: no key: set GEMINI_API_KEY"
    ]
    assert "CANARY" not in everything(page)
