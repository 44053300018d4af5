"""A candidate whose words can be told from all others, and providers that repeat them wherever they can."""

from __future__ import annotations

import itertools
import json
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from core.app import App
from core.balancer import AllRoutesOut
from core.interview import gate
from core.interview.archive import UnknownInterview
from core.interview.engine import BadSetup
from core.interview.model import Mode, Setup
from core.interview.resume_review import LONGEST_RESUME, BadResume
from providers.errors import Refused
from tests.answers import STORY
from tests.fakes.answer import Answer, json_answer
from tests.fakes.clock import FrozenCalendar
from tests.fakes.exchange import Exchange, parse
from tests.fakes.grader import grade
from tests.fakes.server import Call
from tests.fakes.upstream import FakeUpstream

CANARY = "zebraquartz"
ROLE, ANSWERED = f"{CANARY}role keeper", f"{CANARY}answer"
RESUME = (
    f"Experience\n- Reduced {CANARY}resume waste by 30 percent by reordering the weekly delivery schedule\n"
    f"- Led a team of 4 people at {CANARY}works during the move to a new till\n"
)
JOB = f"We need a keeper who knows {CANARY}job machines and who can lead a team with care."
SETUP = Setup(ROLE, "mid", "behavioural", 4, RESUME, JOB)
WITHOUT_RESUME = Setup(ROLE, "mid", "behavioural", 4)
HOUR = 3_600.0
CANDIDATE = f"{CANARY}candidate"


class Echo(FakeUpstream):
    """Refuses every request with its own words in each field of the error; with status 200 it answers so."""

    def __init__(self, status: int) -> None:
        super().__init__("cerebras")
        self._status = status
        self.asked = 0

    def _respond(self, call: Call) -> Answer:
        exchange = parse(call.target, call.headers, call.body)
        if exchange is None:
            return json_answer(404, {})
        self.asked += CANARY in exchange.messages[-1][1].casefold()
        words = "\n".join(said for _, said in exchange.messages)
        if self._status == 200:
            return json_answer(200, {"choices": [{"message": {"content": words}, "finish_reason": "stop"}]})
        reasons = {"message": words, "code": words, "type": words, "status": words, "param": words}
        worded = {"error": {**reasons, "details": [reasons]}, "detail": words, "title": words}
        return json_answer(self._status, worded, {"X-Reason": CANARY})


def repeating(exchange: Exchange) -> str:
    """A model that answers well, and puts the candidate's words wherever it can."""
    told = json.loads(exchange.messages[1][1].splitlines()[1])
    if "resume" in told:
        quote = RESUME.splitlines()[1].removeprefix("- ")
        said = [{"q": quote, "why": f"It shows {CANARY} work.", "job": ""}]
        return json.dumps({"skills": [], "highlights": said, "gaps": [JOB], "questions": [f"Why {CANARY}?"]})
    if "slots" in told:
        word = f"{CANARY} things" if CANARY in exchange.messages[1][1] else "things"
        text = f"How do you find out which of the {word} in your care matter most to others?"
        return json.dumps({"questions": [{"slot": s["slot"], "text": text, "ref": ""} for s in told["slots"]]})
    found: dict[str, Any] = json.loads(grade(exchange))
    if "answer" in told:
        found |= {"reaction": f"Thank you for the {CANARY} story.", "ask": f"What became of {ANSWERED}?"}
    return json.dumps(found)


class Person:
    """A candidate who does all that can be done, and keeps whatever was raised."""

    def __init__(self, opened: App, clock: FrozenCalendar) -> None:
        self._app = opened
        self._clock = clock
        self.raised: list[Exception] = []

    def tries(self, act: Callable[[], object]) -> None:
        """What may be raised here is raised to the pages, too."""
        try:
            act()
        except (AllRoutesOut, Refused, BadResume, BadSetup, UnknownInterview, gate.NotSent) as error:
            self.raised.append(error)
        self._clock.advance(HOUR / 20)  # whoever refused before is asked again

    def practises(self, setup: Setup, offline: bool = False) -> Mode:
        engine, after = self._app.engine, self._app.after
        token, interview = engine.start(setup, offline)
        engine.keep_draft(token, 0, f"{ANSWERED} as a draft")
        self.tries(lambda: engine.answer(token, 0, ANSWERED * 1_000))
        for number in range(setup.questions):
            self.tries(partial(engine.answer, token, number, f"{STORY} It was {ANSWERED}, story {number}."))
        self.tries(lambda: engine.score_rest(token))
        self.tries(lambda: after.narrate(token))
        self.tries(lambda: after.try_again(token, 0, f"{STORY} Now it was {ANSWERED} again."))
        self.tries(lambda: after.try_again(token, 0, ANSWERED))
        self.tries(lambda: after.second_opinion(token, 1))
        return interview.mode

    def has_the_resume_reviewed(self) -> None:
        reviewer = self._app.reviewer
        self.tries(lambda: reviewer.review(RESUME, JOB))
        self.tries(lambda: reviewer.review_for(CANDIDATE, RESUME, JOB))
        self.tries(lambda: reviewer.review(RESUME * LONGEST_RESUME))
        self.tries(lambda: self._app.engine.start(replace(SETUP, role=" ", resume=RESUME)))

    @property
    def told(self) -> str:
        """All that these errors say, tracebacks and chains included."""
        parts = ((str(e), repr(e), *traceback.format_exception(e)) for e in self.raised)
        return "\n".join(itertools.chain.from_iterable(parts))


def assert_only_the_archive_knows(folder: Path) -> None:
    knows = {path for path in (folder / "data").rglob("*") if path.is_file() and _has_canary(path.read_bytes())}
    assert knows, "nothing was looked for"
    assert {path.relative_to(folder / "data").parts[0] for path in knows} == {"archive"}


def _has_canary(found: bytes) -> bool:
    return CANARY.encode() in found.lower()
