"""The state of the whole balancer as one value, for the operations page and the JSON API alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.alerts import Alert, limit_alerts, trouble_alerts
from core.balancer import LoadBalancer, PassedOver
from core.health import Cooldown
from core.policy import Ranking, Skipped, Task, View, Wish, rank
from core.quotas import Standing, cost_of_usage
from providers.contracts import Limit, Route, Usage
from providers.registry import Fleet

TYPICAL_CALL = Usage(prompt_tokens=1_500, completion_tokens=500)  # one graded answer, an estimate on the high side
CALLS_PER_INTERVIEW = 8  # eight questions, one call each


@dataclass(frozen=True)
class ProviderStatus:
    """`calls_left` is None where nothing is counted (a server of one's own). `resting` says why none is active."""

    name: str
    label: str
    standings: tuple[Standing, ...]
    calls_left: int | None
    resting: str | None
    cooldowns: tuple[Cooldown, ...]

    @property
    def tightest(self) -> Standing | None:
        """The lasting limit with the largest share gone, or the tightest minute limit where there is no other."""
        lasting = [s for s in self.standings if s.limit.lasting]
        return max(lasting or self.standings, key=lambda s: s.share, default=None)


@dataclass(frozen=True)
class SystemStatus:
    """`passed_over` tells of each route, by name, when and why it last was not the one to answer."""

    providers: tuple[ProviderStatus, ...]
    ranking: Ranking
    passed_over: Mapping[str, PassedOver]
    off: Mapping[str, str]
    alerts: tuple[Alert, ...]
    timestamp: float

    @property
    def total_requests_remaining(self) -> int:
        return sum(p.calls_left or 0 for p in self.providers)

    @property
    def estimated_interviews_remaining(self) -> int:
        return self.total_requests_remaining // CALLS_PER_INTERVIEW

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Active providers whose calls nobody counts, so that no number of them can be told."""
        return tuple(p.label for p in self.providers if p.calls_left is None and p.resting is None)

    @property
    def providers_active(self) -> int:
        return sum(p.resting is None for p in self.providers)

    def as_json(self) -> dict[str, Any]:
        return {
            "quotas": {p.name: _quota_json(p) for p in self.providers},
            "total_requests_remaining": self.total_requests_remaining,
            "estimated_interviews_remaining": self.estimated_interviews_remaining,
            "providers_active": self.providers_active,
            "alerts": [{"level": a.level, "provider": a.provider, "message": a.message} for a in self.alerts],
            "timestamp": _iso(self.timestamp),
        }


class StatusReader:
    """Reads what stands now, and in which order the routes would be tried for `task`.

    Raises StoreError when the ledger cannot be read.
    """

    def __init__(self, fleet: Fleet, balancer: LoadBalancer, task: Task) -> None:
        self._fleet = fleet
        self._balancer = balancer
        self._task = task

    def read(self) -> SystemStatus:
        view = self._balancer.view()
        ranking = rank(self._fleet.routes, view, self._task, Wish(self._balancer.strategy))
        found = tuple(self._provider(name, view, ranking) for name in self._fleet.providers)
        alerts = [a for p in found for a in trouble_alerts(p.name, p.label, p.cooldowns)]
        alerts += [a for p in found for a in limit_alerts(p.name, p.label, p.standings)]
        return SystemStatus(found, ranking, self._balancer.passed_over(), self._fleet.off, tuple(alerts), view.now)

    def _provider(self, name: str, view: View, ranking: Ranking) -> ProviderStatus:
        routes = [r for r in self._fleet.routes if r.provider == name]
        obstacles = {s.route: s for s in ranking.skipped if s.route.provider == name}
        reasons = [o.reason for o in obstacles.values()]
        counted = [r for r in routes if _back_in_time(r, obstacles.get(r), view.standings)]
        mine = {name} | {r.name for r in routes} | {r.pool for r in routes}
        return ProviderStatus(
            name=name,
            label=self._fleet.catalog[name].label,
            standings=_in_order(view.standings, routes),
            calls_left=calls_left(counted, view.standings),
            resting="; ".join(dict.fromkeys(reasons)) if len(reasons) == len(routes) else None,
            cooldowns=tuple(c for s, c in view.cooldowns.items() if s in mine),
        )


def calls_left(routes: Sequence[Route], standings: Mapping[Limit, Standing]) -> int | None:
    """How many typical calls the lasting limits of these routes of one provider still allow together.

    Each pool allows what its own limits allow; the account's limits bound the sum.
    None if nothing lasting is counted.
    """
    if not routes:
        return 0
    own: dict[str, float] = {}
    shared = 0.0
    for route in routes:
        rooms = {li: _room(route, standings[li]) for li in route.limits if li.lasting}
        mine = min((room for li, room in rooms.items() if li.pool != route.provider), default=math.inf)
        own[route.pool] = max(own.get(route.pool, 0.0), mine)
        shared = max(
            shared, min((room for li, room in rooms.items() if li.pool == route.provider), default=math.inf)
        )
    left = min(sum(own.values()), shared)
    return None if math.isinf(left) else int(left)


def _back_in_time(route: Route, obstacle: Skipped | None, standings: Mapping[Limit, Standing]) -> bool:
    """Will the route take calls again before its lasting limits turn? Then what they leave still counts."""
    if obstacle is None:
        return True
    turns = min((standings[li].resets_at for li in route.limits if li.lasting), default=math.inf)
    return obstacle.until is not None and obstacle.until < turns


def _room(route: Route, standing: Standing) -> float:
    cost = cost_of_usage(route, TYPICAL_CALL).of(standing.limit.unit)
    return standing.remaining // cost if cost else math.inf


def _in_order(standings: Mapping[Limit, Standing], routes: Iterable[Route]) -> tuple[Standing, ...]:
    return tuple(standings[li] for li in dict.fromkeys(li for r in routes for li in r.limits))


def _quota_json(provider: ProviderStatus) -> dict[str, Any]:
    rows = [_standing_json(s) for s in provider.standings]
    tightest = provider.tightest
    headline = _standing_json(tightest) if tightest else {}
    keys = ("limit", "used", "remaining", "percentage_used")
    return {**{k: headline.get(k) for k in keys}, "calls_left": provider.calls_left, "standings": rows}


def _standing_json(standing: Standing) -> dict[str, Any]:
    limit = standing.limit
    return {
        "pool": limit.pool,
        "unit": limit.unit,
        "window": limit.window,
        "limit": standing.amount,
        "used": standing.used,
        "held": standing.held,
        "remaining": standing.remaining,
        "percentage_used": round(100 * standing.share, 1),
        "resets_at": _iso(standing.resets_at),
        "source": standing.source,
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
