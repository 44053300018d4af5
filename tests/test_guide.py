"""docs/providers.md says what the catalogue says, of everybody in it, and README's keys are the free ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from providers.catalog import Catalog, load_catalog
from providers.guide import RENEW, facts, guide, prose
from tests.server import ROOT

ACME = """
[acme]
label = "Acme | Sons"
dialect = "openai-chat"
base_url = "https://93.184.216.34/v1"
key_setting = "ACME_KEY"
console = "https://acme.example/keys?a|b"
free = "{free}"
zone = "Asia/Tokyo"
priority = 5
claim = "a *lot* of\\ncalls"
claim_interviews = 1234.5
fact = "Seven.\\n\\n# No heading | <b>no tag</b>"
terms = ["Not [here](https://evil.example)"]
caveats = ["Costs $1 in and $2 out, with _care_ for response_format."]
source = "https://acme.example/limits, read twice"
as_of = 2026-11-01
{limits}
{models}
"""
ANVIL = 'models = [{ id = "anvil|2", tier = "small" }]'


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog()


def acme(folder: Path, free: str = "recurring", limits: str = "", models: str = ANVIL) -> Catalog:
    path = folder / "catalog.local.toml"
    path.write_text(ACME.format(free=free, limits=limits, models=models))
    return {"acme": load_catalog(path)["acme"]}


def overview(page: str, label: str) -> list[str]:
    """The cells of the first table's row that begins so."""
    row = next(line for line in page.splitlines() if line.startswith(f"| {label} |"))
    return cells(row)


def numbers(text: str) -> set[float]:
    return {float(number) for number in re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d{3})", "", text))}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_page_in_docs_is_the_catalogues(shipped: Catalog) -> None:
    stands = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    assert stands == guide(shipped), f"docs/providers.md is not today's catalogue: run {RENEW}"


def test_everybody_is_on_the_page_with_facts_source_and_date(shipped: Catalog) -> None:
    page = guide(shipped)
    for row in shipped.values():
        living = row.free != "retired"
        assert (f"\n## {row.label}\n" in page) is living
        assert (f"\n- **{row.label}.**" in page) is not living
        assert (f"<{row.console}>" in page) is living
        assert prose(row.fact) in page
        assert f"{prose(row.source)} (as of {row.as_of})" in page
        assert all(f"\n- {prose(text)}\n" in page for text in (*row.terms, *row.caveats))
        assert all(f"\n| `{route.model}` | " in page for route in row.routes)


def test_no_number_is_the_pages_own(shipped: Catalog) -> None:
    page = guide(shipped)
    for row in shipped.values():
        if row.free != "retired":
            section = page.partition(f"\n## {row.label}\n")[2].partition("\n## ")[0]
            said = "\n".join((section, *overview(page, row.label)))
            told = numbers(said.replace("per 24 hours", ""))  # what a rolling day is called
            assert told <= numbers(repr(row)), row.name
            assert {limit.amount for route in row.routes for limit in route.limits} <= told


@pytest.mark.parametrize(
    ("provider", "free", "allowance", "settings"),
    [
        (
            "Cloudflare Workers AI",
            "yes, every day",
            "10,000 neurons per day for all models together",
            "_ACCOUNT_ID",
        ),
        ("Cohere", "yes, every month", "1,000 requests per month for all models together", "`COHERE_API_KEY`"),
        ("Mistral", "yes", "no limit for a day is known", "`MISTRAL_API_KEY`"),
        ("Fireworks AI", "only a credit, once", "as far as the credit goes", "`FIREWORKS_API_KEY`"),
        ("DeepSeek", "no; used only with `ALLOW_PAID=deepseek`", "none", "`DEEPSEEK_API_KEY`"),
        ("Own server (Ollama, llama.cpp, vLLM)", "yes, it is yours", "no limit", "ALLOW_LOCAL_UPSTREAMS=1"),
    ],
)
def test_the_first_table_tells_what_is_free(
    shipped: Catalog, provider: str, free: str, allowance: str, settings: str
) -> None:
    told = overview(guide(shipped), provider)
    assert told[1:3] == [free, allowance]
    assert settings in told[3]


