"""The Gemini dialect, through google-generativeai over REST.

Google has ended that SDK, so nothing else may know it exists, and it is imported on the first call: that takes
a second. Three of its habits are kept out. configure() is global, so each key has a client of its own. It sends
again what failed, so a response hook judges every answer before the SDK sees it. It drops fields of the reply,
thinking tokens among them, so the reply is read from the wire.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import warnings
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import requests

from providers import loose
from providers.account import Account
from providers.contracts import ChatReply, ChatRequest, Clock, Inspection, Pulse, Route, Usage
from providers.errors import BadReply, Down, KeyRejected, ProviderError, Refused
from providers.exchange import Stopped
from providers.http import USER_AGENT, EventStream, GuardedAdapter, HttpReply
from providers.visible import visible_pieces, visible_text

# The SDK asks for enumerations as numbers; servers may answer with names all the same.
_FINISH = (
    *("UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST"),
    *("PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY"),
)
_FILTERED = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
_COMMON_NAMES = {"STOP": "stop", "MAX_TOKENS": "length"}


class _Answered(Exception):
    """Carries the answer out of the SDK, past whatever that would do with it."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True)
class _Asked:
    """What the wire has to know of the call that runs on this thread. `extra` is merged into the request."""

    extra: Mapping[str, Any]
    pulse: Pulse | None


class _Wire(GuardedAdapter):
    """Says what the SDK cannot: fields that it does not know, and that the answer should come event by event."""

    def __init__(self, private: bool, clock: Clock, call: threading.local) -> None:
        super().__init__(clock, private)
        self._call = call

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        asked: _Asked = self._call.asked
        if asked.extra:
            body = merged(json.loads(request.body or b"{}"), asked.extra)
            request.prepare_body(json.dumps(body).encode(), None)
        if asked.pulse:
            request.prepare_url(f"{str(request.url).partition('?')[0]}?alt=sse", None)
            kwargs["stream"] = True
        return super().send(request, *args, pulse=asked.pulse, **kwargs)


