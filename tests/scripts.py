"""Scripts that use the five verbs, and the one provider that they ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.exchange import Exchange
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.server import ROOT

KEY = "csk-CANARY-key"
ONE_MODEL = """
[cerebras]
limits = [{{ unit = "requests", amount = {day}, window = "day" }}]
[[cerebras.models]]
id = "qwen-3.8-27b"
tier = "small"
json = "schema"
"""
SCRIPT = """
import json, sys
from core import *

def outcome(expression):
    try:
        return {"returned": eval(expression)}
    except Exception as error:
        return {"raised": type(error).__name__, "says": str(error)}

print(json.dumps([outcome(expression) for expression in sys.argv[1:]]))
"""


@dataclass(frozen=True)
class Told:
    """What became of each call of a script, and everything that stood on its console."""

    outcomes: list[dict[str, Any]]
    console: str
    errors: str


def call(*expressions: str, **settings: str) -> Told:
    """Evaluate them in a new process after `from core import *`, with these settings on top of the test's own."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, *expressions],
        env={**os.environ, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return Told(json.loads(ended.stdout), ended.stdout, ended.stderr)


def good(expression: str) -> Any:
    """The value of a call that goes well and leaves nothing on the console but itself."""
    told = call(expression)
    assert list(told.outcomes[0]) == ["returned"], told.console
    assert told.errors == ""
    return told.outcomes[0]["returned"]


def raised(expression: str) -> tuple[str, str]:
    """The kind of error that a call ends with, and what it says."""
    outcome = call(expression).outcomes[0]
    return outcome["raised"], outcome["says"]


def run_module(module: str, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """Exit code and both outputs of `python -m module`, with these settings on top of the test's own."""
    ended = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


@contextmanager
def provider(
    monkeypatch: pytest.MonkeyPatch, folder: Path, reply: Callable[[Exchange], str] = grade, day: int = 50
) -> Iterator[FakeUpstream]:
    (folder / "catalog.local.toml").write_text(ONE_MODEL.format(day=day), encoding="utf-8")
    with FakeUpstream("cerebras", reply=reply) as fake:
        monkeypatch.setenv("CEREBRAS_API_KEY", KEY)
        monkeypatch.setenv("CEREBRAS_BASE_URL", fake.base_url)
        monkeypatch.setenv("ALLOW_LOCAL_UPSTREAMS", "1")
        yield fake
