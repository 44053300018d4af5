"""The pages as Streamlit runs them, without a browser."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

SHELL = str(Path(__file__).resolve().parent.parent / "pages" / "shell.py")
KINDS = ("title", "header", "subheader", "markdown", "caption", "text", "metric", "error", "warning", "info")


def fresh() -> AppTest:
    return AppTest.from_file(SHELL, default_timeout=30)


def everything(page: AppTest) -> str:
    """All that the page shows, as text."""
    shown = [f"{getattr(e, 'label', '')} {e.value}" for kind in KINDS for e in getattr(page, kind)]
    return "\n".join([*shown, *(b.label for b in page.button)])
