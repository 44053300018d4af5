"""The report as a candidate sees and uses it, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.app import current
from core.interview import coach, report, rubric
from core.interview.model import Interview, Met
from core.interview.report import escape
from tests.answers import STORY
from tests.fakes.exchange import Exchange
from tests.fakes.grader import grade
from tests.fakes.upstream import FakeUpstream
from tests.interviews import about, interview, question, turn
from tests.reports import SEEN, rich
from tests.screens import everything, fresh

OTHER = f"{STORY} I chose the guide because a course would have taken too long."
PLAIN = interview(
    about(turn(f"{STORY} That was the first.", SEEN), "ownership", 1),
    about(turn(f"{STORY} That was the second.", SEEN), "teamwork", 2),
    about(turn(STORY, SEEN[:1]), "leadership", 3),
)
NARRATIVE = {
    "summary": "Your story is real. It saved 900 hours.",
    "strengths": [{"a": "R1", "text": "You stay on topic."}],
    "priorities": [],
    "outlines": [],
}


def reply(exchange: Exchange) -> str:
    is_report = '"weakest"' in exchange.messages[-1][1]
    return json.dumps(NARRATIVE) if is_report else grade(exchange)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeUpstream]:
    """A provider that can grade and write."""
    with FakeUpstream("cerebras", reply=reply) as upstream:
        monkeypatch.setenv("CEREBRAS_API_KEY", "csk-test-key")
        monkeypatch.setenv("ALLOW_LOCAL_UPSTREAMS", "1")
        monkeypatch.setenv("CEREBRAS_BASE_URL", upstream.base_url)
        yield upstream


def shown(whole: Interview) -> AppTest:
    """The report of an interview that was held before."""
    now = current().clock.now()
    token, _ = current().engine.start(replace(whole.setup, questions=3), offline=True)
    current().engine._archive.change(token, lambda _: replace(whole, created_at=now, finished_at=now))
    page = fresh()
    page.query_params["interview"] = token
    page.run()
    assert not page.exception
    return page


def held(page: AppTest) -> Interview:
    return current().engine.load(page.query_params["interview"])


def labels(page: AppTest) -> list[str]:
    return [e.label for e in page.expander]


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def test_it_leads_with_what_was_found_then_one_thing_to_practise(fake: FakeUpstream) -> None:
    page = shown(PLAIN)
    first = [m.value for m in page.markdown[:3]]
    assert "errors fell from 12 to 3 a day" in first[0]
    assert "Practise next" in first[1]
    assert "A drill for it" in first[2]
    assert not fake.counts.received
    assert [b.proto.label for b in page.get("download_button")] == [
        "Download as PDF",
        "Download as Markdown",
        "Download as JSON",
    ]
    chart = page.get("plotly_chart")[0].proto
    assert "Radar of your competencies" in chart.alt
    assert "Ownership" in chart.alt


def test_bands_come_first_and_numbers_on_demand() -> None:
    page = shown(PLAIN)
    assert " of 10" not in "".join(m.value for m in page.markdown)
    page.toggle(key="numbers").set_value(True).run()
    score = report.build(PLAIN).card.competencies["ownership"]
    assert f"**{rubric.band(score)}** · {score:g} of 10" in [m.value for m in page.markdown]


def test_a_result_is_shown_after_the_candidate_has_rated_the_answer() -> None:
    page = shown(PLAIN)
    quote = f"“{escape(SEEN[0].quote)}”"
    assert "Scored. Rate it yourself first" in labels(page)[1]
    assert quote not in everything(page)
    page.button_group(key="self-1-R").set_value(["R1"])
    page.button_group(key="self-1-D").set_value(["D4"])
    press(page, "self-save-1")
    assert held(page).turns[0].self_met == ("R1", "D4")
    assert held(page).turns[1].self_met is None
    assert rubric.scorecard(held(page)) == rubric.scorecard(PLAIN)
    told = everything(page)
    assert quote in told
    assert "**You and the grader agree on** :green-badge[stays on the question's topic]" in told
    assert "**Only you marked** :gray-badge[carries a lesson forward]" in told
    assert "Scored. Rate it yourself first" in str(labels(page))  # the other answers wait


def test_who_only_wants_to_look_may() -> None:
    page = press(shown(PLAIN), "self-look-2")
    assert f"“{escape(SEEN[0].quote)}”" in everything(page)
    assert held(page).turns[1].self_met is None
    assert "Rate it yourself first" in str(labels(page))
    press(page, "show-all")
    assert "Rate it yourself first" not in str(labels(page))
    assert not [b for b in page.button if b.key == "show-all"]


def test_trying_again_shows_what_is_newly_lit_and_leaves_the_score(fake: FakeUpstream) -> None:
    page = press(shown(PLAIN), "show-all")
    page.text_area(key="try-page-1").set_value(OTHER)
    press(page, "try-send-page-1")
    assert fake.counts.received == 1
    tried = held(page).turns[0].tries[-1]
    newly = report.newly_lit(held(page).turns[0], tried)
    assert newly
    meanings = rubric.anchors("behavioural")
    for anchor in newly:
        assert f":green-badge[:material/add: {meanings[anchor]}]" in everything(page)
    assert rubric.scorecard(held(page)) == rubric.scorecard(PLAIN)


def test_an_answer_that_cannot_be_sent_costs_nothing_and_stays(fake: FakeUpstream) -> None:
    page = shown(PLAIN)
    page.text_area(key="try-lead-1").set_value("Yes.")
    press(page, "try-send-lead-1")
    assert [w.value for w in page.warning]
    assert page.text_area(key="try-lead-1").value == "Yes."
    assert not fake.counts.received


def test_a_second_opinion_is_one_call_where_graders_differ_most(fake: FakeUpstream) -> None:
    page = press(shown(PLAIN), "show-all")
    offered = {b.key for b in page.button if b.key and b.key.startswith("second-")}
    assert offered == {f"second-{n}" for n, t in enumerate(PLAIN.turns, 1) if report.is_unsure(t)}
    press(page, "second-1")
    assert fake.counts.received == 1
    assert "**Second opinion**" in everything(page)
    assert "second-1" not in {b.key for b in page.button}
    assert rubric.scorecard(held(page)) == rubric.scorecard(PLAIN)


def test_the_summary_is_one_call_and_holds_no_number_nobody_said(fake: FakeUpstream) -> None:
    page = press(shown(PLAIN), "narrate")
    assert fake.counts.received == 1
    told = everything(page)
    assert "Your story is real." in told
    assert "900" not in told
    press(page, "narrate")
    assert fake.counts.received == 2


def test_a_summary_that_cannot_be_had_leaves_the_report_whole(fake: FakeUpstream) -> None:
    before = everything(shown(PLAIN))
    fake.always("500")
    page = press(shown(PLAIN), "narrate")
    assert "Your report is complete without it." in everything(page)
    assert set(before.splitlines()) <= set(everything(page).splitlines())


def test_without_a_provider_nothing_that_costs_a_call_is_offered() -> None:
    page = press(shown(PLAIN), "show-all")
    keys = {b.key for b in page.button}
    assert not [key for key in keys if key and key.startswith(("narrate", "second-", "try-send", "score-rest"))]
    assert "No AI can read another answer right now" in everything(page)


def test_offline_practice_leads_with_cues_and_is_labelled() -> None:
    vague = "We were a good team and the work was done well, as the others would tell you."
    unscored = replace(turn(vague), feedback=coach.react(question(), vague))
    page = shown(replace(interview(unscored, unscored), mode="offline"))
    assert "by your wording, not a mark" in page.markdown[0].value
    assert not page.get("plotly_chart")
    assert "of 100" not in everything(page)
    press(page, "show-all")
    assert report.CUES_ONLY in everything(page)
    assert " of 10" not in everything(page)


def test_everything_that_can_stand_in_a_report_can_be_shown() -> None:
    whole = rich("[x](http://evil.example) <b>bold</b> :material/star: " + STORY)
    page = press(shown(whole), "show-all")
    told = everything(page)
    for words in ("You tell real stories.", "Newly lit", "Second opinion", "How this answer could be built."):
        assert words in told
    assert "](http" not in "".join(m.value for m in page.markdown)


def test_an_unusable_second_opinion_says_so() -> None:
    busy = coach.react(question(), STORY, "The AI is busy.")
    page = shown(interview(replace(turn(met=(*SEEN, Met("S2", "I was asked to train"))), second=busy)))
    assert "No second opinion could be had. The AI is busy." in everything(page)
