"""One quota counter as a JSON row, and what may happen to it. Pure; the store adds atomicity.

A calendar counter keeps `used` {window: cost}, the last few windows of it; a sliding one `entries`
[[at, cost, hold]...]; a refilling one how much is `drained` as of `at`. `open` {hold: [cost, expires, window]} are
the holds not settled yet. They are part of what is spent from the moment they are made; one that expires unsettled
stays charged, except that a concurrent counter is nothing but its open holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.stores.contract import Claim, Level

WINDOWS_KEPT = 3
SLACK = 1e-9  # sums of fractional neurons may miss a whole number by this much


@dataclass
class Row:
    used: dict[str, float] = field(default_factory=dict)
    entries: list[tuple[float, float, str]] = field(default_factory=list)
    drained: float = 0.0
    at: float = 0.0
    open: dict[str, tuple[float, float, str]] = field(default_factory=dict)

    def spent(self, claim: Claim) -> float:
        """What counts against the claim. If the host clock has stepped back, later windows count as well:
        the provider's day did not turn because our clock ran ahead."""
        if claim.kind == "calendar":
            total = sum(cost for window, cost in self.used.items() if window >= claim.window)
        elif claim.kind == "sliding":
            total = sum(cost for _, cost, _ in self.entries)
        elif claim.kind == "refill":
            total = self.drained
        else:
            total = sum(cost for cost, _, _ in self.open.values())
        return round(total, 6)

    def level(self, claim: Claim) -> Level:
        held = round(sum(cost for cost, _, window in self.open.values() if window >= claim.window), 6)
        held = min(held, self.spent(claim))
        return Level(round(self.spent(claim) - held, 6), held, self._frees_at(claim))

    def _frees_at(self, claim: Claim) -> float | None:
        if claim.kind == "sliding":
            return min((at + claim.span for at, cost, _ in self.entries if cost), default=None)
        if claim.kind == "refill" and self.drained:
            return (
                self.at
                + max(0.0, min(self.drained, self.drained + 1 - claim.ceiling)) * claim.span / claim.ceiling
            )
        if claim.kind == "concurrent":
            return min((expires for _, expires, _ in self.open.values()), default=None)
        return None


def turn(row: Row, claim: Claim, now: float) -> Row:
    """The row as it stands at `now`: without what has come back and holds that have expired.

    Charges to windows beyond the next one were made while the clock ran wild, so they are charged to this one.
    """
    entries = [e for e in row.entries if e[0] > now - claim.span]
    live = {hold for _, _, hold in entries}
    is_open = {h: v for h, v in row.open.items() if v[1] > now and (claim.kind != "sliding" or h in live)}
    tamed = {w: min(w, claim.window) if w > claim.next_window else w for w in row.used}
    used: dict[str, float] = {}
    for window, cost in row.used.items():
        used[tamed[window]] = used.get(tamed[window], 0.0) + cost
    drained, at = _refilled(row, claim, now) if claim.kind == "refill" else (0.0, 0.0)
    return Row(used, entries, drained, at, {h: (c, e, tamed.get(w, w)) for h, (c, e, w) in is_open.items()})


def fits(row: Row, claim: Claim) -> bool:
    return row.spent(claim) + claim.cost <= claim.ceiling + SLACK


def free_at(row: Row, claim: Claim) -> float | None:
    """When there will be room for the claim; None for a calendar counter or a hopeless claim."""
    spent = row.spent(claim)
    over = spent + claim.cost - claim.ceiling
    if claim.cost > claim.ceiling or claim.kind == "calendar":
        return None
    if claim.kind == "refill":
        return row.at + over * claim.span / claim.ceiling
    ends = [(e, c) for c, e, _ in row.open.values()]
    if claim.kind == "sliding":
        ends = [(at + claim.span, cost) for at, cost, _ in row.entries]
    for end, cost in sorted(ends):
        over -= cost
        if over <= SLACK:
            return end
    return None


def charge(row: Row, claim: Claim, hold: str, now: float, expires: float) -> str:
    """Put the claim on the row as an open hold; returns the window it is charged to.

    That is the claim's own, or a later one already begun: after a step back nobody can tell which clock was right.
    """
    window = max(claim.window, *row.used) if row.used else claim.window
    if claim.kind == "sliding":
        row.entries.append((now, claim.cost, hold))
    elif claim.kind == "refill":
        row.drained += claim.cost
    elif claim.kind == "calendar":
        row.used = {**row.used, window: row.used.get(window, 0.0) + claim.cost}
        row.used = {name: row.used[name] for name in sorted(row.used)[-WINDOWS_KEPT:]}
    row.open[hold] = (claim.cost, expires, window)
    return window


def settle(row: Row, hold: str, held: Claim, cost: float, since: float) -> None:
    """Put `cost` in place of what was held, where it was held. Windows long gone stay as they are.

    `held` is the claim as it was charged, `since` how many seconds ago that was. A refilling budget gets back only
    what time has not given back already, else a refund would mint quota.
    """
    _, _, window = row.open.pop(hold, (0.0, 0.0, held.window))
    if held.kind == "refill":
        back = max(0.0, held.cost - cost - since * held.ceiling / held.span)
        row.drained = max(0.0, row.drained + max(0.0, cost - held.cost) - back)
    elif window in row.used:
        row.used[window] = max(0.0, row.used[window] + cost - held.cost)
    row.entries = [(at, cost if h == hold else c, h) for at, c, h in row.entries]


def _refilled(row: Row, claim: Claim, now: float) -> tuple[float, float]:
    """What is still drained, as of when. A clock that steps back refills nothing; one far ahead is tamed."""
    if row.at > now:
        return row.drained, row.at if row.at - now <= claim.span else now
    return max(0.0, row.drained - (now - row.at) * claim.ceiling / claim.span), now