class Gemini:
    """One API key. Safe to call from many threads, and never looks for a key in the environment.

    `base_url` has no path. `body` are extra fields of every request, merged into ours and winning over them.
    """

    def __init__(self, *, account: Account, base_url: str, body: Mapping[str, Any] | None = None) -> None:
        self._account = account
        self._base_url = base_url.rstrip("/")
        self._body = body or {}
        self._client: Any = None
        self._building = threading.Lock()
        self._call = threading.local()

    def complete(self, route: Route, request: ChatRequest) -> ChatReply:
        """One answer, or a ProviderError. Makes exactly one attempt and never outlasts request.timeout."""
        return self._answer(HttpReply.of(self._send(route, request, None)), route)

    def stream(self, route: Route, request: ChatRequest, pulse: Pulse) -> Generator[str, None, ChatReply]:
        """The answer's text in pieces as they arrive; the whole answer, usage included, as the return value.

        `pulse` is called at least every quarter of a second while the answer is waited for; what it raises ends
        the call and comes out here. Raises what complete() raises, also half-way through.
        """
        with EventStream(self._send(route, request, pulse)) as stream:
            kind = stream.headers.get("content-type", "")
            if stream.status != 200 or "json" in kind or "html" in kind:
                whole = self._answer(stream.read(), route)
                yield whole.text
                return whole
            so_far, pieces = _SoFar(), []
            for text in visible_pieces(self._parts(stream, route, so_far)):
                pieces.append(text)
                yield text
            return so_far.checked("".join(pieces), route)

    def inspect(self, timeout: float) -> Inspection:
        """Which models this key may call. Raises ProviderError."""
        url = f"{self._base_url}/v1beta/models?pageSize=1000"
        headers = {**self._account.headers, "x-goog-api-key": self._account.key}
        payload = self._account.payload(self._account.http.get_json(url, headers, timeout), "list of models")
        rows = map(loose.mapping, loose.items(loose.mapping(payload).get("models")))
        names = (loose.text(row.get("name")).removeprefix("models/") for row in rows)
        return Inspection(frozenset(filter(None, names)) or None)

    def _answer(self, reply: HttpReply, route: Route) -> ChatReply:
        so_far = _SoFar()
        text = so_far.take(self._account.payload(reply, route.name, route.limits))
        return so_far.checked(visible_text(text), route)

    def _parts(self, stream: EventStream, route: Route, so_far: _SoFar) -> Iterator[str]:
        for event in stream.events():
            yield so_far.take(self._account.payload(replace(stream.head, text=event), route.name, route.limits))
        if not so_far.finish:
            raise Down(f"{route.name}: the stream broke off", outcome="no_reply")

    def _send(self, route: Route, request: ChatRequest, pulse: Pulse | None) -> requests.Response:
        """The answer, whatever its status; read to its end unless there is a pulse. Raises ProviderError."""
        if not re.fullmatch(r"[!-~]+", self._account.key):
            raise KeyRejected(f"{route.name}: no usable key is set", outcome="not_sent")
        self._call.asked = _Asked(self._extra(route, request), pulse)
        try:
            self._generate(route, request, stream=pulse is not None)
        except _Answered as answered:
            return answered.response
        except ProviderError:
            raise
        except Stopped as stopped:
            raise stopped.error from stopped.error.__cause__
        except Exception:  # noqa: BLE001, S110  # the SDK's five libraries raise what they like; no list stays true
            pass
        raise BadReply(f"{route.name}: the request could not be built", outcome="not_sent") from None

    def _generate(self, route: Route, request: ChatRequest, stream: bool) -> None:
        began = self._account.http.clock.monotonic()
        client, genai = self._connected(), _sdk()  # the first time, this takes a second of the caller's
        left = request.timeout - (self._account.http.clock.monotonic() - began)
        system = "\n\n".join(message.content for message in request.messages if message.role == "system")
        turns = [
            {"role": "model" if message.role == "assistant" else "user", "parts": [{"text": message.content}]}
            for message in request.messages
            if message.role != "system"
        ]
        config: dict[str, Any] = {"max_output_tokens": request.max_tokens, "temperature": request.temperature}
        if request.schema is not None and route.json != "none":
            config["response_mime_type"] = "application/json"
        model = genai.GenerativeModel(route.model, system_instruction=system or None)
        model._client = client  # private, but the public way is the global configure()
        options = {"retry": None, "timeout": left}
        model.generate_content(turns, generation_config=config, request_options=options, stream=stream)

    def _extra(self, route: Route, request: ChatRequest) -> Mapping[str, Any]:
        """The SDK's own response_schema refuses many keywords, so the schema is put in on the wire."""
        static = merged(self._body, route.body)
        if request.schema is None or route.json != "schema":
            return static
        return merged({"generationConfig": {"responseJsonSchema": request.schema}}, static)

    def _connected(self) -> Any:
        with self._building:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        _sdk()
        from google.ai import generativelanguage

        options = {"api_key": self._account.key, "api_endpoint": self._base_url}
        client: Any = generativelanguage.GenerativeServiceClient(transport="rest", client_options=options)
        session = client.transport._session  # private, but the SDK offers no other way to bound a call
        session.trust_env = False
        session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **self._account.headers})
        adapter = _Wire(self._account.http.private, self._account.http.clock, self._call)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.hooks["response"].append(_carry_out)
        for name in list(logging.root.manager.loggerDict):
            if name.startswith("google."):  # at DEBUG they write down whole requests, with what people told us
                logging.getLogger(name).addFilter(_above_debug)
        return client


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def _carry_out(response: requests.Response, *_: Any, **__: Any) -> None:
    raise _Answered(response)


def merged(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with `extra` over it, objects in it too."""
    found = dict(body)
    for name, value in extra.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if both else value
    return found


_importing = threading.Lock()


@cache
def _sdk() -> Any:
    with _importing, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its own end at every import
        import google.generativeai as genai
    return genai


@dataclass
class _SoFar:
    """What the parts of an answer have said beside the text."""

    model: str = ""
    usage: Usage | None = None
    finish: str = ""
    blocked: bool = False

    def take(self, payload: Any) -> str:
        """The text of one part."""
        body = loose.mapping(payload)
        candidate = loose.mapping(loose.first(body.get("candidates")))
        self.usage = _usage(body) or self.usage
        self.model = loose.text(body.get("modelVersion")) or self.model
        self.blocked |= bool(loose.mapping(body.get("promptFeedback")).get("blockReason"))
        if "finishReason" in candidate or self.blocked:
            self.finish = _finish(candidate.get("finishReason"))
        parts = map(loose.mapping, loose.items(loose.mapping(candidate.get("content")).get("parts")))
        return "".join(loose.text(part.get("text")) for part in parts if not part.get("thought"))

    def checked(self, text: str, route: Route) -> ChatReply:
        """The reply, if it is one. Raises Refused for a filtered one and BadReply for an empty one."""
        if self.blocked or self.finish in _FILTERED:
            raise Refused(f"{route.name}: stopped by the content filter", outcome="answered", usage=self.usage)
        if not text:
            used_up = self.finish == "MAX_TOKENS"
            cause = "the token limit was used up before any text" if used_up else "an empty answer"
            raise BadReply(f"{route.name}: {cause}", usage=self.usage)
        finish = self.finish or "UNKNOWN"
        return ChatReply(text, self.model or route.model, self.usage, _COMMON_NAMES.get(finish, finish.lower()))


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
