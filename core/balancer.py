"""LoadBalancer: cache -> single-flight -> rank -> call, and on to the next route whenever one fails."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from core.budget import SHORTEST_ATTEMPT, Budget
from core.cache import ResponseCache, Terms, fingerprint
from core.dispatch import Call, Dispatcher, Done, Failed, Interrupted
from core.policy import Ranking, Skipped, Strategy, Task, View, Wish, rank
from core.quotas import Cost, Envelope, Standing, cost_of_usage
from core.stores.contract import StoreError
from core.wanted import AllRoutesOut, Answer, Wanted
from providers.contracts import ChatRequest, Clock, Limit, Message, Pulse, Recording, Route
from providers.errors import BadReply

__all__ = ["MOMENT", "AllRoutesOut", "Answer", "Interrupted", "LoadBalancer", "Parts", "Wanted"]

LOOKS = 5  # that open_envelope takes
MOMENT = 120.0  # seconds; a full minute is over before the first answer of an interview is written
EXPLORED = 0.05  # share of calls that `fastest` gives to any route, or it would never hear that one got faster
PATIENCE = 0.5  # share of its deadline that a caller waits for another one's answer to the same question
AGAIN = (
    "That could not be used: {reason}. Send the whole answer again, as one JSON object that fits the schema, "
    "and nothing else."
)
log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class PassedOver:
    at: float
    reason: str


@dataclass(frozen=True)
class Parts:
    """What a balancer is made of, apart from its routes."""

    dispatcher: Dispatcher
    cache: ResponseCache
    clock: Clock
    rng: random.Random
    strategy: Strategy = "priority"


class LoadBalancer:
    """One call goes to the best route that has quota for it, and on to the next one whenever a route fails."""

    def __init__(self, routes: Sequence[Route], parts: Parts) -> None:
        self._routes = tuple(routes)
        self._limits = tuple(dict.fromkeys(limit for route in routes for limit in route.limits))
        self._parts = parts
        self._passed_over: dict[str, PassedOver] = {}

    @property
    def strategy(self) -> Strategy:
        return self._parts.strategy

    def complete(self, wanted: Wanted[T]) -> Answer[T]:
        """The first reply that `read` accepts, or one that was given before where the task's replies may be kept.

        Raises AllRoutesOut when nobody could answer in time, Refused when the request itself is the trouble.
        """
        budget = Budget(wanted.task, self._parts.clock, wanted.attempts)
        return self._ask_once(wanted, budget) if wanted.task.keep else self._ask(wanted, budget)[0]

    def stream(self, wanted: Wanted[T], pulse: Pulse) -> Generator[str, None, Answer[T]]:
        """The reply in pieces as they arrive, and the checked whole as the generator's return value.

        `pulse` is called several times a second while nothing arrives. Leaving, by closing the generator or out of
        `pulse`, ends the call. Raises what `complete` raises before the first piece, and Interrupted after it.
        """
        failed: list[Skipped] = []
        ranking, budget = self._ranking_of(wanted), Budget(wanted.task, self._parts.clock, wanted.attempts)
        for route, seconds in self._candidates(ranking, budget, failed):
            call = _call(wanted, seconds, first=not failed)
            outcome = yield from self._parts.dispatcher.stream(route, call, pulse)
            budget.count(outcome)
            if isinstance(outcome, Done):
                return self._answer(ranking, outcome, failed, budget)
            failed.append(outcome)
        raise self._all_out(ranking, failed, budget)

    def ranking(self, task: Task, pinned: str | None = None, envelope: Envelope | None = None) -> Ranking:
        """The order in which routes would be tried now. With an unreadable store, nobody is tried."""
        routes = [route for route in self._routes if route.does == task.does]
        try:
            view = self.view()
        except StoreError:
            log.exception("The quota store cannot be read; no AI call is made until it can")
            reason = "the quota store cannot be read"
            return Ranking((), tuple(Skipped(route, reason, None) for route in routes))
        explored = None
        if self._parts.strategy == "fastest" and self._parts.rng.random() < EXPLORED:
            explored = self._parts.rng.choice(routes).name if routes else None
        kept = envelope.limits if envelope else frozenset()
        return rank(routes, view, task, Wish(self._parts.strategy, pinned, kept, explored))

    def passed_over(self) -> Mapping[str, PassedOver]:
        """When and why each route, by name, was last not the one to answer a call of this process."""
        return dict(self._passed_over)

    def view(self) -> View:
        """What stands now. Raises StoreError."""
        parts = self._parts.dispatcher
        by_limit = {s.limit: s for s in parts.quota.standings(self._limits)}
        return View(self._parts.clock.now(), by_limit, parts.health.cooldowns(), parts.history.pace())

    def open_envelope(self, task: Task, calls: int, seconds: float) -> Envelope | None:
        """Keep quota for so many typical calls free, on the best routes that have it; None if there is too little.

        Routes that are back in a moment count too. Raises StoreError.
        """
        for _ in range(LOOKS):  # somebody else may take what was seen free
            view = self.view()
            ranking = rank(self._routes, view, task, Wish(self._parts.strategy))
            soon = [s.route for s in ranking.skipped if s.until is not None and s.until <= view.now + MOMENT]
            shares = _shares([*ranking.order, *soon], view.standings, task, calls)
            if shares is None:
                return None
            if envelope := self._parts.dispatcher.quota.open_envelope(shares, seconds):
                return envelope
        return None

    def close_envelope(self, envelope: Envelope) -> None:
        """Raises StoreError; what is not closed comes back when it expires."""
        self._parts.dispatcher.quota.close(envelope)

    def _ask_once(self, wanted: Wanted[T], budget: Budget) -> Answer[T]:
        """One upstream call for all who ask the same at the same time, here or in another process."""
        task, request = wanted.task, wanted.request
        terms = Terms(keep=task.keep, wait=PATIENCE * task.deadline, lease=task.deadline + SHORTEST_ATTEMPT)
        asked: list[Answer[T]] = []

        def ask() -> str:
            answer, done = self._ask(wanted, budget)
            asked.append(answer)
            if not done.whole:
                raise _Half
            return json.dumps({"text": done.reply.text, "route": answer.route})

        try:
            key = _fingerprint(task, request)
            kept, is_new = self._parts.cache.text(key, terms, ask, lambda found: _read(found, wanted) is not None)
        except _Half:
            return asked[0]
        if is_new:
            return asked[0]
        known = _read(kept, wanted)
        assert known is not None
        self._parts.dispatcher.history.record_cache_hit(known.route.partition("/")[0])
        return known

    def _ask(self, wanted: Wanted[T], budget: Budget) -> tuple[Answer[T], Done[T]]:
        failed: list[Skipped] = []
        ranking, dispatcher = self._ranking_of(wanted), self._parts.dispatcher
        for route, seconds in self._candidates(ranking, budget, failed):
            call = _call(wanted, seconds, first=not failed)
            outcome = dispatcher.call(route, call)
            budget.count(outcome)
            last = route is ranking.order[-1]
            # The last attempt is better spent on somebody else, if there is anybody.
            if isinstance(outcome, Failed) and not budget.obstacle() and (last or budget.left > 1):
                again = _call(wanted, budget.seconds(is_last=last), first=False)
                if corrected := _again(again, outcome):
                    outcome = dispatcher.call(route, corrected)
                    budget.count(outcome)
            if isinstance(outcome, Done):
                return self._answer(ranking, outcome, failed, budget), outcome
            failed.append(outcome)
        raise self._all_out(ranking, failed, budget)

    def _candidates(
        self, ranking: Ranking, budget: Budget, failed: list[Skipped]
    ) -> Iterator[tuple[Route, float]]:
        """Each route that is worth trying, with the seconds it may take; the others go to `failed`."""
        for route in ranking.order:
            if told := _told_by(failed, route):
                failed.append(replace(told, route=route))
            elif reason := budget.obstacle():
                failed.append(Skipped(route, reason, self._parts.clock.now()))
            else:
                yield route, budget.seconds(is_last=route is ranking.order[-1])

    def _ranking_of(self, wanted: Wanted[T]) -> Ranking:
        return self.ranking(wanted.task, wanted.pinned, wanted.envelope)

    def _answer(self, ranking: Ranking, done: Done[T], failed: Sequence[Skipped], budget: Budget) -> Answer[T]:
        self._note(ranking, failed)
        return Answer(done.value, done.route.name, tuple(failed), reply=done.reply, spent=budget.spent)

    def _all_out(self, ranking: Ranking, failed: Sequence[Skipped], budget: Budget) -> AllRoutesOut:
        self._note(ranking, failed)
        skipped = [*ranking.skipped, *failed]
        soonest = min((s.until for s in skipped if s.until is not None), default=None)
        return AllRoutesOut(skipped, soonest, budget.spent)

    def _note(self, ranking: Ranking, failed: Sequence[Skipped]) -> None:
        now = self._parts.clock.now()
        self._passed_over |= {s.route.name: PassedOver(now, s.reason) for s in (*ranking.skipped, *failed)}


class _Half(Exception):
    """The reply was cut off: good enough for who asked, but not to be given to others."""


def _read(kept: str, wanted: Wanted[T]) -> Answer[T] | None:
    """What was kept, if it is still of use: the schema of a reply may have changed since."""
    try:
        found: dict[str, Any] = json.loads(kept)
        return Answer(wanted.read(found["text"]), found["route"], cached=True)
    except (BadReply, ValueError, KeyError, TypeError):
        return None


def _call(wanted: Wanted[T], seconds: float, *, first: bool) -> Call[T]:
    hurried = replace(wanted.request, timeout=min(wanted.request.timeout, seconds))
    return Call(wanted.task, hurried, wanted.read, wanted.envelope, first)


def _again(call: Call[T], failed: Failed) -> Call[T] | None:
    """The same question with the useless reply and what was wrong with it; None where that makes no sense."""
    if not isinstance(call.request, ChatRequest) or not call.request.schema or not failed.unusable:
        return None
    complaint = (Message("assistant", failed.unusable), Message("user", AGAIN.format(reason=failed.reason)))
    return replace(call, request=replace(call.request, messages=(*call.request.messages, *complaint)))


def _fingerprint(task: Task, request: ChatRequest | Recording) -> str:
    assert isinstance(request, ChatRequest)  # no task that keeps replies takes recordings
    messages = [asdict(message) for message in request.messages]
    return fingerprint(task.name, messages, request.max_tokens, request.temperature, request.schema)


def _told_by(failed: Sequence[Skipped], route: Route) -> Skipped | None:
    """The failure just seen that speaks for this route too, such as a key that was refused."""
    return next((s for s in failed if s.benched in (route.provider, route.pool, route.name)), None)


def _shares(
    order: Sequence[Route], standings: Mapping[Limit, Standing], task: Task, calls: int
) -> dict[Route, Cost] | None:
    """How much of so many typical calls each route can take, best first; None if all together cannot."""
    left = {limit: standings[limit].remaining for route in order for limit in route.limits if limit.lasting}
    shares: dict[Route, Cost] = {}
    for route in order:
        one = cost_of_usage(route, task.typical)
        rooms = [left[li] // one.of(li.unit) for li in route.limits if li in left and one.of(li.unit)]
        taken = int(min([calls, *rooms]))
        if taken:
            shares[route] = Cost(taken, taken * one.tokens, taken * one.neurons)
            for limit in set(route.limits) & left.keys():
                left[limit] -= shares[route].of(limit.unit)
        calls -= taken
    return None if calls else shares
