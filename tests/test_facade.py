"""The five verbs, each called by a script: a Python process of its own that shares nothing but the settings."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from core.app import current
from tests.answers import STORY
from tests.fakes.exchange import Exchange
from tests.interviews import replying, sent_data
from tests.scripts import call, good, provider, raised
from tests.server import ROOT, running

TOKEN = "a-token-for-monitors"
QUESTION = "What did you improve?"
PROMPT = f"Question: {QUESTION}\nAnswer: {STORY}"
# By hand: relevance 2 of 4 anchors, evidence 1, clarity 4, the others none: 10 * (0.5 + 0.25 + 1) / 5
HALF_MET = [
    {"a": "R1", "q": "our shop changed its till software"},
    {"a": "R2", "q": "I was asked to train the new staff"},
    {"a": "E4", "q": "errors fell from 12 to 3 a day"},
]
HALF_SCORE = 3.5
# Clarity alone would be 10 * 1 / 5, and so is the cap for an answer that no quote ties to the topic
CLEAR_ONLY = 2.0
HEAVY = ("streamlit", "google.generativeai", "google.protobuf", "pandas", "plotly", "pypdf", "docx", "redis")


def numbered() -> Callable[[Exchange], str]:
    """Another text each time."""
    counter = itertools.count(1)
    return lambda exchange: f"Text {next(counter)}."


# generate_response


def test_an_answer_is_read_and_scored_by_its_quotes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reply = replying(met=HALF_MET, ask_about="D3", ask="What was the hardest part?")
    with provider(monkeypatch, tmp_path, reply) as fake:
        found = good(f"generate_response({PROMPT!r})")
        assert fake.counts.received == 1
    assert found == {
        "reaction": "Thank you for this answer.",
        "follow_up_question": "What was the hardest part?",
        "score": HALF_SCORE,
        "feedback": "Shown: measures the outcome or makes it checkable; stays on the question's topic; answers "
        "what was asked.\nMissing most: sets own contribution apart from the team's.",
        "model": "cerebras/qwen-3.8-27b",
    }


@pytest.mark.parametrize(
    ("met", "score"),
    [
        ([], CLEAR_ONLY),
        ([{"a": f"{d}{n}", "q": "words that nobody wrote"} for d in "RSED" for n in range(1, 5)], CLEAR_ONLY),
        ([*HALF_MET, {"a": "E1", "q": "from 12 to 2 a day"}, {"a": "S1", "q": "spring"}], HALF_SCORE),
        ([*HALF_MET, {"a": "S1", "q": "its till software last spring"}], 4.0),
    ],
    ids=["nothing", "invented", "some invented", "one more found"],
)
def test_a_quote_that_is_not_there_earns_nothing(
    met: list[dict[str, str]], score: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with provider(monkeypatch, tmp_path, replying(met=met)):
        assert good(f"generate_response({PROMPT!r})")["score"] == score


def test_a_score_that_the_model_gives_is_never_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {"score": 10, "overall": 100, "met": [{"a": "R1", "q": "so it was a 10", "score": 10}]}
    with provider(monkeypatch, tmp_path, replying(**given)):
        assert good(f"generate_response({PROMPT!r})")["score"] == CLEAR_ONLY
    with provider(monkeypatch, tmp_path, lambda exchange: json.dumps({"score": 10})):
        kind, says = raised(f"generate_response({PROMPT!r})")
    assert kind == "AllRoutesOut"
    assert "breaks its schema" in says


SHAPES = [
    (PROMPT, QUESTION, STORY),
    (f"question: {QUESTION}\n\n\nANSWER:{STORY}\n", QUESTION, STORY),
    (f"Question: {QUESTION}\r\nAnswer: {STORY}\r\n", QUESTION, STORY),
    (f"\n    Question: {QUESTION}\n    Answer: {STORY}\n    ", QUESTION, STORY),
    (f"{QUESTION}\nAnswer: {STORY}", QUESTION, STORY),
    (f"Question:\n{QUESTION}\nIn detail.\nAnswer:\n{STORY}", f"{QUESTION}\nIn detail.", STORY),
    (STORY, "(not given)", STORY),
    (f"Answer: {STORY}", "(not given)", STORY),
    (f"{PROMPT}\nAnswer: and more of it.", QUESTION, f"{STORY} Answer: and more of it."),
    (f"{STORY} My answer: yes.", "(not given)", f"{STORY} My answer: yes."),
]


def test_a_prompt_may_have_many_shapes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    prompts = [prompt for prompt, _, _ in SHAPES]
    with provider(monkeypatch, tmp_path) as fake:
        good(f"[generate_response(prompt) for prompt in {prompts!r}]")
        sent = [sent_data(exchange) for exchange in fake.requests()]
    assert [(data["question"], data["answer"]) for data in sent] == [(q, a) for _, q, a in SHAPES]


NOT_SENT = [
    ("", "There is no answer yet"),
    (" \n\t", "There is no answer yet"),
    (f"Question: {QUESTION}\nAnswer:  \n", "There is no answer yet"),
    (f"Question: {QUESTION} And how did you go about it?", "There is no answer yet"),
    (f"Question: {QUESTION}\nAnswer: Yes, I did.", "too short"),
    (f"Question: {QUESTION}\nAnswer: Sorry, I don't know.", "there is no answer"),
    ("word " * 2_000, "at most 6,000 can be sent"),
    ("\n" * 50_000, "There is no answer yet"),
]


def test_what_is_no_answer_is_not_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with provider(monkeypatch, tmp_path) as fake:
        told = call(*(f"generate_response({prompt!r})" for prompt, _ in NOT_SENT))
        assert fake.counts.received == 0
    assert [outcome.get("raised") for outcome in told.outcomes] == ["NotSent"] * len(NOT_SENT)
    for outcome, (_, says) in zip(told.outcomes, NOT_SENT, strict=True):
        assert says in outcome["says"]


# What goes wrong


@pytest.mark.parametrize(
    ("step", "kind"), [("429-day", "AllRoutesOut"), ("500", "AllRoutesOut"), ("filtered", "Refused")]
)
def test_a_failure_is_an_error_and_never_an_answer(
    step: str, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whichever verb; and neither the key nor anybody's words stand on the console."""
    verbs = ("generate_response", "generate_text_response", "generate_resume_analysis")
    with provider(monkeypatch, tmp_path) as fake:
        fake.always(step)
        told = call(*(f"{verb}({STORY!r})" for verb in verbs))
    assert [outcome.get("raised") for outcome in told.outcomes] == [kind] * 3
    assert "CANARY" not in told.console + told.errors
    assert "till software" not in told.console + told.errors


