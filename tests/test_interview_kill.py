"""A candidate's server is killed amid an interview, over and over: what was saved is there, and the cap holds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.app import App
from core.interview import report
from core.interview.model import Interview
from core.interview.rubric import answer_score
from tests.fakes.asking import NOON
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.interview_worker import QUESTIONS, Life, answer, live, opened

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0
LATENCY = 0.02  # most of an answer's time is then spent in its call
MOST_CALLS, WITHIN = 3, 0.06  # in one life before the kill comes, and then so many seconds later at most
BETWEEN_LIVES = 300.0  # seconds; whoever was grading has died by then
KILLS = 3  # an interview
CAPS = {"full": 10, "lean": 4}
PER_DAY = {"full": 1_000_000, "lean": 6}


class Nursery:
    """One worker process, and what it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def born(self, life: Life) -> int:
        """The id of the process that lives this life."""
        self._said.clear()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(life)) + "\n")
        self._process.stdin.flush()
        wait_for(lambda: any("pid" in each for each in self._said))
        pid: int = next(each["pid"] for each in self._said if "pid" in each)
        return pid

    @property
    def said(self) -> list[dict[str, Any]]:
        return list(self._said)

    def is_over(self) -> bool:
        return {"over": True} in self._said

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("}\n"):  # a line that the kill cut off says nothing
                self._said.append(json.loads(line))


def wait_for(happened: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < give_up, "nothing happens"
        time.sleep(0.001)


@dataclass
class Practice:
    """One interview over several lives. `acknowledged` are the answers that a candidate was told are saved."""

    nursery: Nursery
    fake: FakeUpstream
    life: Life
    rng: random.Random
    before: int = 0
    acknowledged: set[int] = field(default_factory=set)
    amid_grading: int = 0

    @property
    def calls(self) -> int:
        """What the fake counted for this interview."""
        return self.fake.counts.received - self.before

    def killed_once(self) -> None:
        if not self.life.token:
            self.before = self.fake.counts.received
        pid = self.nursery.born(self.life)
        due = self.fake.counts.received + self.rng.randint(0, MOST_CALLS)
        wait_for(lambda: self.fake.counts.received >= due or self.nursery.is_over())
        time.sleep(self.rng.uniform(0, WITHIN))
        if not self.nursery.is_over():
            os.kill(pid, signal.SIGKILL)
        wait_for(self.nursery.is_over)
        for said in self.nursery.said:
            self.life = replace(self.life, token=said.get("token", self.life.token))
            self.acknowledged |= {said["saved"]} if "saved" in said else set()
        self.life = replace(self.life, at=self.life.at + BETWEEN_LIVES)
        if not self.life.token:  # died before anybody was told of it, and what it kept free stays so for hours
            self.life = replace(self.life, folder=f"{self.life.folder}-again")

    def look(self, mode: str) -> None:
        """Start the app again and see what is there."""
        if not self.life.token:
            return
        with running(self.life) as app:
            interview = app.engine.load(self.life.token)
        assert interview.mode == mode
        self.assert_nothing_is_lost(interview)
        self.assert_cap_holds(interview)
        self.amid_grading += any(turn.grading_since is not None for turn in interview.turns)

    def assert_nothing_is_lost(self, interview: Interview) -> None:
        for number, turn in enumerate(interview.turns):
            if number in self.acknowledged:
                assert turn.state in ("done", "waiting")
            if number in self.acknowledged or turn.question.id in self._sent():
                assert turn.answer == answer(number)

    def assert_cap_holds(self, interview: Interview) -> None:
        booked = sum(turn.booked for turn in interview.turns)
        assert interview.cap <= CAPS[interview.mode]
        assert self.calls <= interview.spent + booked <= interview.cap

    def _sent(self) -> set[str]:
        """Ids of the questions whose answers have reached the provider."""
        found = set()
        for exchange in self.fake.requests()[self.before :]:
            if not exchange.messages:
                continue  # the kill came before its body
            told = json.loads(exchange.messages[1][1].splitlines()[1])
            found |= {each["qid"] for each in told.get("answers", [told]) if "qid" in each}
        return found


@contextmanager
def running(life: Life) -> Iterator[App]:
    app = opened(life)
    try:
        yield app
    finally:
        app.fleet.close()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.interview_worker"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


def practised(nursery: Nursery, folder: Path, mode: str, seed: int) -> int:
    """Kill one interview a few times, then go on to its end. How many kills came while an answer was graded?"""
    with FakeUpstream("cerebras", reply=grade, latency=LATENCY) as fake:
        life = Life(str(folder), fake.base_url, PER_DAY[mode], NOON)
        practice = Practice(nursery, fake, life, random.Random(seed))
        for _ in range(KILLS):
            practice.killed_once()
            practice.look(mode)
        with running(practice.life) as app:
            told: list[Mapping[str, Any]] = []
            live(app, practice.life.token, told.append)
            token = next((each["token"] for each in told if "token" in each), practice.life.token)
            interview = app.engine.load(token)
    assert_whole(interview)
    practice.assert_cap_holds(interview)
    return practice.amid_grading


def assert_whole(interview: Interview) -> None:
    """Every question is answered and has feedback, scored or saying why not, and there is a report."""
    assert interview.finished_at is not None
    assert [turn.answer for turn in interview.turns] == [answer(number) for number in range(QUESTIONS)]
    for turn in interview.turns:
        assert turn.state == "done"
        assert turn.feedback is not None
        assert (answer_score(turn) is not None) == (turn.feedback.origin.by == "ai")
        assert turn.feedback.scored or turn.feedback.note
    assert len(report.build(interview).pages) == QUESTIONS


@pytest.mark.parametrize("mode", ["full", "lean"])
def test_killed_amid_an_interview(nursery: Nursery, tmp_path: Path, mode: str) -> None:
    assert sum(practised(nursery, tmp_path / str(n), mode, seed=n) for n in range(2)), "no kill hit a call"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["full", "lean"])
def test_killed_sixty_times(nursery: Nursery, tmp_path: Path, mode: str) -> None:
    amid = sum(practised(nursery, tmp_path / str(n), mode, seed=100 + n) for n in range(20))
    assert amid > KILLS, "hardly any kill hit a call"
