"""What an admin sees: nothing until signed in, then what is left, who rests and why, and what failures cost."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import generate_response
from core.app import current
from core.balancer import AllRoutesOut
from tests.answers import STORY
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.screens import everything, fresh

Row = dict[Any, Any]
PASSWORD = "correct-horse-battery"
FIGURES = ("All calls", "Asked first", "Failed", "Wasted")
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


@contextmanager
def started(name: str, monkeypatch: pytest.MonkeyPatch, per_day: int = 50) -> Iterator[FakeUpstream]:
    with FakeUpstream(name, reply=grade, latency=0.05, per_day=per_day) as fake:
        monkeypatch.setenv(f"{name.upper()}_API_KEY", "CANARY-key")
        monkeypatch.setenv(f"{name.upper()}_BASE_URL", fake.base_url)
        monkeypatch.setenv("ALLOW_LOCAL_UPSTREAMS", "1")
        yield fake


@pytest.fixture
def cerebras(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeUpstream]:
    """The second choice."""
    (tmp_path / "catalog.local.toml").write_text(TWO_ROUTES)
    with started("cerebras", monkeypatch) as fake:
        yield fake


@pytest.fixture
def groq(monkeypatch: pytest.MonkeyPatch, cerebras: FakeUpstream) -> Iterator[FakeUpstream]:
    """The first choice, which grants less than the catalogue says."""
    with started("groq", monkeypatch, per_day=20) as fake:
        yield fake


def operations() -> AppTest:
    """The page after signing in."""
    page = fresh().run()
    page.switch_page("admin.py").run()
    page.text_input(key="secret").set_value(PASSWORD)
    page.button[0].click().run()
    assert not page.exception
    return page


def table(page: AppTest, key: str, column: str) -> dict[str, Row]:
    """The table that has both columns, by what stands in the first of them."""
    found = [frame.value for frame in page.dataframe if {key, column} <= set(frame.value.columns)]
    assert len(found) == 1, f"{len(found)} tables have {key} and {column}"
    return {row[key]: row for row in found[0].to_dict("records")}


def cells(row: Row, *columns: str) -> list[Any]:
    return [row[column] for column in columns]


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
    assert "1,000,000 tokens per 24 hours" in table(page, "Limit", "Source")


# First choices that failed


def test_a_failing_first_choice_shows_what_it_has_cost(groq: FakeUpstream) -> None:
    groq.plan("500")
    generate_response(STORY)
    generate_response(STORY)
    page = operations()
    summary = table(page, "Provider", "Failed by hour")
    assert cells(summary["Groq"], *FIGURES) == [1, 1, 1, 100]
    assert cells(summary["Cerebras"], *FIGURES) == [2, 1, 0, 0]
    assert summary["Groq"]["Seconds lost"] >= 0.05  # the provider never answers sooner
    assert summary["Cerebras"]["Seconds lost"] == 0
    by_hour = {name: list(row["Failed by hour"]) for name, row in summary.items()}
    assert (len(by_hour["Groq"]), sum(by_hour["Groq"]), sum(by_hour["Cerebras"])) == (25, 1, 0)
    hourly = table(page, "Provider", "Hour (UTC)")
    assert cells(hourly["Groq"], "Asked first", "Failed", "Wasted") == [1, 1, 100]
    assert f"{hourly['Groq']['Hour (UTC)']:%Y-%m-%dT%H}" == min(current().history.hours(0))


def test_who_was_never_the_first_choice_has_wasted_nothing(groq: FakeUpstream, cerebras: FakeUpstream) -> None:
    groq.plan("500")
    cerebras.plan("500")
    with pytest.raises(AllRoutesOut):
        generate_response(STORY)
    page = operations()
    row = table(page, "Provider", "Failed by hour")["Cerebras"]
    assert cells(row, "All calls", "Asked first", "Failed", "Seconds lost") == [1, 0, 0, 0]
    assert math.isnan(row["Wasted"])
    assert sum(row["Failed by hour"]) == 0
    assert list(table(page, "Provider", "Hour (UTC)")) == ["Groq"]


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
    assert "Ghost" in table(operations(), "Provider", "Failed by hour")

    local.write_text(rows)
    current.cache_clear()  # as a server that was started again
    summary = table(operations(), "Provider", "Failed by hour")
    assert summary["ghost"]["All calls"] == 1


# Routes and limits


def test_why_a_route_was_passed_over_is_told_with_the_time(groq: FakeUpstream) -> None:
    groq.plan("429:600")
    generate_response(STORY)
    routes = table(operations(), "Route", "Last passed over")
    assert list(routes) == ["cerebras/spare", "groq/swift"]
    spare, swift = routes.values()
    assert cells(swift, "State", "Back") == ["too many requests", "in 10 min"]
    assert re.fullmatch(r"\d\d [A-Z][a-z]{2} \d\d:\d\d:\d\d too many requests", swift["Last passed over"])
    assert cells(spare, "State", "Back", "Last passed over") == ["would be asked next", "", ""]


def test_a_limit_that_the_provider_told_us_of_is_marked_as_learned(groq: FakeUpstream) -> None:
    before = table(operations(), "Provider", "Source")
    assert cells(before["Groq"], "Limit", "Source") == ["40 requests per day", "catalogue"]
    generate_response(STORY)
    after = table(operations(), "Provider", "Source")
    assert cells(after["Groq"], "Limit", "Source", "Used") == ["20 requests per day", "learned", 1]
    assert after["Cerebras"]["Source"] == "catalogue"


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
