"""The words that providers and core share: requests, replies, routes, limits, errors.

This module imports nothing of ours. Times are seconds since the epoch (UTC) unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]
Tier = Literal["small", "large"]
Unit = Literal["requests", "tokens", "neurons", "concurrent"]
Window = Literal["minute", "hour", "rolling-day", "day", "month", "refill-day", "call"]
Scope = Literal["route", "pool", "provider"]
Period = Literal["minute", "day", "month"]
Capability = Literal["json_schema", "json_object", "audio"]
Confidence = Literal["certain", "likely", "guess"]
Pulse = Callable[[], None]
Free = Literal["recurring", "credit-once", "paid", "retired", "own"]


class Clock(Protocol):
    """Time as an argument, so that nothing sleeps in a test."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps back; only differences mean anything."""
        ...


@dataclass(frozen=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """One call, whoever answers it.

    `schema` is the JSON schema the reply should follow; a route that cannot enforce it gets the nearest
    thing it can do, so the caller checks the reply in any case. `timeout` bounds the whole call in seconds.
    """

    messages: tuple[Message, ...]
    max_tokens: int = 700
    temperature: float = 0.0
    schema: Mapping[str, Any] | None = None
    timeout: float = 30.0


@dataclass(frozen=True)
class Usage:
    """What a call cost. `completion_tokens` includes thinking tokens; `neurons` is None where unknown."""

    prompt_tokens: int
    completion_tokens: int
    neurons: float | None = None

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Told:
    """What a provider says of one of its own limits: how large it is, what is left of it, or both.

    It says nothing of whose limit it is; that is the one among the route's limits with this unit and window.
    """

    unit: Unit
    window: Window
    limit: float | None = None
    remaining: float | None = None


@dataclass(frozen=True)
class ChatReply:
    """`usage` is None when the provider did not say. `model` is the model that really answered."""

    text: str
    model: str
    usage: Usage | None
    finish_reason: str
    told: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Limit:
    """`amount` units per `window`, counted by the provider for everything in `pool`.

    `minute`, `hour` and `rolling-day` slide; `day` and `month` are calendar windows in `zone`, an IANA name;
    `refill-day` is a budget that fills up again continuously, all of it in 24 hours; `call` lasts as long as a
    call is under way, for the unit `concurrent`.
    """

    pool: str
    unit: Unit
    amount: int
    window: Window
    zone: str = "UTC"

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Kept, because limits are looked up a hundred times for each call."""
        return hash((self.pool, self.unit, self.amount, self.window, self.zone))

    @cached_property
    def key(self) -> str:
        return f"{self.pool}|{self.unit}|{self.window}"

    @cached_property
    def lasting(self) -> bool:
        """Is what is gone gone for hours? A full minute comes back before anybody could act on it."""
        return self.window not in ("minute", "call")

    @property
    def what(self) -> str:
        """Unit and window in words: "requests per day", "calls at once"."""
        if self.window == "call":
            return "calls at once"
        words = {"rolling-day": "24 hours", "refill-day": "day"}
        return f"{self.unit} per {words.get(self.window, self.window)}"


@dataclass(frozen=True)
class ChargeRules:
    """Does a failed attempt cost a request? Data per provider, because they differ.

    `stops_when_left`: a stream that nobody reads any more costs only what was sent until then; else all of it.
    """

    rate_limited: bool = False
    server_error: bool = True
    no_reply: bool = True
    stops_when_left: bool = False


@dataclass(frozen=True)
class Route:
    """Provider and model: one way to get an answer."""

    provider: str
    model: str
    tier: Tier
    pool: str
    limits: tuple[Limit, ...]
    priority: int
    json: Literal["schema", "object", "none"] = "none"
    neurons_per_million: tuple[float, float] | None = None
    charge: ChargeRules = field(default_factory=ChargeRules)

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}"

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do beyond plain text. A model that keeps to a schema can send any other object too."""
        return _CAPABILITIES[self.json]


_CAPABILITIES: Mapping[str, frozenset[Capability]] = {
    "schema": frozenset({"json_schema", "json_object"}),
    "object": frozenset({"json_object"}),
    "none": frozenset(),
}


class Provider(Protocol):
    """An API account that answers chat requests."""

    def complete(self, route: Route, request: ChatRequest) -> ChatReply:
        """One answer, or a ProviderError. Makes exactly one attempt and never outlasts request.timeout."""
        ...

    def stream(self, route: Route, request: ChatRequest, pulse: Pulse) -> Generator[str, None, ChatReply]:
        """The same answer in pieces as they arrive, and whole as the generator's return value.

        `pulse` is called several times a second while nothing arrives; what it raises ends the call and comes out
        here. Closing the generator ends the call too. Raises ProviderError, also half-way through.
        """
        ...


Outcome = Literal["not_sent", "unauthorised", "rate_limited", "server_error", "no_reply", "rejected", "answered"]


class ProviderError(Exception):
    """A call failed. Subclasses are named by what to do next. The message never holds a secret.

    `outcome` is what became of the request on the wire, which decides what it cost: `not_sent` surely never
    reached the provider, `unauthorised` was turned away at the door, `rate_limited` is a 429, `no_reply` may or
    may not have been counted, `rejected` is another 4xx, `answered` a 200 that is of no use. `usage` is what an
    answered call reported, `told` what was said of the provider's limits, and `confidence` how sure it is that the
    failure means what the class says.
    """

    outcome: Outcome = "rejected"

    def __init__(self, message: str, *, outcome: Outcome | None = None, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome or type(self).outcome
        self.usage = usage
        self.told: tuple[Told, ...] = ()
        self.confidence: Confidence = "likely"


class Busy(ProviderError):
    """Wait or go elsewhere. `until` is when the provider says it is worth trying again, None if it did not.

    `scope` says what is busy: the model's route, its pool, or the whole account; `period` which window ran out.
    """

    outcome: Outcome = "rate_limited"

    def __init__(
        self, message: str, *, until: float | None = None, scope: Scope = "route", period: Period | None = None
    ) -> None:
        super().__init__(message)
        self.until = until
        self.scope = scope
        self.period = period


class Down(ProviderError):
    """Go elsewhere now."""

    outcome: Outcome = "server_error"


class KeyRejected(ProviderError):
    """Stop using this key and tell the admin."""

    outcome: Outcome = "unauthorised"


class ModelGone(ProviderError):
    """This route will not come back by waiting."""


class PaymentNeeded(ProviderError):
    """The account has no free calls or money left."""


class Refused(ProviderError):
    """Nobody will take this request as it stands (content filter, too long): tell the person."""


class BadReply(ProviderError):
    """Empty, truncated or not what was asked for. The request may be to blame: do not bench the route."""

    outcome: Outcome = "answered"
