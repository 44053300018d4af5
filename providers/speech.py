"""Speech to text, in the shapes that OpenAI's and Cloudflare's transcription endpoints take and give. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from providers import loose
from providers.contracts import ChatReply, Recording, Route, Speech, Usage, Word
from providers.errors import BadReply
from providers.http import Form

LONGEST = 86_400.0  # seconds; who speaks of more has not measured it
_ENDINGS = {"audio/wav": "wav", "audio/webm": "webm", "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/mp4": "m4a"}


def form_of(route: Route, recording: Recording) -> Form:
    """What /audio/transcriptions takes. The file's name matters: servers tell its format by the ending."""
    fields = [
        ("model", route.model),
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
        ("temperature", "0"),
    ]
    if recording.language:
        fields.append(("language", recording.language))
    ending = _ENDINGS.get(recording.media_type.partition(";")[0].strip().lower(), "wav")
    return Form(tuple(fields), recording.audio, f"answer.{ending}", recording.media_type)


def run_body_of(recording: Recording) -> dict[str, Any]:
    """What Cloudflare's /ai/run takes for Whisper."""
    body = {"audio": base64.b64encode(recording.audio).decode(), "task": "transcribe"}
    return {**body, "language": recording.language} if recording.language else body


def read_transcript(payload: object, route: Route, recording: Recording) -> ChatReply:
    """The transcript in an answer of either kind. Raises BadReply where there is none; no words heard are one.

    The provider's own length of the recording goes before ours, because it is what gets charged.
    """
    body = loose.mapping(payload)
    body = loose.mapping(body["result"]) if "result" in body else body
    if not isinstance(body.get("text"), str):
        raise BadReply(f"{route.name}: the answer holds no transcript")
    info = {**loose.mapping(body.get("transcription_info")), **body}
    told = loose.amount(info.get("duration"))
    told = None if told is None or told > LONGEST else told
    return ChatReply(
        text=body["text"].strip(),
        model=route.model,
        usage=Usage(0, 0, seconds=recording.seconds if told is None else told),
        finish_reason="stop",
        speech=Speech(loose.text(info.get("language")), tuple(_words(body))),
    )


def _words(body: Mapping[str, Any]) -> Iterator[Word]:
    """Those with a believable time; in the order in which they were spoken."""
    segments = map(loose.mapping, loose.items(body.get("segments")))
    rows = loose.items(body.get("words")) or [row for each in segments for row in loose.items(each.get("words"))]
    for row in map(loose.mapping, rows):
        begins, ends = loose.amount(row.get("start")), loose.amount(row.get("end"))
        word = loose.text(row.get("word")).strip()
        if word and begins is not None and ends is not None and begins <= ends:
            yield Word(word, begins, ends)
