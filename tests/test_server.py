"""The real server: how it starts, what it refuses to start with, and its HTTP endpoints."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import requests

from core.app import current
from tests.server import ROOT, command, free_port, running

TOKEN = "a-token-for-monitors"
FIELDS = {
    "quotas",
    "total_requests_remaining",
    "estimated_interviews_remaining",
    "providers_active",
    "alerts",
    "timestamp",
}


def get(url: str, token: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(url, headers=headers, timeout=10)


def test_status_needs_the_token_and_agrees_with_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"API_TOKEN": TOKEN, "CEREBRAS_API_KEY": "csk-CANARY", "GROQ_API_KEY": "gsk-CANARY"}
    with running(settings) as server:
        status = f"{server.url}/api/system_status"
        for wrong in (None, "wrong"):
            refused = get(status, wrong)
            assert refused.status_code == 401
            assert refused.headers["content-type"] == "application/json"
            assert set(refused.json()) == {"error"}
        told = get(status, TOKEN).json()
        assert requests.post(status, timeout=10).status_code == 405
        assert get(f"{server.url}/api/unknown").status_code == 404
        assert "CANARY" not in server.output
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    ours = current().status.read().as_json()
    assert set(told) == FIELDS
    assert {k: told[k] for k in FIELDS - {"timestamp", "quotas"}} == {
        k: ours[k] for k in FIELDS - {"timestamp", "quotas"}
    }
    assert set(told["quotas"]) == {"cerebras", "groq"}
    assert {"limit", "used", "remaining", "percentage_used", "standings"} <= set(told["quotas"]["groq"])


def test_a_public_status_needs_no_token() -> None:
    with running({"STATUS_PUBLIC": "1"}) as server:
        assert get(f"{server.url}/api/system_status").status_code == 200


def test_it_runs_under_uvicorn_from_another_directory(tmp_path: Path) -> None:
    with running({"API_TOKEN": TOKEN}, cwd=tmp_path, with_uvicorn=True) as server:
        assert get(f"{server.url}/healthz").json() == {"status": "ok"}
        assert "<title>" in get(f"{server.url}/").text
        assert get(f"{server.url}/_stcore/health").text == "ok"
        refused = requests.post(f"{server.url}/_stcore/agent/interact", json={}, timeout=10)
        assert refused.status_code == 403, "the agent API is off"


def test_the_console_shows_a_code_and_a_token_when_none_are_set() -> None:
    with running({}) as server:
        found = re.search(r"Status API token .*: (\S+)", server.output)
        assert found
        assert get(f"{server.url}/api/system_status", found[1]).status_code == 200
        assert re.search(r"one-time code .*: \S{32}", server.output)


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"RETENTION_DAYS": "soon"}, "RETENTION_DAYS"),
        ({"CLOUDFLARE_API_KEY": "k" * 40, "CLOUDFLARE_ACCOUNT_ID": "CANARY"}, "CLOUDFLARE_ACCOUNT_ID"),
        ({"CEREBRAS_API_KEY": "k", "CEREBRAS_BASE_URL": "http://127.0.0.1:9/v1"}, "ALLOW_LOCAL_UPSTREAMS=1"),
        ({"DATA_DIR": "/proc/nowhere"}, "DATA_DIR"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(env: dict[str, str], says: str) -> None:
    ended = subprocess.run(
        command(free_port()),
        env={**os.environ, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if "Greenroom cannot start" in line]
    assert len(said) == 1
    assert says in said[0]
    assert "CANARY" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_bad_catalogue_row_names_file_row_and_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[cerebras]\npriority = "first"\n')
    ended = subprocess.run(
        command(free_port()),
        env={**os.environ, "CATALOG_LOCAL": str(path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert all(word in said for word in (str(path), "cerebras", "priority"))
