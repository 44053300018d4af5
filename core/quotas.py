"""The quota ledger in the balancer's words: reserve a route, settle it with the truth, say what stands.

Never over: a reservation is one atomic step over every limit of the route. Never under: the last unit is usable.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from core import windows
from core.stores.contract import Claim, Ledger, Level
from providers.contracts import ChargeRules, ChatRequest, Clock, Limit, Outcome, Route, Unit, Usage

HOLD_SECONDS = 180.0
BYTES_PER_TOKEN = 3.5  # English prose runs at about 4; erring low holds a little more than is needed


@dataclass(frozen=True)
class Cost:
    """What one call takes from each kind of limit."""

    requests: int
    tokens: int
    neurons: float

    def of(self, unit: Unit) -> float:
        amounts = {"requests": self.requests, "tokens": self.tokens, "neurons": self.neurons, "concurrent": 1}
        return amounts[unit]


NOTHING = Cost(0, 0, 0.0)


@dataclass(frozen=True)
class Reservation:
    """A hold on every limit of a route for one call. `estimate` is what it holds."""

    id: str
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

    @property
    def allowed(self) -> bool:
        return self.reservation is not None


@dataclass(frozen=True)
class Standing:
    """What stands on one limit. `source` says where the limit's amount comes from."""

    limit: Limit
    used: float
    held: float
    resets_at: float
    source: str = "catalogue"

    @property
    def remaining(self) -> float:
        return max(0.0, self.limit.amount - self.used - self.held)

    @property
    def share(self) -> float:
        """Part of the limit that is taken, 0 to 1 (more after a limit was lowered)."""
        return (self.used + self.held) / self.limit.amount


def estimate(route: Route, request: ChatRequest) -> Cost:
    """The most that a call is likely to take, held until it is settled.

    Bytes and not characters are counted, because scripts that need more bytes need more tokens too.
    """
    sent = [m.content for m in request.messages]
    if request.schema is not None and route.json == "schema":
        sent.append(json.dumps(request.schema))
    prompt = math.ceil(sum(len(text.encode()) for text in sent) / BYTES_PER_TOKEN)
    return cost_of_usage(route, Usage(prompt, request.max_tokens))


def cost_of_usage(route: Route, usage: Usage) -> Cost:
    """Neurons come from the reply when it tells them, else from the model's rates per million tokens."""
    rate_in, rate_out = route.neurons_per_million or (0.0, 0.0)
    neurons = (usage.prompt_tokens * rate_in + usage.completion_tokens * rate_out) / 1e6
    return Cost(1, usage.total_tokens, round(neurons if usage.neurons is None else usage.neurons, 3))


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


@dataclass
class QuotaManager:
    ledger: Ledger
    clock: Clock

    def reserve(self, route: Route, cost: Cost) -> Decision:
        """Hold `cost` on every limit of the route, or none of it. Raises StoreError."""
        now = self.clock.now()
        hold = uuid.uuid4().hex
        claims = [claim(limit, cost.of(limit.unit), now) for limit in route.limits]
        refusal = self.ledger.reserve(hold, claims, now, HOLD_SECONDS)
        if refusal is None:
            return Decision(Reservation(hold, route, cost))
        limit = route.limits[claims.index(refusal.claim)]
        if refusal.claim.cost > limit.amount:
            return Decision(None, limit, None)
        free_at = refusal.free_at or windows.resets_at(limit.window, limit.zone, now)
        return Decision(None, limit, max(0.0, free_at - now))

    def settle(self, reservation: Reservation, cost: Cost) -> bool:
        """Charge what the call really cost. False if it was settled before; then nothing changes."""
        costs = {limit.key: cost.of(limit.unit) for limit in reservation.route.limits}
        return self.ledger.settle(reservation.id, costs, self.clock.now())

    def standings(self, limits: Iterable[Limit]) -> tuple[Standing, ...]:
        """What stands on each limit, shared ones once. Raises StoreError."""
        now = self.clock.now()
        unique = list(dict.fromkeys(limits))
        levels = self.ledger.levels([claim(limit, 0, now) for limit in unique], now)
        return tuple(_standing(limit, level, now) for limit, level in zip(unique, levels, strict=True))


def claim(limit: Limit, cost: float, now: float) -> Claim:
    return Claim(
        key=limit.key,
        kind=windows.kind(limit.window),
        ceiling=limit.amount,
        cost=cost,
        window=windows.window_id(limit.window, limit.zone, now),
        next_window=windows.next_window_id(limit.window, limit.zone, now),
        span=windows.span(limit.window),
    )


def _standing(limit: Limit, level: Level, now: float) -> Standing:
    resets_at = level.frees_at or windows.resets_at(limit.window, limit.zone, now)
    return Standing(limit, level.used, level.held, resets_at)
