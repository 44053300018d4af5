"""The chat-completions dialect that most providers speak, whole or as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
    Refused,
    Route,
    Usage,
)
from providers.http import EventStream, Http, HttpReply

_THINKING = re.compile(r"<think>.*?</think>|\A\s*<think>.*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class OpenAIChat:
    """`url` is the whole chat/completions address. `body` are extra fields of every request and win over ours.

    `schema_style` says where response_format holds the schema: "openai" wraps it (name, strict, schema),
    "cloudflare" puts it straight under json_schema. An empty `key` sends no Authorization.
    """

    http: Http = field(repr=False)
    clock: Clock = field(repr=False)
    url: str = field(repr=False)
    key: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] = field(default_factory=dict)
    max_tokens_field: str = "max_tokens"
    schema_style: Literal["openai", "cloudflare"] = "openai"

    def complete(self, route: Route, request: ChatRequest) -> ChatReply:
        """One answer, or a ProviderError. Makes exactly one attempt and never outlasts request.timeout."""
        return self._answer(
            self.http.post_json(self.url, self._headers(), self._body(route, request), request.timeout), route
        )

    def stream(self, route: Route, request: ChatRequest) -> Iterator[str]:
        """The answer's text in pieces as they arrive. Raises what complete() raises, also half-way through."""
        body = {**self._body(route, request), "stream": True}
        with self.http.open_stream(self.url, self._headers(), body, request.timeout) as stream:
            if stream.status != 200 or "json" in stream.headers.get("content-type", ""):
                yield self._answer(stream.read(), route).text
                return
            empty = True
            for text in _visible(self._deltas(stream, route)):
                empty = False
                yield text
            if empty:
                raise BadReply(f"{route.name}: an empty answer")

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

    def _answer(self, reply: HttpReply, route: Route) -> ChatReply:
        if not 200 <= reply.status < 300:
            raise self._failure(reply, route)
        if reply.is_page:
            raise Down(f"{route.name}: answered with a web page", outcome="answered")
        payload = reply.json(route.name)
        if error_in_success(payload) is not None:
            raise self._failure(reply, route)
        return _read(payload, reply.headers, route)

    def _deltas(self, stream: EventStream, route: Route) -> Iterator[str]:
        finished = False
        for data in stream.events():
            if data == "[DONE]":
                return
            event = HttpReply(stream.status, stream.headers, data)
            payload = event.json(route.name)
            if error_in_success(payload) is not None:
                raise self._failure(event, route)
            choice = _first_choice(payload)
            reason = choice.get("finish_reason")
            if reason == "content_filter":
                raise Refused(f"{route.name}: stopped by the content filter", outcome="answered")
            finished = finished or isinstance(reason, str)
            yield _text(loose.mapping(choice.get("delta")).get("content"))
        if not finished:
            raise Down(f"{route.name}: the stream broke off", outcome="no_reply")

    def _failure(self, reply: HttpReply, route: Route) -> ProviderError:
        """The key is taken out first: some providers repeat it in their errors, in shapes nobody can foresee."""
        body = reply.text.replace(self.key, "***") if self.key else reply.text
        return classify(
            reply.status, reply.headers, body, dialect="openai-chat", now=self.clock.now(), where=route.name
        )


def _read(payload: Any, headers: Mapping[str, str], route: Route) -> ChatReply:
    usage = _usage(payload, headers)
    choice = _first_choice(payload)
    message = loose.mapping(choice.get("message"))
    reason = choice.get("finish_reason")
    text = visible_text(_text(message.get("content")))
    if reason == "content_filter" or (not text and isinstance(message.get("refusal"), str)):
        raise Refused(f"{route.name}: stopped by the content filter", outcome="answered", usage=usage)
    if not text:
        cause = "the token limit was used up before any text" if reason == "length" else "an empty answer"
        raise BadReply(f"{route.name}: {cause}", usage=usage)
    return ChatReply(
        text=text,
        model=loose.text(loose.mapping(payload).get("model")) or route.model,
        usage=usage,
        finish_reason=loose.text(reason) or "unknown",
    )


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
