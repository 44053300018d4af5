"""What a candidate sees when AI calls are short, or run short on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.app import current
from core.interview.engine import SHORT, TOGETHER
from core.interview.marking import NOT_NOW, Marker
from pages.parts.conversation import SILENT
from tests.answers import STORY
from tests.fakes.exchange import Exchange
from tests.fakes.grader import grade
from tests.fakes.house import limits
from tests.fakes.upstream import FakeUpstream
from tests.screens import everything, fresh

CATALOGUE = '[cerebras]\nmodels = [{{ id = "m", tier = "small" }}]\n{limits}\n'


@pytest.fixture
def replies() -> list[Callable[[Exchange], str]]:
    """The last of them answers."""
    return [grade]


@pytest.fixture
def fake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, replies: list[Callable[[Exchange], str]]
) -> Iterator[FakeUpstream]:
    """The only provider. It grants three calls a day unless a test gives it more."""

    def reply(exchange: Exchange) -> str:
        return replies[-1](exchange)

    with FakeUpstream("cerebras", reply=reply) as running:
        grant(tmp_path, 3)
        monkeypatch.setenv("CEREBRAS_API_KEY", "csk-test-key")
        monkeypatch.setenv("CEREBRAS_BASE_URL", running.base_url)
        monkeypatch.setenv("ALLOW_LOCAL_UPSTREAMS", "1")
        monkeypatch.setenv("TAILORED_QUESTIONS", "0")
        yield running


def grant(folder: Path, calls: int) -> None:
    (folder / "catalog.local.toml").write_text(CATALOGUE.format(limits=limits(requests_day=calls)))


def started(questions: int) -> AppTest:
    page = fresh().run()
    page.slider(key="questions").set_value(questions)
    page.button(key="start").click().run()
    assert not page.exception
    return page


def send(page: AppTest, number: int) -> str:
    """What the page shows after the answer."""
    page.text_area(key=f"answer-{number}").set_value(f"{STORY} That was story {number}.")
    page.button(key=f"send-{number}").click().run()
    assert not page.exception
    return everything(page)


def came_back(token: str) -> AppTest:
    current.cache_clear()  # as a server that was started again
    page = fresh()
    page.query_params["interview"] = token
    page.run()
    assert not page.exception
    return page


def test_a_whole_interview_with_few_calls(fake: FakeUpstream) -> None:
    page = started(5)
    assert SHORT in everything(page)
    for number in range(3):
        shown = send(page, number)
        assert TOGETHER in shown
        assert "I noticed" in shown
        assert "of 100" not in shown
        assert fake.counts.received == 0
    shown = send(page, 3)
    assert fake.counts.received == 1
    assert SHORT in shown
    assert "Question 5 of 5" in page.get("progress")[0].proto.text
    shown = send(page, 4)
    assert "of 100" in shown
    assert TOGETHER not in shown
    assert fake.counts.received == 2


def test_answers_that_wait_are_still_there_after_a_refresh(fake: FakeUpstream) -> None:
    page = started(5)
    send(page, 0)
    send(page, 1)
    again = came_back(page.query_params["interview"])
    assert "That was story 1." in everything(again)
    assert TOGETHER in everything(again)
    send(again, 2)
    assert TOGETHER not in send(again, 3)
    assert again.text_area(key="answer-4").value == ""
    assert fake.counts.received == 1


def test_ending_early_scores_what_waits(fake: FakeUpstream) -> None:
    page = started(5)
    for number in range(3):
        send(page, number)
    page.button(key="finish").click().run()
    assert not page.exception
    assert fake.counts.received == 1
    assert TOGETHER not in everything(page)
    assert current().engine.load(page.query_params["interview"]).spent == 1


def test_a_server_that_stopped_in_the_last_batch_catches_up_on_the_next_visit(
    fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = started(4)
    for number in range(3):
        send(page, number)
    engine, token = current().engine, page.query_params["interview"]
    with monkeypatch.context() as dying:
        dying.setattr(Marker, "mark_batch", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.answer(token, 3, STORY)
    assert fake.counts.received == 0
    assert "of 100" in everything(came_back(token))
    assert fake.counts.received == 1


def test_that_another_tab_is_scoring_is_said(fake: FakeUpstream, replies: list[Callable[[Exchange], str]]) -> None:
    page = started(4)
    token = page.query_params["interview"]

    def reading(exchange: Exchange) -> str:
        shown.append(everything(came_back(token)))
        return grade(exchange)

    shown: list[str] = []
    replies.append(reading)
    for number in range(3):
        send(page, number)
    current().engine.answer(token, 3, STORY)
    assert "being fetched" in shown[0]
    assert "of 100" not in shown[0]
    assert fake.counts.received == 1


def test_that_the_ai_fell_silent_is_said_once(fake: FakeUpstream, tmp_path: Path) -> None:
    grant(tmp_path, 20)
    page = started(4)
    fake.always("503")
    first = send(page, 0)
    assert SILENT in first
    assert NOT_NOW in first
    second = send(page, 1)
    assert SILENT not in second
    assert "Question 3 of 4" in page.get("progress")[0].proto.text
    assert "of 100" not in second
