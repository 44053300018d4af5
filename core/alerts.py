"""Which limits are nearly gone and which providers need a person. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.health import Cooldown
from core.quotas import Standing

WARNING_SHARE, CRITICAL_SHARE = 0.75, 0.90
Level = Literal["warning", "critical"]


@dataclass(frozen=True)
class Alert:
    level: Level
    provider: str
    message: str


def trouble_alerts(provider: str, label: str, cooldowns: Iterable[Cooldown]) -> list[Alert]:
    """One alert per key that was refused: that does not mend itself."""
    said = [cooldown.reason.rpartition(": ")[2] for cooldown in cooldowns if cooldown.key_id]
    remedy = "Check the key and its settings, then start again"
    return [Alert("critical", provider, f"{label}: {reason}. {remedy}") for reason in said]


def limit_alerts(provider: str, label: str, standings: Iterable[Standing]) -> list[Alert]:
    """One alert per lasting limit at 75 % or 90 %. Minute limits come back before anybody could act on them."""
    found = []
    for standing in standings:
        if not standing.limit.lasting or standing.share < WARNING_SHARE:
            continue
        level: Level = "critical" if standing.share >= CRITICAL_SHARE else "warning"
        limit = standing.limit
        gone = f"{math.floor(100 * standing.share)} % of {standing.amount:,.0f} {limit.what}"
        pool = "" if limit.pool == provider else f" ({limit.pool.removeprefix(provider + '/')})"
        found.append(Alert(level, provider, f"{label}{pool}: {gone} used"))
    return found
