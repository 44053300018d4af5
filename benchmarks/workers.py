"""A contestant in a process of its own, so that none pays for another's threads, garbage or memory.

A line of JSON asks for a round, a line answers with what came of it. This module also runs in LiteLLM's
environment, so it imports nothing but the standard library and its neighbours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Self

from benchmarks.task import Setup
from benchmarks.timing import timed

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 5
Operation = Callable[[], object]


class Broken(Exception):
    """A contestant died or did not do what it was asked to."""


@dataclass(frozen=True)
class Round:
    """`resident` is what the process holds in memory after the round, in bytes."""

    seconds: tuple[float, ...]
    errors: tuple[str, ...]
    resident: int


def main(kinds: Mapping[str, Callable[[Setup], Operation]]) -> None:
    """Run the rounds that standard input asks for. Each begins by making the operation anew, untimed."""
    _, kind, setup = sys.argv
    prepare = partial(kinds[kind], Setup.from_json(setup))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not pass for an answer
    for line in sys.stdin:
        warm_up, calls = json.loads(line)
        answers.write(json.dumps(asdict(_round(prepare, warm_up, calls))) + "\n")
        answers.flush()


def _round(prepare: Callable[[], Operation], warm_up: int, calls: int) -> Round:
    if not calls:
        return Round((), (), _resident())
    operation = prepare()
    errors: list[str] = []

    def attempt() -> None:
        try:
            operation()
        except Exception as error:  # noqa: BLE001 (a call that failed is a result too)
            errors.append(f"{type(error).__name__}: {error}"[:300])

    timed(attempt, warm_up)
    return Round(tuple(timed(attempt, calls)), tuple(errors), _resident())


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Worker:
    """The other end of `main`: a module run by `python` with these arguments. Close it, or use it in a `with`."""

    def __init__(self, module: str, *arguments: str, python: str = sys.executable) -> None:
        self._name = f"{module} {arguments[0]}"
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (lives as long as the process)
        self._process = subprocess.Popen(
            [python, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def round(self, warm_up: int, calls: int) -> Round:
        """What came of so many calls after `warm_up` untimed ones. Raises Broken when the process dies."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{json.dumps([warm_up, calls])}\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise Broken(f"{self._name} died: {self._log.read()[-2000:]}")
        found = json.loads(line)
        return Round(tuple(found["seconds"]), tuple(found["errors"]), found["resident"])

    def flawless(self, warm_up: int, calls: int) -> Round:
        """The same where no call may fail. Raises Broken when one does."""
        done = self.round(warm_up, calls)
        if done.errors:
            raise Broken(f"{self._name}: {len(done.errors)} calls failed, the first with {done.errors[0]}")
        return done

    def run(self, calls: int) -> tuple[float, ...]:
        """The seconds of a flawless round, as `timing.alternate` wants them. Raises Broken."""
        return self.flawless(WARM_UP, calls).seconds

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
