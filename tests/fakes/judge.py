"""What one pretended provider answers to chat: its desk lets a request in or not, then it serves or misbehaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from tests.fakes import bend, faults, wire_gemini, wire_openai
from tests.fakes.answer import Answer, Completion, Stream, json_answer
from tests.fakes.desk import Arrival, Asked, Desk, Options
from tests.fakes.exchange import Exchange, count_tokens
from tests.fakes.meter import Allowance, Meter, Need, Ticket
from tests.fakes.predictions import Predictions, course
from tests.fakes.profiles import ZONES, neurons, unfit
from tests.fakes.refusals import error_body, rate_headers

__all__ = ["Arrival", "Judge", "Options"]


class Judge:
    """Answers chat requests for one provider; safe from many threads."""

    def __init__(self, provider: str, reply: Callable[[Exchange], str], key: str | None, options: Options) -> None:
        self._provider, self._reply, self._options = provider, reply, options
        self._clock = options.get("clock", time.time)
        limits = options.get("per_minute"), options.get("per_day"), options.get("tokens_per_day")
        self.meter = Meter(Allowance(*limits, zone=ZONES.get(provider, "UTC")), self._clock)
        self.desk = Desk(provider, key, self.meter, options)
        self.predictions = Predictions()

    def chat(self, arrival: Arrival[Exchange]) -> Answer:
        exchange = arrival.exchange
        need = Need(tokens=exchange.prompt_tokens + exchange.max_tokens)
        taken = self.desk.take(
            Asked(exchange.headers, exchange.model, arrival.step, arrival.elsewhere, self._unfit(exchange), need)
        )
        return self._serve(arrival, taken) if isinstance(taken, Ticket) else self._wrapped(exchange, taken)

    def _unfit(self, exchange: Exchange) -> str | None:
        if not exchange.messages:
            return "422" if exchange.dialect == "replicate" else "400"
        return unfit(self._provider, exchange)

    def _wrapped(self, exchange: Exchange, answer: Answer) -> Answer:
        # Google wraps errors in an array where the success would be an array, and always on its OpenAI endpoint.
        listed = exchange.dialect == "openai" or (exchange.stream and not exchange.sse)
        if self._provider == "gemini" and listed and answer.status >= HTTPStatus.BAD_REQUEST:
            return replace(answer, pieces=(b"[", *answer.pieces, b"]"))
        return answer

    def _serve(self, arrival: Arrival[Exchange], ticket: Ticket) -> Answer:
        name, argument = faults.split(arrival.step)
        said = self._complete(arrival, ticket)
        streaming = arrival.exchange.stream
        if name == "error-in-200" or (name == "stream-error" and not streaming):
            answer = json_answer(200, error_body(self._provider, 502, "The upstream model failed"))
        elif streaming:
            answer = bend.stream(name, argument, self._stream(arrival.exchange, said))
        else:
            answer = self._completion(arrival, said)
        headers = rate_headers(self._provider, self.meter.gauges(ticket.pool))
        if self._provider == "cloudflare":
            spent = neurons(said.model, said.prompt_tokens, said.completion_tokens)
            headers["cf-ai-neurons"] = f"{spent:.4f}"
        return bend.answer(name, argument, replace(answer, headers={**answer.headers, **headers}))

    def _complete(self, arrival: Arrival[Exchange], ticket: Ticket) -> Completion:
        exchange, tokens = arrival.exchange, 0
        try:
            text, finish = bend.text(*faults.split(arrival.step), self._reply(exchange))
            if exchange.max_tokens and count_tokens(text) > exchange.max_tokens:
                text, finish = text[: 4 * exchange.max_tokens], "length"
            thinking = self._options.get("thinking_tokens", 0)
            counted = exchange.prompt_tokens, count_tokens(text), thinking
            tokens = sum(counted)
            return Completion(exchange.model, text, finish, *counted, arrival.number, int(self._clock()))
        finally:
            self.meter.settle(ticket, tokens)

    def _completion(self, arrival: Arrival[Exchange], said: Completion) -> Answer:
        exchange = arrival.exchange
        if exchange.dialect == "replicate":
            return json_answer(201, self._prediction(arrival, said))
        if exchange.dialect == "gemini":
            return json_answer(200, wire_gemini.completion(said, int_enums=exchange.int_enums))
        return json_answer(200, wire_openai.completion(self._provider, said))

    def _prediction(self, arrival: Arrival[Exchange], said: Completion) -> dict[str, Any]:
        exchange, base = arrival.exchange, arrival.base
        awaited = exchange.headers.get("prefer", "").startswith("wait")
        if faults.split(arrival.step)[0] == "foreign-urls":
            base = f"http://{urlsplit(arrival.elsewhere).netloc}{urlsplit(base).path}"
        return self.predictions.start(
            said, exchange.body["input"], course(arrival.step, said, awaited=awaited), base
        )

    def _stream(self, exchange: Exchange, said: Completion) -> Stream:
        if exchange.dialect == "gemini":
            return wire_gemini.stream(said, sse=exchange.sse, int_enums=exchange.int_enums)
        return wire_openai.stream(self._provider, said, include_usage=exchange.include_usage)
