"""What one pretended provider answers to speech, with quota counters of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from tests.fakes import bend, faults, wire_speech
from tests.fakes.answer import Answer, json_answer
from tests.fakes.desk import Arrival, Asked, Desk, Options
from tests.fakes.meter import Allowance, Meter, Need, Ticket
from tests.fakes.profiles import ZONES, audio_neurons
from tests.fakes.refusals import error_body, rate_headers
from tests.fakes.speech import Speech

_LARGEST = 26_214_400
"""Bytes of audio that Groq takes; nobody here takes more."""
_SHORTEST = 0.01
_TYPES = (".flac", ".mp3", ".mp4", ".mpeg", ".mpga", ".m4a", ".ogg", ".opus", ".wav", ".webm")


class SpeechJudge:
    """Answers speech requests for one provider; safe from many threads."""

    def __init__(self, provider: str, heard: Callable[[Speech], str], key: str | None, options: Options) -> None:
        self._provider, self._heard = provider, heard
        self._least = options.get("least_audio_seconds", 0.0)
        allowance = Allowance(
            per_minute=options.get("speech_per_minute"),
            per_day=options.get("speech_per_day"),
            zone=ZONES.get(provider, "UTC"),
            audio_per_hour=options.get("audio_seconds_per_hour"),
            audio_per_day=options.get("audio_seconds_per_day"),
        )
        self.meter = Meter(allowance, options.get("clock", time.time))
        self._desk = Desk(provider, key, self.meter, options)

    def transcribe(self, arrival: Arrival[Speech]) -> Answer:
        speech = arrival.exchange
        need = Need(audio=max(self._least, speech.seconds or 0.0))
        unfit = _unfit(self._provider, speech)
        taken = self._desk.take(Asked(speech.headers, speech.model, arrival.step, arrival.elsewhere, unfit, need))
        return self._serve(arrival, taken) if isinstance(taken, Ticket) else taken

    def _serve(self, arrival: Arrival[Speech], ticket: Ticket) -> Answer:
        speech, (name, argument) = arrival.exchange, faults.split(arrival.step)
        try:
            said, _ = bend.text(name, argument, self._heard(speech))
        finally:
            self.meter.settle(ticket, 0)
        heard = wire_speech.Heard(said, speech.seconds or 0.0, arrival.number)
        if name in {"error-in-200", "stream-error"}:
            answer = json_answer(200, error_body(self._provider, 502, "The upstream model failed"))
        elif self._provider == "cloudflare":
            answer = wire_speech.run(speech, heard)
        elif name == "speech-vllm":
            answer = wire_speech.vllm(speech, heard)
        else:
            answer = wire_speech.transcription(self._provider, speech, heard)
        headers = rate_headers(self._provider, self.meter.gauges(ticket.pool))
        if self._provider == "cloudflare":
            headers["cf-ai-neurons"] = f"{audio_neurons(speech.model, heard.seconds):.4f}"
        return bend.answer(name, argument, replace(answer, headers={**answer.headers, **headers}))


def _unfit(provider: str, speech: Speech) -> str | None:
    """The kind of refusal that the request earns by itself."""
    if not speech.model or not speech.audio:
        return "400"
    if len(speech.audio) > _LARGEST:
        return "413"
    # Groq believes the name of the file, not its media type.
    if provider == "groq" and not speech.file_name.lower().endswith(_TYPES):
        return "file-type"
    if speech.seconds is None:
        return "undecodable"
    return "too-short" if speech.seconds < _SHORTEST else None
