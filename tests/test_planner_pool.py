"""Plans and the pool: what one candidate's plan leaves behind for others, and what it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.interview.model import Setup
from core.interview.planner import ENOUGH
from core.interview.pool import PlanPool
from core.interview.questions import ANY_ROLE
from tests.fakes.flaky import Flaky
from tests.fakes.stores import disk
from tests.plans import LINES, NURSE, RESUME, Fluent, desk, own, resumed


def test_near_equal_prompts_of_two_visitors_share_nothing(tmp_path: Path) -> None:
    with desk(tmp_path, Fluent()) as it:
        before = set(it.kept.keys())
        first = it.plan(resumed())
        second = it.plan(resumed(resume=RESUME.replace("30 percent", "31 percent")))
        new = "".join(it.kept.get(key) or "" for key in set(it.kept.keys()) - before)
        assert it.fake.counts.received == 2
    written = b"".join(path.read_bytes() for path in (tmp_path / "ledger").rglob("*") if path.is_file())
    texts = [q.text for plan in (first, second) for q in own(plan.questions)]
    assert texts
    assert not [t for t in [*texts, *LINES, "Zebradesk"] if t in new or t.encode() in written]
    assert not {q.id for q in own(first.questions)} & {q.id for q in own(second.questions)}


def test_a_field_costs_calls_until_its_pool_is_full_and_none_after(tmp_path: Path) -> None:
    with desk(tmp_path, Fluent()) as it:
        starts = 0
        while it.planner.needs_call(NURSE):
            starts += 1
            assert it.plan().spent.calls == 1
            assert starts < 3 * ENOUGH
        asked = it.fake.counts.received
        assert asked == starts >= ENOUGH / 3
        found = [it.plan(replace(NURSE, role="School nurse")) for _ in range(5)]
        assert it.fake.counts.received == asked
    assert {plan.spent.calls for plan in found} == {0}
    assert "pool" in {plan.origin for plan in found}
    assert any(own(plan.questions) for plan in found)
    assert all(len(plan.questions) == 8 for plan in found)


def test_a_pooled_question_that_was_seen_is_not_drawn(tmp_path: Path) -> None:
    with desk(tmp_path, Fluent()) as it:
        while it.planner.needs_call(NURSE):
            it.plan()
        drawn: list[str] = []
        for _ in range(25):
            drawn += [q.id for q in own(it.plan(seen=drawn).questions)]
    assert len(drawn) == len(set(drawn)) > 0


@pytest.mark.parametrize(
    "other",
    [replace(NURSE, level="senior"), replace(NURSE, style="behavioural"), replace(NURSE, role="Teacher")],
    ids=["level", "style", "field"],
)
def test_another_interview_has_another_pool(tmp_path: Path, other: Setup) -> None:
    with desk(tmp_path, Fluent()) as it:
        while it.planner.needs_call(NURSE):
            it.plan()
        assert it.planner.needs_call(other)


def test_a_broken_pool_costs_no_call_and_no_plan(tmp_path: Path) -> None:
    broken = Flaky(disk(tmp_path).documents)
    broken.down = "plan:"
    with desk(tmp_path, Fluent(), PlanPool(broken)) as it:
        assert not it.planner.needs_call(NURSE)
        assert len(it.plan().questions) == 8
        assert it.fake.counts.received == 0


def test_general_practice_is_no_field_of_its_own(tmp_path: Path) -> None:
    with desk(tmp_path, Fluent()) as it:
        found = it.plan(replace(NURSE, role=ANY_ROLE))
        assert it.told()["role"] == "any office or service job"
    assert "technical" not in {q.kind for q in found.questions}