def test_without_any_provider_nobody_pretends() -> None:
    assert raised(f"generate_response({PROMPT!r})") == ("AllRoutesOut", "no provider is configured")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"STRATEGY": "quickest"}, "STRATEGY"),
        ({"DATA_DIR": "/proc/nowhere"}, "DATA_DIR"),
        ({"REDIS_URL": "redis://:CANARY@127.0.0.1:1/0"}, "REDIS_URL"),
        ({"CEREBRAS_API_KEY": "CANARY", "CEREBRAS_BASE_URL": "http://127.0.0.1:1/v1"}, "ALLOW_LOCAL_UPSTREAMS=1"),
    ],
)
def test_a_bad_setting_is_named(settings: dict[str, str], says: str) -> None:
    told = call("get_system_status()", **settings)
    assert told.outcomes[0]["raised"] == "BadSetting"
    assert says in told.outcomes[0]["says"]
    assert "CANARY" not in told.console + told.errors


def test_a_ledger_that_cannot_be_read_is_not_a_fresh_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with provider(monkeypatch, tmp_path) as fake:
        good("generate_text_response('Hello')")
        (tmp_path / "data" / "ledger" / "cache.db").write_bytes(b"no database " * 1_000)
        kind, says = raised("generate_text_response('Hello')")
        assert (kind, says.startswith("DATA_DIR: ")) == ("BadSetting", True)
        assert fake.counts.received == 1


