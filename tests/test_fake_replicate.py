"""The fake's predictions: done within the wait or polled to the end, counted once, cancelled, broken half way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.asking import NOON, HandClock, ask, chat_url
from tests.fakes.upstream import Counts, FakeUpstream

TEXT = "I would start with the users and ask them."
KEY = {"Authorization": "Bearer k"}


@pytest.fixture
def http_session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def fake() -> Iterator[FakeUpstream]:
    with FakeUpstream("replicate", reply=lambda _: TEXT, clock=HandClock()) as fake:
        yield fake


def polls(session: requests.Session, prediction: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while prediction["status"] in {"starting", "processing"}:
        reply = session.get(prediction["urls"]["get"], headers=KEY, timeout=10)
        assert reply.status_code == 200
        prediction = reply.json()
        yield prediction


def test_a_quick_prediction_is_whole_within_the_wait(fake: FakeUpstream, http_session: requests.Session) -> None:
    reply = ask(fake, http_session, system_prompt="Be kind.", max_tokens=90)
    body = reply.json()
    assert (reply.status_code, body["status"], body["error"]) == (201, "succeeded", None)
    assert "".join(body["output"]) == TEXT
    assert body["model"] == "meta/meta-llama-3-8b-instruct"
    assert body["created_at"] == "2026-11-23T12:00:00.000Z"
    assert body["urls"]["get"] == f"{fake.base_url}/predictions/{body['id']}"
    assert body["metrics"]["input_token_count"] + body["metrics"]["output_token_count"] == fake.counts.tokens
    (seen,) = fake.requests()
    assert (seen.messages, seen.max_tokens) == ([("system", "Be kind."), ("user", "Hello")], 90)
    assert (seen.headers["prefer"], seen.body["input"]["prompt"]) == ("wait=60", "Hello")


def test_a_slow_prediction_grows_with_every_poll_and_is_counted_once(
    fake: FakeUpstream, http_session: requests.Session
) -> None:
    fake.plan("slow-prediction:4")
    first = ask(fake, http_session).json()
    assert (first["status"], first["output"], first["metrics"]) == ("processing", None, {})
    seen = list(polls(http_session, first))
    assert [body["status"] for body in seen] == [*["processing"] * 3, "succeeded"]
    texts = ["".join(body["output"]) for body in seen]
    assert texts == sorted(texts, key=len)
    assert all(TEXT.startswith(text) for text in texts)
    assert len(set(texts)) == 4
    assert texts[-1] == TEXT
    assert (fake.counts.received, fake.counts.charged, fake.counts.served) == (1, 1, 1)
    assert [call.method for call in fake.lookups()] == ["GET"] * 4


def test_who_does_not_wait_gets_nothing_at_once(fake: FakeUpstream, http_session: requests.Session) -> None:
    first = http_session.post(chat_url(fake), json={"input": {"prompt": "Hi"}}, headers=KEY, timeout=10).json()
    assert (first["status"], first["output"], first["started_at"]) == ("starting", None, None)
    assert [body["status"] for body in polls(http_session, first)] == ["succeeded"]


@pytest.mark.parametrize(
    ("step", "status", "error"),
    [
        ("prediction-failed", "failed", "CUDA out of memory"),
        ("prediction-canceled", "canceled", None),
        ("prediction-aborted", "aborted", None),
        ("filtered", "failed", "(E005)"),
    ],
)
def test_a_prediction_may_end_badly_at_once_or_after_some_polls(
    step: str, status: str, error: str | None, fake: FakeUpstream, http_session: requests.Session
) -> None:
    fake.plan(step)
    body = ask(fake, http_session).json()
    assert (body["status"], body["output"]) == (status, None)
    assert (error or "") in (body["error"] or "")
    if step != "filtered":
        fake.plan(f"{step}:2")
        *_, last = polls(http_session, ask(fake, http_session).json())
        assert (last["status"], last["error"]) == (status, error)
        assert TEXT.startswith("".join(last["output"]))
        assert "".join(last["output"]) != TEXT


def test_a_cancelled_prediction_stays_where_it_was(fake: FakeUpstream, http_session: requests.Session) -> None:
    fake.plan("slow-prediction:4", "ok")
    running, done = (ask(fake, http_session).json() for _ in range(2))
    part = http_session.get(running["urls"]["get"], headers=KEY, timeout=10).json()["output"]
    for prediction in (running, done):
        assert http_session.post(prediction["urls"]["cancel"], headers=KEY, timeout=10).status_code == 200
    after = [http_session.get(p["urls"]["get"], headers=KEY, timeout=10).json() for p in (running, done)]
    assert [body["status"] for body in after] == ["canceled", "succeeded"]
    assert after[0]["output"] == part
    assert fake.cancelled == [running["id"]]


def test_a_cancellation_can_fail_and_then_cancels_nothing(
    fake: FakeUpstream, http_session: requests.Session
) -> None:
    fake.plan("slow-prediction")
    fake.plan_cancel("500")
    prediction = ask(fake, http_session).json()
    codes = [http_session.post(prediction["urls"]["cancel"], timeout=10).status_code for _ in range(2)]
    assert codes == [500, 200]
    assert fake.cancelled == [prediction["id"]]


def test_a_poll_breaks_as_any_request_does_and_costs_nothing(
    fake: FakeUpstream, http_session: requests.Session
) -> None:
    fake.plan("slow-prediction:9")
    url = ask(fake, http_session).json()["urls"]["get"]
    fake.plan_get("429:7", "500", "html", "garbage", "swapped-types", "redirect:302", "error-in-200", "bom", "ok")
    replies = [http_session.get(url, headers=KEY, timeout=10, allow_redirects=False) for _ in range(9)]
    assert [reply.status_code for reply in replies] == [429, 500, 200, 200, 200, 302, 200, 200, 200]
    assert replies[0].headers["retry-after"] == "7"
    assert replies[1].json().keys() == {"detail"}
    assert replies[2].text.startswith("<!DOCTYPE html>")
    assert replies[4].json()["status"] == []
    assert replies[5].headers["location"].startswith("http://localhost:")
    assert "status" not in replies[6].json() or replies[6].json()["status"] == 502
    assert replies[7].content.startswith(b"\xef\xbb\xbf{")
    assert replies[8].json()["status"] == "processing"
    fake.plan_get("drop-mid")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        http_session.get(url, headers=KEY, timeout=10)
    assert (fake.counts.received, fake.counts.charged, fake.counts.refused) == (1, 1, 0)


def test_a_poll_has_no_step_about_what_the_model_says(fake: FakeUpstream) -> None:
    with pytest.raises(ValueError, match="about what a model says"):
        fake.plan_get("truncated")
    with pytest.raises(ValueError, match="no such step"):
        fake.plan_get("slowly")


def test_the_key_is_asked_for_again_at_every_poll(http_session: requests.Session) -> None:
    with FakeUpstream("replicate", key="right") as fake:
        fake.plan("slow-prediction")
        prediction = ask(fake, http_session, key="right").json()
        for url in prediction["urls"].values():
            send = http_session.post if url.endswith("/cancel") else http_session.get
            reply = send(url, headers=KEY, timeout=10)
            assert reply.json() == {
                "title": "Unauthenticated",
                "detail": "You did not pass a valid authentication token",
                "status": 401,
            }
        assert fake.cancelled == []
        assert http_session.get(f"{fake.base_url}/predictions/none", headers=KEY, timeout=10).status_code == 401


def test_urls_may_lead_to_another_host_where_a_leaked_key_is_seen(
    fake: FakeUpstream, http_session: requests.Session
) -> None:
    fake.plan("foreign-urls")
    url = ask(fake, http_session).json()["urls"]["get"]
    assert url.startswith("http://localhost:")
    assert http_session.get(url, headers=KEY, timeout=10).json()["status"] == "processing"
    (call,) = fake.lookups()
    assert (call.headers["host"][:10], call.headers["authorization"]) == ("localhost:", "Bearer k")


REFUSALS = {
    "402": (402, "Insufficient credit", "purchase credit"),
    "404": (404, None, "could not be found"),
    "422": (422, "Input validation failed", "prompt is required"),
    "429": (429, None, "Your rate limit resets in ~2s."),
}


@pytest.mark.parametrize("step", REFUSALS)
def test_refusals_are_replicates_own(step: str, fake: FakeUpstream, http_session: requests.Session) -> None:
    fake.plan(step)
    reply = ask(fake, http_session)
    status, title, words = REFUSALS[step]
    body = reply.json()
    assert (reply.status_code, body["status"], body.get("title")) == (status, status, title)
    assert words in body["detail"]


def test_a_missing_prompt_is_invalid_and_other_doors_are_shut(
    fake: FakeUpstream, http_session: requests.Session
) -> None:
    reply = http_session.post(chat_url(fake), json={"input": {}}, headers=KEY, timeout=10)
    assert (reply.status_code, reply.json()["invalid_fields"][0]["description"]) == (422, "prompt is required")
    assert fake.counts == Counts(received=1, refused=1)
    for path in ("/chat/completions", "/audio/transcriptions", "/predictions"):
        assert http_session.post(fake.base_url + path, json={}, timeout=10).status_code == 404


def test_an_account_with_little_credit_is_told_when_to_come_back(http_session: requests.Session) -> None:
    clock = HandClock(NOON)
    with FakeUpstream("replicate", per_minute=6, clock=clock) as fake:
        assert {ask(fake, http_session).status_code for _ in range(6)} == {201}
        clock.at += 52
        reply = ask(fake, http_session)
        assert (reply.status_code, reply.json()["retry_after"]) == (429, 8)
        assert "retry-after" not in reply.headers
        clock.at += 8
        assert ask(fake, http_session).status_code == 201


def test_models_of_others_count_tokens_under_other_names(
    fake: FakeUpstream, http_session: requests.Session
) -> None:
    url = f"{fake.base_url}/models/openai/gpt-oss-20b/predictions"
    body = http_session.post(
        url, json={"input": {"prompt": "Hi"}}, headers={**KEY, "Prefer": "wait"}, timeout=10
    ).json()
    assert body["metrics"].keys() >= {"token_input_count", "token_output_count"}
    assert json.dumps(body).count("input_token_count") == 0
