"""What an answer says of the provider's limits: how large they are and what is left. Pure; ignores odd numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from providers.contracts import Limit, Told, Unit, Window
from providers.faults import Fault
from providers.loose import amount
from providers.verdicts import Verdict

LARGEST = 1e12  # in any unit: far more than anybody grants
_DAYS: tuple[Window, ...] = ("day", "rolling-day", "refill-day")
_GROQ = re.compile(r"\(([TR]P[MD]|ASP[HD])\):? Limit (\d+)(?![.,]?\d)(?:, Used (\d+)(?![.,]?\d))?", re.ASCII)
_GROQ_NAMES: Mapping[str, tuple[Unit, Window]] = {
    "TPM": ("tokens", "minute"),
    "TPD": ("tokens", "day"),
    "RPM": ("requests", "minute"),
    "RPD": ("requests", "day"),
    "ASPH": ("seconds", "hour"),
    "ASPD": ("seconds", "day"),
}


@dataclass(frozen=True)
class Tell:
    """What a header's number means: how large the limit with this unit and window is, or what is left of it."""

    unit: Unit
    window: Window
    what: Literal["limit", "remaining"]


def told_by_headers(tells: Mapping[str, Tell], headers: Mapping[str, str]) -> tuple[Told, ...]:
    """One Told for each limit of which `headers` (lower-case names) say something."""
    said: dict[tuple[Unit, Window], dict[str, float]] = {}
    for name, tell in tells.items():
        number = _believable(headers.get(name))
        if number is not None:
            said.setdefault((tell.unit, tell.window), {})[tell.what] = number
    return tuple(
        told
        for which, numbers in said.items()
        for told in _told(*which, numbers.get("limit"), numbers.get("remaining"))
    )


def told_by_fault(fault: Fault, verdict: Verdict) -> Iterator[Told]:
    """What the body of a failed answer says, and the headers whose meaning only `verdict` reveals.

    A day is told as "day", whatever kind of day the provider's is.
    """
    yield from _google(fault)
    yield from _groq(fault)
    if verdict.unit == "requests" and verdict.period:
        bare = (_believable(fault.headers.get(f"x-ratelimit-{what}")) for what in ("limit", "remaining"))
        yield from _told("requests", verdict.period, *bare)


def joined(said: Iterable[Told], *, limits: Iterable[Limit] = ()) -> tuple[Told, ...]:
    """One Told per limit; who speaks first is believed. A "day" becomes the kind of day that `limits` count in."""
    days = {limit.unit: limit.window for limit in limits if limit.window in _DAYS}
    found: dict[tuple[Unit, Window], Told] = {}
    for told in said:
        window = days.get(told.unit, told.window) if told.window == "day" else told.window
        known = found.get((told.unit, window), Told(told.unit, window))
        found[told.unit, window] = replace(
            known,
            limit=told.limit if known.limit is None else known.limit,
            remaining=told.remaining if known.remaining is None else known.remaining,
        )
    return tuple(found.values())


def _google(fault: Fault) -> Iterator[Told]:
    """Each quotaId names a limit that ran out, its quotaValue says how large that is."""
    for name, value in fault.quotas:
        words = name.lower()
        unit: Unit = "tokens" if "token" in words else "requests"
        window: Window = "day" if "perday" in words else "minute"
        if unit[:-1] in words and f"per{window}" in words:
            yield from _told(unit, window, _believable(value), 0.0)


def _groq(fault: Fault) -> Iterator[Told]:
    said = _GROQ.search(fault.message) if fault.status in (413, 429) else None
    limit = _believable(said[2]) if said else None
    if said and limit is not None:
        used = _believable(said[3])
        yield from _told(*_GROQ_NAMES[said[1]], limit, None if used is None else max(0.0, limit - used))


def _told(
    unit: Unit, window: Window, limit: float | None = None, remaining: float | None = None
) -> Iterator[Told]:
    """Nothing for a limit of 0: that means no access, or no limit, and neither ends with the window."""
    if limit != 0 and (limit, remaining) != (None, None):
        yield Told(unit, window, limit, remaining)


def _believable(value: object) -> float | None:
    number = amount(value)
    return number if number is not None and number < LARGEST else None
