"""The rules of the house, enforced. Every exemption stands here with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("pages", "core", "providers")  # a layer imports itself and what stands to its right
LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS = 300, 50, 5
OWN_SOURCES = [
    p
    for folder in (*LAYERS, "tests", "benchmarks")
    for p in sorted((ROOT / folder).rglob("*.py"))
    if "__pycache__" not in p.parts and ".venv-litellm" not in p.parts
] + [ROOT / "streamlit_app.py"]
PRODUCT = [p for p in OWN_SOURCES if p.relative_to(ROOT).parts[0] in (*LAYERS, "streamlit_app.py")]

EXEMPT_FROM_PARAMETERS = {
    "core/settings.py:settings_customise_sources": "the signature is pydantic-settings'",
    "core/balancer.py:__init__": "the balancer joins its four parts and the clock",
    "providers/classify.py:classify": "pure: what came back, and how and when to read it",
}
FORBIDDEN_ON_PAGES = {  # facts on what fetches or leaks: M8 of the security checklist
    "unsafe_allow_html",
    "unsafe_allow_javascript",
    "html",
    "exception",
    "ImageColumn",
    "iframe",
    "image",
}
EXEMPT_FROM_FORBIDDEN = {
    "pages/parts/scroll.py:html": "the component's own constant markup, no text of anybody in it",
    "pages/parts/draft_keeper.py:html": "the component's own constant markup, no text of anybody in it",
}


EXEMPT_FROM_LAYERS = {
    "providers/__main__.py": "an entry point: what a check spends is charged to the app's ledger",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports, at its top or late."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_imports_go_down_only(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    if layer not in LAYERS or name(path) in EXEMPT_FROM_LAYERS:
        return
    above = {*LAYERS[: LAYERS.index(layer)], "tests", "benchmarks", "streamlit_app"}
    assert not [i for i in imports(path) if i.split(".")[0] in above]


@pytest.mark.parametrize("path", [p for p in PRODUCT if "pages" not in p.parts and p.parent != ROOT], ids=name)
def test_core_and_providers_are_free_of_streamlit(path: Path) -> None:
    assert not [i for i in imports(path) if i.split(".")[0] == "streamlit"]


def test_nobody_imports_what_is_exempt_from_the_layers() -> None:
    entries = {where.removesuffix(".py").replace("/", ".") for where in EXEMPT_FROM_LAYERS}
    assert not [i for path in PRODUCT for i in imports(path) if i in entries]


def test_the_contract_imports_nothing_of_ours() -> None:
    assert not [i for i in imports(ROOT / "providers/contracts.py") if i.split(".")[0] in LAYERS]


def test_no_cycles() -> None:
    modules = {name(p).removesuffix(".py").removesuffix("/__init__").replace("/", "."): p for p in PRODUCT}
    graph = {
        module: {_owner(i, modules) for i in imports(path)} - {module, ""} for module, path in modules.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"cycle: {' -> '.join((*trail, module))}"
        if module not in done:
            for needed in graph[module]:
                visit(needed, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", OWN_SOURCES, ids=name)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", OWN_SOURCES, ids=name)
def test_functions_are_short_and_take_few_parameters(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{name(path)}:{node.name}"
            assert (node.end_lineno or 0) - node.lineno + 1 <= LONGEST_FUNCTION, where
            taken = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            counted = [a for a in taken if a not in ("self", "cls")]
            assert len(counted) <= MOST_PARAMETERS or where in EXEMPT_FROM_PARAMETERS, where


@pytest.mark.parametrize("path", [p for p in PRODUCT if "pages" in p.parts], ids=name)
def test_pages_use_nothing_that_fetches_or_leaks(path: Path) -> None:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) != "log":
            found.add(node.attr)
    bad = {word for word in found & FORBIDDEN_ON_PAGES if f"{name(path)}:{word}" not in EXEMPT_FROM_FORBIDDEN}
    assert not bad


def test_every_exemption_is_still_needed() -> None:
    for where in (*EXEMPT_FROM_PARAMETERS, *EXEMPT_FROM_FORBIDDEN):
        path, _, word = where.partition(":")
        assert word in (ROOT / path).read_text(encoding="utf-8"), f"{where} is exempt but gone"


def _owner(imported: str, modules: dict[str, Path]) -> str:
    """The module of ours that an import statement reaches: `core.stores.rows.Row` -> `core.stores.rows`."""
    parts = imported.split(".")
    options = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((option for option in options if option in modules), "")
