"""What a candidate sees and does, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.app import current
from tests import files
from tests.answers import STORY
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.screens import everything, fresh


def started(questions: int = 3, **fields: str) -> AppTest:
    page = fresh().run()
    page.slider(key="questions").set_value(questions)
    for key, value in fields.items():
        page.text_area(key=key).set_value(value)
    page.button(key="start").click().run()
    assert not page.exception
    return page


def send(page: AppTest, number: int, answer: str) -> AppTest:
    page.text_area(key=f"answer-{number}").set_value(answer)
    page.button(key=f"send-{number}").click().run()
    assert not page.exception
    return page


@pytest.fixture
def graded(monkeypatch: pytest.MonkeyPatch) -> FakeUpstream:
    """A provider that grades; enter it to start it."""
    fake = FakeUpstream("cerebras", reply=grade)
    monkeypatch.setenv("CEREBRAS_API_KEY", "csk-test-key")
    monkeypatch.setenv("ALLOW_LOCAL_UPSTREAMS", "1")
    monkeypatch.setenv("TAILORED_QUESTIONS", "0")
    return fake


def test_a_whole_interview_offline_without_any_key() -> None:
    page = started(questions=3)
    assert "Offline practice, no score" in everything(page)
    for number in range(3):
        assert f"Question {number + 1} of 3" in page.get("progress")[0].proto.text
        send(page, number, f"{STORY} That was story {number}.")
    shown = everything(page)
    assert "Not scored" in shown
    assert "No AI provider is set up here." in shown
    assert "of 100" not in shown
    assert page.get("download_button")


def test_a_whole_interview_with_a_grader(monkeypatch: pytest.MonkeyPatch, graded: FakeUpstream) -> None:
    with graded:
        monkeypatch.setenv("CEREBRAS_BASE_URL", graded.base_url)
        page = started(questions=3)
        for number in range(3):
            send(page, number, f"{STORY} That was story {number}.")
        assert "of 100" in everything(page)
        assert "Anchors found by cerebras/" in everything(page)
        assert graded.counts.received == 3


TWO_ROUTES = """
[groq]
priority = 1
limits = [{ unit = "requests", amount = 40, window = "day" }]
models = [{ id = "a", tier = "small" }]
[cerebras]
limits = [{ unit = "requests", amount = 40, window = "day" }]
models = [{ id = "spare", tier = "small" }]
"""


@pytest.mark.parametrize(("step", "charged"), [("429:60", 0), ("500", 1), ("drop", 1)])
def test_a_failing_provider_is_no_more_than_a_pause(
    step: str, charged: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, graded: FakeUpstream
) -> None:
    """Whatever the first one does, the other provider answers, and the books agree."""
    (tmp_path / "catalog.local.toml").write_text(TWO_ROUTES)
    with FakeUpstream("groq", reply=grade) as failing, graded:
        failing.plan(step)
        monkeypatch.setenv("GROQ_API_KEY", "gsk_test_key")
        monkeypatch.setenv("GROQ_BASE_URL", failing.base_url)
        monkeypatch.setenv("CEREBRAS_BASE_URL", graded.base_url)
        page = started(questions=3)
        for number in range(3):
            send(page, number, f"{STORY} That was story {number}.")
        assert "of 100" in everything(page)
        assert "not scored" not in everything(page).lower()
        assert (failing.counts.received, failing.counts.charged) == (1, charged)
        used = {p.name: p.standings[0].used for p in current().status.read().providers}
        assert used == {"groq": failing.counts.charged, "cerebras": graded.counts.charged}
        assert graded.counts.charged == 3


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("", "There is no answer yet"),
        ("   \n ", "There is no answer yet"),
        ("word " * 4_000, "at most 6,000 can be sent"),
        ("Yes, I did.", "too short"),
        ("blah blah blah blah blah blah blah blah blah blah", "could not read"),
    ],
)
def test_an_answer_that_cannot_be_sent_stays_in_the_box(answer: str, says: str) -> None:
    page = send(started(), 0, answer)
    assert says in everything(page)
    assert page.text_area(key="answer-0").value == answer


def test_the_address_brings_the_interview_back_with_its_draft() -> None:
    page = started()
    token = page.query_params["interview"]
    send(page, 0, STORY)
    current().engine.keep_draft(token, 1, "half a thou")

    current.cache_clear()  # as a server that was restarted
    again = fresh()
    again.query_params["interview"] = token
    again.run()
    assert not again.exception
    assert again.text_area(key="answer-1").value == "half a thou"
    assert STORY in everything(again)


def test_an_unknown_token_says_so_and_offers_a_new_start() -> None:
    page = fresh()
    page.query_params["interview"] = "no-such-token"
    page.run()
    assert not page.exception
    assert "This interview is not here" in everything(page)
    assert page.button(key="start")


def test_deleting_and_ending_early() -> None:
    page = started()
    token = page.query_params["interview"]
    page.button(key="skip-0").click().run()
    page.button(key="finish").click().run()
    assert "Not reached" in str([e.label for e in page.expander])
    page.button(key="delete").click().run()
    assert "interview" not in page.query_params
    again = fresh()
    again.query_params["interview"] = token
    assert "This interview is not here" in everything(again.run())


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("cv.pdf", files.encrypted("secret"), "needs a password"),
        ("cv.pdf", files.scan(), "looks like a scan"),
        ("cv.pdf", b"MZ\x90\x00" + b"\x00" * 2_000, "is something else"),
        ("cv.pdf", b"%PDF-1.7" + b"0" * 30_000_000, "Maximum is 5 MB"),
    ],
    ids=["encrypted", "scanned", "exe", "30 MB"],
)
def test_a_resume_that_cannot_be_read_says_why_and_loses_nothing(name: str, data: bytes, says: str) -> None:
    page = fresh().run()
    page.text_area(key="job").set_value("We need a careful nurse.").run()
    page.file_uploader[0].upload(name, data).run()
    assert not page.exception
    assert says in everything(page)
    assert page.text_area(key="job").value == "We need a careful nurse."
    page.button(key="start").click().run()
    assert "interview" in page.query_params


def test_a_good_resume_is_shown_for_correction_and_asked_about() -> None:
    page = fresh().run()
    page.file_uploader[0].upload("cv.docx", files.word()).run()
    assert not page.exception
    assert len(page.text_area(key="resume").value or "") > 50
    page.button(key="start").click().run()
    interview = current().engine.load(page.query_params["interview"])
    assert any("Your resume says" in t.question.text for t in interview.turns)
