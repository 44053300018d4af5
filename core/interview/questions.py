"""The question bank and the plan of an interview: which questions, in which order. No AI, no network."""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from core.interview.model import Kind, Question, Setup, Style
from core.interview.resume_analyzer import facts, terms
from core.interview.tailored import about_resume

BANK = Path(__file__).parent / "bank"
# The first family of which a cue stands in the role as whole words: the more telling ones come first, so that a
# product designer designs and a data engineer works with data.
FAMILIES: Mapping[str, str] = {
    "teaching": "teacher|teaching|lecturer|tutor|professor|educator|instructor",
    "health": "nurse|nursing|healthcare|health|midwife|paramedic|clinical|pharmacist|medical|physiotherapist"
    "|carer|care (?:worker|assistant)",
    "data": "data|analytics|machine learning|ml|bi|business intelligence|statistician",
    "design": "designer|design|ux|ui",
    "hr": "hr|human resources|recruiter|recruitment|talent|people (?:partner|manager)",
    "finance": "accountant|accounts|accounting|finance|financial|auditor|bookkeeper|payroll|treasury",
    "marketing": "marketing|content|copywriter|seo|social media|brand|communications",
    "sales": "sales|account (?:manager|executive)|business development|retail|shop",
    "customer_service": "customer|support|call cent(?:re|er)|helpdesk|help desk|receptionist",
    "product": "product|project manager|programme manager|program manager|scrum",
    "operations": "operations|warehouse|logistics|supply chain|manufacturing|production|driver|chef",
    "software": "software|developer|programmer|devops|sre|backend|frontend|full stack|web|qa|tester",
}
# Shares of a plan by kind. The rest of each style goes to behavioural questions.
MIX: Mapping[Style, Mapping[Kind, float]] = {
    "mixed": {"motivation": 0.13, "technical": 0.25, "situational": 0.2},
    "behavioural": {"motivation": 0.1, "situational": 0.3},
    "technical": {"technical": 0.65, "situational": 0.15},
}
ORDER: tuple[Kind, ...] = ("motivation", "behavioural", "technical", "situational")
ANY_ROLE = "General practice"  # for whoever names no role: no field of work, and no questions on one


@cache
def bank() -> tuple[Question, ...]:
    """Every question we wrote, in the order of the files."""
    rows: list[dict[str, Any]] = []
    for path in sorted(BANK.glob("*.toml")):
        rows += tomllib.loads(path.read_text(encoding="utf-8"))["question"]
    return tuple(_question(row) for row in rows)


@cache
def bank_version() -> str:
    """Changes with every change of the files."""
    whole = b"".join(path.read_bytes() for path in sorted(BANK.glob("*.toml")))
    return hashlib.sha256(whole).hexdigest()[:12]


def family_of(role: str) -> str | None:
    """The role family that the role's words point to; None if none does."""
    said = role.casefold()
    return next((f for f, cues in FAMILIES.items() if re.search(rf"\b(?:{cues})s?\b", said)), None)


def plan(setup: Setup, rng: random.Random, seen: Iterable[str] = ()) -> tuple[Question, ...]:
    """Questions for this candidate: the style's mix of kinds, competencies spread, what the job asks for first.

    With a resume, one behavioural question is about a line of it. `seen` are ids of questions asked before, the
    latest first: they come again only when nothing of any kind is left, the oldest first.
    """
    wanted = set(terms(setup.job)) | set(terms(setup.resume))
    age = {id_: n for n, id_ in reversed(list(enumerate(seen, 1)))}
    pool = [q for q in bank() if setup.level in q.levels and _suits(q, setup)]
    rng.shuffle(pool)
    pool.sort(key=lambda q: -_overlap(q, wanted))
    chosen: list[Question] = []
    for kind in _kinds(setup):
        chosen.append(_next(pool, kind, chosen, age))
        pool.remove(chosen[-1])
    chosen.sort(key=lambda q: ORDER.index(q.kind))
    return tuple(_with_resume(chosen, setup.resume, age))


def _kinds(setup: Setup) -> list[Kind]:
    shares = dict(MIX[setup.style])
    if "technical" in shares and family_of(setup.role) is None:
        del shares["technical"]
    counts: dict[Kind, int] = {kind: round(share * setup.questions) for kind, share in shares.items()}
    counts["behavioural"] = setup.questions - sum(n for kind, n in counts.items() if kind != "behavioural")
    return [kind for kind in ORDER for _ in range(counts.get(kind, 0))]


def _suits(question: Question, setup: Setup) -> bool:
    return question.family in ("", family_of(setup.role))


def _overlap(question: Question, wanted: set[str]) -> int:
    said = " ".join((question.text, *question.key_points)).casefold()
    return min(2, sum(term in said for term in wanted))


def _next(pool: Sequence[Question], kind: Kind, chosen: Sequence[Question], age: Mapping[str, int]) -> Question:
    """The first question of the kind in a competency asked least so far.

    Any other kind comes before one that was seen, and what was seen longest ago before the rest of that.
    """
    asked = [q.competency for q in chosen]
    new = [q for q in pool if q.id not in age]
    of_kind = [q for q in new or pool if q.kind == kind] or list(new or pool)
    return min(of_kind, key=lambda q: (-age.get(q.id, 0), asked.count(q.competency)))


def _with_resume(chosen: list[Question], resume: str, age: Mapping[str, int]) -> list[Question]:
    lines = facts(resume).highlights if resume else ()
    about = next((q for q in map(about_resume, lines) if q.id not in age), None)
    slot = next((n for n, q in enumerate(chosen) if q.kind == "behavioural"), None)
    return [about if n == slot and about else q for n, q in enumerate(chosen)]


def _question(row: Mapping[str, Any]) -> Question:
    return Question(**{**row, "key_points": tuple(row["key_points"]), "levels": tuple(row["levels"])})
