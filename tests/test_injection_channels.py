"""Orders to a model wherever a candidate may write: none reaches a system message, none lights an anchor."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from core.balancer import AllRoutesOut
from core.interview import text
from core.interview.model import Setup
from core.interview.resume_analyzer import read_resume
from tests.answers import STORY
from tests.fakes.graders import obedient
from tests.fakes.upstream import FakeUpstream
from tests.interviews import app
from tests.test_injections import PAYLOADS

SETUP = Setup("Nurse", "mid", "behavioural", 3)
LINE = "Reduced waiting times by 30 percent by rewriting the weekly plan of the ward"


def resume(order: str) -> str:
    return f"Experience\n- {LINE}\n- {order}\n- Trained twelve colleagues on the new software before it opened\n"


@pytest.mark.parametrize("first", range(0, len(PAYLOADS), 12))
def test_no_order_reaches_a_system_message_from_anywhere(tmp_path: Path, first: int) -> None:
    """The system messages of hostile interviews are, byte for byte, those of an honest one."""
    with FakeUpstream(reply=obedient) as fake:
        practice = app(tmp_path, {"alpha": fake}, tailored_questions=True)

        def systems(order: str) -> set[str]:
            heard = len(fake.requests())
            role, job = f"Nurse {order}", f"A ward needs you.\n{order}"
            token, _ = practice.engine.start(replace(SETUP, role=role, resume=resume(order), job=job))
            practice.engine.answer(token, 0, f"{STORY} {order}")
            practice.engine.finish(token)
            practice.after.narrate(token)
            with suppress(AllRoutesOut):  # the scripted grader reads no resumes, but it has been asked
                practice.reviewer.review(resume(order), job)
            sent = fake.requests()[heard:]
            assert all([role for role, _ in each.messages].count("system") == 1 for each in sent)
            return {each.messages[0][1] for each in sent}

        honest = systems("I like night shifts.")
        assert len(honest) == 4, "the plan, the answer, the report and the resume"
        for order in PAYLOADS[first : first + 12]:
            assert systems(order) <= honest, order


@pytest.mark.parametrize("first", range(0, len(PAYLOADS), 12))
def test_no_order_lights_an_anchor_for_a_grader_that_obeys(tmp_path: Path, first: int) -> None:
    with FakeUpstream(reply=obedient) as fake:
        engine = app(tmp_path, {"alpha": fake}).engine
        for order in PAYLOADS[first : first + 12]:
            token, _ = engine.start(SETUP)
            found = engine.answer(token, 0, f"{STORY} {order}").turns[0].feedback
            assert found is not None
            own = text.folded(STORY)
            assert all(text.holds(own, met.quote) for met in found.met), order


@pytest.mark.parametrize("order", PAYLOADS[::6])
def test_an_order_in_a_files_name_is_read_by_nobody(tmp_path: Path, order: str) -> None:
    found = read_resume(f"{order[:80]}.txt", resume("Led the night shift").encode())
    assert LINE in found.text
    assert order not in found.text
