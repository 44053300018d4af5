"""A real HTTP server on loopback that stands in for one provider and judges what reaches it.

It keeps its own quota counters, speaks the provider's own wire format and words, and misbehaves on request:
`tests.fakes.faults.STEPS` is the table of everything it can be told to do.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self, Unpack
from urllib.parse import urlsplit

from tests.fakes import faults
from tests.fakes.answer import Answer, json_answer
from tests.fakes.exchange import Exchange, parse
from tests.fakes.judge import Arrival, Judge, Options
from tests.fakes.meter import Counts
from tests.fakes.profiles import BASE_PATHS
from tests.fakes.refusals import error_body
from tests.fakes.server import Call, LoopbackServer

__all__ = ["Counts", "Exchange", "FakeUpstream", "Options", "default_reply"]


def default_reply(exchange: Exchange) -> str:
    return "{}" if exchange.wants_json else "Thank you, that is a clear answer."


class FakeUpstream:
    """One provider. `reply` is called from many threads at once; what it raises is raised again on exit."""

    def __init__(
        self,
        provider: str = "cerebras",
        *,
        reply: Callable[[Exchange], str] = default_reply,
        key: str | None = None,
        latency: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        """Any key is good when `key` is None. `latency` is in seconds, before every reply to a chat request."""
        self.provider = provider
        self._judge = Judge(provider, reply, key, options)
        self._latency = latency
        self._port = options.get("port", 0)
        self._lock = threading.Lock()
        self._plan: deque[str] = deque()
        self._otherwise = "ok"
        self._seen: list[Exchange] = []
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
        return self._judge.meter.counts

    def plan(self, *steps: str) -> None:
        """Steps for the next chat requests, one each in order of arrival; ValueError for an unknown one."""
        for step in steps:
            faults.split(step)
        with self._lock:
            self._plan.extend(steps)

    def always(self, step: str) -> None:
        """The step for every request that no plan covers; ValueError for an unknown one."""
        faults.split(step)
        with self._lock:
            self._otherwise = step

    def requests(self) -> list[Exchange]:
        """Every chat request so far in order of arrival, refused ones too."""
        with self._lock:
            return list(self._seen)

    def wait_for_departures(self, count: int = 1, within: float = 10.0) -> bool:
        """Have `count` clients gone away before their reply was complete? Waits up to `within` seconds for it."""
        return self._running.wait_for_departures(count, within)

    @property
    def _running(self) -> LoopbackServer:
        if self._server is None:
            raise RuntimeError("the fake upstream runs only inside its with block")
        return self._server

    def _respond(self, call: Call) -> Answer:
        path = urlsplit(call.target).path
        if call.method == "GET" and "/models" in path:
            return self._judge.listing(path, {name.lower(): value for name, value in call.headers.items()})
        exchange = parse(call.target, call.headers, call.body)
        if call.method != "POST" or exchange is None or not self._speaks(exchange):
            return json_answer(404, error_body(self.provider, 404, "no such endpoint"))
        answer = self._judge.chat(self._arrival(exchange, call.target))
        return replace(answer, delay=answer.delay + self._latency)

    def _speaks(self, exchange: Exchange) -> bool:
        if self.provider == "cloudflare":
            return "/accounts/" in exchange.path and exchange.path.endswith("/ai/v1/chat/completions")
        return exchange.dialect == "openai" or self.provider == "gemini"

    def _arrival(self, exchange: Exchange, target: str) -> Arrival:
        # Another host name of the same server: a client that follows it is seen here, with whatever it leaks.
        elsewhere = f"http://localhost:{self._running.server_port}{target}"
        with self._lock:
            self._seen.append(exchange)
            step = self._plan.popleft() if self._plan else self._otherwise
            return Arrival(exchange, step, len(self._seen), elsewhere)
