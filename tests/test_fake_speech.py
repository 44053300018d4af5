"""The fake hears: it measures the sound itself, counts seconds as Groq does, refuses and breaks as they all do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.fakes.asking import HandClock, ask, speak, wav
from tests.fakes.faults import STEPS
from tests.fakes.speech import wav_seconds
from tests.fakes.upstream import Counts, FakeUpstream, Speech

SAID = "I split the work in two"


@pytest.fixture
def http_session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_what_was_sent_is_seen_byte_by_byte(http_session: requests.Session) -> None:
    sound = random.Random(3).randbytes(20_000) + b"\r\n--\r\r\n\n" + bytes(range(256)) * 4
    file = wav(len(sound) / 2 / 8000)[:44] + sound
    with FakeUpstream("groq", heard=lambda speech: f"{speech.seconds:.3f}") as fake:
        granularity = {"timestamp_granularities[]": ["word", "segment"], "temperature": "0"}
        reply = speak(fake, http_session, file, key="k1", language="de", **granularity)
        (speech,) = fake.speeches()
        assert (reply.status_code, reply.json()["text"]) == (200, f"{len(sound) / 16000:.3f}")
    assert speech.audio == file
    assert (speech.file_name, speech.media_type) == ("answer.wav", "audio/wav")
    assert (speech.model, speech.language) == ("whisper-large-v3-turbo", "de")
    assert speech.fields["timestamp_granularities[]"] == ("word", "segment")
    assert speech.headers["authorization"] == "Bearer k1"
    assert fake.requests() == []


def test_the_length_is_that_of_the_sound_not_of_the_header() -> None:
    whole = wav(2)
    assert wav_seconds(whole) == 2
    assert wav_seconds(whole[: 44 + 16000]) == 1
    endless = whole[:4] + b"\xff" * 4 + whole[8:40] + b"\xff" * 4 + whole[44:]
    assert wav_seconds(endless) == 2
    assert wav_seconds(b"RIFF") is None
    assert wav_seconds(b"\x1aE\xdf\xa3 webm") is None


@pytest.mark.parametrize(
    ("provider", "language"), [("groq", "English"), ("local", "english"), ("cerebras", "english")]
)
def test_a_transcript_has_the_form_that_was_asked_for(
    provider: str, language: str, http_session: requests.Session
) -> None:
    with FakeUpstream(provider, heard=lambda _: SAID) as fake:
        timed = speak(fake, http_session, wav(3), **{"timestamp_granularities[]": "word"}).json()
        untimed = speak(fake, http_session, wav(3)).json()
        short = speak(fake, http_session, wav(3), response_format="json").json()
        text = speak(fake, http_session, wav(3), response_format="text")
    assert (timed["task"], timed["language"], timed["duration"], timed["text"]) == (
        "transcribe",
        language,
        3.0,
        SAID,
    )
    assert [word["word"] for word in timed["words"]] == SAID.split()
    assert timed["words"][0] == {"word": "I", "start": 0.0, "end": 0.5}
    assert timed["words"][-1]["end"] == timed["segments"][0]["end"] == 3.0
    assert "words" not in untimed
    assert short.keys() == ({"text", "x_groq"} if provider == "groq" else {"text"})
    assert (text.text, text.headers["content-type"]) == (SAID + "\n", "text/plain")


def test_vllm_answers_a_little_differently(http_session: requests.Session) -> None:
    with FakeUpstream("local", heard=lambda _: SAID) as fake:
        fake.plan("speech-vllm")
        body = speak(fake, http_session, wav(1.5), **{"timestamp_granularities[]": "word"}).json()
    assert (body["duration"], body["language"], body["words"], body["text"]) == ("1.5", "en", None, SAID)


def test_cloudflare_hears_in_its_own_words(http_session: requests.Session) -> None:
    with FakeUpstream("cloudflare", heard=lambda _: SAID) as fake:
        reply = speak(fake, http_session, wav(60), task="transcribe", language="en")
        (speech,) = fake.speeches()
        broken = speak(fake, http_session, b"no wav")
        ask(fake, http_session)
        older = speak(fake, http_session, wav(1), model="@cf/openai/whisper")
    result = reply.json()["result"]
    assert (reply.json()["success"], result["text"], result["word_count"]) == (True, SAID, 6)
    assert result["transcription_info"]["duration"] == 60
    assert result["segments"][0]["words"][5] == {"word": "two", "start": 50.0, "end": 60.0}
    assert (speech.model, speech.seconds, speech.language) == ("@cf/openai/whisper-large-v3-turbo", 60.0, "en")
    assert reply.headers["cf-ai-neurons"] == "46.6300"
    assert (broken.status_code, broken.json()["errors"][0]["code"]) == (400, 5004)
    assert older.status_code == 400  # it takes numbers, not base64
    assert (fake.speech_counts.received, fake.counts.received) == (3, 1)


def test_seconds_flow_back_evenly_and_the_refusal_says_when(http_session: requests.Session) -> None:
    clock = HandClock()
    with FakeUpstream("groq", audio_seconds_per_hour=7200, clock=clock, heard=lambda _: "") as fake:
        for _ in range(24):
            assert speak(fake, http_session, wav(300, 100)).status_code == 200
        clock.at += 5
        refused = speak(fake, http_session, wav(30))
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
        assert refused.headers["x-ratelimit-remaining-audio-seconds"] == "10"
        assert refused.json()["error"]["type"] == "seconds"
        assert (
            "for model `whisper-large-v3-turbo` in organization `org_fake` service tier `on_demand` on seconds of "
            "audio per hour (ASPH): Limit 7200, Used 7190, Requested 30. Please try again in 10s."
        ) in refused.json()["error"]["message"]
        assert speak(fake, http_session, wav(10)).status_code == 200
        clock.at += 15
        assert speak(fake, http_session, wav(30)).status_code == 200
        assert (fake.speech_counts.audio, fake.speech_counts.refused) == (7240.0, 1)
        assert fake.counts == Counts()


def test_a_recording_longer_than_the_hours_seconds_is_too_large(http_session: requests.Session) -> None:
    with FakeUpstream("groq", audio_seconds_per_hour=20) as fake:
        reply = speak(fake, http_session, wav(21))
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "rate_limit_exceeded")
        assert "Limit 20, Requested 21, please reduce" in reply.text
        assert speak(fake, http_session, wav(20)).status_code == 200


def test_every_limit_of_speech_is_its_own(http_session: requests.Session) -> None:
    limits: list[dict[str, Any]] = [
        {"speech_per_minute": 2},
        {"speech_per_day": 2},
        {"audio_seconds_per_day": 6.4},
    ]
    words = ["requests per minute (RPM)", "requests per day (RPD)", "seconds of audio per day (ASPD)"]
    for limit, word in zip(limits, words, strict=True):
        with FakeUpstream("groq", clock=HandClock(), per_minute=1, **limit) as fake:
            replies = [speak(fake, http_session, wav(3.2)) for _ in range(3)]
            assert [reply.status_code for reply in replies] == [200, 200, 429]
            assert word in replies[2].text
            assert ask(fake, http_session).status_code == 200
    with FakeUpstream("groq", speech_per_day=1, per_model=True) as fake:
        codes = [speak(fake, http_session, wav(1), model=name).status_code for name in "aab"]
        assert codes == [200, 429, 200]


def test_short_clips_may_be_charged_a_least_length(http_session: requests.Session) -> None:
    with FakeUpstream("groq", audio_seconds_per_hour=20, least_audio_seconds=10, clock=HandClock()) as fake:
        assert [speak(fake, http_session, wav(1)).status_code for _ in range(3)] == [200, 200, 429]
        assert fake.speech_counts.audio == 20


def test_exactly_the_seconds_are_granted_to_forty_threads() -> None:
    sound = wav(3.3)
    with FakeUpstream("groq", audio_seconds_per_hour=33, clock=HandClock()) as fake:

        def one(_: int) -> int:
            with requests.Session() as session:
                return speak(fake, session, sound).status_code

        with ThreadPoolExecutor(40) as pool:
            codes = list(pool.map(one, range(40)))
        assert codes.count(200) == 10
        assert (fake.speech_counts.served, fake.speech_counts.refused) == (10, 30)


@pytest.mark.parametrize("provider", ["cloudflare", "local", "cerebras"])
def test_others_refuse_in_their_own_words(provider: str, http_session: requests.Session) -> None:
    words = {"cloudflare": '"code": 3021', "local": "requests per minute", "cerebras": "Requests per minute limit"}
    with FakeUpstream(provider, speech_per_minute=1) as fake:
        speak(fake, http_session, wav(1))
        reply = speak(fake, http_session, wav(1))
        assert reply.status_code == 429
        assert words[provider] in reply.text
    with FakeUpstream(provider, audio_seconds_per_hour=10) as fake:
        assert [speak(fake, http_session, wav(8)).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("audio", "more", "status", "words"),
    [
        (b"not a sound", {}, 400, "could not process file"),
        (wav(1), {"file_name": "answer"}, 400, "unsupported_audio_format"),
        (wav(0.005), {}, 400, "too short"),
        (wav(1), {"model": ""}, 400, "invalid_request_error"),
        (b"", {}, 400, "invalid_request_error"),
        (wav(1) + bytes(26_214_400), {}, 413, "request_too_large"),
    ],
    ids=["undecodable", "no extension", "too short", "no model", "empty", "too large"],
)
def test_groq_refuses_what_it_cannot_hear_and_charges_nothing(
    audio: bytes, more: dict[str, Any], status: int, words: str, http_session: requests.Session
) -> None:
    with FakeUpstream("groq") as fake:
        reply = speak(fake, http_session, audio, **more)
        assert (reply.status_code, words in reply.text) == (status, True)
        assert fake.speech_counts == Counts(received=1, refused=1)


def test_a_wrong_key_hears_nothing(http_session: requests.Session) -> None:
    with FakeUpstream("groq", key="right") as fake:
        assert speak(fake, http_session, wav(1), key="wrong").status_code == 401
        assert speak(fake, http_session, wav(1), key="right").status_code == 200


@pytest.mark.parametrize("provider", ["gemini", "replicate"])
def test_who_takes_no_speech_has_no_such_endpoint(provider: str, http_session: requests.Session) -> None:
    with FakeUpstream(provider) as fake:
        assert speak(fake, http_session, wav(1)).status_code == 404
        assert fake.speeches() == []


@pytest.mark.parametrize("provider", ["groq", "cloudflare", "local"])
def test_every_step_works_for_speech(provider: str, http_session: requests.Session) -> None:
    broken = {"drop", "drop-mid", "stream-cut", "stall", "never", "short-length", "bad-chunk", "reset-later"}
    lengthy = {"drip", "huge", "gzip-bomb", "slow", "many-headers"}
    steps = [step for step in STEPS if step not in broken | lengthy]
    with FakeUpstream(provider, heard=lambda _: SAID) as fake:
        fake.plan(*steps)
        replies = dict(zip(steps, (speak(fake, http_session, wav(1)) for _ in steps), strict=True))
        assert fake.speech_counts.received == len(steps)
    assert replies["503"].status_code == 503
    assert replies["html"].text.startswith("<!DOCTYPE")
    assert replies["wrong-type"].headers["content-type"] == "text/plain"
    assert SAID[: len(SAID) // 2] in replies["truncated"].text
    assert SAID not in replies["truncated"].text
    assert SAID not in replies["error-in-200"].text


def test_a_listener_that_fails_fails_the_test() -> None:
    def deaf(speech: Speech) -> str:
        raise LookupError("heard nothing")

    with (
        requests.Session() as session,
        pytest.raises(LookupError, match="heard nothing"),
        FakeUpstream("groq", heard=deaf) as fake,
    ):
        assert speak(fake, session, wav(1)).status_code == 500
