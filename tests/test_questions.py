"""The plan of an interview."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest

from core.interview.model import FEWEST, MOST, Kind, Level, Question, Setup, Style
from core.interview.questions import ANY_ROLE, FAMILIES, bank, family_of, plan
from core.interview.resume_analyzer import facts
from tests.interviews import role_of

STYLES: tuple[Style, ...] = get_args(Style)
LEVELS: tuple[Level, ...] = get_args(Level)
RESUME = """Experience
Shift lead, Corner Shop, 2021 to 2025
- Reduced waste by 30 percent by reordering the delivery schedule for fresh goods
- Trained 12 new colleagues on the till and wrote the shop's first handbook
"""


def setup(**changes: object) -> Setup:
    return replace(Setup("Software engineer", "mid", "mixed", 8), **changes)  # type: ignore[arg-type]


def planned(seed: int = 1, **changes: object) -> tuple[Question, ...]:
    return plan(setup(**changes), random.Random(seed))


@pytest.mark.parametrize("role", ["Software engineer", "Nurse", "Lawyer"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("style", STYLES)
def test_every_length_is_filled_without_repeats(style: Style, level: Level, role: str) -> None:
    for count in range(FEWEST, MOST + 1):
        for seed in range(3):
            found = planned(seed, style=style, level=level, role=role, questions=count)
            assert len(found) == count
            assert len({q.id for q in found}) == len({q.text for q in found}) == count
            assert all(level in q.levels for q in found)


@pytest.mark.parametrize("family", [*FAMILIES, None])
def test_technical_questions_are_of_the_roles_own_family(family: str | None) -> None:
    role = role_of(family) if family else "Lawyer"
    assert family_of(role) == family
    for style in STYLES:
        found = [q for q in planned(style=style, role=role, questions=12) if q.kind == "technical"]
        assert {q.family for q in found} <= {family}
    assert bool(found) == (family is not None)


@pytest.mark.parametrize("style", STYLES)
def test_every_plan_keeps_to_its_style(style: Style) -> None:
    kinds = Counter(q.kind for q in planned(style=style, questions=8))
    expected: dict[Style, dict[Kind, int]] = {
        "mixed": {"motivation": 1, "behavioural": 3, "technical": 2, "situational": 2},
        "behavioural": {"motivation": 1, "behavioural": 5, "situational": 2},
        "technical": {"behavioural": 2, "technical": 5, "situational": 1},
    }
    assert kinds == expected[style]


@pytest.mark.parametrize("seed", range(10))
def test_competencies_are_spread(seed: int) -> None:
    for style in ("mixed", "behavioural"):
        for role in ("Nurse", "Lawyer"):
            asked = Counter(q.competency for q in planned(seed, style=style, role=role))
            assert len(asked) >= 6
            assert max(asked.values()) <= 2


def test_the_same_seed_plans_the_same_and_another_another() -> None:
    assert planned(7) == planned(7)
    assert len({tuple(q.id for q in planned(seed)) for seed in range(20)}) > 15


def test_every_question_of_the_bank_is_met_by_somebody() -> None:
    asked = {
        q.id
        for seed in range(60)
        for level in LEVELS
        for q in planned(seed, level=level, style="behavioural", role="Lawyer", questions=12)
    }
    pool = {q.id for q in bank() if q.kind == "behavioural"}
    assert len(asked & pool) > 0.8 * len(pool)


def test_an_advert_brings_its_own_subjects_first() -> None:
    def mentions(job: str) -> int:
        plans = (planned(seed, role="Lawyer", job=job) for seed in range(20))
        return sum("customer" in q.text.casefold() for found in plans for q in found)

    assert mentions("You will look after every customer.") > 1.5 * mentions("")


# Seen before


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("role", ["Software engineer", "Nurse", "Lawyer"])
@pytest.mark.parametrize("level", LEVELS)
def test_later_interviews_ask_nothing_that_earlier_ones_asked(level: Level, role: str, style: Style) -> None:
    seen: list[str] = []
    for seed in range(4):
        asked = plan(setup(level=level, role=role, style=style, resume=RESUME), random.Random(seed), seen)
        assert len(asked) == 8
        assert not {q.id for q in asked} & set(seen)
        seen = [*(q.id for q in asked), *seen]


def test_when_everything_was_seen_the_plan_is_still_full_and_of_its_style() -> None:
    found = plan(setup(), random.Random(1), [q.id for q in bank()])
    assert Counter(q.kind for q in found) == Counter(q.kind for q in planned())


def test_another_kind_is_asked_before_a_question_comes_again() -> None:
    new = {q.id for q in bank() if q.kind == "situational" and "mid" in q.levels}
    seen = [q.id for q in bank() if q.id not in new]
    assert {q.id for q in plan(setup(style="technical"), random.Random(1), seen)} <= new


def test_what_was_asked_longest_ago_comes_again_first() -> None:
    every = [q.id for q in bank() if q.kind == "behavioural" and "mid" in q.levels]
    rest = [q.id for q in bank() if q.id not in every]
    asked = plan(setup(style="behavioural"), random.Random(1), [*rest, *every, rest[0]])
    oldest = {q.id for q in asked if q.kind == "behavioural"}
    assert oldest == set(every[-len(oldest) :])


# The resume


def test_one_question_quotes_the_resume_and_its_grading_text_does_not() -> None:
    found = [q for q in planned(resume=RESUME) if "Your resume says" in q.text]
    assert len(found) == 1
    assert found[0].id.startswith("t-")
    assert any(line in found[0].text for line in facts(RESUME).highlights)
    graded = found[0].graded_as + " ".join((*found[0].key_points, *found[0].probes.values(), found[0].outline))
    assert not any(word in graded for word in ("30 percent", "12", "waste", "till"))


def test_the_next_interview_asks_about_another_line_until_none_is_left() -> None:
    seen: list[str] = []
    for line in facts(RESUME).highlights:
        asked = plan(setup(resume=RESUME), random.Random(1), seen)
        assert [q for q in asked if line in q.text]
        seen = [*(q.id for q in asked), *seen]
    assert not [q for q in plan(setup(resume=RESUME), random.Random(1), seen) if q.graded_as]


def test_a_resume_without_a_line_worth_quoting_changes_nothing() -> None:
    assert all(q.id.startswith("b-") for q in planned(resume="I like dogs."))
    assert all(not q.graded_as for q in planned())


# Role families


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Software engineer", "software"),
        ("SENIOR PYTHON DEVELOPER", "software"),
        ("QA tester", "software"),
        ("Data analyst", "data"),
        ("BI developer", "data"),
        ("Data engineer", "data"),
        ("Machine learning engineer", "data"),
        ("Product manager", "product"),
        ("Project manager", "product"),
        ("Product designer", "design"),
        ("UX researcher", "design"),
        ("Content writer", "marketing"),
        ("Social media manager", "marketing"),
        ("Account manager", "sales"),
        ("Retail assistant", "sales"),
        ("Accountant", "finance"),
        ("Accounts payable clerk", "finance"),
        ("Financial controller", "finance"),
        ("HR business partner", "hr"),
        ("School nurse", "health"),
        ("Care worker", "health"),
        ("Healthcare assistant", "health"),
        ("Teaching assistant", "teaching"),
        ("Primary school teacher", "teaching"),
        ("Nursery teacher", "teaching"),
        ("Call centre agent", "customer_service"),
        ("Truck driver", "operations"),
        ("Production manager", "operations"),
        ("Social worker", None),
        ("Lawyer", None),
        ("Barista", None),
        ("", None),
        (ANY_ROLE, None),
        ("Bid writer", None),
        ("Biologist", None),
        ("Billing clerk", None),
        ("Career adviser", None),
        ("Caretaker", None),
        ("Contentious probate solicitor", None),
        ("Civil engineer", None),
        ("Mechanical engineer", None),
        ("Air traffic controller", None),
    ],
)
def test_the_family_is_the_one_that_the_words_point_to(name: str, family: str | None) -> None:
    assert family_of(name) == family
