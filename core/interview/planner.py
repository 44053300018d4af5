"""The plan of an interview: questions of the bank, and up to three written for this candidate or this field.

The bank alone is always enough. A model is asked at most once, and only for slots that code has chosen, by name:
it gives the text of a question and the words of the resume that it is about. Everything else about a question is
ours, and a text that breaks a rule leaves its slot as the bank filled it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from core.balancer import LoadBalancer
from core.budget import NOTHING, Spent
from core.cache import fingerprint
from core.interview import questions, slots, text
from core.interview.model import Question, Setup
from core.interview.pool import PlanPool, has_twin, sound
from core.interview.prompts import VERSION
from core.interview.prompts.plan import plan as plan_prompt
from core.interview.slots import Slot
from core.interview.tailored import about_resume, about_work
from core.policy import Task
from core.quotas import Envelope
from core.structured import read_as, schema_of
from core.wanted import AllRoutesOut, Wanted
from providers.contracts import ChatRequest
from providers.errors import Refused

MAX_TOKENS = 500
TEMPERATURE = 0.8  # the same words to everybody would bring the same questions, and the pool would never grow
ENOUGH = 30  # questions in the pool; from then on they serve and nobody is asked
FEWEST_REF_WORDS = 4
NOT_NOW = "The AI was busy, so no question was written for you this time; all are from our bank."


class SlotReply(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    slot: str
    text: str
    ref: str = ""


def _whole(found: object) -> object:
    """Without the items that are no slots, so that one of them does not cost the others."""
    if not isinstance(found, list):
        return found
    names = set(SlotReply.model_fields)
    return [
        item
        for item in found
        if isinstance(item, dict)
        and {"slot", "text"} <= set(item) <= names
        and all(isinstance(value, str) for value in item.values())
    ]


class PlanReply(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    questions: Annotated[list[SlotReply], BeforeValidator(_whole)]


@dataclass(frozen=True)
class Plan:
    """`origin` tells where questions beyond the bank came from; `note` is a line for the candidate, or empty."""

    questions: tuple[Question, ...]
    origin: Literal["bank", "pool", "ai"] = "bank"
    spent: Spent = NOTHING
    note: str = ""


@dataclass(frozen=True)
class Purse:
    """What a plan may spend: so many calls, out of the envelope where that has something left."""

    envelope: Envelope | None = None
    attempts: int = 0


class Planner:
    def __init__(
        self,
        balancer: LoadBalancer,
        task: Task,
        nonce: Callable[[], str],
        pool: PlanPool,
        rng: random.Random,
    ) -> None:
        self._balancer = balancer
        self._task = task
        self._nonce = nonce
        self._pool = pool
        self._rng = rng

    def needs_call(self, setup: Setup) -> bool:
        """Would a plan for this setup ask a model, if it may?"""
        if self._task.attempts < 1:
            return False
        if slots.is_private(setup):
            return True
        kept = self._pool.questions(_key(setup))
        return kept is not None and len(kept) < ENOUGH

    def plan(
        self, setup: Setup, seen: Sequence[str] = (), envelope: Envelope | None = None, attempts: int = 0
    ) -> Plan:
        """As many questions as were asked for, whatever happens; without `attempts` no model is asked.

        `seen` are ids of questions that this candidate was asked before, the latest first. Raises nothing.
        """
        chosen = questions.plan(setup, self._rng, seen)
        purse = Purse(envelope, min(attempts, self._task.attempts))
        if slots.is_private(setup):
            found = self._asked(setup, slots.private(setup, chosen), chosen, purse)
            return replace(found, questions=_unless_seen(found.questions, chosen, seen))
        return self._shared(setup, chosen, seen, purse)

    def _shared(self, setup: Setup, chosen: tuple[Question, ...], seen: Sequence[str], purse: Purse) -> Plan:
        kept = self._pool.questions(_key(setup))
        open_slots = slots.shared(setup, chosen, self._rng)
        pooled = _placed(chosen, self._drawn(kept or (), open_slots, {*seen}))
        origin: Literal["bank", "pool"] = "bank" if pooled == chosen else "pool"
        if kept is None or len(kept) >= ENOUGH or purse.attempts < 1:
            return Plan(pooled, origin)
        asked = self._asked(setup, open_slots, chosen, purse)
        fresh = {n: q for n, q in enumerate(asked.questions) if q != chosen[n]}
        self._pool.add(_key(setup), fresh.values())
        unseen = {n: q for n, q in fresh.items() if not has_twin(q.text, pooled)}
        return Plan(_placed(pooled, unseen), "ai" if unseen else origin, asked.spent)

    def _drawn(
        self, kept: Sequence[Question], open_slots: Sequence[Slot], seen: set[str]
    ) -> Mapping[int, Question]:
        """One of the pool for each slot that has one of its kind and competency, unseen by this candidate."""
        taken: dict[int, Question] = {}
        for slot in open_slots:
            fits = [
                q
                for q in kept
                if (q.kind, q.competency) == (slot.kind, slot.competency)
                and q.id not in seen
                and q not in taken.values()
            ]
            if fits:
                taken[slot.number] = self._rng.choice(fits)
        return taken

    def _asked(self, setup: Setup, open_slots: Sequence[Slot], chosen: tuple[Question, ...], purse: Purse) -> Plan:
        """The plan with what a model wrote for the slots, where that is fit to be asked."""
        if purse.attempts < 1 or not open_slots:
            return Plan(chosen)
        request = ChatRequest(
            messages=plan_prompt(slots.told(setup, open_slots, chosen), self._nonce()),
            max_tokens=MAX_TOKENS,
            temperature=TEMPERATURE,
            schema=schema_of(PlanReply),
            timeout=self._task.deadline,
        )
        wanted = Wanted(
            self._task,
            request,
            lambda reply: read_as(PlanReply, reply),
            envelope=purse.envelope,
            attempts=purse.attempts,
        )
        try:
            answer = self._balancer.complete(wanted)
        except AllRoutesOut as out:
            return Plan(chosen, spent=out.spent, note=NOT_NOW)
        except Refused:
            return Plan(chosen, spent=Spent(purse.attempts), note=NOT_NOW)
        found = _accepted(answer.value, setup, open_slots, chosen)
        return Plan(found, "bank" if found == chosen else "ai", answer.spent)


def _accepted(
    reply: PlanReply, setup: Setup, open_slots: Sequence[Slot], chosen: tuple[Question, ...]
) -> tuple[Question, ...]:
    """The plan with every question of the reply that keeps the rules; the first for a slot counts."""
    by_name = {slot.name: slot for slot in open_slots}
    taken = list(chosen)
    for item in reply.questions:
        slot = by_name.get(item.slot)
        question = slot and _question(slot, item, setup, taken)
        if slot and question:
            taken[slot.number] = question
            del by_name[slot.name]
    return tuple(taken)


def _question(slot: Slot, item: SlotReply, setup: Setup, taken: Sequence[Question]) -> Question | None:
    asked = text.clean(item.text)
    if not sound(asked) or has_twin(asked, taken):
        return None
    if slot.about != "resume":
        is_free = not item.ref and not slots.reveals(asked, setup)
        return about_work(asked, slot.kind, slot.competency) if is_free else None
    line = _line(item.ref, setup)
    others = [q.text for n, q in enumerate(taken) if n != slot.number]
    if not line or any(line in other for other in others) or slots.invents(asked, setup):
        return None
    return about_resume(line, asked) if slots.reveals(asked, setup) else about_resume(line, asked, asked)


def _line(ref: str, setup: Setup) -> str | None:
    """The line of the resume that holds these words, if they are enough to point at one."""
    if len(text.words(ref)) < FEWEST_REF_WORDS:
        return None
    return next((line for line in slots.resume_lines(setup) if text.holds(text.folded(line), ref)), None)


def _placed(chosen: Sequence[Question], instead: Mapping[int, Question]) -> tuple[Question, ...]:
    return tuple(instead.get(n, q) for n, q in enumerate(chosen))


def _unless_seen(
    found: Sequence[Question], chosen: Sequence[Question], seen: Iterable[str]
) -> tuple[Question, ...]:
    old = {*seen}
    return tuple(b if q.id in old else q for q, b in zip(found, chosen, strict=True))


def _key(setup: Setup) -> str:
    """Made of our own words alone: the role only by its field."""
    field = questions.family_of(setup.role) or ""
    return "plan:" + fingerprint(VERSION, questions.bank_version(), field, setup.level, setup.style)
