"""The quota ledger in the balancer's words: reserve a route, settle it with the truth, say what stands.

Never over: a reservation is one atomic step over every limit of the route. Never under: the last unit is usable.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from core import windows
from core.stores.contract import Claim, Counter, Hold, Ledger, Lesson
from providers.contracts import ChargeRules, ChatRequest, Clock, Limit, Recording, Route, Told, Unit, Usage
from providers.errors import Outcome

HOLD_SECONDS = 180.0
BYTES_PER_TOKEN = 3.5  # English prose runs at about 4; erring low holds a little more than is needed


@dataclass(frozen=True)
class Cost:
    """What one call takes from each kind of limit."""

    requests: int
    tokens: int
    neurons: float
    seconds: float = 0.0

    def of(self, unit: Unit) -> float:
        return {
            "requests": self.requests,
            "tokens": self.tokens,
            "neurons": self.neurons,
            "seconds": self.seconds,
            "concurrent": 1,
        }[unit]


NOTHING = Cost(0, 0, 0.0)


@dataclass(frozen=True)
class Envelope:
    """Quota kept free for a whole interview until `expires`; `limits` are those that it is held on."""

    id: str
    limits: frozenset[Limit]
    expires: float


@dataclass(frozen=True)
class Reservation:
    """A hold on every limit of a route for one call. `estimate` is what it holds."""

    hold: Hold
    route: Route
    estimate: Cost


@dataclass(frozen=True)
class Decision:
    """Either a reservation, or the limit that said no and how many seconds until it may say yes.

    `wait` is None where waiting will not help, because the call is larger than the whole limit.
    """

    reservation: Reservation | None
    limit: Limit | None = None
    wait: float | None = 0.0


@dataclass(frozen=True)
class Standing:
    """What stands on one limit. `cap` is a lower amount that the provider told us of, None if it did not."""

    limit: Limit
    used: float
    held: float
    resets_at: float
    cap: float | None = None

    @property
    def amount(self) -> float:
        """What we go by: the catalogue's amount, or the lower one that was learnt."""
        return self.limit.amount if self.cap is None else self.cap

    @property
    def source(self) -> str:
        return "catalogue" if self.cap is None else "learned"

    @property
    def remaining(self) -> float:
        return max(0.0, self.amount - self.used - self.held)

    @property
    def share(self) -> float:
        """Part of the amount that is taken, 0 to 1 (more after a limit was lowered)."""
        return (self.used + self.held) / self.amount


def estimate(route: Route, request: ChatRequest | Recording) -> Cost:
    """The most that a call is likely to take, held until it is settled.

    Bytes and not characters are counted, because scripts that need more bytes need more tokens too.
    """
    if isinstance(request, Recording):
        return cost_of_usage(route, Usage(0, 0, seconds=request.seconds))
    return cost_of_usage(route, Usage(_prompt_tokens(route, request), request.max_tokens))


def _prompt_tokens(route: Route, request: ChatRequest) -> int:
    sent = [m.content for m in request.messages]
    if request.schema is not None and route.json == "schema":
        sent.append(json.dumps(request.schema))
    return sum(map(_tokens, sent))


def _tokens(text: str) -> int:
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def cost_of_usage(route: Route, usage: Usage) -> Cost:
    """Neurons come from the reply when it tells them, else from the model's rates for tokens and for speech."""
    rate_in, rate_out = route.neurons_per_million or (0.0, 0.0)
    seconds = max(route.least_seconds, usage.seconds)
    neurons = (usage.prompt_tokens * rate_in + usage.completion_tokens * rate_out) / 1e6
    neurons += seconds / 60 * route.neurons_per_minute
    return Cost(1, usage.total_tokens, round(neurons if usage.neurons is None else usage.neurons, 3), seconds)


def cost_of_failure(reservation: Reservation, outcome: Outcome, usage: Usage | None) -> Cost:
    """What a failed call cost by the provider's charge rules. In doubt it is charged in full."""
    rules: ChargeRules = reservation.route.charge
    if outcome == "answered":
        return cost_of_usage(reservation.route, usage) if usage else reservation.estimate
    if outcome == "no_reply":
        return reservation.estimate if rules.no_reply else NOTHING
    charged = {
        "not_sent": False,
        "unauthorised": False,
        "rate_limited": rules.rate_limited,
        "server_error": rules.server_error,
        "rejected": True,
    }[outcome]
    return Cost(1, 0, 0.0) if charged else NOTHING


def cost_of_leaving(reservation: Reservation, request: ChatRequest | Recording, received: str) -> Cost:
    """What a stream cost that nobody read to its end: all of it, unless the provider stops when it is left."""
    if isinstance(request, Recording) or not reservation.route.charge.stops_when_left:
        return reservation.estimate
    usage = Usage(_prompt_tokens(reservation.route, request), min(_tokens(received), request.max_tokens))
    return cost_of_usage(reservation.route, usage)


