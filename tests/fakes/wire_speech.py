"""What was heard, in the words of those who speak OpenAI's format and in Cloudflare's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fakes.answer import Answer, json_answer
from tests.fakes.speech import Speech

_LANGUAGES = {"": "english", "en": "english", "de": "german", "es": "spanish", "fr": "french", "tr": "turkish"}


@dataclass(frozen=True)
class Heard:
    """`text` was said within `seconds`; `number` counts the provider's requests and makes ids."""

    text: str
    seconds: float
    number: int

    @property
    def words(self) -> list[dict[str, Any]]:
        """Each word with its start and end in seconds, as if all took equally long."""
        said = self.text.split()
        step = self.seconds / max(1, len(said))
        return [
            {"word": word, "start": round(at * step, 2), "end": round((at + 1) * step, 2)}
            for at, word in enumerate(said)
        ]


def transcription(provider: str, speech: Speech, heard: Heard) -> Answer:
    """The reply in the form that the caller asked for: json when it did not say, verbose_json or text."""
    if speech.field("response_format") == "text":
        return Answer(200, (heard.text.encode() + b"\n",), {"Content-Type": "text/plain"})
    body: dict[str, Any] = {"text": heard.text}
    if speech.field("response_format") == "verbose_json":
        language = _LANGUAGES.get(speech.language, speech.language)
        language = language.title() if provider == "groq" else language
        body = {"task": "transcribe", "language": language, "duration": heard.seconds, "text": heard.text}
        if speech.wants_words:
            body["words"] = heard.words
        body["segments"] = [_segment(heard)] if heard.text else []
    if provider == "groq":
        body["x_groq"] = {"id": f"req_{heard.number:08d}"}
    return json_answer(200, body)


def vllm(speech: Speech, heard: Heard) -> Answer:
    """The verbose reply of a vLLM server, which times no words and writes the duration as text."""
    segments = [{**_segment(heard), "no_speech_prob": None}] if heard.text else []
    told = {"duration": f"{heard.seconds}", "language": speech.language or "en", "segments": segments}
    return json_answer(200, {**told, "text": heard.text, "words": None})


def run(speech: Speech, heard: Heard) -> Answer:
    """The reply of Cloudflare's /ai/run; the older whisper tells neither language nor duration."""
    if speech.model == "@cf/openai/whisper":
        words = {"word_count": len(heard.words), "words": heard.words}
        return json_answer(200, _run({"text": heard.text, **words, "vtt": "WEBVTT"}))
    info = {"language": speech.language or "en", "language_probability": 1, "duration": heard.seconds}
    segment = {**_span(heard), "words": heard.words}
    result = {
        "text": heard.text,
        "word_count": len(heard.words),
        "transcription_info": info,
        "segments": [segment] if heard.text else [],
    }
    return json_answer(200, _run(result))


def _run(result: dict[str, Any]) -> dict[str, Any]:
    return {"result": result, "success": True, "errors": [], "messages": []}


def _span(heard: Heard) -> dict[str, Any]:
    return {"start": 0, "end": heard.seconds, "text": heard.text}


def _segment(heard: Heard) -> dict[str, Any]:
    scores = {"temperature": 0, "avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01}
    return {"id": 0, "seek": 0, **_span(heard), "tokens": [], **scores}
