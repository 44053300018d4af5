"""Does each provider work? What costs nothing is asked first, then one cheap call, charged like any other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel

from core.balancer import LoadBalancer
from core.dispatch import Call, Dispatcher, Done, Failed
from core.policy import Skipped, Task
from core.structured import read_as, schema_of
from providers.contracts import ChatRequest, Clock, Message, Route, Told, Usage
from providers.errors import KeyRejected, ProviderError
from providers.registry import Fleet

FREE_SECONDS, CALL_SECONDS = 8.0, 20.0
ANSWER_TOKENS = 200  # a model that reasons needs more than the five that the answer takes
CHECK = Task("check", "small", CALL_SECONDS, attempts=1, typical=Usage(60, ANSWER_TOKENS))
QUESTION = 'Answer with this JSON object and nothing else: {"ready": true}'


class _Ready(BaseModel, extra="forbid", strict=True):
    ready: bool


@dataclass(frozen=True)
class Finding:
    """What was found out about one provider. `problem` is in words, with the remedy where there is one.

    `missing` are our models that the provider does not list, None where it lists none. `model` really answered,
    `seconds` is how long that took, and `keeps_json` whether it was the JSON that was asked for; None where nobody
    was asked. `left` is what the provider itself says of its limits.
    """

    provider: str
    label: str
    state: Literal["works", "trouble", "off"] = "trouble"
    key: Literal["accepted", "refused", "unknown"] = "unknown"
    missing: tuple[str, ...] | None = None
    model: str = ""
    seconds: float | None = None
    keeps_json: bool | None = None
    left: tuple[Told, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class ProviderCheck:
    """Asks every provider in use. At most one call each is charged, and none is made past a quota or in a rest."""

    fleet: Fleet
    balancer: LoadBalancer
    dispatcher: Dispatcher
    clock: Clock

    def run(self) -> Iterator[Finding]:
        """One finding per catalogued provider, those in use first, each as soon as it is known."""
        for name in self.fleet.providers:
            yield self._check(name)
        for name, reason in self.fleet.off.items():
            yield Finding(name, self.fleet.catalog[name].label, "off", problem=reason)

    def _check(self, name: str) -> Finding:
        found = Finding(name, self.fleet.catalog[name].label)
        try:
            seen = self.fleet.providers[name].inspect(FREE_SECONDS)
        except KeyRejected as error:
            return replace(found, key="refused", problem=str(error))
        except ProviderError as error:
            return self._call(replace(found, problem=str(error)))
        ours = [model.id for model in self.fleet.catalog[name].models]
        missing = None if seen.models is None else tuple(each for each in ours if each not in seen.models)
        return self._call(replace(found, missing=missing, left=seen.told))

    def _call(self, found: Finding) -> Finding:
        route = self._route_of(found.provider)
        if isinstance(route, Skipped):
            return replace(found, problem=f"not called: {route.reason}")
        request = ChatRequest((Message("user", QUESTION),), ANSWER_TOKENS, schema=schema_of(_Ready))
        request = replace(request, timeout=CALL_SECONDS)
        began = self.clock.monotonic()
        outcome = self.dispatcher.call(route, Call(CHECK, request, lambda text: read_as(_Ready, text)))
        seconds = self.clock.monotonic() - began
        if isinstance(outcome, Done):
            answered = replace(found, state="works", key="accepted", model=outcome.reply.model, problem="")
            left = (*outcome.reply.told, *found.left)
            return replace(answered, seconds=seconds, keeps_json=True, left=left)
        if isinstance(outcome, Failed) and outcome.unusable:
            problem = "it answers, but not with the JSON that was asked for"
            return replace(
                found, key="accepted", model=route.model, seconds=seconds, keeps_json=False, problem=problem
            )
        refused = isinstance(outcome, Failed) and outcome.key_refused
        return replace(found, key="refused" if refused else "unknown", problem=outcome.reason)

    def _route_of(self, name: str) -> Route | Skipped:
        """The provider's first chat route that can be called now, or why there is none."""
        ranking = self.balancer.ranking(CHECK)
        routes = (route for route in ranking.order if route.provider == name)
        return next(routes, None) or next(s for s in ranking.skipped if s.route.provider == name)
