"""The words that providers and core share: requests, replies, routes, limits.

This module imports nothing of ours. Times are seconds since the epoch (UTC) unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant"]
Tier = Literal["small", "large"]
Unit = Literal["requests", "tokens", "neurons", "seconds", "concurrent"]
Window = Literal["minute", "hour", "rolling-day", "day", "month", "refill-day", "call"]
Scope = Literal["route", "pool", "provider"]
Period = Literal["minute", "day", "month"]
Capability = Literal["json_schema", "json_object"]
Does = Literal["chat", "transcribe"]
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
class Recording:
    """Speech to be written down. `audio` is a whole file of `media_type` that lasts `seconds`.

    `language` is an ISO 639-1 code, or "" where the model should tell. `timeout` bounds the whole call in seconds.
    """

    audio: bytes = field(repr=False)
    seconds: float
    media_type: str = "audio/wav"
    language: str = ""
    timeout: float = 30.0


@dataclass(frozen=True)
class Usage:
    """What a call cost. `completion_tokens` includes thinking tokens; `neurons` is None where unknown.

    `seconds` is how long a recording lasts.
    """

    prompt_tokens: int
    completion_tokens: int
    neurons: float | None = None
    seconds: float = 0.0

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
class Word:
    """One spoken word, and when it began and ended, in seconds from the start of the recording."""

    text: str
    begins: float
    ends: float


@dataclass(frozen=True)
class Speech:
    """What a transcript tells beside the text. `language` is as the model names it, "" where it does not."""

    language: str = ""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class ChatReply:
    """`usage` is None when the provider did not say. `model` is the model that really answered.

    A transcript comes as `text` with `speech`; its text is "" where nothing was heard.
    """

    text: str
    model: str
    usage: Usage | None
    finish_reason: str
    told: tuple[Told, ...] = ()
    speech: Speech | None = None


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
        unit = "seconds of audio" if self.unit == "seconds" else self.unit
        return f"{unit} per {words.get(self.window, self.window)}"


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
    """Provider and model: one way to get an answer, or a transcript.

    `neurons_per_million` is for prompt and completion tokens. A recording counts as `least_seconds` at least.
    `body` are extra fields of every request for this model.
    """

    provider: str
    model: str
    tier: Tier
    pool: str
    limits: tuple[Limit, ...]
    priority: int
    json: Literal["schema", "object", "none"] = "none"
    neurons_per_million: tuple[float, float] | None = None
    charge: ChargeRules = field(default_factory=ChargeRules)
    does: Does = "chat"
    neurons_per_minute: float = 0.0
    least_seconds: float = 0.0
    body: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False, repr=False)

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


@dataclass(frozen=True)
class Inspection:
    """What an account tells of itself without being charged: which models it may call, and what is left.

    `models` is None where the provider does not list them.
    """

    models: frozenset[str] | None = None
    told: tuple[Told, ...] = ()


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

    def inspect(self, timeout: float) -> Inspection:
        """Ask what costs nothing, within `timeout` seconds. Raises ProviderError."""
        ...


@runtime_checkable
class Transcriber(Protocol):
    """A provider that can write down recordings; it has to be one where a route of it `does` that."""

    def transcribe(self, route: Route, recording: Recording) -> ChatReply:
        """What was said, under the same rules as `Provider.complete`."""
        ...
