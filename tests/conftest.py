"""What every test needs: no setting of the developer's own, and a data folder that goes away."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import app
from core.settings import Settings
from providers.registry import load_catalog, provider_settings

NAMES = sorted({name.upper() for name in Settings.model_fields} | provider_settings(load_catalog()))


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty value hides what a developer's .env or secrets.toml says, so no test can call a real provider."""
    for name in NAMES:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TAILORED_QUESTIONS", "0")  # tests that count calls would each count one more
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CATALOG_LOCAL", str(tmp_path / "catalog.local.toml"))
    app.current.cache_clear()
    yield
    app.current.cache_clear()


@pytest.fixture
def chromium() -> str:
    """Path of Chromium. Without one browser tests skip, except in CI, where they must run."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail("CI must run the browser tests: install chromium")
    pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
