"""Hostile files under load: each is answered in time, the app stays small and nobody else waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.interview.resume_analyzer import BUSY, SLOW
from tests import files
from tests.hostile import HOSTILE, SECONDS

ROOT = Path(__file__).resolve().parent.parent
GROWTH = 50_000_000  # bytes
A_FEW = ("zip bomb", "deep xml", "operators, packed", "garbage pdf", "letters one by one", "form within itself")
READ = ""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="Linux tells a process's size there"
)


@dataclass(frozen=True)
class Told:
    answers: Mapping[str, tuple[float, str]]
    drafts: list[float]
    grown: Mapping[str, int]


def sent(folder: Path, cases: list[str]) -> Told:
    """What an app tells of these files, read three at a time, with a good one after each."""
    good = folder / "good"
    good.write_bytes(files.pdf(files.RESUME))
    rows: list[tuple[str, str]] = []
    for number, case in enumerate(cases):
        name, build, _ = HOSTILE[case]
        path = folder / f"case-{number}"
        path.write_bytes(build())
        rows += [(name, str(path)), ("good.pdf", str(good))]
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(rows), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile_worker", str(manifest)],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    names = [name for case in cases for name in (case, f"good file after {case}")]
    return Told(dict(zip(names, map(tuple, told["answers"]), strict=True)), told["drafts"], told["grown"])


def check(told: Told) -> None:
    for case, (seconds, sentence) in told.answers.items():
        wanted = HOSTILE[case][2] if case in HOSTILE else READ
        assert sentence in (wanted, BUSY, SLOW), case
        assert seconds < SECONDS, case
    assert told.grown["now"] < GROWTH
    assert told.drafts


def test_a_few_hostile_files_at_once(tmp_path: Path) -> None:
    check(sent(tmp_path, list(A_FEW)))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_hostile_file_while_somebody_else_goes_on(tmp_path: Path) -> None:
    assert len(HOSTILE) >= 40
    told = sent(tmp_path, list(HOSTILE))
    check(told)
    late = sum(sentence in (BUSY, SLOW) for _, sentence in told.answers.values())
    assert late <= len(told.answers) // 20, "three people at once are no crowd"
    took = sorted(told.drafts)
    slowest, typical = max(seconds for seconds, _ in told.answers.values()), took[len(took) // 2]
    print(
        f"{len(told.answers)} files, slowest {slowest:.1f} s, {late} not read in time; grown by "
        f"{told.grown['now'] / 1e6:.0f} MB, at most {told.grown['most'] / 1e6:.0f} MB; a neighbour's {len(took)} "
        f"drafts: median {1000 * typical:.0f} ms, slowest {1000 * took[-1]:.0f} ms"
    )
    assert took[int(0.99 * len(took))] < 0.5
