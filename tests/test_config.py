"""Streamlit's own settings that protect people are as the checklist wants them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.server import ROOT

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_nothing_leaks_and_nothing_is_open_by_configuration() -> None:
    server, client = CONFIG["server"], CONFIG["client"]
    assert client["showErrorDetails"] == "none"
    assert client["toolbarMode"] == "minimal"
    assert server["enableAgentApi"] is False
    assert server["enableStaticServing"] is False
    assert server["enableXsrfProtection"] is True
    assert server["enableCORS"] is True
    assert server["maxUploadSize"] == 5
    assert server["maxMessageSize"] == 50
    assert server["maxWidgetStateSize"] == 2
    assert server["disconnectedSessionTTL"] <= 120
    assert "trustedUserHeaders" not in server
    assert CONFIG["browser"]["gatherUsageStats"] is False


def test_they_hold_under_uvicorn_from_another_directory(tmp_path: Path) -> None:
    script = (
        "import streamlit_app; from streamlit.config import get_option as get;"
        "print(get('client.showErrorDetails'), get('server.maxUploadSize'), get('theme.light.primaryColor'))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout.split() == ["none", "5", CONFIG["theme"]["light"]["primaryColor"]]


def test_both_themes_are_our_own() -> None:
    for mode in ("light", "dark"):
        theme = CONFIG["theme"][mode]
        assert {"primaryColor", "backgroundColor", "secondaryBackgroundColor", "textColor", "borderColor"} <= set(
            theme
        )


def test_no_file_for_secrets_is_in_the_repository() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", ".streamlit/secrets.toml", "catalog.local.toml", "/data/"} <= set(ignored)