class QuotaManager:
    """Every method may raise StoreError."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._counters: dict[Limit, Counter] = {}

    def reserve(self, route: Route, cost: Cost, leaves: float = 0.0, envelope: Envelope | None = None) -> Decision:
        """Hold `cost` on every limit of the route, or none of it.

        `leaves` is the share of each lasting limit that must stay free for other tasks. What is promised to the
        `envelope` is open to this call, and is drawn down by it.
        """
        now = self._clock.now()
        claims = tuple(self._claim(limit, cost, now, leaves) for limit in route.limits)
        hold = Hold(uuid.uuid4().hex, claims, envelope.id if envelope else "")
        refusal = self._ledger.reserve(hold, now, HOLD_SECONDS)
        if refusal is None:
            return Decision(Reservation(hold, route, cost))
        limit = route.limits[claims.index(refusal.claim)]
        if refusal.claim.cost > (1 - refusal.claim.leave) * limit.amount:
            return Decision(None, limit, None)
        free_at = refusal.free_at or windows.resets_at(limit.window, limit.zone, now)
        return Decision(None, limit, max(0.0, free_at - now))

    def settle(self, reservation: Reservation, cost: Cost, told: Iterable[Told] = (), good: bool = False) -> bool:
        """Charge what the call really cost. False if it was settled before or too late; then nothing changes.

        `told` is what the provider said of its limits, and `good` whether it answered: a limit that was lowered
        by its word is raised again only by a good call after the reset.
        """
        limits = reservation.route.limits
        costs = {limit.key: cost.of(limit.unit) for limit in limits}
        said = {(each.unit, each.window): each if good else _refusing(each) for each in told}
        lesson = Lesson(good, {li.key: each for li in limits if (each := said.get((li.unit, li.window)))})
        return self._ledger.settle(reservation.hold, costs, self._clock.now(), lesson)

    def release(self, reservation: Reservation) -> bool:
        """Nothing was sent: give everything back."""
        return self.settle(reservation, NOTHING)

    def open_envelope(self, shares: Mapping[Route, Cost], seconds: float) -> Envelope | None:
        """Keep each route's share free on its lasting limits for so long, all of them or none; None if there is
        no room."""
        now = self._clock.now()
        envelope = uuid.uuid4().hex
        needed: dict[Limit, float] = {}
        for route, cost in shares.items():
            for limit in route.limits:
                if limit.lasting:
                    needed[limit] = needed.get(limit, 0.0) + cost.of(limit.unit)
        claims = [Claim(self._counter(limit, now), amount) for limit, amount in needed.items()]
        if self._ledger.promise(envelope, claims, now, seconds):
            return None
        return Envelope(envelope, frozenset(needed), now + seconds)

    def draw(self, envelope: Envelope, route: Route, cost: Cost) -> Decision:
        """Reserve a call out of the envelope, and what it lacks out of what is free."""
        return self.reserve(route, cost, envelope=envelope)

    def close(self, envelope: Envelope) -> None:
        """Give back what the envelope still keeps. Calls under way stay reserved."""
        now = self._clock.now()
        self._ledger.promise(envelope.id, [Claim(self._counter(li, now), 0.0) for li in envelope.limits], now, 0.0)

    def standings(self, limits: Iterable[Limit]) -> tuple[Standing, ...]:
        """What stands on each limit, shared ones once."""
        now = self._clock.now()
        unique = list(dict.fromkeys(limits))
        counters = [self._counter(limit, now) for limit in unique]
        levels = self._ledger.levels(counters, now)
        found = []
        for limit, counter, level in zip(unique, counters, levels, strict=True):
            resets_at = level.frees_at or counter.ends or now + counter.span
            found.append(Standing(limit, level.used, level.held, resets_at, level.cap))
        return tuple(found)

    def _claim(self, limit: Limit, cost: Cost, now: float, leaves: float) -> Claim:
        return Claim(self._counter(limit, now), cost.of(limit.unit), leaves if limit.lasting else 0.0)

    def _counter(self, limit: Limit, now: float) -> Counter:
        """Made once per window, because asking a calendar what day it is costs more than everything else."""
        known = self._counters.get(limit)
        if known and (known.kind != "calendar" or known.begins <= now < known.ends):
            return known
        period = windows.period(limit.window, limit.zone, now)
        names, times = (period.id, period.next_id), (period.begins, period.ends)
        made = Counter(
            limit.key, windows.kind(limit.window), limit.amount, *names, *times, windows.span(limit.window)
        )
        self._counters[limit] = made
        return made


def _refusing(told: Told) -> Told:
    """What a refusal tells. When what slides is back, the cooldown knows better than a whole window from now."""
    return replace(told, remaining=None) if windows.kind(told.window) == "sliding" else told
