"""Lives of one interview on the real engine, each in a process of its own that may be killed at any moment.

    python -m tests.interview_worker

Reads one Life a line, as JSON, and forks a process for it from this one, which has imported everything already.
Says the process's id, then a line for every step that was saved, then "over" when the process has ended, by itself
or not.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.app import App, build
from core.interview.model import Setup
from core.settings import Settings
from tests.fakes.clock import FrozenCalendar

QUESTIONS = 8
SETUP = Setup(role="Software developer", level="mid", style="mixed", questions=QUESTIONS)
ROW = """
[alpha]
label = "alpha"
dialect = "openai-chat"
base_url = "{url}"
key_setting = "ALPHA_API_KEY"
console = "https://alpha.example/keys"
free = "own"
zone = "UTC"
priority = 0
fact = "A test server."
source = "tests"
as_of = 2026-11-01
models = [{{ id = "alpha-model", tier = "small", json = "schema" }}]
limits = [{{ unit = "requests", amount = {per_day}, window = "day" }}]
"""


@dataclass(frozen=True)
class Life:
    """`folder` holds the data of all lives, `token` the interview to go on with; empty to begin one."""

    folder: str
    url: str
    per_day: int
    at: float
    token: str = ""


def opened(life: Life) -> App:
    """The whole app, as it starts on what earlier lives left behind."""
    rows = Path(life.folder, "alpha.toml")
    if not rows.exists():
        rows.parent.mkdir()
        rows.write_text(ROW.format(url=life.url, per_day=life.per_day), encoding="utf-8")
    settings = Settings(data_dir=Path(life.folder, "data"), catalog_local=rows)
    values = {"ALLOW_LOCAL_UPSTREAMS": "1", "ALPHA_API_KEY": "test-key"}
    return build(settings, values, FrozenCalendar(life.at), announce=lambda line: None)


def answer(number: int) -> str:
    """Of our own writing, and different for each question."""
    return (
        f"Last spring I had to sort {number + 20} boxes of files in our office, because nobody found anything. "
        f"First I asked {number + 2} colleagues what they look for, then I decided to sort by customer. It was "
        f"hard to find time. In the end a search took {number + 1} minutes instead of an hour."
    )


def live(app: App, token: str, say: Callable[[Mapping[str, object]], None]) -> None:
    """Answer what is still open, and have marked what still waits for it."""
    if not token:
        token, _ = app.engine.start(SETUP)
        say({"token": token})
    while (number := app.engine.load(token).current) is not None:
        waits = app.engine.load(token).turns[number].state == "grading"
        app.engine.grade(token, number) if waits else app.engine.answer(token, number, answer(number))
        say({"saved": number})
    for number, turn in enumerate(app.engine.load(token).turns):
        if turn.state == "waiting":
            app.engine.grade(token, number)


def fork(life: Life) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        live(opened(life), life.token, lambda step: print(json.dumps(step), flush=True))
    except BaseException:  # noqa: BLE001 - a child must not go on as a second parent
        traceback.print_exc()
    finally:
        os._exit(0)


if __name__ == "__main__":
    for line in sys.stdin:
        pid = fork(Life(**json.loads(line)))
        print(json.dumps({"pid": pid}), flush=True)
        os.waitpid(pid, 0)
        print(json.dumps({"over": True}), flush=True)
