"""The faults that only the wire shows: framing, silence, resets, sizes, and JSON that no parser should trust."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests

from tests.fakes.asking import ask, chat_body, chat_url
from tests.fakes.upstream import FakeUpstream


@pytest.fixture
def http_session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_a_reply_that_never_begins_lasts_until_the_client_leaves() -> None:
    with FakeUpstream() as fake:
        fake.plan("never")
        with pytest.raises(requests.ReadTimeout):
            requests.post(chat_url(fake), json=chat_body(fake), timeout=0.2)
        assert fake.wait_for_departures()
        assert (fake.counts.charged, fake.counts.served) == (1, 0)


def test_a_short_length_leaves_the_rest_on_the_connection() -> None:
    with FakeUpstream(reply=lambda _: "a" * 400) as fake:
        fake.plan("short-length")
        port, body = int(fake.url.rpartition(":")[2]), json.dumps(chat_body(fake)).encode()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            data = b""
            while not data.endswith(b"}}"):
                data += connection.recv(65536)
    told, _, sent = data.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(sent) // 2}" in told.decode()
    assert json.loads(sent)["choices"][0]["message"]["content"] == "a" * 400


@pytest.mark.parametrize("stream", [False, True])
def test_a_bad_chunk_breaks_a_reply_that_had_begun(stream: bool, http_session: requests.Session) -> None:
    with FakeUpstream() as fake:
        fake.plan("bad-chunk")
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="zz"):
            ask(fake, http_session, stream=stream)
        assert (fake.counts.charged, fake.counts.served) == (1, 0)


def test_a_connection_may_be_reset_when_it_is_used_again() -> None:
    with FakeUpstream() as fake:
        fake.plan("reset-later")
        connection = http.client.HTTPConnection(fake.url.removeprefix("http://"), timeout=10)

        def chat() -> bytes:
            connection.request("POST", "/v1/chat/completions", json.dumps(chat_body(fake)))
            return connection.getresponse().read()

        with closing(connection):
            assert json.loads(chat())["choices"]
            with pytest.raises(ConnectionError):
                chat()
            assert (fake.counts.received, fake.counts.served) == (1, 1)
            connection.close()
            assert json.loads(chat())["choices"]


@pytest.mark.parametrize(("stream", "provider"), [(False, "cerebras"), (True, "cerebras"), (False, "replicate")])
def test_a_huge_body_is_really_sent(stream: bool, provider: str, http_session: requests.Session) -> None:
    with FakeUpstream(provider) as fake:
        fake.plan("huge")
        body = chat_body(fake, stream=stream)
        with http_session.post(chat_url(fake), json=body, stream=True, timeout=10) as reply:
            assert int(reply.headers["content-length"]) > 100_000_000
            assert reply.raw.read(3_000_000).isspace()
        assert fake.wait_for_departures()


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_of_the_reply_may_be_none(literal: str, http_session: requests.Session) -> None:
    with FakeUpstream(reply=lambda _: "I scored 3 of 4.") as fake:
        fake.plan(f"numbers:{literal}", f"nan:{literal}")
        whole, text = (ask(fake, http_session) for _ in range(2))
    assert f'"prompt_tokens": {literal}' in whole.text
    assert whole.json()["choices"][0]["message"]["content"] == "I scored 3 of 4."
    assert text.json()["choices"][0]["message"]["content"] == f'{{"score": {literal}, "items": [{literal}]}}'


def test_a_number_may_be_longer_than_python_reads(http_session: requests.Session) -> None:
    with FakeUpstream() as fake:
        fake.plan("numbers:digits", "nan:digits")
        whole, text = (ask(fake, http_session) for _ in range(2))
    with pytest.raises(ValueError, match="integer string conversion"):
        json.loads(whole.content)
    with pytest.raises(ValueError, match="integer string conversion"):
        json.loads(text.json()["choices"][0]["message"]["content"])


def test_numbers_and_keys_are_bent_in_a_stream_too(http_session: requests.Session) -> None:
    with FakeUpstream(reply=lambda _: "Go on.") as fake:
        fake.plan("numbers:1e999", "duplicate-keys")
        numbers, keys = (ask(fake, http_session, stream=True).text for _ in range(2))
    assert numbers.count('"index": 1e999') == numbers.count('"index"') > 1
    events = [line.removeprefix("data: ") for line in keys.splitlines() if line.startswith("data: {")]
    assert all(json.loads(event)["choices"] is None for event in events)
    assert keys.rstrip().endswith("data: [DONE]")


def test_keys_come_twice_and_the_second_time_empty(http_session: requests.Session) -> None:
    with FakeUpstream("gemini") as fake:
        fake.plan("duplicate-keys")
        reply = ask(fake, http_session)
    pairs = json.loads(reply.content, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert names[: len(names) // 2] == names[len(names) // 2 :]
    assert pairs[0][1]
    assert reply.json()["candidates"] is None


def test_text_may_end_before_it_begins(http_session: requests.Session) -> None:
    with FakeUpstream() as fake:
        fake.plan("length-empty")
        (choice,) = ask(fake, http_session).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_of_every_kind_lead_away(code: int, http_session: requests.Session) -> None:
    with FakeUpstream("replicate") as fake:
        fake.plan(f"redirect:{code}")
        reply = ask(fake, http_session)
        assert (reply.status_code, reply.headers["location"]) == (
            code,
            chat_url(fake).replace("127.0.0.1", "localhost"),
        )
        assert fake.counts.charged == 0


@pytest.mark.parametrize("provider", ["cerebras", "gemini", "cloudflare", "replicate", "nvidia", "cohere"])
def test_statuses_are_what_they_say(provider: str, http_session: requests.Session) -> None:
    codes = ["403", "408", "422", "500", "502", "503", "504", "529"]
    with FakeUpstream(provider) as fake:
        fake.plan(*codes)
        assert [str(ask(fake, http_session).status_code) for _ in codes] == codes


OWN_WORDS = {
    ("nvidia", "degraded"): (400, "DEGRADED function cannot be invoked"),
    ("nvidia", "403"): (403, "Authorization failed"),
    ("cerebras", "degraded"): (503, "degraded"),
    ("sambanova", "402"): (402, "PAYMENT_METHOD_REQUIRED"),
    ("together", "404"): (400, "model_not_available"),
    ("fireworks", "404"): (404, "NOT_FOUND"),
    ("mistral", "403"): (403, "tier_not_allowed"),
    ("mistral", "422"): (422, "extra_forbidden"),
    ("cohere", "500"): (500, "Internal Server Error"),
}


@pytest.mark.parametrize(("provider", "step"), OWN_WORDS)
def test_newer_providers_refuse_in_their_own_words(
    provider: str, step: str, http_session: requests.Session
) -> None:
    with FakeUpstream(provider) as fake:
        fake.plan(step)
        reply = ask(fake, http_session)
    status, words = OWN_WORDS[provider, step]
    assert reply.status_code == status
    assert words in reply.text
    problem = reply.headers["content-type"] == "application/problem+json"
    assert problem == (provider == "nvidia")
