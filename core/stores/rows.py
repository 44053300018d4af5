"""One quota counter as a JSON row, and what may happen to it. Pure; the store adds atomicity.

A row holds `window` (the calendar window it counts), `entries` [[at, cost, hold]...] for a sliding counter or
`used` for a calendar one, and `open` {hold: [cost, expires]} for holds not settled yet. Open holds are part of
what is spent from the moment they are made; when one expires unsettled it simply stays charged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.stores.contract import Claim, Level


@dataclass
class Row:
    window: str = ""
    used: float = 0.0
    entries: list[tuple[float, float, str]] = field(default_factory=list)
    open: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def spent(self) -> float:
        return round(self.used + sum(cost for _, cost, _ in self.entries), 6)

    def level(self) -> Level:
        held = round(sum(cost for cost, _ in self.open.values()), 6)
        return Level(used=max(0.0, round(self.spent - held, 6)), held=held)


def turn(row: Row, claim: Claim, now: float) -> Row:
    """The row as it stands at `now` for this claim's window.

    A calendar window never turns backwards: if the host clock steps back, the later window goes on counting.
    """
    if claim.window > row.window:
        return Row(window=claim.window)
    entries = [e for e in row.entries if e[0] > now - claim.span]
    live = {hold for _, _, hold in entries}
    is_open = {h: v for h, v in row.open.items() if v[1] > now and (not claim.span or h in live)}
    return Row(row.window, row.used, entries, is_open)


def fits(row: Row, claim: Claim) -> bool:
    return row.spent + claim.cost <= claim.ceiling + 1e-9


def free_at(row: Row, claim: Claim) -> float | None:
    """When a sliding counter will have room for the claim; None for a calendar counter or a hopeless claim."""
    spent = row.spent
    for at, cost, _ in sorted(row.entries):
        spent -= cost
        if spent + claim.cost <= claim.ceiling + 1e-9:
            return at + claim.span
    return None


def charge(row: Row, claim: Claim, hold: str, now: float, expires: float) -> None:
    if claim.span:
        row.entries.append((now, claim.cost, hold))
    else:
        row.used += claim.cost
    row.open[hold] = (claim.cost, expires)


def settle(row: Row, window: str, hold: str, held: float, cost: float) -> None:
    """Put `cost` in place of what was held. A charge whose window has turned is past changing."""
    row.open.pop(hold, None)
    if row.window != window:
        return
    if row.window:
        row.used = max(0.0, row.used + cost - held)
    else:
        row.entries = [(at, cost if h == hold else c, h) for at, c, h in row.entries]
