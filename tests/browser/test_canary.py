"""What a server's console and its monitors are told of a candidate: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from tests.answers import STORY
from tests.browser.conftest import NewPerson, settled
from tests.canaries import ANSWERED, CANARY, JOB, RESUME, ROLE, Echo, assert_only_the_archive_knows
from tests.server import running

TOKEN = "a-token-for-monitors"


@pytest.mark.browser
def test_a_servers_console_and_monitors_are_told_nothing(tmp_path: Path, new_person: NewPerson) -> None:
    with Echo(500) as fake:
        settings = {
            "CEREBRAS_API_KEY": "csk-test-key",
            "CEREBRAS_BASE_URL": fake.base_url,
            "ALLOW_LOCAL_UPSTREAMS": "1",
            "API_TOKEN": TOKEN,
            "DATA_DIR": str(tmp_path / "data"),
        }
        with running(settings) as server:
            page = new_person().new_page()
            page.goto(server.url)
            role = settled(page).get_by_role("combobox", name="Role")
            role.fill(ROLE)
            role.press("Enter")
            settled(page).get_by_text("Add your resume or the job description").click()
            for label, text in (("Your resume, as we read it", RESUME), ("The job description", JOB)):
                page.get_by_label(label).fill(text)
                page.get_by_label(label).blur()
                settled(page)
            page.get_by_role("button", name="Start", exact=True).click()
            expect(page.get_by_text("Question 1 of")).to_be_visible()
            settled(page).get_by_label("Your answer").fill(f"{STORY} It was {ANSWERED}.")
            page.get_by_role("button", name="Send answer").click()
            expect(page.get_by_text("Question 2 of")).to_be_visible()
            headers = {"Authorization": f"Bearer {TOKEN}"}
            paths = ("/api/system_status", "/healthz", "/api/unknown")
            told = [requests.get(server.url + path, headers=headers, timeout=10) for path in paths]
            assert [each.status_code for each in told] == [200, 200, 404]
            assert fake.asked, "nothing was repeated"
        said = "\n".join([server.output, *(f"{each.text} {each.headers}" for each in told)])
        assert "cerebras" in server.output
        assert CANARY not in said.casefold()
        assert_only_the_archive_knows(tmp_path)
