"""What an interview costs, counted by those who are asked: whatever they reply and whatever the candidate does."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.app import App
from core.interview.gate import LONGEST, NotSent
from core.interview.marking import SLACK_SECONDS, Marker
from core.interview.model import Interview
from core.interview.report import build
from core.interview.rubric import answer_score
from tests.answers import STORY
from tests.fakes.clock import FrozenCalendar
from tests.fakes.faults import STEPS
from tests.fakes.grader import grade
from tests.fakes.house import limits
from tests.fakes.upstream import FakeUpstream
from tests.interviews import SETUP, app

MOST_TOKENS = 20_000
HEAVY = {"huge", "gzip-bomb", "deep"}  # hundreds of megabytes; the slow run has them
WAITING = {"never", "drip", "slow", "stall"}  # they only let time pass, until a deadline
QUICK = sorted(set(STEPS) - HEAVY - WAITING)
SCRIPTS = {
    "English": "In week {n} I moved {n} orders because the shelf was empty, and sales rose. ",
    "quotes": 'Then "{n}" said "no", and I said "because of {n}\\{n}", and so it went. ',
    "Chinese": "第{n}周我负责调整流程,因为投诉增加,结果错误从{n}次降到两次。",
    "one word": "abcdefgh{n}",
}


def answer_of(script: str, length: int, number: int) -> str:
    """So many characters, no two sentences alike."""
    pieces = (SCRIPTS[script].format(n=number * 1_000 + n) for n in itertools.count())
    found = ""
    while len(found) < length:
        found += next(pieces)
    return found[:length]


@dataclass(frozen=True)
class Act:
    """What happens at one question: `faults` wait for the calls that it leads to."""

    does: str
    script: str
    length: int
    faults: tuple[str, ...]
    pause: float


def acts(faults: Sequence[str]) -> st.SearchStrategy[Act]:
    return st.builds(
        Act,
        does=st.sampled_from(["answer"] * 6 + ["twice", "skip", "no idea", "die", "finish"]),
        script=st.sampled_from(sorted(SCRIPTS)),
        length=st.one_of(st.integers(1, LONGEST), st.sampled_from([LONGEST, 3_000, 400])),
        faults=st.lists(st.sampled_from(["ok", "ok", *faults]), max_size=3).map(tuple),
        pause=st.sampled_from([0.0, 5.0, 90.0, 4_000.0]),
    )


@dataclass
class Practice:
    """One interview, and everyone who may be asked."""

    running: App
    fakes: Sequence[FakeUpstream]
    clock: FrozenCalendar
    token: str
    begun: Interview

    @property
    def received(self) -> int:
        return sum(fake.counts.received for fake in self.fakes)

    def act(self, number: int, act: Act) -> None:
        engine, said = self.running.engine, answer_of(act.script, act.length, number)
        for n, step in enumerate(act.faults):
            self.fakes[n % len(self.fakes)].plan(step)
        self.clock.advance(act.pause)
        if act.does == "finish":
            engine.finish(self.token)
        elif act.does == "skip":
            engine.skip(self.token, number)
        elif act.does == "no idea":
            engine.answer(self.token, number, "Sorry, I don't know.")
        elif act.does == "die":
            with (
                patch.object(Marker, "_settle", side_effect=KeyboardInterrupt),
                suppress(KeyboardInterrupt, NotSent),
            ):
                engine.answer(self.token, number, said)
            self.check()
            self.clock.advance(self.running.grader.longest + SLACK_SECONDS)
            engine.grade(self.token, number)
        else:
            with ThreadPoolExecutor(2) as pool:
                sent = [
                    pool.submit(engine.answer, self.token, number, said) for _ in range(1 + (act.does == "twice"))
                ]
            for each in sent:
                assert isinstance(each.exception(), NotSent | None)
        if engine.load(self.token).turns[number].state == "open":
            engine.skip(self.token, number)

    def check(self) -> Interview:
        """What must hold after every step."""
        now = self.running.engine.load(self.token)
        booked = sum(turn.booked for turn in now.turns)
        assert self.received <= now.spent + booked <= now.cap
        assert (now.cap, now.mode) == (self.begun.cap, self.begun.mode)
        for turn in now.turns:
            if answer_score(turn) is not None and turn.state != "skipped":
                assert turn.feedback is not None
                assert turn.feedback.origin.by in ("ai", "gate")
        return now

    def run(self, acts: Sequence[Act]) -> Interview:
        for number in range(len(self.begun.turns)):
            if self.check().finished_at is None:
                self.act(number, acts[number % len(acts)])
        self.running.engine.finish(self.token)
        return self.check()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def practice(stack: ExitStack, count: int, mode: str, routes: int, tailored: bool) -> Practice:
    """An interview just begun. In lean mode every route could give more calls than the interview may cost."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
    clock = FrozenCalendar()
    fakes = [stack.enter_context(FakeUpstream(reply=grade, clock=clock)) for _ in range(routes)]
    more = limits(requests_day=max(2, count // routes)) if mode == "lean" else ""
    named = dict(zip(("alpha", "beta"), fakes, strict=False))
    running = app(folder, named, clock, more, tailored_questions=tailored)
    token, begun = running.engine.start(replace(SETUP, questions=count))
    stack.callback(running.fleet.close)
    return Practice(running, fakes, clock, token, begun)


def cap(mode: str, count: int, planned: int) -> int:
    return {"full": count + 1, "lean": math.ceil(count / 4) + 1, "offline": 0}[mode] + planned


def prove(count: int, mode: str, routes: int, tailored: bool, acts: Sequence[Act]) -> None:
    with ExitStack() as stack:
        held = practice(stack, count, mode, routes, tailored)
        planned = held.received
        assert planned <= tailored
        assert held.begun.cap == cap(held.begun.mode, count, planned)
        ended = held.run(acts)
        tokens = sum(fake.counts.tokens for fake in held.fakes)
        assert tokens <= MOST_TOKENS * max(1, count / 8)
        report = build(ended)
        assert len(report.pages) == count
        graded = [t for t in ended.turns if t.feedback and t.feedback.origin.by == "ai"]
        assert (report.card.overall is None) or graded
        assert not graded or sum(fake.counts.served for fake in held.fakes) > planned


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(3, 12),
    st.sampled_from(["full", "lean"]),
    st.integers(1, 2),
    st.booleans(),
    st.lists(acts(QUICK), min_size=1, max_size=12),
)
def test_the_cap_holds_whatever_happens(
    count: int, mode: str, routes: int, tailored: bool, acts: list[Act]
) -> None:
    prove(count, mode, routes, tailored, acts)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(3, 12),
    st.sampled_from(["full", "lean"]),
    st.integers(1, 2),
    st.booleans(),
    st.lists(acts(sorted(set(STEPS) - WAITING)), min_size=1, max_size=12),
)
def test_the_cap_holds_in_many_more_interviews(
    count: int, mode: str, routes: int, tailored: bool, acts: list[Act]
) -> None:
    prove(count, mode, routes, tailored, acts)


