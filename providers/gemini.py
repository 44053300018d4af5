"""The Gemini dialect, through google-generativeai over REST.

Google has ended that SDK, so nothing else may know it exists, and it is imported on the first call: that takes
a second. Three of its habits are kept out. configure() is global, so each key has a client of its own. It sends
again what failed, so a response hook judges every answer before the SDK sees it. It drops fields of the reply,
thinking tokens among them, so the reply is read from the wire.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Generator
from functools import cache
from typing import Any

import requests

from providers import loose
from providers.classify import classify, error_in_success
from providers.contracts import (
    BadReply,
    ChatReply,
    ChatRequest,
    Clock,
    Down,
    KeyRejected,
    ProviderError,
    Pulse,
    Refused,
    Route,
    Usage,
)
from providers.http import USER_AGENT, GuardedAdapter, HttpReply

# The SDK asks for enumerations as numbers; servers may answer with names all the same.
_FINISH = (
    *("UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST"),
    *("PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY"),
)
_FILTERED = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
_COMMON_NAMES = {"STOP": "stop", "MAX_TOKENS": "length"}


class Gemini:
    """One API key. Safe to call from many threads, and never looks for a key in the environment."""

    def __init__(self, *, clock: Clock, base_url: str, key: str) -> None:
        self._clock = clock
        self._endpoint = base_url.rstrip("/")
        self._key = key
        self._client: Any = None
        self._building = threading.Lock()
        self._call = threading.local()

    def complete(self, route: Route, request: ChatRequest) -> ChatReply:
        """One answer, or a ProviderError. Makes exactly one attempt and never outlasts request.timeout."""
        if not re.fullmatch(r"[!-~]+", self._key):
            raise KeyRejected(f"{route.name}: no usable key is set", outcome="not_sent")
        self._call.route, self._call.payload = route, None
        try:
            self._generate(route, request)
        except ProviderError:
            raise
        except Exception:  # noqa: BLE001  # the SDK's five libraries raise what they like; no list stays true
            # Once the hook has the answer, the SDK's opinion of it is not needed.
            if self._call.payload is None:
                raise BadReply(f"{route.name}: the request could not be built", outcome="not_sent") from None
        return _read(self._call.payload, route)

    def stream(self, route: Route, request: ChatRequest, pulse: Pulse) -> Generator[str, None, ChatReply]:
        """The whole answer as one piece, when all of it is there.

        It does not stream yet: `pulse` is called once before anything is sent, and not while the answer is made.
        """
        pulse()
        reply = self.complete(route, request)
        yield reply.text
        return reply

    def _generate(self, route: Route, request: ChatRequest) -> None:
        client, genai = self._connected(), _sdk()
        system = "\n\n".join(message.content for message in request.messages if message.role == "system")
        turns = [
            {"role": "model" if message.role == "assistant" else "user", "parts": [{"text": message.content}]}
            for message in request.messages
            if message.role != "system"
        ]
        config: dict[str, Any] = {"max_output_tokens": request.max_tokens, "temperature": request.temperature}
        if request.schema is not None and route.json != "none":
            config["response_mime_type"] = "application/json"  # no response_schema: the SDK refuses many keywords
        model = genai.GenerativeModel(route.model, system_instruction=system or None)
        model._client = client  # private, but the public way is the global configure()
        model.generate_content(
            turns, generation_config=config, request_options={"retry": None, "timeout": request.timeout}
        )

    def _connected(self) -> Any:
        with self._building:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        _sdk()
        from google.ai import generativelanguage

        options = {"api_key": self._key, "api_endpoint": self._endpoint}
        client: Any = generativelanguage.GenerativeServiceClient(transport="rest", client_options=options)
        session = client.transport._session  # private, but the SDK offers no other way to bound a call
        session.trust_env = False
        session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        adapter = GuardedAdapter(self._clock)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.hooks["response"].append(self._judge)
        return client

    def _judge(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """Keep a success for the thread that waits for it; raise everything else."""
        reply, route = HttpReply.of(response), self._call.route
        if 200 <= reply.status < 300:
            if reply.is_page:
                raise Down(f"{route.name}: answered with a web page", outcome="answered")
            payload = reply.json(route.name)
            if error_in_success(payload) is None:
                self._call.payload = loose.mapping(payload)
                return
        raise classify(
            reply.status,
            reply.headers,
            reply.text.replace(self._key, "***"),
            dialect="gemini",
            now=self._clock.now(),
            where=route.name,
            limits=route.limits,
        )


_importing = threading.Lock()


@cache
def _sdk() -> Any:
    with _importing, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its own end at every import
        import google.generativeai as genai
    return genai


def _read(payload: Any, route: Route) -> ChatReply:
    body = loose.mapping(payload)
    usage = _usage(body)
    candidate = loose.mapping(loose.first(body.get("candidates")))
    finish = _finish(candidate.get("finishReason"))
    if loose.mapping(body.get("promptFeedback")).get("blockReason") or finish in _FILTERED:
        raise Refused(f"{route.name}: stopped by the content filter", outcome="answered", usage=usage)
    parts = map(loose.mapping, loose.items(loose.mapping(candidate.get("content")).get("parts")))
    text = "".join(loose.text(part.get("text")) for part in parts if not part.get("thought"))
    text = text.lstrip("\ufeff").strip()
    if not text:
        cause = "the token limit was used up before any text" if finish == "MAX_TOKENS" else "an empty answer"
        raise BadReply(f"{route.name}: {cause}", usage=usage)
    return ChatReply(
        text=text,
        model=loose.text(body.get("modelVersion")) or route.model,
        usage=usage,
        finish_reason=_COMMON_NAMES.get(finish, finish.lower()),
    )


def _finish(reason: object) -> str:
    if type(reason) is int:
        return _FINISH[reason] if 0 <= reason < len(_FINISH) else "OTHER"
    return loose.text(reason) or "UNKNOWN"


def _usage(body: Any) -> Usage | None:
    counted = loose.mapping(body.get("usageMetadata"))
    prompt = loose.count(counted.get("promptTokenCount"))
    if prompt is None:
        return None
    answer, thoughts, total = (
        loose.count(counted.get(f"{name}TokenCount")) or 0 for name in ("candidates", "thoughts", "total")
    )
    return Usage(prompt, max(answer + thoughts, total - prompt))
