"""What a browser remembers: the interviews begun in it, and what stood in the boxes before the first one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.interview.archive import Archive
from core.stores.disk import DiskDocuments, open_cache
from tests.browser.conftest import NewPerson, settled, shot
from tests.fakes.asking import NOON
from tests.server import running
from tests.test_past import scored, unscored

pytestmark = pytest.mark.browser
HEADING = "Your interviews in this browser"
JOB, RESUME = "The job description, if you have one", re.compile("Your resume, as we read it")


def remembered(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.evaluate("localStorage.getItem('greenroom.kept')") or "{}")
    return found


def opened(page: Page) -> None:
    page.get_by_text("Add your resume or the job description").click()


@pytest.mark.parametrize("width", [1280, 390])
def test_interviews_begun_here_are_listed_gone_on_with_and_deleted(
    tmp_path: Path, new_person: NewPerson, width: int
) -> None:
    tokens = iter(f"token-number-{n:012}" for n in range(9))
    documents = DiskDocuments(open_cache(tmp_path / "data" / "archive"))
    archive = Archive(documents, 7, lambda: next(tokens))
    old = [archive.add(each) for each in (scored(NOON), scored(NOON + 1, met="R1 R2 E1 E2"), unscored(NOON + 2))]
    page = new_person(width).new_page()
    with running({"DATA_DIR": str(tmp_path / "data")}) as server:
        page.goto(server.url)
        settled(page).get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_text("Question 1 of")).to_be_visible()
        page.wait_for_function("localStorage.getItem('greenroom.kept')?.includes('[\"')")
        address, candidate = page.url, remembered(page)["candidate"]
        assert [token in address for token in remembered(page)["tokens"]] == [True]
        kept = {"tokens": [*old, *remembered(page)["tokens"]], "candidate": candidate}
        page.evaluate("kept => localStorage.setItem('greenroom.kept', JSON.stringify(kept))", kept)
        page.goto(server.url)
        expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
        expect(page.get_by_role("button", name="Read")).to_have_count(3)
        expect(page.get_by_text("Not scored (offline)")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        shot(settled(page), f"past-{width}")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("Question 1 of")).to_be_visible()
        assert page.url == address

        page.goto(server.url)
        expect(page.get_by_role("button", name="Read")).to_have_count(3)
        settled(page).get_by_role("button", name="Delete", exact=True).first.click()
        page.get_by_role("button", name="Delete it").click()
        expect(
            page.get_by_role("button", name="Go on").or_(page.get_by_role("button", name="Read"))
        ).to_have_count(3)
        settled(page).get_by_role("button", name="Delete all").click()
        page.get_by_role("button", name="Delete everything").click()
        expect(page.get_by_role("heading", name=HEADING)).to_have_count(0)
        page.wait_for_function("name => !localStorage.getItem('greenroom.kept').includes(name)", arg=candidate)
        assert remembered(page)["tokens"] == []
        page.goto(address)
        expect(page.get_by_text("This interview is not here")).to_be_visible()
        assert not list(documents.keys())


def test_an_interview_opened_by_its_link_is_not_taken_up(tmp_path: Path, new_person: NewPerson) -> None:
    documents = DiskDocuments(open_cache(tmp_path / "data" / "archive"))
    token = Archive(documents, 7, lambda: "somebody-elses-token").add(scored(NOON))
    page = new_person().new_page()
    with running({"DATA_DIR": str(tmp_path / "data")}) as server:
        page.goto(f"{server.url}/?interview={token}")
        expect(page.get_by_role("heading", name="Your report")).to_be_visible()
        page.wait_for_function("localStorage.getItem('greenroom.kept')")
        assert remembered(page)["tokens"] == []


def test_what_stood_in_the_boxes_comes_back_after_a_refresh(new_person: NewPerson) -> None:
    person = new_person()
    page = person.new_page()
    with running({}) as server:
        page.goto(server.url)
        opened(settled(page))
        page.get_by_label(JOB).fill("We need a careful nurse.")
        page.get_by_label(RESUME).press_sequentially("Trained twelve people")
        page.reload()
        opened(settled(page))
        expect(page.get_by_label(JOB)).to_have_value("We need a careful nurse.")
        expect(page.get_by_label(RESUME)).to_have_value("Trained twelve people")
        page.get_by_label(RESUME).fill("")
        page.reload()
        opened(settled(page))
        expect(page.get_by_label(JOB)).to_have_value("We need a careful nurse.")
        expect(page.get_by_label(RESUME)).to_have_value("")
        assert "careful nurse" not in json.dumps(page.evaluate("({...localStorage})")), "only the tab keeps it"
        other = person.new_page()
        other.goto(server.url)
        opened(settled(other))
        expect(other.get_by_label(JOB)).to_have_value("")
