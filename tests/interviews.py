"""Questions, turns and interviews for tests, and the real app wired to fake providers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.app import App, build
from core.interview import questions
from core.interview.model import Competency, Feedback, Interview, Kind, Met, Mistake, Origin, Question, Setup, Turn
from core.settings import Settings
from providers.contracts import Clock
from tests.answers import STORY
from tests.fakes.asking import NOON
from tests.fakes.clock import FrozenCalendar
from tests.fakes.exchange import Exchange
from tests.fakes.upstream import FakeUpstream

SETUP = Setup(role="Retail assistant", level="mid", style="behavioural", questions=3)
AI = Origin("ai", "alpha/alpha-model", "test")
ROW = """
[{name}]
label = "{name}"
dialect = "{dialect}"
base_url = "{url}"
key_setting = "{setting}"
console = "https://{name}.example/keys"
free = "own"
zone = "UTC"
priority = {priority}
fact = "A test server."
source = "tests"
as_of = 2026-11-01
models = [{{ id = "{name}-model", tier = "small", json = "{form}" }}]
"""


def question(kind: Kind = "behavioural", competency: Competency = "ownership", number: int = 1) -> Question:
    return Question(
        id=f"b-test-{number}",
        competency=competency,
        kind=kind,
        text="When did you put something right?",
        key_points=("names it",),
        probes={code: f"Probe {code}?" for code in ("E4", "E2", "S4", "D2", "D3")},
        hint="Think of one day.",
        outline="Say what it was and [your number].",
    )


def feedback(met: tuple[Met, ...] = (), mistakes: tuple[Mistake, ...] = ()) -> Feedback:
    return Feedback(AI, "Thank you.", "And then?", True, met, mistakes)


def all_met(anchors: str, quote: str) -> tuple[Met, ...]:
    """`anchors` are codes with a space between them."""
    return tuple(Met(code, quote) for code in anchors.split())


def turn(answer: str = STORY, met: tuple[Met, ...] = (), mistakes: tuple[Mistake, ...] = ()) -> Turn:
    """An answered and scored turn."""
    return Turn(question(), state="done", answer=answer, asked_at=NOON, feedback=feedback(met, mistakes))


def about(scored: Turn, competency: Competency, number: int = 1) -> Turn:
    return replace(scored, question=question(competency=competency, number=number))


def interview(*turns: Turn, role: str = "Retail assistant") -> Interview:
    return Interview(replace(SETUP, role=role, questions=len(turns)), "full", "", turns, NOON, NOON + 600)


def app(
    folder: Path,
    fakes: Mapping[str, FakeUpstream],
    clock: Clock | None = None,
    more: str = "",
    form: str = "schema",
    **settings: Any,
) -> App:
    """The whole app over `folder`, with these fakes as its only providers, tried in this order.

    `more` is TOML for each of their rows, `form` how their models send JSON. Unless `settings` say otherwise, all
    questions are from the bank, so that a start costs no call.
    """
    path = folder / "fakes.toml"
    rows = (_row(n, name, fake, form) + more + "\n" for n, (name, fake) in enumerate(fakes.items()))
    path.write_text("".join(rows), encoding="utf-8")
    values = {"ALLOW_LOCAL_UPSTREAMS": "1", **{_key_setting(name): "test-key" for name in fakes}}
    chosen = {"tailored_questions": False, **settings}
    made = Settings(data_dir=folder / "data", catalog_local=path, **chosen)
    return build(made, values, clock or FrozenCalendar(), announce=lambda line: None)


def role_of(family: str) -> str:
    """A role that the family's own first cue names."""
    return questions.FAMILIES[family].split("|")[0]


def sent_data(exchange: Exchange) -> dict[str, Any]:
    """The JSON between the fences of a grading request."""
    found: dict[str, Any] = json.loads(exchange.messages[1][1].splitlines()[1])
    return found


def replying(**changes: Any) -> Callable[[Exchange], str]:
    """A grader that answers with a well-formed reply, except for these keys; None leaves a key out."""

    def reply(exchange: Exchange) -> str:
        whole: dict[str, Any] = {
            "qid": sent_data(exchange)["qid"],
            "met": [],
            "mistakes": [],
            "instruction": "",
            "reaction": "Thank you for this answer.",
            "ask_about": "D4",
            "ask": "What did you learn from it?",
        } | changes
        return json.dumps({key: value for key, value in whole.items() if value is not None})

    return reply


def _row(priority: int, name: str, fake: FakeUpstream, form: str) -> str:
    dialect = "gemini" if fake.provider == "gemini" else "openai-chat"
    setting = _key_setting(name)
    return ROW.format(name=name, dialect=dialect, url=fake.base_url, setting=setting, priority=priority, form=form)


def _key_setting(name: str) -> str:
    return f"{name.upper()}_API_KEY"
