"""LoadBalancer: rank -> reserve -> call -> settle, or learn and go on to the next route."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from core import quotas
from core.health import TRIAL_SECONDS, Cooldown, Health
from core.policy import Ranking, Skipped, Task, View, rank
from core.quotas import Cost, QuotaManager, Reservation
from core.stores.contract import StoreError
from providers.contracts import (
    BadReply,
    ChatReply,
    ChatRequest,
    Clock,
    Provider,
    ProviderError,
    Refused,
    Route,
)

SHORTEST_ATTEMPT = 0.2  # seconds; with less no provider can answer, and asking would only cost quota
log = logging.getLogger(__name__)
T = TypeVar("T")


class AllRoutesOut(Exception):
    """No route can take the call. `skipped` says why, one by one; `soonest` when one may be back, if known."""

    def __init__(self, skipped: Sequence[Skipped], soonest: float | None) -> None:
        super().__init__("; ".join(f"{s.route.name}: {s.reason}" for s in skipped) or "no provider is configured")
        self.skipped = tuple(skipped)
        self.soonest = soonest


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A reply that passed its check, and who gave it. `failed` are the routes that were tried before."""

    value: T
    route: Route
    failed: tuple[Skipped, ...]


class LoadBalancer:
    """One call goes to the best route that has quota for it, and on to the next one whenever a route fails."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        routes: Sequence[Route],
        quota: QuotaManager,
        health: Health,
        clock: Clock,
    ) -> None:
        self._providers = providers
        self._routes = tuple(routes)
        self._quota = quota
        self._health = health
        self._clock = clock

    def complete(
        self, task: Task, request: ChatRequest, read: Callable[[str], T], pinned: str | None = None
    ) -> Answer[T]:
        """The first reply that `read` accepts (it raises BadReply for one that is of no use).

        Raises AllRoutesOut when nobody could answer in time, Refused when the request itself is the trouble.
        """
        give_up = self._clock.monotonic() + task.deadline
        ranking = self.ranking(task, pinned)
        failed: list[Skipped] = []
        for route in ranking.order:
            left = give_up - self._clock.monotonic()
            if left < SHORTEST_ATTEMPT:
                failed.append(Skipped(route, "no time was left to try it", self._clock.now()))
                continue
            if told := _told_by(failed, route):
                failed.append(replace(told, route=route))
                continue
            # Half of what is left, so that a provider that hangs leaves time for those behind it.
            share = left if route is ranking.order[-1] else max(left / 2, SHORTEST_ATTEMPT)
            hurried = replace(request, timeout=min(request.timeout, share))
            outcome = self._attempt(route, hurried, read)
            if not isinstance(outcome, Skipped):
                return Answer(outcome[0], route, tuple(failed))
            failed.append(outcome)
        raise _all_out([*ranking.skipped, *failed])

    def ranking(self, task: Task, pinned: str | None = None) -> Ranking:
        """The order in which routes would be tried now. With an unreadable store, nobody is tried."""
        try:
            return rank(self._routes, self._view(), task, pinned)
        except StoreError:
            log.exception("The quota store cannot be read; no AI call is made until it can")
            reason = "the quota store cannot be read"
            return Ranking((), tuple(Skipped(route, reason, None) for route in self._routes))

    def _view(self) -> View:
        standings = self._quota.standings(limit for route in self._routes for limit in route.limits)
        by_limit = {s.limit: s for s in standings}
        return View(self._clock.now(), by_limit, self._health.cooldowns())

    def _attempt(self, route: Route, request: ChatRequest, read: Callable[[str], T]) -> tuple[T] | Skipped:
        try:
            decision = self._quota.reserve(route, quotas.estimate(route, request))
            admission = self._health.admit(route) if decision.reservation else "open"
        except StoreError:
            log.exception("The quota store failed; %s is not called", route.name)
            return Skipped(route, "the quota store failed", None)
        if decision.reservation is None:
            assert decision.limit is not None
            what = decision.limit.what
            if decision.wait is None:
                return Skipped(route, f"the call is larger than all {what}", None)
            return Skipped(route, f"{what} used up", self._clock.now() + decision.wait)
        if admission == "wait":
            self._settle(decision.reservation, quotas.NOTHING)
            return Skipped(route, "another call is trying it out", self._clock.now() + TRIAL_SECONDS)
        works = True  # unless the call benches somebody: also a refusal or a useless reply is a sign of life
        try:
            outcome = self._call(decision.reservation, request, read)
            works = not (isinstance(outcome, Skipped) and outcome.benched)
            return outcome
        finally:
            if admission == "trial" and works:
                self._proven(route)

    def _call(self, held: Reservation, request: ChatRequest, read: Callable[[str], T]) -> tuple[T] | Skipped:
        route = held.route
        try:
            reply = self._providers[route.provider].complete(route, request)
            value = _check(reply, read)
        except ProviderError as error:
            self._settle(held, quotas.cost_of_failure(held, error.outcome, error.usage))
            if isinstance(error, Refused):
                raise
            log.warning("%s failed: %s", route.name, error)
            cooldown = self._learn(route, error)
            if cooldown is None:
                return Skipped(route, str(error), None)
            return Skipped(route, str(error), cooldown.until, cooldown.subject)
        self._settle(held, quotas.cost_of_usage(route, reply.usage) if reply.usage else held.estimate)
        return (value,)

    def _proven(self, route: Route) -> None:
        with _store_trouble_is_logged("cleared"):
            self._health.proven(route)

    def _settle(self, held: Reservation, cost: Cost) -> None:
        """What cannot be settled stays charged as held, which errs on the safe side; the answer is not lost."""
        with _store_trouble_is_logged("settled"):
            self._quota.settle(held, cost)

    def _learn(self, route: Route, error: ProviderError) -> Cooldown | None:
        with _store_trouble_is_logged("benched"):
            return self._health.learn(route, error)
        return None


@contextmanager
def _store_trouble_is_logged(verb: str) -> Iterator[None]:
    try:
        yield
    except StoreError:
        log.exception("The store failed after a call; nothing was %s", verb)


def _check(reply: ChatReply, read: Callable[[str], T]) -> T:
    """What `read` makes of the reply; its BadReply carries the usage, because the call was answered and paid."""
    try:
        return read(reply.text)
    except BadReply as error:
        raise BadReply(str(error), usage=reply.usage) from None


def _told_by(failed: Sequence[Skipped], route: Route) -> Skipped | None:
    """The failure just seen that speaks for this route too, such as a key that was refused."""
    return next((s for s in failed if s.benched in (route.provider, route.pool, route.name)), None)


def _all_out(skipped: Sequence[Skipped]) -> AllRoutesOut:
    return AllRoutesOut(skipped, min((s.until for s in skipped if s.until is not None), default=None))
