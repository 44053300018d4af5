"""The counter of one pretended provider: it checks keys, counts quota and words every refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypedDict, TypeVar

from tests.fakes import faults
from tests.fakes.answer import Answer
from tests.fakes.meter import NOTHING, Gauge, Meter, Need, Period, Ticket
from tests.fakes.refusals import Case, refusal, usual_limit

Request = TypeVar("Request")
PERIODS: Mapping[str, Period] = {"minute": "minute", "day": "day"}


class Options(TypedDict, total=False):
    """`clock` gives seconds since the epoch; `per_model` grants each model the limits for itself.

    `charges_429` makes every 429 cost a request. `thinking_tokens` are added to the completion of every reply.
    `port` 0 takes a free one. Speech has limits of its own; a request is charged `least_audio_seconds` at least.
    """

    per_minute: int | None
    per_day: int | None
    tokens_per_day: int | None
    charges_429: bool
    per_model: bool
    thinking_tokens: int
    clock: Callable[[], float]
    port: int
    speech_per_minute: int | None
    speech_per_day: int | None
    audio_seconds_per_hour: float | None
    audio_seconds_per_day: float | None
    least_audio_seconds: float


@dataclass(frozen=True)
class Arrival(Generic[Request]):
    """A request, the step planned for it, its number in order of arrival, and where a redirect leads.

    `base` is what the provider's own addresses begin with.
    """

    exchange: Request
    step: str
    number: int
    elsewhere: str
    base: str


@dataclass(frozen=True)
class Asked:
    """A request as far as the desk looks: who asks for which model, what it needs, and the step planned for it.

    `unfit` is the kind of refusal that it earns by itself; `elsewhere` is where a redirect leads.
    """

    headers: Mapping[str, str]
    model: str
    step: str
    elsewhere: str
    unfit: str | None = None
    need: Need = NOTHING


class Desk:
    """One per kind of request, because chat and speech are counted apart. Safe from many threads."""

    def __init__(self, provider: str, key: str | None, meter: Meter, options: Options) -> None:
        """Any key is good when `key` is None."""
        self.meter = meter
        self._provider, self._key, self._options = provider, key, options

    def take(self, asked: Asked) -> Ticket | Answer:
        """A ticket for a request that is to be served, else what it is answered instead."""
        self.meter.note("received")
        name, argument = faults.split(asked.step)
        kind = faults.kind(name, self._provider)
        if not self.key_fits(asked.headers):
            return self.refuse(asked.model, "key")
        if asked.unfit:
            return self.refuse(asked.model, asked.unfit)
        if kind.effect == "redirect":
            return Answer(int(argument or 307), (), {"Location": asked.elsewhere})
        if kind.effect == "refuse":
            return self.refuse(asked.model, kind.refusal, faults.retry_after(name, argument))
        ticket = self.meter.admit(self.pool(asked.model), asked.need)
        if isinstance(ticket, Gauge):
            return self.refuse(asked.model, ticket.period, gauge=ticket)
        if kind.effect == "fail":
            self.meter.settle(ticket, 0)
            return self.failure(asked.model, kind)
        if kind.effect == "serve":
            self.meter.note("served")
        return ticket

    def look(self, asked: Asked) -> Answer | None:
        """The same for what costs nothing and is not counted: None when it is to be served."""
        name, argument = faults.split_lookup(asked.step)
        kind = faults.kind(name, self._provider)
        if asked.unfit:
            return self.worded(asked.model, asked.unfit)
        if kind.effect == "redirect":
            return Answer(int(argument or 307), (), {"Location": asked.elsewhere})
        if kind.effect == "fail":
            return self.failure(asked.model, kind)
        if kind.effect != "refuse":
            return None
        answer = self.worded(asked.model, kind.refusal)
        return replace(answer, headers={**answer.headers, **faults.retry_after(name, argument)})

    def key_fits(self, headers: Mapping[str, str]) -> bool:
        """`headers` have lower-case names."""
        if self._key is None:
            return True
        given = headers.get("authorization") == f"Bearer {self._key}"
        return given or (self._provider == "gemini" and headers.get("x-goog-api-key") == self._key)

    def pool(self, model: str) -> str:
        return model if self._options.get("per_model") else ""

    def refuse(
        self, model: str, kind: str, headers: Mapping[str, str] | None = None, gauge: Gauge | None = None
    ) -> Answer:
        self.meter.note("refused")
        if kind in {"busy", "minute", "hour", "day"} and self._options.get("charges_429"):
            self.meter.charge(self.pool(model))
        answer = self.worded(model, kind, gauge)
        return replace(answer, headers={**answer.headers, **(headers or {})})

    def failure(self, model: str, kind: faults.Kind) -> Answer:
        """The server's own fault: its error reply, or the connection closed without a byte."""
        return self.worded(model, kind.refusal) if kind.refusal else Answer(0, (), delivery="nothing")

    def worded(self, model: str, kind: str, gauge: Gauge | None = None) -> Answer:
        """The provider's reply for a kind of refusal. A quota is told as exhausted when no `gauge` is given."""
        if gauge is None and kind in PERIODS:
            period = PERIODS[kind]
            gauge = self.meter.exhausted(period, usual_limit(self._provider, period))
        gauges = self.meter.gauges(self.pool(model))
        if gauge is not None:
            same = (gauge.unit, gauge.period)
            gauges = [gauge, *(other for other in gauges if (other.unit, other.period) != same)]
        return refusal(Case(self._provider, kind, model, gauge), gauges)
