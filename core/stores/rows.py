"""One quota counter as a JSON row, and what may happen to it. Pure; the store adds atomicity.

A calendar counter keeps `used` {window: cost}, the last few windows of it; a sliding one `entries`
[[at, cost, hold]...]. `open` {hold: [cost, expires, window]} are the holds not settled yet. They are part of what
is spent from the moment they are made; one that expires unsettled simply stays charged.
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
    open: dict[str, tuple[float, float, str]] = field(default_factory=dict)

    def spent(self, claim: Claim) -> float:
        """What counts against the claim. If the host clock has stepped back, later windows count as well:
        the provider's day did not turn because our clock ran ahead."""
        calendar = sum(cost for window, cost in self.used.items() if window >= claim.window)
        return round(calendar + sum(cost for _, cost, _ in self.entries), 6)

    def level(self, claim: Claim) -> Level:
        held = round(sum(cost for cost, _, window in self.open.values() if window >= claim.window), 6)
        oldest = min((at for at, cost, _ in self.entries if cost), default=None)
        return Level(used=max(0.0, round(self.spent(claim) - held, 6)), held=held, oldest=oldest)


def turn(row: Row, claim: Claim, now: float) -> Row:
    """The row as it stands at `now`: without what has slid out of the window and holds that have expired.

    Charges to windows beyond the next one were made while the clock ran wild, so they are charged to this one.
    """
    entries = [e for e in row.entries if e[0] > now - claim.span]
    live = {hold for _, _, hold in entries}
    is_open = {h: v for h, v in row.open.items() if v[1] > now and (not claim.span or h in live)}
    tamed = {w: min(w, claim.window) if w > claim.next_window else w for w in row.used}
    used: dict[str, float] = {}
    for window, cost in row.used.items():
        used[tamed[window]] = used.get(tamed[window], 0.0) + cost
    return Row(used, entries, {h: (c, e, tamed.get(w, w)) for h, (c, e, w) in is_open.items()})


def fits(row: Row, claim: Claim) -> bool:
    return row.spent(claim) + claim.cost <= claim.ceiling + SLACK


def free_at(row: Row, claim: Claim) -> float | None:
    """When a sliding counter will have room for the claim; None for a calendar counter or a hopeless claim."""
    spent = row.spent(claim)
    for at, cost, _ in sorted(row.entries):
        spent -= cost
        if spent + claim.cost <= claim.ceiling + SLACK:
            return at + claim.span
    return None


def charge(row: Row, claim: Claim, hold: str, now: float, expires: float) -> str:
    """Put the claim on the row as an open hold; returns the window it is charged to.

    That is the claim's own, or a later one already begun: after a step back nobody can tell which clock was right.
    """
    window = max(claim.window, *row.used) if row.used else claim.window
    if claim.span:
        row.entries.append((now, claim.cost, hold))
    else:
        row.used = {**row.used, window: row.used.get(window, 0.0) + claim.cost}
        row.used = {name: row.used[name] for name in sorted(row.used)[-WINDOWS_KEPT:]}
    row.open[hold] = (claim.cost, expires, window)
    return window


def settle(row: Row, window: str, hold: str, held: float, cost: float) -> None:
    """Put `cost` in place of what was held, where it was held. Windows long gone stay as they are."""
    _, _, window = row.open.pop(hold, (0.0, 0.0, window))
    if window in row.used:
        row.used[window] = max(0.0, row.used[window] + cost - held)
    row.entries = [(at, cost if h == hold else c, h) for at, c, h in row.entries]
