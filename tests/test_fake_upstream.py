"""The judge is judged: its counters are exact, its refusals are the provider's own, its faults are real."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.fakes.__main__ import environment
from tests.fakes.asking import NOON, HandClock, ask, chat_body, chat_url
from tests.fakes.faults import STEPS
from tests.fakes.upstream import Counts, Exchange, FakeUpstream

PROVIDERS = [
    "gemini",
    "cerebras",
    "groq",
    "openrouter",
    "deepseek",
    "huggingface",
    "cloudflare",
    "mistral",
    "local",
    "together",
    "fireworks",
    "cohere",
    "sambanova",
    "nvidia",
    "replicate",
]
UNREADABLE = {"drop", "drop-mid", "stream-cut", "stall", "never", "short-length", "bad-chunk", "reset-later"}
LENGTHY = {"drip", "huge", "gzip-bomb", "slow", "many-headers"}


@pytest.fixture
def http_session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize(("step", "stream"), [("drop", False), ("drop-mid", False), ("stream-cut", True)])
def test_a_lost_connection_is_charged_but_not_served(
    step: str, stream: bool, http_session: requests.Session
) -> None:
    with FakeUpstream("groq") as fake:
        fake.plan(step)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            ask(fake, http_session, stream=stream)
        assert (fake.counts.received, fake.counts.charged, fake.counts.served) == (1, 1, 0)
        assert ask(fake, http_session).status_code == 200


def test_what_each_failure_costs(http_session: requests.Session) -> None:
    with FakeUpstream("cerebras") as fake:
        fake.plan("ok", "429", "500", "401", "402", "404", "redirect")
        codes = [ask(fake, http_session).status_code for _ in range(7)]
        assert codes == [200, 429, 500, 401, 402, 404, 307]
        assert fake.counts == Counts(received=7, charged=2, served=1, refused=4, tokens=11)


def test_a_429_costs_a_request_only_where_the_provider_says_so(http_session: requests.Session) -> None:
    with FakeUpstream("cerebras", charges_429=True, per_day=2) as fake:
        fake.plan("429")
        assert [ask(fake, http_session).status_code for _ in range(3)] == [429, 200, 429]
        assert (fake.counts.charged, fake.counts.served) == (3, 1)


@pytest.mark.parametrize("limit", ["per_day", "per_minute"])
def test_exactly_the_limit_is_served_to_a_hundred_threads(limit: str) -> None:
    with FakeUpstream("cerebras", per_day=37) if limit == "per_day" else FakeUpstream(per_minute=37) as fake:
        url, body = chat_url(fake), chat_body(fake)
        with ThreadPoolExecutor(100) as pool:
            codes = list(pool.map(lambda _: requests.post(url, json=body, timeout=30).status_code, range(100)))
        assert codes.count(200) == 37
        assert (fake.counts.served, fake.counts.charged, fake.counts.refused) == (37, 37, 63)
        assert len(fake.requests()) == 100


def test_tokens_are_held_before_the_reply_and_settled_after_it(http_session: requests.Session) -> None:
    with FakeUpstream("cerebras", tokens_per_day=30, reply=lambda _: "x" * 32) as fake:
        codes = [ask(fake, http_session, max_tokens=18).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
        assert fake.counts.tokens == 20
        assert ask(fake, http_session, max_tokens=8).status_code == 200


def test_windows_turn_where_the_provider_turns_them(http_session: requests.Session) -> None:
    clock = HandClock()
    with FakeUpstream("gemini", per_minute=2, per_day=3, clock=clock) as fake:
        assert [ask(fake, http_session).status_code for _ in range(3)] == [200, 200, 429]
        clock.at += 60
        assert [ask(fake, http_session).status_code for _ in range(2)] == [200, 429]
        clock.at = NOON + 12 * 3600  # midnight UTC is still the same day in California
        assert ask(fake, http_session).status_code == 429
        clock.at = NOON + 20 * 3600
        assert ask(fake, http_session).status_code == 200


def test_limits_may_belong_to_each_model(http_session: requests.Session) -> None:
    with FakeUpstream("groq", per_day=1, per_model=True) as fake:
        assert [ask(fake, http_session, model=name).status_code for name in "aab"] == [200, 429, 200]


QUOTA_WORDS = {
    ("gemini", "day"): "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    ("gemini", "minute"): "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    ("cloudflare", "day"): '"code": 4006',
    ("cloudflare", "minute"): '"code": 3021',
    ("cerebras", "day"): "Requests per day limit exceeded",
    ("openrouter", "day"): "free-models-per-day",
    ("openrouter", "minute"): "free-models-per-min",
    ("groq", "day"): "requests per day (RPD): Limit 1, Used 1",
    ("replicate", "minute"): "Your rate limit resets in ~60s.",
    ("cohere", "day"): "limited to 1 API calls / month",
    ("cohere", "minute"): "limited to 1 API calls / minute",
}


@pytest.mark.parametrize(("provider", "period"), QUOTA_WORDS)
def test_an_exhausted_quota_speaks_as_the_planned_one_does(
    provider: str, period: str, http_session: requests.Session
) -> None:
    grant: dict[str, Any] = {f"per_{period}": 1}
    with FakeUpstream(provider, clock=HandClock(), **grant) as fake:
        ask(fake, http_session)
        real = ask(fake, http_session)
        fake.plan(f"429-{period}")
        planned = ask(fake, http_session)
    assert real.status_code == planned.status_code == 429
    assert QUOTA_WORDS[provider, period] in real.text
    assert real.json() == planned.json()


def test_rate_headers_are_the_providers_own(http_session: requests.Session) -> None:
    with FakeUpstream("cerebras", per_day=2, clock=HandClock()) as fake:
        headers = ask(fake, http_session).headers
        assert headers["x-ratelimit-remaining-requests-day"] == "1"
        assert headers["x-ratelimit-reset-requests-day"] == "43200.000"
        ask(fake, http_session)
        assert ask(fake, http_session).headers["retry-after"] == "43200"
    with FakeUpstream("groq", per_day=2, clock=HandClock(NOON + 43200 - 579.56)) as fake:
        assert ask(fake, http_session).headers["x-ratelimit-reset-requests"] == "9m39.56s"
    with FakeUpstream("openrouter", per_day=1, clock=HandClock()) as fake:
        assert "x-ratelimit-limit" not in ask(fake, http_session).headers
        assert ask(fake, http_session).headers["x-ratelimit-reset"] == str(int(NOON + 43200) * 1000)
    with FakeUpstream("cloudflare") as fake:
        assert float(ask(fake, http_session).headers["cf-ai-neurons"]) > 0


def test_retry_after_can_say_anything_or_nothing(http_session: requests.Session) -> None:
    with FakeUpstream() as fake:
        fake.plan("429", "429:17", "429:-5", "429:Wed, 21 Oct 2026 07:28:00 GMT", "429:none")
        said = [ask(fake, http_session).headers.get("retry-after") for _ in range(5)]
    assert said == ["2", "17", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", None]


BAD_KEYS = {"gemini": 400, "cloudflare": 401, "cerebras": 401, "openrouter": 401, "deepseek": 401, "groq": 401}
BAD_KEYS |= {"replicate": 401, "mistral": 401, "nvidia": 401}


@pytest.mark.parametrize("provider", BAD_KEYS)
def test_a_wrong_key_is_refused_in_the_providers_words(provider: str, http_session: requests.Session) -> None:
    with FakeUpstream(provider, key="right") as fake:
        assert ask(fake, http_session, key="right").ok
        wrong = ask(fake, http_session, key="wrong")
        fake.plan("bad-key")
        assert ask(fake, http_session, key="right").text == wrong.text
        assert wrong.status_code == BAD_KEYS[provider]
        assert "right" not in wrong.text
        assert (fake.counts.charged, fake.counts.refused) == (1, 2)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_step_works_at_every_provider(provider: str, http_session: requests.Session) -> None:
    steps = [step for step in STEPS if step not in UNREADABLE | LENGTHY]
    with FakeUpstream(provider) as fake:
        fake.plan(*steps)
        for _ in steps:
            ask(fake, http_session)
        assert fake.counts.received == len(steps)


def test_unknown_steps_are_refused_when_they_are_planned() -> None:
    with FakeUpstream() as fake, pytest.raises(ValueError, match="no such step 'sloww'"):
        fake.plan("ok", "sloww")


def test_bodies_that_hurt_a_careless_client(http_session: requests.Session) -> None:
    with FakeUpstream() as fake:
        fake.plan("garbage", "html", "deep", "nan", "wrong-type", "gzip-bomb")
        garbage, page, deep, nan, typed = (ask(fake, http_session) for _ in range(5))
        request = requests.Request("POST", chat_url(fake), json=chat_body(fake)).prepare()
        with http_session.send(request, stream=True, timeout=10) as bomb:
            size = int(bomb.headers["content-length"])
            assert len(bomb.raw.read(2_000_000, decode_content=True)) == 2_000_000
        fake.plan("many-headers")
        with pytest.raises(requests.ConnectionError):
            ask(fake, http_session)
    with pytest.raises(ValueError, match="Expecting"):
        garbage.json()
    assert page.headers["content-type"].startswith("text/html")
    with pytest.raises(RecursionError):
        json.loads(deep.content)
    assert "NaN" in nan.json()["choices"][0]["message"]["content"]
    assert typed.headers["content-type"] == "text/plain"
    assert size < 400_000


def test_a_redirect_leads_to_another_host_where_leaks_are_seen(http_session: requests.Session) -> None:
    with FakeUpstream("gemini") as fake:
        fake.plan("redirect")
        reply = ask(fake, http_session)
        assert (reply.status_code, len(fake.requests())) == (307, 1)
        http_session.post(
            reply.headers["location"], json=chat_body(fake), headers={"x-goog-api-key": "leak"}, timeout=10
        )
        assert fake.requests()[1].headers["host"].startswith("localhost:")


@pytest.mark.parametrize(("provider", "step", "text"), [("groq", "stall", 24), ("openrouter", "stall:1", 12)])
def test_a_stalled_stream_has_begun_and_waits_for_the_client_to_leave(
    provider: str, step: str, text: int, http_session: requests.Session
) -> None:
    with FakeUpstream(provider, reply=lambda _: "#" * 60) as fake:
        fake.plan(step)
        url, body = chat_url(fake), chat_body(fake, stream=True)
        with http_session.post(url, json=body, stream=True, timeout=10) as reply:
            lines, seen = reply.iter_lines(), 0
            while seen < text:
                seen += next(lines).count(b"#")
            assert not fake.wait_for_departures(within=0.0)
        assert fake.wait_for_departures()
        assert (fake.counts.charged, fake.counts.served) == (1, 0)


@pytest.mark.parametrize("step", ["stall", "drip"])
def test_a_client_that_leaves_an_answer_half_way_is_noticed(step: str) -> None:
    with FakeUpstream() as fake:
        fake.plan("ok", step)
        requests.post(chat_url(fake), json=chat_body(fake), timeout=10)
        with requests.post(chat_url(fake), json=chat_body(fake), stream=True, timeout=10) as reply:
            assert reply.raw.read(1) == b"{"
        assert fake.wait_for_departures(1)
        assert not fake.wait_for_departures(2, within=0.0)


@pytest.mark.parametrize("step", ["drip", "slow:600"])
def test_leaving_the_block_ends_a_reply_that_would_take_for_ever(step: str) -> None:
    with FakeUpstream() as fake:
        fake.plan(step)
        with pytest.raises((requests.Timeout, requests.ConnectionError)):
            requests.post(chat_url(fake), json=chat_body(fake), timeout=0.1)
    assert fake.counts.served == 1


def test_one_connection_serves_many_requests() -> None:
    with FakeUpstream() as fake:
        host, port = fake.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        ports = set()
        for _ in range(3):
            connection.request("POST", "/v1/chat/completions", json.dumps(chat_body(fake)))
            assert connection.getresponse().read()
            assert isinstance(connection.sock, socket.socket)
            ports.add(connection.sock.getsockname()[1])
        connection.close()
    assert len(ports) == 1


def test_a_reply_function_that_fails_fails_the_test() -> None:
    def broken(exchange: Exchange) -> str:
        raise LookupError("no such question")

    with pytest.raises(LookupError, match="no such question"), FakeUpstream(reply=broken) as fake:
        assert requests.post(chat_url(fake), json=chat_body(fake), timeout=10).status_code == 500


def test_the_demo_prints_what_the_app_needs() -> None:
    lines = environment("cerebras", "http://127.0.0.1:8901/v1")
    assert lines[0] == "CEREBRAS_BASE_URL=http://127.0.0.1:8901/v1"
    assert lines[2] == "ALLOW_LOCAL_UPSTREAMS=1"
