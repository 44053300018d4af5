"""The chat-completions dialect that most providers speak, whole or as a stream."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from providers import loose, speech
from providers.account import Account
from providers.contracts import ChatReply, ChatRequest, Inspection, Pulse, Recording, Route, Usage
from providers.errors import BadReply, Down, Refused
from providers.http import EventStream, HttpReply
from providers.visible import visible_pieces, visible_text

NEURONS = "cf-ai-neurons"
MOST_NEURONS = 100_000.0  # ten days of the free allowance: no call takes that


@dataclass(frozen=True, kw_only=True)
class OpenAIChat:
    """`url` is the whole chat/completions address. `body` are extra fields of every request and win over ours.

    `stream_usage` tells whether stream_options may be sent, and `stream_json` whether a reply with a
    response_format can be streamed.
    """

    account: Account
    url: str = field(repr=False)
    body: Mapping[str, Any] = field(default_factory=dict)
    max_tokens_field: str = "max_tokens"
    stream_usage: bool = True
    stream_json: bool = True

    def complete(self, route: Route, request: ChatRequest) -> ChatReply:
        """One answer, or a ProviderError. Makes exactly one attempt and never outlasts request.timeout."""
        sent = self._body(route, request)
        reply = self.account.http.post_json(self.url, self.account.bearer, sent, request.timeout)
        return self._answer(reply, route)

    def stream(self, route: Route, request: ChatRequest, pulse: Pulse) -> Generator[str, None, ChatReply]:
        """The answer's text in pieces as they arrive; the whole answer, usage included, as the return value.

        `pulse` is called at least every quarter of a second while the answer is waited for; what it raises ends
        the call and comes out here. Raises what complete() raises, also half-way through.
        """
        http, body = self.account.http, self._streamed(self._body(route, request))
        with http.open_stream(self.url, self.account.bearer, body, request.timeout, pulse) as stream:
            kind = stream.headers.get("content-type", "")
            if stream.status != 200 or "json" in kind or "html" in kind:
                whole = self._answer(stream.read(), route)
                yield whole.text
                return whole
            with self.account.telling(stream.headers):
                return (yield from self._pieces(stream, route))

    def transcribe(self, route: Route, recording: Recording) -> ChatReply:
        """What was said, under the same rules as `complete`."""
        form, url = speech.form_of(route, recording), self.beside("/audio/transcriptions")
        reply = self.account.http.post_form(url, self.account.bearer, form, recording.timeout)
        with self.account.telling(reply.headers):
            payload = self.account.payload(reply, route.name, route.limits)
            found = speech.read_transcript(payload, route, recording)
            return replace(found, told=self.account.told(reply.headers))

    def inspect(self, timeout: float) -> Inspection:
        """Which models the provider lists, and what the headers of that answer tell. Raises ProviderError."""
        reply = self.account.http.get_json(self.beside("/models"), self.account.bearer, timeout)
        payload = self.account.payload(reply, "list of models")
        rows = payload if isinstance(payload, list) else loose.items(loose.mapping(payload).get("data"))
        names = frozenset(filter(None, (loose.text(loose.mapping(row).get("id")) for row in rows)))
        return Inspection(names or None, self.account.told(reply.headers))

    def schema_format(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """What stands under response_format.json_schema."""
        return {"name": "reply", "strict": True, "schema": schema}

    def beside(self, path: str) -> str:
        """The address of another endpoint of the same API."""
        return self.url.removesuffix("/chat/completions") + path

    def _pieces(self, stream: EventStream, route: Route) -> Generator[str, None, ChatReply]:
        so_far, pieces = _SoFar(), []
        for text in visible_pieces(self._deltas(stream, route, so_far)):
            pieces.append(text)
            yield text
        return _checked(
            ChatReply(
                text="".join(pieces),
                model=so_far.model or route.model,
                usage=so_far.usage,
                finish_reason=so_far.finish_reason or "unknown",
                told=self.account.told(stream.headers),
            ),
            route,
        )

    def _body(self, route: Route, request: ChatRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": route.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "temperature": request.temperature,
            self.max_tokens_field: request.max_tokens,
        }
        if request.schema is not None and route.json == "schema":
            body["response_format"] = {"type": "json_schema", "json_schema": self.schema_format(request.schema)}
        elif request.schema is not None and route.json == "object":
            body["response_format"] = {"type": "json_object"}
        return {**body, **self.body, **route.body}

    def _streamed(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What to send for a stream; `body` as it is where only a whole answer can be had."""
        if "response_format" in body and not self.stream_json:
            return body
        options = {"stream_options": {"include_usage": True}} if self.stream_usage else {}
        return {**body, "stream": True, **options}

    def _answer(self, reply: HttpReply, route: Route) -> ChatReply:
        with self.account.telling(reply.headers):
            payload = self.account.payload(reply, route.name, route.limits)
            return replace(_read(payload, reply.headers, route), told=self.account.told(reply.headers))

    def _deltas(self, stream: EventStream, route: Route, so_far: _SoFar) -> Iterator[str]:
        """The text of each event; what else they say goes into `so_far`."""
        for data in stream.events():
            if data == "[DONE]":
                return
            payload = self.account.payload(replace(stream.head, text=data), route.name, route.limits)
            so_far.take(payload, stream.headers)
            yield _text(loose.mapping(_first_choice(payload).get("delta")).get("content"))
        if not so_far.finish_reason:
            raise Down(f"{route.name}: the stream broke off", outcome="no_reply")


