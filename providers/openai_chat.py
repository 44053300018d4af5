"""The chat-completions dialect that most providers speak, whole or as a stream."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from providers import loose
from providers.classify import classify, error_in_success
from providers.contracts import (
    BadReply,
    ChatReply,
    ChatRequest,
    Clock,
    Down,
    ProviderError,
    Pulse,
    Refused,
    Route,
    Usage,
)
from providers.http import EventStream, Http, HttpReply
from providers.told import Tell, joined, told_by_headers

_THINKING = re.compile(r"<think>.*?</think>|\A\s*<think>.*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class OpenAIChat:
    """`url` is the whole chat/completions address. `body` are extra fields of every request and win over ours.

    `schema_style` says where response_format holds the schema: "openai" wraps it (name, strict, schema),
    "cloudflare" puts it straight under json_schema. `stream_usage` tells whether stream_options may be sent, and
    `stream_json` whether a reply with a response_format can be streamed. `tells` are the headers (lower-case) that
    speak of limits. An empty `key` sends no Authorization.
    """

    http: Http = field(repr=False)
    clock: Clock = field(repr=False)
    url: str = field(repr=False)
    key: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] = field(default_factory=dict)
    max_tokens_field: str = "max_tokens"
    schema_style: Literal["openai", "cloudflare"] = "openai"
    stream_usage: bool = True
    stream_json: bool = True
    tells: Mapping[str, Tell] = field(default_factory=dict)

    def complete(self, route: Route, request: ChatRequest) -> ChatReply:
        """One answer, or a ProviderError. Makes exactly one attempt and never outlasts request.timeout."""
        return self._answer(
            self.http.post_json(self.url, self._headers(), self._body(route, request), request.timeout), route
        )

    def stream(self, route: Route, request: ChatRequest, pulse: Pulse) -> Generator[str, None, ChatReply]:
        """The answer's text in pieces as they arrive; the whole answer, usage included, as the return value.

        `pulse` is called at least every quarter of a second while the answer is waited for; what it raises ends
        the call and comes out here. Raises what complete() raises, also half-way through.
        """
        body = self._streamed(self._body(route, request))
        with self.http.open_stream(self.url, self._headers(), body, request.timeout, pulse) as stream:
            kind = stream.headers.get("content-type", "")
            if stream.status != 200 or "json" in kind or "html" in kind:
                whole = self._answer(stream.read(), route)
                yield whole.text
                return whole
            with self._telling(stream.headers):
                return (yield from self._pieces(stream, route))

    def _pieces(self, stream: EventStream, route: Route) -> Generator[str, None, ChatReply]:
        so_far, pieces = _SoFar(), []
        for text in _visible(self._deltas(stream, route, so_far)):
            pieces.append(text)
            yield text
        return _checked(
            ChatReply(
                text="".join(pieces),
                model=so_far.model or route.model,
                usage=so_far.usage,
                finish_reason=so_far.finish_reason or "unknown",
                told=told_by_headers(self.tells, stream.headers),
            ),
            route,
        )

    def _headers(self) -> dict[str, str]:
        bearer = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return {**self.headers, **bearer}

    def _body(self, route: Route, request: ChatRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": route.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "temperature": request.temperature,
            self.max_tokens_field: request.max_tokens,
        }
        if request.schema is not None and route.json == "schema":
            wrapped = {"name": "reply", "strict": True, "schema": request.schema}
            schema = request.schema if self.schema_style == "cloudflare" else wrapped
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif request.schema is not None and route.json == "object":
            body["response_format"] = {"type": "json_object"}
        return {**body, **self.body}

    def _streamed(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What to send for a stream; `body` as it is where only a whole answer can be had."""
        if "response_format" in body and not self.stream_json:
            return body
        options = {"stream_options": {"include_usage": True}} if self.stream_usage else {}
        return {**body, "stream": True, **options}

    @contextmanager
    def _telling(self, headers: Mapping[str, str]) -> Iterator[None]:
        """Whatever fails in here also says what the headers say of the provider's limits."""
        try:
            yield
        except ProviderError as error:
            error.told = joined((*error.told, *told_by_headers(self.tells, headers)))
            raise

    def _answer(self, reply: HttpReply, route: Route) -> ChatReply:
        with self._telling(reply.headers):
            if not 200 <= reply.status < 300:
                raise self._failure(reply, route)
            if reply.is_page:
                raise Down(f"{route.name}: answered with a web page", outcome="answered")
            payload = reply.json(route.name)
            if error_in_success(payload) is not None:
                raise self._failure(reply, route)
            return replace(_read(payload, reply.headers, route), told=told_by_headers(self.tells, reply.headers))

    def _deltas(self, stream: EventStream, route: Route, so_far: _SoFar) -> Iterator[str]:
        """The text of each event; what else they say goes into `so_far`."""
        for data in stream.events():
            if data == "[DONE]":
                return
            event = HttpReply(stream.status, stream.headers, data)
            payload = event.json(route.name)
            if error_in_success(payload) is not None:
                raise self._failure(event, route)
            so_far.take(payload, stream.headers)
            yield _text(loose.mapping(_first_choice(payload).get("delta")).get("content"))
        if not so_far.finish_reason:
            raise Down(f"{route.name}: the stream broke off", outcome="no_reply")

    def _failure(self, reply: HttpReply, route: Route) -> ProviderError:
        """The key is taken out first: some providers repeat it in their errors, in shapes nobody can foresee."""
        return classify(
            reply.status,
            reply.headers,
            reply.text.replace(self.key, "***") if self.key else reply.text,
            dialect="openai-chat",
            now=self.clock.now(),
            where=route.name,
            limits=route.limits,
        )


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


def visible_text(text: str) -> str:
    """`text` without a byte-order mark and without what the model thought aloud."""
    return _THINKING.sub("", text.lstrip("\ufeff")).strip()


def _visible(deltas: Iterable[str]) -> Iterator[str]:
    """The same for a stream: holds text back only while it may still belong to an opening <think> block."""
    pieces, held = iter(deltas), ""
    for piece in pieces:
        held = (held + piece).lstrip("\ufeff\r\n\t ")
        if held.startswith("<think>"):
            held = held.partition("</think>")[2].lstrip() if "</think>" in held else held
        if not held.startswith("<think>") and not "<think>".startswith(held):
            break
    if held and not held.startswith("<think>"):
        yield held
    yield from filter(None, pieces)


def _usage(payload: Any, headers: Mapping[str, str]) -> Usage | None:
    counted = loose.mapping(loose.mapping(payload).get("usage"))
    prompt, completion = loose.count(counted.get("prompt_tokens")), loose.count(counted.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    total = loose.count(counted.get("total_tokens")) or 0  # some totals hold thinking tokens that completion lacks
    neurons = loose.amount(headers.get("cf-ai-neurons", counted.get("neurons")))
    return Usage(prompt, max(completion, total - prompt), neurons)


def _first_choice(payload: Any) -> Mapping[str, Any]:
    return loose.mapping(loose.first(loose.mapping(payload).get("choices")))


def _text(content: object) -> str:
    """The text of a message, which may come as a list of parts; "" for anything else."""
    if isinstance(content, list):
        return "".join(loose.text(loose.mapping(part).get("text")) for part in content)
    return loose.text(content)