def test_who_is_asked_first_stands_first(shipped: Catalog, tmp_path: Path) -> None:
    page = guide({**shipped, **acme(tmp_path)})
    assert page.index("\n## Acme") < page.index("\n## Groq\n") < page.index("\n## Cloudflare")


def test_models_with_equal_limits_are_told_of_in_one_go(shipped: Catalog) -> None:
    lite = "500 requests per day on each of `gemini-3.5-flash-lite` and `gemini-3.1-flash-lite`"
    assert overview(guide(shipped), "Google Gemini")[2] == f"{lite}; 20 requests per day on `gemini-3.8-flash`"


def test_models_that_share_a_pool_are_not_counted_twice(tmp_path: Path) -> None:
    nine = 'limits = [{ unit = "tokens", amount = 9, window = "day" }]'
    shared = f'tier = "small", pool = "metal", {nine}'
    models = f'models = [{{ id = "anvil", {shared} }}, {{ id = "hammer", {shared} }}]'
    page = guide(acme(tmp_path, limits=nine, models=models))
    allowance = "9 tokens per day for all models together; 9 tokens per day on `anvil` and `hammer` together"
    assert overview(page, r"Acme \| Sons")[2] == allowance
    assert "| `anvil` | small, JSON only as the prompt asks | 9 tokens per day, shared with `hammer` |" in page
    assert "**Limits of the account:** 9 tokens per day. Its days turn at midnight, Asia/Tokyo time." in page


def test_text_of_a_row_cannot_break_the_page(tmp_path: Path) -> None:
    page = guide(acme(tmp_path))
    tables = [line for line in page.splitlines() if line.startswith("| ")]
    assert [len(cells(line)) for line in tables] == [5, 5, 5, 3, 3, 3]
    assert [line for line in page.splitlines() if line.startswith("#")] == ["# Providers", r"## Acme \| Sons"]
    assert r"**Today:** Seven. \# No heading \| \<b\>no tag\</b\>" in page
    assert r"**Original plan:** a \*lot\* of calls, that is 1,234.5 interviews" in page
    assert r"- Not \[here\](<https://evil.example>)" in page
    assert r"- Costs \$1 in and \$2 out, with \_care\_ for response_format." in page
    assert "Source: <https://acme.example/limits>, read twice (as of 2026-11-01)." in page
    assert "<https://acme.example/keys?a%7Cb>" in page


def test_one_call_at_once_is_in_the_singular(tmp_path: Path) -> None:
    one = 'limits = [{ unit = "concurrent", amount = 1, window = "call" }]'
    assert "**Limits of the account:** 1 call at once." in guide(acme(tmp_path, limits=one))
    assert "2 calls at once." in guide(acme(tmp_path, limits=one.replace("= 1,", "= 2,")))


def test_a_retired_row_stands_only_in_the_list_at_the_end(tmp_path: Path) -> None:
    page = guide(acme(tmp_path, free="retired"))
    assert "## No longer there\n\n- **Acme \\| Sons.** Seven." in page
    assert "ACME_KEY" not in page
    assert "No longer there" not in guide(acme(tmp_path))


def test_who_made_no_promise_in_the_plan_is_said_to_have_none(shipped: Catalog) -> None:
    assert "**Original plan:** no figure" in facts(shipped["groq"])
    assert "**Original plan:** unlimited and free\n" in facts(shipped["deepseek"])


def test_the_readme_asks_for_the_keys_of_the_free_ones_only(shipped: Catalog) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    keys = readme.partition("\n## Keys\n")[2].partition("\n## ")[0]
    table = [line for line in keys.splitlines() if line.startswith("|")]
    for row in shipped.values():
        setting = row.base_url_setting if row.free == "own" else row.key_setting
        free = row.free in ("recurring", "own")
        assert any(f"`{setting}`" in line for line in table) is free, row.name
        assert (row.free != "recurring") or f"<{row.console}>" in keys
    assert "(docs/providers.md)" in keys
