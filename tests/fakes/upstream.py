"""A real HTTP server on loopback that stands in for one provider and judges what reaches it.

It keeps its own quota counters, speaks the provider's own wire format and words, and misbehaves on request:
`tests.fakes.faults.STEPS` is the table of everything it can be told to do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack
from urllib.parse import unquote, urlsplit

from tests.fakes import faults
from tests.fakes.answer import Answer, json_answer
from tests.fakes.desk import Arrival, Options
from tests.fakes.exchange import Exchange, parse
from tests.fakes.judge import Judge
from tests.fakes.judge_speech import SpeechJudge
from tests.fakes.lookups import Lookups
from tests.fakes.meter import Counts
from tests.fakes.profiles import BASE_PATHS
from tests.fakes.refusals import error_body
from tests.fakes.script import Script
from tests.fakes.server import Call, LoopbackServer
from tests.fakes.speech import Speech, hear

__all__ = ["Counts", "Exchange", "FakeUpstream", "Options", "Speech", "default_reply"]

Request = TypeVar("Request")


def default_reply(exchange: Exchange) -> str:
    return "{}" if exchange.wants_json else "Thank you, that is a clear answer."


def default_heard(speech: Speech) -> str:
    return "I split the work and we shipped it on time."


class FakeUpstream:
    """One provider. `reply` and `heard` are called from many threads at once; what they raise is raised again on
    exit."""

    def __init__(
        self,
        provider: str = "cerebras",
        *,
        reply: Callable[[Exchange], str] = default_reply,
        heard: Callable[[Speech], str] = default_heard,
        key: str | None = None,
        latency: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        """`reply` is what the model says to a chat, `heard` what was said in a recording.

        Any key is good when `key` is None. `latency` is in seconds, before every reply to chat or speech.
        """
        self.provider = provider
        self._judge = Judge(provider, reply, key, options)
        self._speech_judge = SpeechJudge(provider, heard, key, options)
        self._lookups = Lookups(provider, self._judge.desk, self._judge.predictions, options.get("per_day"))
        self._latency = latency
        self._port = options.get("port", 0)
        self._lock = threading.Lock()
        self._script, self._get_script, self._cancel_script = Script(), Script(), Script()
        self._seen: list[Exchange] = []
        self._heard: list[Speech] = []
        self._looked_up: list[Call] = []
        self._server: LoopbackServer | None = None

    def __enter__(self) -> Self:
        self._server = LoopbackServer(self._port, self._respond)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server = self._running
        server.close()
        self._server = None
        if server.crashes and error is None:
            raise server.crashes[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._running.server_port}"

    @property
    def base_url(self) -> str:
        """What belongs into <PROVIDER>_BASE_URL."""
        return self.url + BASE_PATHS.get(self.provider, "/v1")

    @property
    def counts(self) -> Counts:
        """Of chat requests, Replicate's predictions among them."""
        return self._judge.meter.counts

    @property
    def speech_counts(self) -> Counts:
        return self._speech_judge.meter.counts

    @property
    def cancelled(self) -> list[str]:
        """Ids of the predictions that were still running when their cancellation came."""
        return self._judge.predictions.cancelled

    @property
    def listed(self) -> Sequence[Mapping[str, Any]]:
        """The rows of GET /models, as `tests.fakes.wire_lists.row` makes them; may be set at any time."""
        return self._lookups.listed

    @listed.setter
    def listed(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._lookups.listed = rows

    def plan(self, *steps: str) -> None:
        """Steps for the next chat or speech requests, in order of arrival; ValueError for an unknown one."""
        self._script.plan(steps)

    def always(self, step: str) -> None:
        """The step for every request that no plan covers; ValueError for an unknown one."""
        self._script.always(step)

    def plan_get(self, *steps: str) -> None:
        """The same for the next GETs: lists of models, a key's balance, polls. ValueError for SPOKEN steps too."""
        self._get_script.plan(steps, faults.split_lookup)

    def always_get(self, step: str) -> None:
        """The step for every GET that no plan covers."""
        self._get_script.always(step, faults.split_lookup)

    def plan_cancel(self, *steps: str) -> None:
        """The same for the next cancellations; one that is refused or fails cancels nothing."""
        self._cancel_script.plan(steps, faults.split_lookup)

    def requests(self) -> list[Exchange]:
        """Every chat request so far in order of arrival, refused ones too."""
        with self._lock:
            return list(self._seen)

    def speeches(self) -> list[Speech]:
        """Every speech request so far in order of arrival, refused ones too."""
        with self._lock:
            return list(self._heard)

    def lookups(self) -> list[Call]:
        """Every GET and cancellation so far that was found, refused ones too; header names are lower-case."""
        with self._lock:
            return list(self._looked_up)

    def wait_for_departures(self, count: int = 1, within: float = 10.0) -> bool:
        """Have `count` clients gone away before their reply was complete? Waits up to `within` seconds for it."""
        return self._running.wait_for_departures(count, within)

    @property
    def _running(self) -> LoopbackServer:
        if self._server is None:
            raise RuntimeError("the fake upstream runs only inside its with block")
        return self._server

    def _respond(self, call: Call) -> Answer:
        path = unquote(urlsplit(call.target).path)
        if self._lookups.finds(call.method, path):
            script = self._get_script if call.method == "GET" else self._cancel_script
            named = replace(call, headers={name.lower(): value for name, value in call.headers.items()})
            return self._lookups.answer(self._arrival(named, call.target, self._looked_up, script))
        speech = hear(call.target, call.headers, call.body)
        exchange = None if speech else parse(call.target, call.headers, call.body)
        if call.method == "POST" and speech and self._listens(speech):
            answer = self._speech_judge.transcribe(self._arrival(speech, call.target, self._heard, self._script))
        elif call.method == "POST" and exchange and self._speaks(exchange):
            answer = self._judge.chat(self._arrival(exchange, call.target, self._seen, self._script))
        else:
            return json_answer(404, error_body(self.provider, 404, "no such endpoint"))
        return replace(answer, delay=answer.delay + self._latency)

    def _speaks(self, exchange: Exchange) -> bool:
        if self.provider == "cloudflare":
            return "/accounts/" in exchange.path and exchange.path.endswith("/ai/v1/chat/completions")
        if self.provider == "replicate":
            return exchange.dialect == "replicate"
        return exchange.dialect == "openai" or (self.provider == "gemini" and exchange.dialect == "gemini")

    def _listens(self, speech: Speech) -> bool:
        if self.provider == "cloudflare":
            return "/accounts/" in speech.path and "/ai/run/" in speech.path
        return self.provider not in {"gemini", "replicate"} and "/ai/run/" not in speech.path

    def _arrival(self, request: Request, target: str, seen: list[Request], script: Script) -> Arrival[Request]:
        # Another host name of the same server: a client that follows it is seen here, with whatever it leaks.
        elsewhere = f"http://localhost:{self._running.server_port}{target}"
        with self._lock:
            seen.append(request)
            return Arrival(request, script.next(), len(seen), elsewhere, self.base_url)
