"""Which questions of a plan a model may replace, and what it is told for that. Pure.

Where no candidate's word is needed, none is told: then the role is named by its field alone, and the questions may
serve others. A resume is told as a few of its lines, never whole.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from core.interview import text, wording
from core.interview.model import Competency, Kind, Question, Setup
from core.interview.questions import ANY_ROLE, bank, family_of
from core.interview.resume_analyzer import facts, terms

MOST = 3  # questions that are not of the bank
SHARE = 0.3  # of a plan
MOST_TERMS = 20
RUN = 4  # words in a row that stand in the resume too
FIELDS: Mapping[str, str] = {
    "teaching": "teaching",
    "health": "nursing and health care",
    "data": "data analysis and data engineering",
    "design": "product and graphic design",
    "hr": "human resources",
    "finance": "finance and accounting",
    "marketing": "marketing and content",
    "sales": "sales",
    "customer_service": "customer service",
    "product": "product and project management",
    "operations": "operations and logistics",
    "software": "software engineering",
    "": "any office or service job",
}
About = Literal["resume", "job", "role"]


@dataclass(frozen=True)
class Slot:
    """Place `number` of a plan, known to the model by `name`."""

    name: str
    number: int
    kind: Kind
    competency: Competency
    about: About


def is_private(setup: Setup) -> bool:
    """Is there something of the candidate's own that questions can be made of: resume, job, a role of no field?"""
    return bool(resume_lines(setup) or terms(setup.job, 1) or _is_own_role(setup))


def resume_lines(setup: Setup) -> tuple[str, ...]:
    """The lines worth asking about, as they stand in the resume; none that holds contact data or gives orders."""
    return facts(setup.resume).highlights if setup.resume else ()


def private(setup: Setup, chosen: Sequence[Question]) -> tuple[Slot, ...]:
    """Slots for a candidate's own questions: on the resume, and then on the job or the role."""
    wanted = _count(setup)
    lines, has_other = len(resume_lines(setup)), bool(terms(setup.job, 1)) or _is_own_role(setup)
    on_resume = min(lines, -(-wanted // 2) if has_other else wanted)
    numbers = [n for n, q in enumerate(chosen) if q.kind == "behavioural"][:on_resume]
    found: list[tuple[int, Kind, Competency, About]] = [(n, "behavioural", "ownership", "resume") for n in numbers]
    if has_other:
        about: About = "job" if terms(setup.job, 1) else "role"
        technical = _is_own_role(setup) and setup.style != "behavioural"
        places: Sequence[Kind] = ("technical", "situational", "behavioural")
        rest = [n for kind in places for n, q in enumerate(chosen) if q.kind == kind and n not in numbers]
        for n in rest[: wanted - len(numbers)]:
            kind, competency = chosen[n].kind, chosen[n].competency
            found.append((n, "technical", "role_knowledge", about) if technical else (n, kind, competency, about))
    return tuple(Slot(f"s{place}", *parts) for place, parts in enumerate(sorted(found), 1))


def shared(setup: Setup, chosen: Sequence[Question], rng: random.Random) -> tuple[Slot, ...]:
    """Slots for questions on the field, anywhere in the plan."""
    numbers = sorted(rng.sample(range(len(chosen)), min(_count(setup), len(chosen))))
    return tuple(
        Slot(f"s{place}", n, chosen[n].kind, chosen[n].competency, "role") for place, n in enumerate(numbers, 1)
    )


def told(setup: Setup, open_slots: Sequence[Slot], chosen: Sequence[Question]) -> dict[str, object]:
    """What a model learns of this interview. Only a private setup tells anything that the candidate wrote."""
    own = is_private(setup)
    family = family_of(setup.role) or ""
    data: dict[str, object] = {
        "role": setup.role if own else FIELDS[family],
        "level": setup.level,
        "slots": [_row(slot, chosen[slot.number]) for slot in open_slots],
    }
    if any(slot.about == "job" for slot in open_slots):
        data["job_terms"] = list(terms(setup.job, MOST_TERMS))
    if any(slot.about == "resume" for slot in open_slots):
        data["resume_lines"] = list(resume_lines(setup))
    return data


def reveals(question: str, setup: Setup) -> bool:
    """Does the question give away something of the resume: a word of its own, or several in a row?"""
    if not setup.resume:
        return False
    own = wording.words(setup.resume) - wording.words(f"{setup.role} {setup.job}") - _common()
    if own & wording.words(question):
        return True
    whole, said = text.folded(setup.resume), text.words(question)
    return any(text.holds(whole, " ".join(said[n : n + RUN])) for n in range(len(said) - RUN + 1))


def invents(question: str, setup: Setup) -> bool:
    """Does the question name something that neither the candidate nor the bank names?"""
    named = re.findall(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'’-]*", question)
    known = wording.words(f"{setup.role} {setup.job} {setup.resume}") | _common()
    return any(wording.words(name) - known for name in named)


def _is_own_role(setup: Setup) -> bool:
    return family_of(setup.role) is None and setup.role.casefold() != ANY_ROLE.casefold()


def _count(setup: Setup) -> int:
    return max(1, min(MOST, round(SHARE * setup.questions)))


def _row(slot: Slot, instead_of: Question) -> dict[str, str]:
    row = {"slot": slot.name, "kind": slot.kind, "competency": slot.competency, "about": slot.about}
    # A question that quotes the resume says too much, and one of another kind is no guide.
    return row if instead_of.graded_as or instead_of.kind != slot.kind else {**row, "instead_of": instead_of.text}


@cache
def _common() -> frozenset[str]:
    """The words of our own questions: none of them gives anybody away."""
    return frozenset(word for q in bank() for word in wording.words(q.text))
