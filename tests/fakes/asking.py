"""A plain client for trying out a fake: the shortest request that its provider would answer."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import requests

from tests.fakes.upstream import FakeUpstream

NOON = 1_795_435_200.0
"""2026-11-23 12:00 UTC, in seconds since the epoch."""


class HandClock:
    """A clock that a test moves by hand; `at` is in seconds since the epoch."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def chat_url(fake: FakeUpstream, verb: str = "generateContent") -> str:
    if fake.provider == "gemini":
        return f"{fake.base_url}/v1beta/models/gemini-3.5-flash-lite:{verb}"
    if fake.provider == "replicate":
        return f"{fake.base_url}/models/meta/meta-llama-3-8b-instruct/predictions"
    account = f"/accounts/{'a' * 32}/ai/v1" if fake.provider == "cloudflare" else ""
    return f"{fake.base_url}{account}/chat/completions"


def chat_body(fake: FakeUpstream, **more: Any) -> dict[str, Any]:
    if fake.provider == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], **more}
    if fake.provider == "replicate":
        return {"input": {"prompt": "Hello", **more}}
    return {"model": "m", "messages": [{"role": "user", "content": "Hello"}], **more}


def ask(fake: FakeUpstream, session: requests.Session, key: str = "k", **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}", "x-goog-api-key": key}
    if fake.provider == "gemini":
        headers.pop("Authorization")
    if fake.provider == "replicate":
        headers["Prefer"] = "wait=60"
    return session.post(
        chat_url(fake), json=chat_body(fake, **more), headers=headers, timeout=10, allow_redirects=False
    )


def wav(seconds: float, rate: int = 8000) -> bytes:
    """Silence of that length: 16 bits, one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(bytes(2 * round(seconds * rate)))
    return file.getvalue()


def speak(
    fake: FakeUpstream, session: requests.Session, audio: bytes, key: str = "k", **form: Any
) -> requests.Response:
    """Send a recording as its provider wants it; `form` are more fields, `file_name` and `model` among them."""
    headers = {"Authorization": f"Bearer {key}"}
    if fake.provider == "cloudflare":
        model = form.pop("model", "@cf/openai/whisper-large-v3-turbo")
        url = f"{fake.base_url}/accounts/{'a' * 32}/ai/run/{model}"
        body = {"audio": base64.b64encode(audio).decode(), **form}
        return session.post(url, json=body, headers=headers, timeout=10, allow_redirects=False)
    url = f"{fake.base_url}/audio/transcriptions"
    files = {"file": (form.pop("file_name", "answer.wav"), audio, "audio/wav")}
    data = {"model": "whisper-large-v3-turbo", "response_format": "verbose_json", **form}
    return session.post(url, files=files, data=data, headers=headers, timeout=10, allow_redirects=False)
