"""The Replicate dialect: a prediction is made, and asked after until it is done.

A prediction that nobody waits for any more is cancelled. Its output is a list that grows while the model writes,
which is how it streams: each look at it gives out what is new.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from providers import loose
from providers.account import Account
from providers.contracts import ChatReply, ChatRequest, Inspection, Pulse, Route, Usage
from providers.errors import BadReply, Down, ProviderError
from providers.http import HttpReply
from providers.visible import visible_pieces, visible_text

LOOK_SECONDS = 0.2
LOOKS = 3
CANCEL_SECONDS = 1.0
LONGEST_WAIT = 60  # that `Prefer: wait` takes
_ID = re.compile(r"\w{4,64}", re.ASCII)
_RUNNING = ("starting", "processing")


@dataclass(frozen=True)
class _Asked:
    """One prediction: `ends` (monotonic) is when it is given up, `spare` seconds before the caller's deadline."""

    route: Route
    request: ChatRequest
    ends: float
    spare: float
    pulse: Pulse | None = None


@dataclass(frozen=True, kw_only=True)
class Replicate:
    """`base_url` ends in /v1. `body` are extra fields of every input and win over ours."""

    account: Account
    base_url: str = field(repr=False)
    body: Mapping[str, Any] = field(default_factory=dict)
    max_tokens_field: str = "max_tokens"
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def complete(self, route: Route, request: ChatRequest) -> ChatReply:
        """One answer, or a ProviderError. Makes exactly one prediction and never outlasts request.timeout."""
        wait = max(1, min(LONGEST_WAIT, int(request.timeout)))
        states = self._states(self._asked(route, request), {"Prefer": f"wait={wait}"})
        *_, last = states
        return _read(last, route, request)

    def stream(self, route: Route, request: ChatRequest, pulse: Pulse) -> Generator[str, None, ChatReply]:
        """The answer in pieces as it grows; the whole answer as the return value.

        `pulse` is called at least every quarter of a second; what it raises cancels the prediction and comes out
        here. Raises what complete() raises, also half-way through.
        """
        states: list[Mapping[str, Any]] = []
        with closing(self._states(self._asked(route, request, pulse), {})) as seen:
            yield from visible_pieces(_growth(seen, states))
        return _read(states[-1], route, request)

    def inspect(self, timeout: float) -> Inspection:
        """Whether the key is good; models are not listed. Raises ProviderError."""
        reply = self.account.http.get_json(f"{self.base_url}/account", self.account.bearer, timeout)
        self.account.payload(reply, "account")
        return Inspection()

    def _asked(self, route: Route, request: ChatRequest, pulse: Pulse | None = None) -> _Asked:
        spare = min(CANCEL_SECONDS, request.timeout / 4)  # for cancelling
        return _Asked(route, request, self._now() + request.timeout - spare, spare, pulse)

    def _states(self, asked: _Asked, prefer: Mapping[str, str]) -> Generator[Mapping[str, Any], None, None]:
        """The prediction whenever it was looked at, at last when it has succeeded."""
        http, route = self.account.http, asked.route
        url = f"{self.base_url}/models/{route.model}/predictions"
        headers, body = {**self.account.bearer, **prefer}, {"input": self._input(asked)}
        state = self._state(http.post_json(url, headers, body, self._left(asked), asked.pulse), route)
        address = self._address(state, route)
        with self._cancelled_when_left(address, asked.spare):
            while state.get("status") in _RUNNING:
                yield state
                self._rest(asked)
                state = self._looked_at(address, asked)
        if state.get("status") != "succeeded":
            raise Down(f"{route.name}: the prediction was not finished", outcome="answered")
        yield state

    def _looked_at(self, address: str, asked: _Asked) -> Mapping[str, Any]:
        """Looking is free, so a look that fails is tried again: the prediction is paid for already."""
        for _ in range(LOOKS):
            left = self._left(asked)
            try:
                reply = self.account.http.get_json(address, self.account.bearer, left, asked.pulse)
                return self._state(reply, asked.route)
            except Down as error:
                last = error
            self._rest(asked)
        raise last

    def _state(self, reply: HttpReply, route: Route) -> Mapping[str, Any]:
        return loose.mapping(self.account.payload(reply, route.name, route.limits))

    def _address(self, state: Mapping[str, Any], route: Route) -> str:
        """Where to ask after it: never what the answer says, because the key is sent there."""
        name = loose.text(state.get("id"))
        if not _ID.fullmatch(name):
            raise BadReply(f"{route.name}: the answer is no prediction")
        return f"{self.base_url}/predictions/{name}"

    @contextmanager
    def _cancelled_when_left(self, address: str, seconds: float) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with suppress(ProviderError):
                self.account.http.post_json(f"{address}/cancel", self.account.bearer, {}, seconds)
            raise

    def _rest(self, asked: _Asked) -> None:
        if asked.pulse:
            asked.pulse()
        self.sleep(LOOK_SECONDS)

    def _left(self, asked: _Asked) -> float:
        left = asked.ends - self._now()
        if left <= 0:
            raise Down(f"{asked.route.name}: no complete answer in time", outcome="no_reply")
        return left

    def _now(self) -> float:
        return self.account.http.clock.monotonic()

    def _input(self, asked: _Asked) -> dict[str, Any]:
        request = asked.request
        said = [m for m in request.messages if m.role != "system"]
        prompt = said[0].content if len(said) == 1 else "\n\n".join(f"{m.role}: {m.content}" for m in said)
        given = {
            "prompt": prompt,
            "system_prompt": "\n\n".join(m.content for m in request.messages if m.role == "system"),
            "temperature": request.temperature,
            self.max_tokens_field: request.max_tokens,
        }
        return {**given, **self.body, **asked.route.body}


def _growth(states: Iterable[Mapping[str, Any]], seen: list[Mapping[str, Any]]) -> Iterator[str]:
    """What is new at each look. The states themselves go into `seen`."""
    given = ""
    for state in states:
        seen.append(state)
        text = _output(state)
        if text.startswith(given):  # else the output was begun anew, and the whole of it counts in the end
            yield text[len(given) :]
            given = text


def _output(state: Mapping[str, Any]) -> str:
    output = state.get("output")
    return "".join(map(loose.text, output)) if isinstance(output, list) else loose.text(output)


def _read(state: Mapping[str, Any], route: Route, request: ChatRequest) -> ChatReply:
    usage, text = _usage(state), visible_text(_output(state))
    if not text:
        raise BadReply(f"{route.name}: an empty answer", usage=usage)
    full = usage is not None and usage.completion_tokens >= request.max_tokens
    model = loose.text(state.get("model")) or route.model
    return ChatReply(text, model, usage, "length" if full else "stop")


def _usage(state: Mapping[str, Any]) -> Usage | None:
    """Replicate's own models and those it passes on name their counts differently."""
    metrics = loose.mapping(state.get("metrics"))
    counts = [
        next((n for name in names if (n := loose.count(metrics.get(name))) is not None), None)
        for names in (("input_token_count", "token_input_count"), ("output_token_count", "token_output_count"))
    ]
    return None if counts[0] is None or counts[1] is None else Usage(counts[0], counts[1])
