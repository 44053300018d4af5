"""Which route to try first. Pure: the choice, with a reason in words for everyone who lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.health import Cooldown
from core.quotas import Standing
from providers.contracts import Capability, Does, Limit, Route, Tier, Usage

Strategy = Literal["priority", "spread", "fastest"]
Merit = Callable[[Route], tuple[Any, ...]]

TYPICAL = Usage(prompt_tokens=1_500, completion_tokens=500)  # one graded answer


@dataclass(frozen=True)
class Task:
    """What a call is for.

    `deadline` bounds all attempts together, in seconds, and `attempts` how many there may be. `needs` are
    capabilities without which a route is of no use. `leaves` is the share of every lasting limit that this task
    does not touch, because others matter more. `keep` is for how many seconds a reply may be given again to the
    same question; 0 where it may not, as for everything that holds a candidate's words. `typical` is what one call
    takes, an estimate on the high side. Routes that do not do what the task `does` are no candidates at all.
    """

    name: str
    tier: Tier
    deadline: float = 40.0
    attempts: int = 5
    needs: frozenset[Capability] = frozenset()
    leaves: float = 0.0
    keep: float = 0.0
    typical: Usage = TYPICAL
    does: Does = "chat"


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
    """What the choice is made from: every limit's standing and what is cooling down, at `now`.

    `pace` is how many seconds a route has been taking, for those that were tried.
    """

    now: float
    standings: Mapping[Limit, Standing]
    cooldowns: Mapping[str, Cooldown]
    pace: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """How to choose among routes that can. `pinned` names a route that goes before all others, and then those with
    a limit in `kept`, which is kept free for this caller. `explored` goes first among the fastest."""

    strategy: Strategy = "priority"
    pinned: str | None = None
    kept: frozenset[Limit] = frozenset()
    explored: str | None = None


@dataclass(frozen=True)
class Ranking:
    order: tuple[Route, ...]
    skipped: tuple[Skipped, ...]


DEFAULT = Wish()


def rank(routes: Sequence[Route], view: View, task: Task, wish: Wish = DEFAULT) -> Ranking:
    """Best route first; one that lacks a capability, cools down or has nothing left is skipped, with a reason."""
    routes = [route for route in routes if route.does == task.does]
    skipped = [s for route in routes if (s := _obstacle(route, view, task, wish))]
    out = {s.route for s in skipped}
    merit = _merit(view, wish)

    def place(route: Route) -> tuple[Any, ...]:
        wished = route.name != wish.pinned, wish.kept.isdisjoint(route.limits), route.tier != task.tier
        return *wished, *merit(route), route.name

    return Ranking(tuple(sorted((r for r in routes if r not in out), key=place)), tuple(skipped))


def _merit(view: View, wish: Wish) -> Merit:
    """`priority`: the operator's order, then the most lasting quota left. `spread`: the largest share left of
    every limit, so that all drain evenly and no minute runs full. `fastest`: as observed, the untried first."""
    strategies: Mapping[Strategy, Merit] = {
        "priority": lambda route: (route.priority, _taken(route, view, lasting=True)),
        "spread": lambda route: (_taken(route, view, lasting=False), route.priority),
        "fastest": lambda route: (route.name != wish.explored, view.pace.get(route.name, 0.0), route.priority),
    }
    return strategies[wish.strategy]


def _obstacle(route: Route, view: View, task: Task, wish: Wish) -> Skipped | None:
    """What keeps the route from being worth a call now, the one that lasts longest; None if nothing does."""
    found = [Skipped(route, f"has no {lacking}", None) for lacking in sorted(task.needs - route.capabilities)]
    covering = (view.cooldowns.get(subject) for subject in dict.fromkeys((route.provider, route.pool, route.name)))
    # A refused key is tried again in time, but nobody should count on that: it takes a person.
    found += [Skipped(route, c.reason, None if c.key_id else max(c.until, c.trial_until)) for c in covering if c]
    for limit in route.limits:
        if limit not in wish.kept and (reason := _used_up(view.standings[limit], task)):
            found.append(Skipped(route, reason, view.standings[limit].resets_at))
    return max(found, key=lambda s: math.inf if s.until is None else s.until, default=None)


def _used_up(standing: Standing, task: Task) -> str | None:
    if standing.remaining < 1:
        return f"{standing.limit.what} used up"
    if standing.limit.lasting and standing.remaining < 1 + task.leaves * standing.amount:
        return f"the last {task.leaves:.0%} of {standing.limit.what} are kept for scoring answers"
    return None


def _taken(route: Route, view: View, *, lasting: bool) -> float:
    """Share of the tightest limit that is gone, of the lasting ones or of all."""
    return max((view.standings[li].share for li in route.limits if li.lasting or not lasting), default=0.0)
