"""What an admin sees: nothing until signed in, then what is left, who rests and why, and what failures cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import generate_response
from core.app import current
from tests.answers import STORY
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.screens import everything, fresh

PASSWORD = "correct-horse-battery"
OPERATIONS = ("Requests left", "Interviews left", "Providers active", "gauge", "Every limit", "catalogue")
TWO_ROUTES = """
[groq]
priority = 1
limits = [{ unit = "requests", amount = 40, window = "refill-day" }]
models = [{ id = "swift", tier = "small" }]
[cerebras]
limits = [{ unit = "requests", amount = 40, window = "day" }]
models = [{ id = "spare", tier = "small" }]
"""
GHOST = """
[ghost]
label = "Ghost"
dialect = "openai-chat"
base_url = "{url}"
key_setting = "GHOST_API_KEY"
console = "https://ghost.example/keys"
free = "own"
zone = "UTC"
priority = 0
fact = "A test server."
source = "tests"
as_of = 2026-11-01
models = [{{ id = "pale", tier = "small" }}]
"""


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)


@pytest.fixture
def groq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeUpstream]:
    """The first choice, which grants less than the catalogue says; Cerebras stands by."""
    (tmp_path / "catalog.local.toml").write_text(TWO_ROUTES)
    with (
        FakeUpstream("groq", reply=grade, latency=0.05, per_day=20) as first,
        FakeUpstream("cerebras", reply=grade) as second,
    ):
        for name, fake in (("GROQ", first), ("CEREBRAS", second)):
            monkeypatch.setenv(f"{name}_API_KEY", "CANARY-key")
            monkeypatch.setenv(f"{name}_BASE_URL", fake.base_url)
        monkeypatch.setenv("ALLOW_LOCAL_UPSTREAMS", "1")
        yield first


def operations() -> AppTest:
    """The page after signing in."""
    page = fresh().run()
    page.switch_page("admin.py").run()
    page.text_input(key="secret").set_value(PASSWORD)
    page.button[0].click().run()
    assert not page.exception
    return page


def table(page: AppTest, key: str, column: str) -> pd.DataFrame:
    """The table with both columns, its rows found by the first of them."""
    found = [frame.value for frame in page.dataframe if {key, column} <= set(frame.value.columns)]
    assert len(found) == 1, f"{len(found)} tables have {key} and {column}"
    return found[0].set_index(key)


def test_operations_opened_first_show_nothing_without_signing_in() -> None:
    page = fresh().run()
    page.switch_page("admin.py").run()
    shown = everything(page)
    assert not page.exception
    assert not [word for word in OPERATIONS if word in shown]
    assert not page.metric
    assert not page.dataframe


def test_operations_after_signing_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEREBRAS_API_KEY", "csk-CANARY")
    page = fresh().run()
    page.switch_page("admin.py").run()
    page.text_input(key="secret").set_value("wrong")
    page.button[0].click().run()
    assert "That is not right" in everything(page)
    assert not page.metric
    page = operations()
    status = current().status.read()
    assert [m.value for m in page.metric] == [
        f"{status.total_requests_remaining:,}",
        f"{status.estimated_interviews_remaining:,}",
        "1 of 1",
    ]
    assert page.get("plotly_chart")
    assert "CANARY" not in everything(page)


def test_large_numbers_are_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEREBRAS_API_KEY", "csk-CANARY")
    page = operations()
    assert "0 of 1,000,000 tokens" in everything(page)
    assert "1,000,000 tokens per 24 hours" in set(table(page, "Counted for", "Limit")["Limit"])


# First choices that failed


def test_a_failing_first_choice_shows_what_it_has_cost(groq: FakeUpstream) -> None:
    groq.plan("500")
    generate_response(STORY)
    generate_response(STORY)
    page = operations()
    summary = table(page, "Provider", "Failed by hour")
    assert summary.loc["Groq", ["All calls", "Asked first", "Failed", "Wasted"]].tolist() == [1, 1, 1, 100]
    assert summary.loc["Cerebras", ["All calls", "Asked first", "Failed", "Wasted"]].tolist() == [2, 1, 0, 0]
    assert summary.loc["Groq", "Seconds lost"] >= 0.05  # the provider never answers sooner
    assert summary.loc["Cerebras", "Seconds lost"] == 0
    by_hour = summary["Failed by hour"]
    assert (len(by_hour["Groq"]), sum(by_hour["Groq"]), sum(by_hour["Cerebras"])) == (25, 1, 0)
    hourly = table(page, "Provider", "Hour (UTC)")
    assert hourly.loc["Groq", ["Asked first", "Failed", "Wasted"]].tolist() == [1, 1, 100]
    hour = min(current().history.hours(0))
    assert f"{hourly.loc['Groq', 'Hour (UTC)']:%Y-%m-%dT%H}" == hour


def test_who_was_never_the_first_choice_has_wasted_nothing(groq: FakeUpstream) -> None:
    groq.plan("500")
    generate_response(STORY)
    page = operations()
    summary = table(page, "Provider", "Failed by hour")
    assert (summary.loc["Cerebras", "All calls"], summary.loc["Cerebras", "Asked first"]) == (1, 0)
    assert pd.isna(summary.loc["Cerebras", "Wasted"])
    assert table(page, "Provider", "Hour (UTC)").index.tolist() == ["Groq"]


def test_without_any_call_no_waste_is_shown(groq: FakeUpstream) -> None:
    page = operations()
    assert "First choices" not in everything(page)
    assert not [frame for frame in page.dataframe if "Asked first" in frame.value.columns]


def test_who_left_the_catalogue_is_listed_by_name(
    groq: FakeUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    local = tmp_path / "catalog.local.toml"
    rows = local.read_text()
    local.write_text(rows + GHOST.format(url=groq.base_url))
    monkeypatch.setenv("GHOST_API_KEY", "CANARY-key")
    generate_response(STORY)
    current().history.flush()
    assert "Ghost" in table(operations(), "Provider", "Failed by hour").index

    local.write_text(rows)
    current.cache_clear()  # as a server that was started again
    summary = table(operations(), "Provider", "Failed by hour")
    assert summary.loc["ghost", "All calls"] == 1


# Routes and limits


def test_why_a_route_was_passed_over_is_told_with_the_time(groq: FakeUpstream) -> None:
    groq.plan("429:600")
    generate_response(STORY)
    routes = table(operations(), "Route", "Last passed over")
    assert routes.index.tolist() == ["cerebras/spare", "groq/swift"]
    assert routes.loc["groq/swift", ["State", "Back"]].tolist() == ["too many requests", "in 10 min"]
    last = str(routes.loc["groq/swift", "Last passed over"])
    assert re.fullmatch(r"\d\d [A-Z][a-z]{2} \d\d:\d\d:\d\d too many requests", last)
    assert routes.loc["cerebras/spare", ["State", "Back", "Last passed over"]].tolist() == [
        "would be asked next",
        "",
        "",
    ]


def test_a_limit_that_the_provider_told_us_of_is_marked_as_learned(groq: FakeUpstream) -> None:
    sources = table(operations(), "Provider", "Source")
    assert sources.loc["Groq", ["Limit", "Source"]].tolist() == ["40 requests per day", "catalogue"]
    generate_response(STORY)
    learned = table(operations(), "Provider", "Source")
    assert learned.loc["Groq", ["Limit", "Source", "Used"]].tolist() == ["20 requests per day", "learned", 1]
    assert learned.loc["Cerebras", "Source"] == "catalogue"


def test_a_provider_that_rests_says_why_once(groq: FakeUpstream) -> None:
    groq.plan("401")
    generate_response(STORY)
    page = operations()
    captions = [caption.value for caption in page.caption]
    assert [text for text in captions if "key not accepted" in text] == [
        ":material/timer: Groq is back in 6 h 0 min: key not accepted"
    ]
    assert page.metric[2].value == "1 of 2"
    assert "CANARY" not in everything(page)