@dataclass
class _SoFar:
    """What the events of a stream have said beside the text."""

    model: str = ""
    usage: Usage | None = None
    finish_reason: str = ""

    def take(self, payload: Any, headers: Mapping[str, str]) -> None:
        self.model = loose.text(loose.mapping(payload).get("model")) or self.model
        self.usage = _usage(payload, headers) or self.usage
        self.finish_reason = loose.text(_first_choice(payload).get("finish_reason")) or self.finish_reason


def _read(payload: Any, headers: Mapping[str, str], route: Route) -> ChatReply:
    choice = _first_choice(payload)
    message = loose.mapping(choice.get("message"))
    text = visible_text(_text(message.get("content")))
    refused = not text and isinstance(message.get("refusal"), str)
    reply = ChatReply(
        text=text,
        model=loose.text(loose.mapping(payload).get("model")) or route.model,
        usage=_usage(payload, headers),
        finish_reason="content_filter" if refused else loose.text(choice.get("finish_reason")) or "unknown",
    )
    return _checked(reply, route)


def _checked(reply: ChatReply, route: Route) -> ChatReply:
    """The reply, if it is one. Raises Refused for a filtered one and BadReply for an empty one."""
    if reply.finish_reason == "content_filter":
        raise Refused(f"{route.name}: stopped by the content filter", outcome="answered", usage=reply.usage)
    if not reply.text:
        used_up = reply.finish_reason == "length"
        cause = "the token limit was used up before any text" if used_up else "an empty answer"
        raise BadReply(f"{route.name}: {cause}", usage=reply.usage)
    return reply


def neurons_in(headers: Mapping[str, str], counted: Mapping[str, Any] = MappingProxyType({})) -> float | None:
    """What the call took of Cloudflare's neurons, where that is told and can be."""
    told = loose.amount(headers.get(NEURONS, counted.get("neurons")))
    return told if told is not None and told <= MOST_NEURONS else None


def _usage(payload: Any, headers: Mapping[str, str]) -> Usage | None:
    counted = loose.mapping(loose.mapping(payload).get("usage"))
    prompt, completion = loose.count(counted.get("prompt_tokens")), loose.count(counted.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    total = loose.count(counted.get("total_tokens")) or 0  # some totals hold thinking tokens that completion lacks
    neurons = neurons_in(headers, counted)
    return Usage(prompt, max(completion, total - prompt), neurons)


def _first_choice(payload: Any) -> Mapping[str, Any]:
    return loose.mapping(loose.first(loose.mapping(payload).get("choices")))


def _text(content: object) -> str:
    """The text of a message, which may come as a list of parts; "" for anything else."""
    if isinstance(content, list):
        return "".join(loose.text(loose.mapping(part).get("text")) for part in content)
    return loose.text(content)
