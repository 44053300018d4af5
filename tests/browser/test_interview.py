"""A candidate and then an admin, on the real server in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.answers import STORY
from tests.browser.conftest import NewPerson, settled, shot
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.server import running

pytestmark = pytest.mark.browser
PASSWORD, TOKEN = "correct-horse-battery", "a-token-for-monitors"
ONE_LIMIT = """
[cerebras]
limits = [{ unit = "requests", amount = 40, window = "day" }]
[[cerebras.models]]
id = "qwen-3.8-27b"
tier = "small"
json = "schema"
"""


def settings(fake: FakeUpstream, folder: Path) -> dict[str, str]:
    (folder / "one-limit.toml").write_text(ONE_LIMIT)
    return {
        "CEREBRAS_API_KEY": "csk-test-key",
        "CEREBRAS_BASE_URL": fake.base_url,
        "ALLOW_LOCAL_UPSTREAMS": "1",
        "ADMIN_PASSWORD": PASSWORD,
        "API_TOKEN": TOKEN,
        "CATALOG_LOCAL": str(folder / "one-limit.toml"),
    }


def at_question(page: Page, number: int) -> Page:
    expect(page.get_by_text(f"Question {number} of")).to_be_visible()
    return settled(page)


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/admin")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Requests left today")).to_be_visible()


def answer(page: Page, number: int, text: str) -> None:
    at_question(page, number + 1)
    page.get_by_label("Your answer").fill(text)
    page.get_by_role("button", name="Send answer").click()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_whole_interview_and_what_it_cost(tmp_path: Path, new_person: NewPerson, width: int) -> None:
    with FakeUpstream("cerebras", reply=grade) as fake, running(settings(fake, tmp_path)) as server:
        person = new_person(width)
        outside: list[str] = []
        person.on("request", lambda r: None if r.url.startswith((server.url, "data:")) else outside.append(r.url))
        page = person.new_page()
        page.goto(server.url)
        settled(page).get_by_role("button", name="Start", exact=True).click()
        for number in range(5):
            if number == 2:
                refresh_with_a_draft(page)
            answer(page, number, f"{STORY} That was story {number}.")
        expect(page.get_by_role("heading", name="Your report")).to_be_visible()
        expect(page.get_by_text(re.compile(r"\d+ of 100"))).to_be_visible()
        expect(page.get_by_role("heading", name="Your report")).to_be_in_viewport()
        report = downloaded(page)
        assert report.count("## ") == 5
        assert re.search(r"Overall: \w+ \(\d+ of 100\)", report)
        shot(page, f"report-{width}")
        assert fake.counts.charged == 5

        check_operations(server.url, new_person(width).new_page(), fake)
        assert not [url for url in outside if not url.startswith("blob:")], "the page asks nobody but our server"


def refresh_with_a_draft(page: Page) -> None:
    """What was typed and never sent is there again after a reload."""
    at_question(page, 3)
    page.get_by_label("Your answer").press_sequentially("My first thought")
    page.wait_for_timeout(1_500)  # the keeper waits for a pause in typing
    page.reload()
    at_question(page, 3)
    expect(page.get_by_label("Your answer")).to_have_value("My first thought")


def downloaded(page: Page) -> str:
    with page.expect_download() as started:
        page.get_by_role("button", name="Download as Markdown").click()
    return Path(started.value.path()).read_text(encoding="utf-8")


def check_operations(url: str, page: Page, fake: FakeUpstream) -> None:
    page.goto(f"{url}/admin")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert not page.get_by_text("Requests left today").count()
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("That is not right")).to_be_visible()
    assert not page.get_by_text("Requests left today").count()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Requests left today")).to_be_visible()
    used = fake.counts.charged
    expect(page.locator(".js-plotly-plot .numbers")).to_have_text(str(used))
    expect(page.get_by_text(f"{used} of 40 requests per day")).to_be_visible()
    told = requests.get(
        f"{url}/api/system_status", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
    ).json()
    assert told["quotas"]["cerebras"]["used"] == used
    left = page.locator('[data-testid="stMetric"]').filter(has_text="Requests left today")
    expect(left.locator('[data-testid="stMetricValue"]')).to_have_text(str(told["total_requests_remaining"]))
    page.reload()
    expect(page.get_by_text("Requests left today")).to_be_visible()  # a reload does not sign out
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_operations_show_who_failed_and_what_it_cost(tmp_path: Path, new_person: NewPerson, width: int) -> None:
    with FakeUpstream("cerebras", reply=grade) as fake, running(settings(fake, tmp_path)) as server:
        fake.plan("500")
        page = new_person(width).new_page()
        page.goto(server.url)
        settled(page).get_by_role("button", name="Start", exact=True).click()
        answer(page, 0, STORY)
        at_question(page, 2)
        sign_in(page, server.url)
        expect(page.get_by_text("is back in a minute: server error 500")).to_be_visible()
        expect(page.get_by_role("heading", name="First choices in the last 24 hours")).to_be_visible()
        settled(page).get_by_text("Hour by hour").click()
        for name in (
            "Every route in its place",
            "Every limit of",
            "First choices of each",
            "First choices by hour",
        ):
            expect(page.get_by_role("region", name=name)).to_be_visible()
        sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(sideways) == 0
        shot(page, f"operations-{width}")


def test_two_tabs_see_the_same_truth_and_spend_once(tmp_path: Path, new_person: NewPerson) -> None:
    with FakeUpstream("cerebras", reply=grade) as fake, running(settings(fake, tmp_path)) as server:
        person = new_person()
        first = person.new_page()
        first.goto(server.url)
        settled(first).get_by_role("button", name="Start", exact=True).click()
        expect(first.get_by_text("Question 1 of")).to_be_visible()
        second = person.new_page()
        second.goto(first.url)
        expect(second.get_by_text("Question 1 of")).to_be_visible()
        answer(first, 0, STORY)
        expect(first.get_by_text("Question 2 of")).to_be_visible()
        answer(second, 0, STORY + " Sent from the tab that is behind.")
        expect(second.get_by_text("answered, skipped, ended or deleted in another tab")).to_be_visible()
        kept = second.get_by_test_id("stText").filter(has_text="Sent from the tab that is behind.")
        expect(kept).to_be_visible()
        at_question(second, 2)
        assert fake.counts.received == 1


def test_a_restarted_server_goes_on_where_it_was(tmp_path: Path, new_person: NewPerson) -> None:
    page = new_person().new_page()
    with running({}) as server:
        page.goto(server.url)
        settled(page).get_by_role("button", name="Start", exact=True).click()
        answer(page, 0, STORY)
        at_question(page, 2)
        page.get_by_label("Your answer").press_sequentially("Kept")
        page.wait_for_timeout(1_500)
        address = page.url
    with running({}) as restarted:
        page.goto(re.sub(r"http://[^/]+", restarted.url, address))
        expect(page.get_by_text("Question 2 of")).to_be_visible()
        expect(page.get_by_label("Your answer")).to_have_value("Kept")


def test_operations_opened_first_on_a_fresh_server_show_nothing(new_person: NewPerson) -> None:
    with running({"CEREBRAS_API_KEY": "csk-CANARY", "ADMIN_PASSWORD": PASSWORD}) as server:
        page = new_person().new_page()
        frames: list[str] = []
        page.on("websocket", lambda ws: ws.on("framereceived", lambda data: frames.append(str(data))))
        page.goto(f"{server.url}/admin")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert frames
        sent = "".join(frames)
        assert not [w for w in ("Requests left", "Cerebras", "cerebras", "catalogue", "CANARY") if w in sent]
