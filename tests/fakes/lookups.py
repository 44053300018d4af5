"""What costs no quota at one pretended provider: lists of models, a key's balance, polls and cancellations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.fakes import bend, faults, wire_lists
from tests.fakes.answer import Answer, json_answer
from tests.fakes.desk import Arrival, Asked, Desk
from tests.fakes.predictions import Predictions
from tests.fakes.profiles import MODELS
from tests.fakes.refusals import error_body, usual_limit
from tests.fakes.server import Call

_PREDICTION = re.compile(r"/predictions/(?P<id>[^/]+)(?P<cancel>/cancel)?$")


class Lookups:
    """`listed` are the rows of the provider's list of models, from wire_lists.row; a test may replace them."""

    def __init__(self, provider: str, desk: Desk, predictions: Predictions, per_day: int | None) -> None:
        self._provider, self._desk, self._predictions = provider, desk, predictions
        self._per_day = per_day
        names = MODELS.get(provider, ("fake-model",))
        self.listed: Sequence[Mapping[str, Any]] = [wire_lists.row(provider, name) for name in names]

    def finds(self, method: str, path: str) -> bool:
        """Is this something to look up here?"""
        return self._source(method, path) is not None

    def answer(self, arrival: Arrival[Call]) -> Answer:
        """Of a call that is found here; its header names are lower-case."""
        call = arrival.exchange
        path, _, query = call.target.partition("?")
        source = self._source(call.method, path)
        assert source is not None
        open_to_all = self._provider == "openrouter" and path.endswith("/models")
        unfit = None if open_to_all or self._desk.key_fits(call.headers) else "key"
        refused = self._desk.look(Asked(call.headers, "", arrival.step, arrival.elsewhere, unfit))
        if refused is not None:
            return refused
        name, argument = faults.split_lookup(arrival.step)
        if name == "error-in-200":
            return json_answer(200, error_body(self._provider, 502, "The upstream failed"))
        if open_to_all:
            page = json_answer(200, wire_lists.openrouter_page(self.listed, path, query))
            return bend.answer(name, argument, page)
        return bend.answer(name, argument, source())

    def _source(self, method: str, path: str) -> Callable[[], Answer] | None:
        if self._provider == "replicate":
            return self._prediction(method, path)
        if method != "GET":
            return None
        if self._provider == "openrouter" and path.endswith("/key"):
            return self._key
        if self._provider == "cloudflare":
            return self._cloudflare(path) if "/models" in path else None
        return (lambda: self._models(path)) if "/models" in path else None

    def _key(self) -> Answer:
        limit = usual_limit("openrouter", "day") if self._per_day is None else self._per_day
        return json_answer(200, wire_lists.openrouter_key(self._desk.meter.requests_today(), limit))

    def _models(self, path: str) -> Answer:
        if self._provider != "gemini" or "/openai/" not in path:
            return json_answer(200, wire_lists.listing(self._provider, self.listed))
        rows = [wire_lists.row("", str(row["name"]).removeprefix("models/")) for row in self.listed]
        return json_answer(200, wire_lists.listing("", rows))

    def _cloudflare(self, path: str) -> Callable[[], Answer]:
        if path.endswith("/ai/models/search"):
            return lambda: self._models(path)
        return lambda: json_answer(405, error_body("cloudflare", 405, "Method not allowed", 7001))

    def _prediction(self, method: str, path: str) -> Callable[[], Answer] | None:
        if method == "GET" and path.endswith("/models"):
            return lambda: self._models(path)
        if method == "GET" and path.endswith("/account"):
            return lambda: json_answer(200, {"type": "user", "username": "fake", "name": "Fake", "github_url": ""})
        found = _PREDICTION.search(path)
        if not found or method != ("POST" if found["cancel"] else "GET"):
            return None
        act = self._predictions.cancel if found["cancel"] else self._predictions.poll
        return lambda: self._state(act(found["id"]))

    def _state(self, body: dict[str, Any] | None) -> Answer:
        if body is None:
            return json_answer(404, error_body("replicate", 404, "The requested resource could not be found."))
        return json_answer(200, body)
