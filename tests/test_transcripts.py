"""Speech to text: what is sent with a recording, the shapes in which a transcript comes, its errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import responses

from core.quotas import cost_of_usage
from providers.contracts import Limit, Speech, Told, Transcriber, Usage, Word
from providers.errors import BadReply, Busy, Refused
from providers.speech import form_of, read_transcript, run_body_of
from tests.dialects import (
    SECONDS,
    SPEAKING,
    Line,
    Lines,
    assert_sound,
    dialled,
    key_of,
    line_in,
    opened,
    recording_of,
)
from tests.fakes.asking import NOON, wav

HEARD = "I split the work and we shipped it on time."


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with opened(tmp_path_factory.mktemp("speech"), SPEAKING) as running:
        yield running


@pytest.fixture(params=SPEAKING)
def line(lines: Lines, request: pytest.FixtureRequest) -> Line:
    return lines[request.param, "speech"]


def test_who_has_a_model_that_listens_is_a_transcriber(line: Line) -> None:
    assert isinstance(line.provider, Transcriber)


def test_the_recording_arrives_as_it_is(line: Line) -> None:
    line.call(language="en")
    sent = line.seen()[-1]
    assert (sent.audio, sent.model, sent.language) == (wav(SECONDS), line.route.model, "en")
    if line.name != "cloudflare":
        assert (sent.file_name, sent.media_type) == ("answer.wav", "audio/wav")
        assert sent.fields["response_format"] == ("verbose_json",)
        assert sent.fields["temperature"] == ("0",)
        assert sent.wants_words


def test_without_a_language_none_is_sent(line: Line) -> None:
    line.call()
    sent = line.seen()[-1]
    assert "language" not in sent.fields
    assert sent.language == ""


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("audio/wav", "answer.wav"),
        ("audio/webm", "answer.webm"),
        ("audio/ogg", "answer.ogg"),
        ("audio/mpeg", "answer.mp3"),
        ("audio/mp4", "answer.m4a"),
    ],
)
def test_a_file_is_named_by_its_media_type(lines: Lines, media_type: str, name: str) -> None:
    """Groq judges it by the ending alone, and refuses what it does not know."""
    line = lines["groq", "speech"]
    line.call(media_type=media_type)
    sent = line.seen()[-1]
    assert (sent.file_name, sent.media_type) == (name, media_type)


@pytest.mark.parametrize("media_type", ["audio/webm;codecs=opus", "audio/ogg; codecs=opus", "AUDIO/WEBM"])
def test_a_media_type_may_have_parameters(lines: Lines, media_type: str) -> None:
    form = form_of(lines["groq", "speech"].route, recording_of(media_type=media_type))
    assert form.file_name.removeprefix("answer.") in media_type.lower()


def test_silence_is_an_answer_without_text(line: Line) -> None:
    with line.bent("empty"):
        _, reply = line.call()
    assert (reply.text, reply.finish_reason) == ("", "stop")
    assert reply.speech is not None
    assert reply.speech.words == ()
    assert reply.usage is not None
    assert reply.usage.seconds == SECONDS


def test_what_a_server_of_ones_own_sends(lines: Lines) -> None:
    """vLLM: the duration is text, the language a code, words are null."""
    line = lines["local", "speech"]
    with line.bent("speech-vllm"):
        _, reply = line.call()
    assert (reply.text, reply.speech) == (HEARD, Speech("en", ()))
    assert reply.usage == Usage(0, 0, seconds=SECONDS)


WORDS = [{"word": " Hi", "start": 0, "end": 0.4}, {"word": "there ", "start": 0.4, "end": 0.9}]
READ = (Word("Hi", 0.0, 0.4), Word("there", 0.4, 0.9))
SHAPES: dict[str, tuple[dict[str, Any], Speech, float]] = {
    "bare": ({}, Speech(), SECONDS),
    "words on top": ({"words": WORDS, "language": "english", "duration": 3.2}, Speech("english", READ), 3.2),
    "words in segments": ({"segments": [{"words": WORDS[:1]}, {"words": WORDS[1:]}]}, Speech("", READ), SECONDS),
    "words null": ({"words": None, "segments": None, "duration": "3.2"}, Speech(), 3.2),
    "info beside": ({"transcription_info": {"language": "en", "duration": 3.2}}, Speech("en"), 3.2),
    "odd times": (
        {"words": [{"word": "a", "start": 2, "end": 1}, {"word": "b", "start": "1", "end": "2"}, "c", None]},
        Speech("", (Word("b", 1.0, 2.0),)),
        SECONDS,
    ),
    "odd numbers": (
        {"duration": -1, "words": [{"word": "a", "start": -1, "end": 2}, {"word": "b", "start": True, "end": 2}]},
        Speech(),
        SECONDS,
    ),
    "odd types": ({"duration": [3], "language": 7, "words": {"word": "a"}, "segments": "none"}, Speech(), SECONDS),
    "true is no number": ({"duration": True, "language": True}, Speech(), SECONDS),
    "nothing was heard": ({"text": "  ", "duration": 0}, Speech(), 0.0),
}


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "in a result"])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_a_transcript(lines: Lines, shape: str, wrapped: bool) -> None:
    line = lines["groq", "speech"]
    body, speech, seconds = SHAPES[shape]
    body = {"text": " Hi there ", **body}
    reply = read_transcript({"result": body, "success": True} if wrapped else body, line.route, recording_of())
    assert (reply.text, reply.speech) == (body["text"].strip(), speech)
    assert reply.usage == Usage(0, 0, seconds=seconds)
    assert_sound(reply.usage)


@pytest.mark.parametrize("duration", [1e300, "1e12", 10**30, 4e9])
def test_a_length_that_cannot_be_meant_is_not_charged(lines: Lines, duration: Any) -> None:
    body = {"text": "Hi", "duration": duration}
    usage = read_transcript(body, lines["groq", "speech"].route, recording_of()).usage
    assert usage is not None
    assert usage.seconds <= 86_400


@pytest.mark.parametrize(
    "body",
    [None, [], 7, "Hi", {}, {"text": None}, {"text": 7}, {"text": ["Hi"]}, {"result": None}, {"result": "Hi"}],
)
def test_what_holds_no_text_is_no_transcript(lines: Lines, body: Any) -> None:
    with pytest.raises(BadReply, match="no transcript"):
        read_transcript(body, lines["groq", "speech"].route, recording_of())


def test_a_result_without_a_text_is_not_read_from_beside_it(lines: Lines) -> None:
    with pytest.raises(BadReply, match="no transcript"):
        read_transcript({"text": "outside", "result": {}}, lines["cloudflare", "speech"].route, recording_of())


def test_cloudflare_takes_the_recording_as_text() -> None:
    body = run_body_of(recording_of(language="de"))
    assert base64.b64decode(body.pop("audio")) == wav(SECONDS)
    assert body == {"task": "transcribe", "language": "de"}


def test_a_short_recording_is_charged_as_the_least(lines: Lines) -> None:
    line = lines["groq", "speech"]
    usage = line.call()[1].usage
    assert usage is not None
    assert (usage.seconds, cost_of_usage(line.route, usage).seconds) == (SECONDS, 10.0)


def test_too_much_at_once_is_refused(line: Line) -> None:
    with line.bent("413"):
        error = line.fails()
    assert (type(error), error.outcome) == (Refused, "rejected")


@pytest.mark.parametrize(
    ("granted", "until", "told"),
    [
        ({"audio_seconds_per_hour": 20.0}, NOON + 270, Told("seconds", "hour", 20, 2)),
        ({"audio_seconds_per_day": 20.0}, NOON + 6480, Told("seconds", "refill-day", 20, 2)),
    ],
    ids=["hour", "day"],
)
def test_seconds_of_audio_that_are_used_up(tmp_path: Path, granted: Any, until: float, told: Told) -> None:
    with opened(tmp_path, ["groq"], **granted) as lines:
        line = lines["groq", "speech"]
        line.provider.transcribe(line.route, replace(recording_of(), audio=wav(18.0), seconds=18.0))
        error = line.fails()
        assert isinstance(error, Busy)
        longer_than_all = replace(recording_of(), audio=wav(21.0), seconds=21.0)
        with pytest.raises(Refused):
            line.provider.transcribe(line.route, longer_than_all)
    assert (error.scope, error.outcome, error.confidence) == ("pool", "rate_limited", "certain")
    assert error.period == (None if told.window == "hour" else "day")
    assert error.told == (told,)
    assert error.until == pytest.approx(until)


def test_headers_tell_of_the_seconds_that_are_left(tmp_path: Path) -> None:
    with opened(tmp_path, ["groq"], audio_seconds_per_hour=7200.0) as lines:
        _, reply = lines["groq", "speech"].call()
    [told] = reply.told
    assert told == Told("seconds", "hour", 7200, round(7200 - SECONDS))


def test_every_limit_told_is_one_of_the_routes(tmp_path: Path) -> None:
    with opened(tmp_path, ["groq"], audio_seconds_per_hour=7200.0, speech_per_day=2000) as lines:
        line = lines["groq", "speech"]
        _, reply = line.call()
    mine: set[tuple[str, str]] = {(limit.unit, limit.window) for limit in line.route.limits}
    assert reply.told
    assert {(told.unit, told.window) for told in reply.told} <= mine
    assert Limit(line.route.pool, "seconds", 7200, "hour") in line.route.limits


URL = "https://api.cloudflare.com/client/v4/accounts/cafe0123cafe4567cafe89abcafecdef/ai/run/"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"success": False, "errors": [{"code": 3040, "message": "Capacity"}], "result": None}, "Down"),
        (200, {"success": True, "errors": [], "result": {}}, "BadReply"),
        (200, {"success": True, "errors": [], "result": None}, "BadReply"),
        (429, {"success": False, "errors": [{"code": 4006, "message": "neurons"}]}, "Busy"),
        (400, {"success": False, "errors": [{"code": 5007, "message": "No such model"}]}, "ModelGone"),
    ],
)
def test_cloudflares_envelope_is_opened(tmp_path: Path, status: int, body: Any, kind: str) -> None:
    settings = {"CLOUDFLARE_API_KEY": key_of("cloudflare")}
    with dialled(tmp_path, {}, **settings) as fleet, responses.RequestsMock() as mock:
        line = line_in(fleet, ("cloudflare", "speech"))
        mock.post(URL + line.route.model, body=json.dumps(body), status=status)
        assert type(line.fails()).__name__ == kind
