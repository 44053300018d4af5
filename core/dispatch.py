"""One call to one route: reserve -> admit -> call -> settle, or learn from its failure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from core import quotas
from core.health import TRIAL_SECONDS, Admission, Cooldown, Health
from core.history import Attempt, History
from core.policy import Skipped, Task
from core.quotas import Cost, Decision, Envelope, QuotaManager, Reservation
from core.stores.contract import StoreError
from providers.contracts import ChatReply, ChatRequest, Clock, Provider, Pulse, Recording, Route, Transcriber
from providers.errors import BadReply, KeyRejected, ProviderError, Refused

LEFT = "Left"
NOT_TO_BLAME = (LEFT, Refused.__name__)  # what is not the route's fault wastes no first choice
log = logging.getLogger(__name__)
T = TypeVar("T")


class Interrupted(Exception):
    """A stream broke off after its first words had been given out, so nobody else can take over."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """`read` makes the value out of the reply's text; it raises BadReply for one that is of no use.

    `first` tells that no other route was tried before.
    """

    task: Task
    request: ChatRequest | Recording
    read: Callable[[str], T]
    envelope: Envelope | None = None
    first: bool = True


@dataclass(frozen=True)
class Done(Generic[T]):
    """A reply that passed its check."""

    value: T
    reply: ChatReply
    route: Route
    tokens: int = 0

    @property
    def whole(self) -> bool:
        """Not so where the limit of tokens cut it off."""
        return self.reply.finish_reason != "length"


@dataclass(frozen=True)
class Failed(Skipped):
    """A call that was made and failed. `sent` is False where it surely never reached the provider.

    `unusable` is the text of a reply that did not pass its check, and `tokens` what was charged all the same.
    """

    unusable: str = ""
    key_refused: bool = False
    tokens: int = 0
    sent: bool = True


@dataclass(frozen=True)
class _Ticket:
    held: Reservation
    admission: Admission
    began: float
    first: bool


@dataclass(frozen=True)
class Dispatcher:
    providers: Mapping[str, Provider]
    quota: QuotaManager
    health: Health
    history: History
    clock: Clock

    def call(self, route: Route, call: Call[T]) -> Done[T] | Skipped:
        """The checked reply, or why there is none. Raises Refused where nobody would take the request."""
        ticket = self._admit(route, call)
        if isinstance(ticket, Skipped):
            return ticket
        reply = None
        try:
            reply = self._ask(route, call.request)
            value = call.read(reply.text)
        except ProviderError as error:
            failure = self._failed(ticket, error, reply)
            if isinstance(error, Refused):
                raise
            return failure
        except BaseException:
            self._left(ticket, call.request, reply.text if reply else "")
            raise
        return Done(value, reply, route, self._succeeded(ticket, reply))

    def stream(self, route: Route, call: Call[T], pulse: Pulse) -> Generator[str, None, Done[T] | Skipped]:
        """The same in pieces, and at the end the checked whole. Raises Interrupted once a piece was given out.

        When nobody reads on, or `pulse` raises, the call ends there: its slot is free and what it cost is charged.
        """
        ticket = self._admit(route, call)
        if isinstance(ticket, Skipped):
            return ticket
        pieces: list[str] = []
        reply = None
        try:
            assert isinstance(call.request, ChatRequest)
            reply = yield from _kept(self.providers[route.provider].stream(route, call.request, pulse), pieces)
            value = call.read(reply.text)
        except ProviderError as error:
            failure = self._failed(ticket, error, reply)
            if pieces:
                raise Interrupted(str(error)) from None
            if isinstance(error, Refused):
                raise
            return failure
        except BaseException:
            self._left(ticket, call.request, "".join(pieces))
            raise
        return Done(value, reply, route, self._succeeded(ticket, reply))

    def _ask(self, route: Route, request: ChatRequest | Recording) -> ChatReply:
        provider = self.providers[route.provider]
        if isinstance(request, ChatRequest):
            return provider.complete(route, request)
        assert isinstance(provider, Transcriber)  # the catalogue takes no other route for it
        return provider.transcribe(route, request)

    def _admit(self, route: Route, call: Call[T]) -> _Ticket | Skipped:
        held: Reservation | None = None
        try:
            cost = quotas.estimate(route, call.request)
            decision = self.quota.reserve(route, cost, call.task.leaves, call.envelope)
            held = decision.reservation
            if held is None:
                return self._refused(route, decision)
            admission = self.health.admit(route)
        except StoreError:
            log.exception("The quota store failed; %s is not called", route.name)
            if held is not None:
                self._settle(held, quotas.NOTHING)
            return Skipped(route, "the quota store failed", None)
        if admission == "wait":
            self._settle(held, quotas.NOTHING)
            return Skipped(route, "another call is trying it out", self.clock.now() + TRIAL_SECONDS)
        return _Ticket(held, admission, self.clock.monotonic(), call.first)

    def _refused(self, route: Route, decision: Decision) -> Skipped:
        assert decision.limit is not None
        what = decision.limit.what
        if decision.wait is None:
            return Skipped(route, f"the call is larger than all {what}", None)
        return Skipped(route, f"{what} used up", self.clock.now() + decision.wait)

    def _succeeded(self, ticket: _Ticket, reply: ChatReply) -> int:
        """The tokens that it cost."""
        held = ticket.held
        cost = quotas.cost_of_usage(held.route, reply.usage) if reply.usage else held.estimate
        with _store_trouble_is_logged("settled"):
            self.quota.settle(held, cost, reply.told, good=True)
        self._record(ticket, None, cost.tokens)
        self._proven(ticket)
        return cost.tokens

    def _failed(self, ticket: _Ticket, error: ProviderError, reply: ChatReply | None) -> Failed:
        """`reply` is given where the call was answered, and so paid for, by something of no use."""
        held, route = ticket.held, ticket.held.route
        usage, told = (reply.usage, reply.told) if reply else (error.usage, error.told)
        cost = quotas.cost_of_failure(held, error.outcome, usage)
        with _store_trouble_is_logged("settled"):
            self.quota.settle(held, cost, told)
        self._record(ticket, type(error).__name__, cost.tokens)
        log.warning("%s failed: %s", route.name, error)
        cooldown = self._learn(route, error)
        if cooldown is None:  # a refusal or a useless reply is a sign of life all the same
            self._proven(ticket)
            text = reply.text if reply and isinstance(error, BadReply) else ""
            return Failed(route, str(error), None, unusable=text, tokens=cost.tokens)
        refused = isinstance(error, KeyRejected)
        failed = Failed(route, str(error), cooldown.until, cooldown.subject, key_refused=refused)
        return replace(failed, tokens=cost.tokens, sent=error.outcome != "not_sent")

    def _left(self, ticket: _Ticket, request: ChatRequest | Recording, received: str) -> None:
        cost = quotas.cost_of_leaving(ticket.held, request, received)
        self._settle(ticket.held, cost)
        self._record(ticket, LEFT, cost.tokens)
        if received:
            self._proven(ticket)

    def _record(self, ticket: _Ticket, failure: str | None, tokens: int) -> None:
        seconds = self.clock.monotonic() - ticket.began
        route, first = ticket.held.route, ticket.first and failure not in NOT_TO_BLAME
        self.history.record(Attempt(route.provider, route.name, seconds, failure, first, tokens))

    def _proven(self, ticket: _Ticket) -> None:
        if ticket.admission == "trial":
            with _store_trouble_is_logged("cleared"):
                self.health.proven(ticket.held.route)

    def _settle(self, held: Reservation, cost: Cost) -> None:
        """What cannot be settled stays charged as held, which errs on the safe side; the answer is not lost."""
        with _store_trouble_is_logged("settled"):
            self.quota.settle(held, cost)

    def _learn(self, route: Route, error: ProviderError) -> Cooldown | None:
        with _store_trouble_is_logged("benched"):
            return self.health.learn(route, error)
        return None


def _kept(stream: Generator[str, None, ChatReply], pieces: list[str]) -> Generator[str, None, ChatReply]:
    """The stream itself, with its pieces noted down as they are given out."""
    try:
        while True:
            piece = next(stream)
            pieces.append(piece)
            yield piece
    except StopIteration as end:
        reply: ChatReply = end.value
        return reply
    finally:
        stream.close()


@contextmanager
def _store_trouble_is_logged(verb: str) -> Iterator[None]:
    try:
        yield
    except StoreError:
        log.exception("The store failed after a call; nothing was %s", verb)