# generate_text_response


def test_a_shareable_text_is_paid_for_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with provider(monkeypatch, tmp_path, numbered()) as fake:
        asked = "generate_text_response('Name a fruit.', shareable=True)"
        assert [good(asked), good(asked)] == ["Text 1.", "Text 1."]
        assert fake.counts.received == 1
        assert good("generate_text_response('Name a tree.', shareable=True)") == "Text 2."


def test_any_other_text_is_nobody_elses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with provider(monkeypatch, tmp_path, numbered()) as fake:
        asked = "generate_text_response('Name a fruit.')"
        assert [good(asked), good(asked)] == ["Text 1.", "Text 2."]
        assert good("generate_text_response('Name a fruit.', shareable=True)") == "Text 3."
        assert fake.counts.received == 3


def test_texts_leave_the_last_fifth_of_a_day_to_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with provider(monkeypatch, tmp_path, day=5) as fake:
        good("[generate_text_response('Hello') for _ in range(4)]")
        kind, says = raised("generate_text_response('Hello')")
        assert (kind, "kept for scoring answers" in says) == ("AllRoutesOut", True)
        good(f"generate_response({PROMPT!r})")
        assert fake.counts.charged == 5


# generate_resume_analysis


def test_a_resume_is_told_of_only_what_stands_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reply = {
        "skills": ["Python", "Kubernetes"],
        "highlights": [{"q": "led a team of 4", "why": "Size."}, {"q": "led a team of 40", "why": "More."}],
        "gaps": ["No dates."],
        "questions": ["What did the team do?"],
    }
    with provider(monkeypatch, tmp_path, lambda exchange: json.dumps(reply)):
        found = good("generate_resume_analysis('Ada: Python, led a team of 4')")
        assert raised("generate_resume_analysis(' ')")[0] == "BadResume"
    assert found == {
        "skills": ["Python"],
        "highlights": [{"quote": "led a team of 4", "why": "Size.", "job": ""}],
        "gaps": ["No dates."],
        "questions": ["What did the team do?"],
        "model": "cerebras/qwen-3.8-27b",
    }


# get_system_status, check_quota_alerts


def test_scripts_and_the_app_share_one_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with provider(monkeypatch, tmp_path), running({"API_TOKEN": TOKEN}) as server:
        good(f"generate_response({PROMPT!r})")
        ours = good("get_system_status()")
        headers = {"Authorization": f"Bearer {TOKEN}"}
        theirs = requests.get(f"{server.url}/api/system_status", headers=headers, timeout=10).json()
    assert ours["quotas"]["cerebras"]["used"] == 1
    assert ours.pop("timestamp")
    assert theirs.pop("timestamp")
    assert ours == theirs
    (hour,) = current().history.hours(0).values()  # what the script brought there before it ended
    assert hour["cerebras"].calls == 1


def test_alerts_begin_at_75_and_at_90_per_cent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told_each_time = f"[(generate_response({PROMPT!r}), check_quota_alerts())[1] for _ in range(18)]"
    with provider(monkeypatch, tmp_path, day=20):
        after = good(told_each_time)
    assert [[a["level"] for a in alerts] for alerts in after] == (
        14 * [[]] + 3 * [["warning"]] + [["critical"]]  # after 15 and 18 of 20
    )
    assert after[-1] == [
        {"level": "critical", "provider": "cerebras", "message": "Cerebras: 90 % of 20 requests per day used"}
    ]


# What it costs to have them


@pytest.mark.parametrize(
    ("use", "absent"),
    [
        ("import core", ("core.app", "pydantic", "requests", *HEAVY)),
        ("from core import *; get_system_status()", HEAVY),
    ],
    ids=["importing", "asking for the status"],
)
def test_a_script_loads_only_what_it_uses(use: str, absent: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"{use}; import sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = ended.stdout.split()
    assert "core.facade" in loaded
    assert not set(absent).intersection(loaded)
