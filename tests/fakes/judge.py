"""What one pretended provider answers: it checks the key, counts quota, and then serves or misbehaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from tests.fakes import faults, wire_gemini, wire_openai
from tests.fakes.answer import Answer, Completion, Stream, json_answer
from tests.fakes.exchange import Exchange, count_tokens
from tests.fakes.meter import Allowance, Gauge, Meter, Period, Ticket
from tests.fakes.profiles import MODELS, ZONES, neurons, unfit_for_streaming
from tests.fakes.refusals import Case, error_body, rate_headers, refusal, usual_limit


class Options(TypedDict, total=False):
    """`clock` gives seconds since the epoch; `per_model` grants each model the limits for itself.

    `charges_429` makes every 429 cost a request. `thinking_tokens` are added to the completion of every reply.
    `port` 0 takes a free one.
    """

    per_minute: int | None
    per_day: int | None
    tokens_per_day: int | None
    charges_429: bool
    per_model: bool
    thinking_tokens: int
    clock: Callable[[], float]
    port: int


@dataclass(frozen=True)
class Arrival:
    """A chat request, the step planned for it, its number in order of arrival, and where a redirect leads."""

    exchange: Exchange
    step: str
    number: int
    elsewhere: str


class Judge:
    """Answers chat requests for one provider; safe from many threads."""

    def __init__(self, provider: str, reply: Callable[[Exchange], str], key: str | None, options: Options) -> None:
        self._provider, self._reply, self._key, self._options = provider, reply, key, options
        self._clock = options.get("clock", time.time)
        limits = options.get("per_minute"), options.get("per_day"), options.get("tokens_per_day")
        self.meter = Meter(Allowance(*limits, zone=ZONES.get(provider, "UTC")), self._clock)

    def chat(self, arrival: Arrival) -> Answer:
        self.meter.note("received")
        exchange = arrival.exchange
        name, argument = faults.split(arrival.step)
        kind = faults.kind(name, self._provider)
        if not self._key_fits(exchange.headers):
            return self._refuse(exchange, "key")
        if not exchange.messages:
            return self._refuse(exchange, "400")
        if unfit := unfit_for_streaming(self._provider, exchange):
            return self._refuse(exchange, unfit)
        if kind.effect == "redirect":
            return Answer(int(argument or 307), (), {"Location": arrival.elsewhere})
        if kind.effect == "refuse":
            return self._refuse(exchange, kind.refusal, faults.retry_after(argument) if name == "429" else None)
        return self._spend(arrival, kind)

    def listing(self, path: str, headers: Mapping[str, str]) -> Answer:
        """The provider's list of models; `headers` have lower-case names."""
        if not self._key_fits(headers):
            return refusal(Case(self._provider, "key", ""))
        names = MODELS.get(self._provider, ("fake-model",))
        if self._provider == "gemini" and "/openai/" not in path:
            return json_answer(200, wire_gemini.models(names))
        if self._provider != "cloudflare":
            return json_answer(200, wire_openai.models(names))
        if path.endswith("/ai/models/search"):
            rows = [{"name": name} for name in names]
            return json_answer(200, {"success": True, "errors": [], "messages": [], "result": rows})
        return json_answer(405, error_body("cloudflare", 405, "Method not allowed", 7001))

    def _spend(self, arrival: Arrival, kind: faults.Kind) -> Answer:
        exchange = arrival.exchange
        ticket = self.meter.admit(self._pool(exchange), exchange.prompt_tokens + exchange.max_tokens)
        if isinstance(ticket, Gauge):
            return self._refuse(exchange, ticket.period, gauge=ticket)
        if kind.effect == "fail":
            self.meter.settle(ticket, 0)
            return self._error(exchange, kind.refusal) if kind.refusal else Answer(0, (), delivery="nothing")
        if kind.effect == "serve":
            self.meter.note("served")
        return self._serve(arrival, ticket)

    def _serve(self, arrival: Arrival, ticket: Ticket) -> Answer:
        name, argument = faults.split(arrival.step)
        said = self._complete(arrival, ticket)
        streaming = arrival.exchange.stream
        if name == "error-in-200" or (name == "stream-error" and not streaming):
            answer = json_answer(200, error_body(self._provider, 502, "The upstream model failed"))
        elif streaming:
            answer = faults.bend_stream(name, argument, self._stream(arrival.exchange, said))
        else:
            answer = json_answer(200, self._completion(arrival.exchange, said))
        headers = rate_headers(self._provider, self.meter.gauges(ticket.pool))
        if self._provider == "cloudflare":
            spent = neurons(said.model, said.prompt_tokens, said.completion_tokens)
            headers["cf-ai-neurons"] = f"{spent:.4f}"
        return faults.bend_answer(name, argument, replace(answer, headers={**answer.headers, **headers}))

    def _complete(self, arrival: Arrival, ticket: Ticket) -> Completion:
        exchange, tokens = arrival.exchange, 0
        try:
            text, finish = faults.bend_text(faults.split(arrival.step)[0], self._reply(exchange))
            thinking = self._options.get("thinking_tokens", 0)
            counted = exchange.prompt_tokens, count_tokens(text), thinking
            tokens = sum(counted)
            return Completion(exchange.model, text, finish, *counted, arrival.number, int(self._clock()))
        finally:
            self.meter.settle(ticket, tokens)

    def _completion(self, exchange: Exchange, said: Completion) -> dict[str, Any]:
        if exchange.dialect == "gemini":
            return wire_gemini.completion(said, int_enums=exchange.int_enums)
        return wire_openai.completion(self._provider, said)

    def _stream(self, exchange: Exchange, said: Completion) -> Stream:
        if exchange.dialect == "gemini":
            return wire_gemini.stream(said, sse=exchange.sse, int_enums=exchange.int_enums)
        return wire_openai.stream(self._provider, said, include_usage=exchange.include_usage)

    def _refuse(
        self, exchange: Exchange, kind: str, headers: Mapping[str, str] | None = None, gauge: Gauge | None = None
    ) -> Answer:
        self.meter.note("refused")
        pool = self._pool(exchange)
        if gauge is None and kind in {"minute", "day"}:
            period: Period = "day" if kind == "day" else "minute"
            gauge = self.meter.exhausted(period, usual_limit(self._provider, period))
        if kind in {"busy", "minute", "day"} and self._options.get("charges_429"):
            self.meter.charge(pool)
        answer = self._error(exchange, kind, gauge)
        return replace(answer, headers={**answer.headers, **(headers or {})})

    def _error(self, exchange: Exchange, kind: str, gauge: Gauge | None = None) -> Answer:
        gauges = self.meter.gauges(self._pool(exchange))
        if gauge is not None:
            gauges = [
                gauge,
                *(other for other in gauges if (other.unit, other.period) != (gauge.unit, gauge.period)),
            ]
        answer = refusal(Case(self._provider, kind, exchange.model, gauge), gauges)
        # Google wraps errors in an array where the success would be an array, and always on its OpenAI endpoint.
        listed = exchange.dialect == "openai" or (exchange.stream and not exchange.sse)
        if self._provider == "gemini" and listed:
            return replace(answer, pieces=(b"[", *answer.pieces, b"]"))
        return answer

    def _pool(self, exchange: Exchange) -> str:
        return exchange.model if self._options.get("per_model") else ""

    def _key_fits(self, headers: Mapping[str, str]) -> bool:
        if self._key is None:
            return True
        given = headers.get("authorization") == f"Bearer {self._key}"
        return given or (self._provider == "gemini" and headers.get("x-goog-api-key") == self._key)