def longest(stack: ExitStack, mode: str, script: str, step: str) -> None:
    """Eight answers as long as can be sent, an hour between them, so that no route is still resting."""
    held = practice(stack, 8, mode, 1, tailored=False)
    assert (held.begun.mode, held.begun.cap) == (mode, {"full": 9, "lean": 3}[mode])
    held.fakes[0].always(step)
    ended = held.run([Act("answer", script, LONGEST, (), 4_000.0)])
    assert held.received <= held.begun.cap
    assert held.fakes[0].counts.tokens <= MOST_TOKENS
    scored = [turn for turn in ended.turns if answer_score(turn) is not None]
    if step == "ok":
        assert len(scored) == 8
    elif step != "truncated":
        assert not scored
        assert build(ended).card.overall is None


@pytest.mark.parametrize("mode", ["full", "lean"])
@pytest.mark.parametrize(
    ("script", "step"), [("English", "ok"), ("Chinese", "ok"), ("quotes", "ok"), ("English", "prose")]
)
def test_eight_longest_answers(stack: ExitStack, mode: str, script: str, step: str) -> None:
    longest(stack, mode, script, step)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["full", "lean"])
@pytest.mark.parametrize("step", ["503", "429:none", "empty", "filtered", "truncated", "length-empty", "nan"])
@pytest.mark.parametrize("script", ["English", "Chinese", "quotes"])
def test_eight_longest_answers_whatever_goes_wrong(stack: ExitStack, mode: str, script: str, step: str) -> None:
    longest(stack, mode, script, step)


def test_nobody_is_asked_in_an_offline_interview(stack: ExitStack) -> None:
    held = practice(stack, 8, "full", 1, tailored=True)
    engine, before = held.running.engine, held.received
    token, begun = engine.start(replace(SETUP, questions=8), offline=True)
    for number in range(8):
        ended = engine.answer(token, number, f"{STORY} Story {number}.")
    assert (begun.cap, ended.spent, held.received) == (0, 0, before)
    assert build(ended).card.overall is None
