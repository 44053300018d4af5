"""The benchmarks run. What they measure is for a calm machine, not for a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        ("benchmarks.ledger", ["--quick"], "reserve + settle, disk"),
        ("benchmarks.overhead", ["--quick", "--without-litellm"], "balancer, disk"),
    ],
)
def test_a_benchmark_runs(module: str, arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
