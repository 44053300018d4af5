"""Which route to try first. Pure: the choice, with a reason in words for everyone who lost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.health import Cooldown
from core.quotas import Standing
from providers.contracts import Limit, Route, Tier


@dataclass(frozen=True)
class Task:
    """What a call is for. `deadline` bounds all attempts together, in seconds."""

    name: str
    tier: Tier
    deadline: float = 40.0


@dataclass(frozen=True)
class Skipped:
    """A route that is not worth a call now. `until` is when that may change, None if waiting will not help.

    `benched` names the route, pool or provider that its failure has just put to rest.
    """

    route: Route
    reason: str
    until: float | None
    benched: str | None = None


@dataclass(frozen=True)
class View:
    """What the choice is made from: every limit's standing and what is cooling down, at `now`."""

    now: float
    standings: Mapping[Limit, Standing]
    cooldowns: Mapping[str, Cooldown]


@dataclass(frozen=True)
class Ranking:
    order: tuple[Route, ...]
    skipped: tuple[Skipped, ...]


def rank(routes: Sequence[Route], view: View, task: Task, pinned: str | None = None) -> Ranking:
    """Best route first: the pinned one, then the task's tier, the operator's order, the most quota left.

    Routes that are cooling down or have not one unit left on some limit are skipped, with the reason.
    """
    skipped = [s for route in routes if (s := _obstacle(route, view))]
    out = {s.route for s in skipped}

    def merit(route: Route) -> tuple[bool, bool, int, float, str]:
        return route.name != pinned, route.tier != task.tier, route.priority, _taken(route, view), route.name

    return Ranking(tuple(sorted((r for r in routes if r not in out), key=merit)), tuple(skipped))


def _obstacle(route: Route, view: View) -> Skipped | None:
    """What keeps the route from being worth a call now, the one that lasts longest; None if nothing does."""
    covering = (view.cooldowns.get(subject) for subject in (route.provider, route.pool, route.name))
    # A refused key is tried again in time, but nobody should count on that: it takes a person.
    found = [Skipped(route, c.reason, None if c.key_id else max(c.until, c.trial_until)) for c in covering if c]
    for standing in (view.standings[limit] for limit in route.limits):
        if standing.remaining < 1:
            reason = f"{standing.limit.what} used up"
            found.append(Skipped(route, reason, standing.resets_at))
    return max(found, key=lambda s: math.inf if s.until is None else s.until, default=None)


def _taken(route: Route, view: View) -> float:
    """Share of the tightest lasting limit that is gone; minute limits come back too soon to matter."""
    return max((view.standings[li].share for li in route.limits if li.lasting), default=0.0)
