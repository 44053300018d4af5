"""What a candidate wrote stands in the archive and nowhere else, whatever a provider does with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.app import App
from core.interview.archive import UnknownInterview
from core.stores.disk import DiskDocuments, open_cache
from tests.answers import STORY
from tests.canaries import (
    ANSWERED,
    CANARY,
    SETUP,
    WITHOUT_RESUME,
    Echo,
    Person,
    assert_only_the_archive_knows,
    repeating,
)
from tests.fakes.clock import FrozenCalendar
from tests.fakes.house import limits
from tests.fakes.upstream import FakeUpstream
from tests.interviews import app

STATUSES = (200, 400, 401, 402, 403, 404, 413, 422, 429, 500, 503)
FOR_LEAN = limits(requests_day=4)


@pytest.fixture
def every_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that any logger says, down to the finest level."""
    named = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = [(each, each.level, each.propagate) for each in named]
    for each in named:
        each.setLevel(logging.NOTSET)
        each.propagate = True
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for each, level, propagate in before:
        each.setLevel(level)
        each.propagate = propagate


def told_in(log: pytest.LogCaptureFixture) -> str:
    return "\n".join((log.text, *(repr(vars(record)) for record in log.records)))


def assert_untold(opened: App, person: Person, log: pytest.LogCaptureFixture) -> None:
    opened.history.flush()
    status = json.dumps(opened.status.read().as_json()) + repr(opened.status.read())
    assert "urllib3" in log.text, "the log is not listened to"
    for said in (person.told, told_in(log), status, repr(opened.balancer.passed_over())):
        assert CANARY not in said.casefold()


def test_only_the_archive_knows_what_a_candidate_wrote(
    tmp_path: Path, every_log: pytest.LogCaptureFixture
) -> None:
    clock = FrozenCalendar()
    with FakeUpstream("cerebras", reply=repeating) as fake:
        opened = app(tmp_path, {"alpha": fake}, clock)
        person = Person(opened, clock)
        modes = [person.practises(setup, off) for setup in (SETUP, WITHOUT_RESUME) for off in (False, True)]
        assert modes == ["full", "offline", "full", "offline"]
        person.has_the_resume_reviewed()
        assert_only_the_archive_knows(tmp_path)
        assert_untold(opened, person, every_log)
        opened.fleet.close()


def test_only_the_archive_knows_in_lean_mode(tmp_path: Path, every_log: pytest.LogCaptureFixture) -> None:
    clock = FrozenCalendar()
    with FakeUpstream("cerebras", reply=repeating) as fake:
        opened = app(tmp_path, {"alpha": fake}, clock, more=FOR_LEAN)
        person = Person(opened, clock)
        assert person.practises(SETUP) == "lean"
        assert_only_the_archive_knows(tmp_path)
        assert_untold(opened, person, every_log)
        opened.fleet.close()


@pytest.mark.parametrize("status", STATUSES)
def test_what_a_provider_repeats_goes_nowhere(
    status: int, tmp_path: Path, every_log: pytest.LogCaptureFixture
) -> None:
    clock = FrozenCalendar()
    with Echo(status) as fake:
        opened = app(tmp_path, {"alpha": fake}, clock)
        person = Person(opened, clock)
        person.practises(SETUP)
        person.has_the_resume_reviewed()
        assert fake.asked, "nothing was repeated"
        assert person.raised
        assert_only_the_archive_knows(tmp_path)
        assert_untold(opened, person, every_log)
        opened.fleet.close()


def test_an_interview_that_cannot_be_read_is_not_shown(
    tmp_path: Path, every_log: pytest.LogCaptureFixture
) -> None:
    clock = FrozenCalendar()
    with FakeUpstream("cerebras", reply=repeating) as fake:
        opened = app(tmp_path, {"alpha": fake}, clock)
        token, _ = opened.engine.start(SETUP)
        archive = DiskDocuments(open_cache(tmp_path / "data" / "archive"))
        for key in list(archive.keys()):
            kept = archive.get(key) or ""
            assert archive.replace(key, kept, kept.replace('"questions":4', f'"questions":"{CANARY}"'))
        person = Person(opened, clock)
        person.tries(lambda: opened.engine.load(token))
        person.tries(lambda: opened.engine.answer(token, 0, f"{STORY} {ANSWERED}"))
        assert [type(error) for error in person.raised] == [UnknownInterview] * 2
        assert CANARY not in person.told + told_in(every_log)
        opened.fleet.close()
