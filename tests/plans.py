"""A planner over a fake provider, and models that write questions."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.interview.model import Question, Setup
from core.interview.planner import Plan, Planner
from core.interview.pool import PlanPool
from core.interview.questions import bank
from core.policy import Task
from core.stores.contract import Documents
from tests.fakes.asking import NOON
from tests.fakes.clock import FrozenCalendar
from tests.fakes.exchange import Exchange
from tests.fakes.house import House, build_house, row
from tests.fakes.upstream import FakeUpstream
from tests.interviews import sent_data

NURSE = Setup("Nurse", "mid", "mixed", 8)
RESUME = """Experience
Shift lead, Corner Shop, 2021 to 2025
- Reduced waste by 30 percent by reordering the delivery schedule for fresh goods
- Trained 12 new colleagues on the till and wrote the shop's first handbook
Skills
Excel, Zebradesk
"""
LINES = (
    "Reduced waste by 30 percent by reordering the delivery schedule for fresh goods",
    "Trained 12 new colleagues on the till and wrote the shop's first handbook",
)
BANK = {q.id for q in bank()}
Writer = Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True)
class Desk:
    """A planner with what it stands on."""

    planner: Planner
    fake: FakeUpstream
    house: House
    pool: PlanPool

    @property
    def kept(self) -> Documents:
        return self.house.store.documents

    def plan(self, setup: Setup = NURSE, seen: Sequence[str] = (), attempts: int = 1) -> Plan:
        return self.planner.plan(setup, seen, attempts=attempts)

    def told(self) -> dict[str, Any]:
        """What the model was told last."""
        return sent_data(self.fake.requests()[-1])


@contextmanager
def desk(folder: Path, write: Writer, pool: PlanPool | None = None) -> Iterator[Desk]:
    """`write` makes the reply from what the model is told; text is sent as it is."""

    def reply(exchange: Exchange) -> str:
        written = write(sent_data(exchange))
        return written if isinstance(written, str) else json.dumps(written)

    with FakeUpstream("alpha", reply=reply) as fake:
        house = build_house(folder, row("alpha", 1), FrozenCalendar(NOON), {"alpha": fake})
        pool = pool or PlanPool(house.store.documents)
        task = Task("plan", "small", deadline=20)
        yield Desk(Planner(house.balancer, task, lambda: "0" * 16, pool, random.Random(5)), fake, house, pool)
        house.close()


def writing(*items: Mapping[str, object]) -> Writer:
    """A model that always sends these; a key `n` says for which of the slots, the first is 0."""

    def write(told: Mapping[str, Any]) -> object:
        names = [slot["slot"] for slot in told["slots"]]
        return {"questions": [{k: v for k, v in _named(item, names).items() if k != "n"} for item in items]}

    return write


def _named(item: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    n = item.get("n", 0)
    assert isinstance(n, int)
    return {"slot": names[n] if n < len(names) else "none", "ref": "", **item}


class Fluent:
    """A model that does as it is told, never twice with the same words."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, told: Mapping[str, Any]) -> object:
        questions = []
        for n, slot in enumerate(told["slots"]):
            self._count += 1
            thing = "".join(chr(ord("a") + int(digit)) for digit in str(1000 + self._count))
            text = f"When {thing} and {thing[::-1]} {slot['kind']} turned sour, which {thing}ly remedy was tried?"
            lines = told.get("resume_lines", ())
            ref = " ".join(lines[n % len(lines)].split()[:5]) if slot["about"] == "resume" else ""
            questions.append({"slot": slot["slot"], "text": text, "ref": ref})
        return {"questions": questions}


def resumed(**changes: object) -> Setup:
    return replace(replace(NURSE, resume=RESUME), **changes)  # type: ignore[arg-type]


def own(questions: tuple[Question, ...]) -> list[Question]:
    """Those that are not of the bank."""
    return [q for q in questions if q.id not in BANK]
