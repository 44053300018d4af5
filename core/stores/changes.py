"""What may happen to a row: time passes, calls are made and settled, quota is promised, limits are learnt. Pure.

`turn` and `tamed` make a row of its own, which the others then change.
"""

from __future__ import annotations

import math
from bisect import bisect_left

from core.stores.contract import ARRIVAL_SECONDS, Claim, Counter
from core.stores.rows import Entry, Open, Row
from providers.contracts import Told

WINDOWS_KEPT = 3
SLOTS = 240  # settled charges within so small a part of a sliding window come back together


def is_ahead(row: Row, counter: Counter, now: float) -> bool:
    """Has a clock that ran far ahead left anything on the row? It would be in the way until that time comes."""
    if counter.kind == "calendar" and row.used and max(row.used) > counter.next_window:
        return True
    if counter.kind == "sliding" and row.entries and row.entries[-1][0] > now + counter.span:
        return True
    if counter.kind == "refill" and row.at > now + counter.span:
        return True
    times = [held[1:3] for held in row.open.values()] + [promised[1:] for promised in row.promised.values()]
    return any(_is_wild(made, expires, now) for made, expires in times)


def tamed(row: Row, counter: Counter, now: float) -> Row:
    """Nothing on it is far ahead: charges to windows beyond the next one or from a whole span ahead are taken for
    charges to this one or of now, holds and promises further ahead than they last for made now."""
    mended = row.copy()
    for window in [name for name in row.used if name > counter.next_window]:
        _add(mended, counter.window, mended.used.pop(window))
    mended.entries = [(at, cost) for at, cost in row.entries if at <= now + counter.span]
    for _, cost in row.entries[len(mended.entries) :]:
        _enter(mended, now, cost, counter.span)
    mended.at = now if row.at > now + counter.span else row.at
    for hold, (cost, made, expires, window, drawn) in row.open.items():
        charged_to = counter.window if window > counter.next_window else window
        mended.open[hold] = (cost, *_mended(made, expires, now), charged_to, drawn)
    for envelope, (left, made, expires) in row.promised.items():
        mended.promised[envelope] = (left, *_mended(made, expires, now))
    return mended


def turn(row: Row, counter: Counter, now: float) -> Row:
    """As of `now`: without what has come back, and holds and promises that have expired."""
    turned = row.copy()
    if counter.kind == "sliding":
        turned.entries = _recent(row.entries, now - counter.span)
    elif counter.kind == "refill":
        turned.drained, turned.at = _refilled(row, counter, now)
    for hold, held in row.open.items():
        is_back = counter.kind == "sliding" and held[1] + ARRIVAL_SECONDS <= now - counter.span
        if is_back or held[2] <= now:
            del turned.open[hold]
            if not is_back:
                _lapse(turned, counter, held)
    for envelope, (_, _, expires) in row.promised.items():
        if expires <= now:
            del turned.promised[envelope]
    return turned


def charge(row: Row, claim: Claim, hold: str, now: float, expires: float) -> None:
    """Put the claim on the row as an open hold.

    It is charged to the claim's own window, or a later one already begun: after a step back nobody can tell which
    clock was right.
    """
    counter = claim.counter
    window = max(counter.window, *row.used) if row.used else counter.window
    if counter.kind == "refill":
        row.drained += claim.cost
    elif counter.kind == "calendar":
        _add(row, window, claim.cost)
    row.open[hold] = (claim.cost, now, expires, window, 0.0)


def promise(row: Row, envelope: str, amount: float, now: float, expires: float) -> None:
    """Keep `amount` free for the envelope, in place of what was kept before."""
    row.promised.pop(envelope, None)
    if amount:
        row.promised[envelope] = (amount, now, expires)


def draw(row: Row, envelope: str, hold: str) -> None:
    """Take as much of the hold as there is out of what is promised to its envelope."""
    if envelope in row.promised:
        left, since, until = row.promised[envelope]
        cost, made, expires, window, _ = row.open[hold]
        drawn = min(left, cost)
        row.promised[envelope] = (round(left - drawn, 6), since, until)
        row.open[hold] = (cost, made, expires, window, drawn)


def settle(row: Row, counter: Counter, hold: str, cost: float, now: float) -> None:
    """Put `cost` in place of what was held.

    A refilling budget gets back only what time has not given back already, else a refund would mint quota. A
    sliding charge counts from when the call surely had arrived.
    """
    held = row.open.pop(hold)
    since = max(0.0, now - held[1])
    if counter.kind == "refill":
        back = max(0.0, held[0] - cost - since * row.limit(counter) / counter.span)
        row.drained = max(0.0, row.drained + max(0.0, cost - held[0]) - back)
    elif counter.kind == "sliding":
        _enter(row, held[1] + min(ARRIVAL_SECONDS, since), cost, counter.span)
    elif counter.kind == "calendar":
        _rebook(row, counter, held, cost, min(now, held[1] + ARRIVAL_SECONDS))


def give_back(row: Row, envelope: str, amount: float) -> None:
    """Return to the envelope what a call drew and did not need. An envelope that is closed stays closed."""
    if amount > 0 and envelope in row.promised:
        left, made, expires = row.promised[envelope]
        row.promised[envelope] = (round(left + amount, 6), made, expires)


def learn(row: Row, counter: Counter, told: Told | None, proven: float | None, now: float) -> None:
    """Tighten at once to what the provider tells; loosen only by a good call, made at `proven`, after what was
    learnt has run out. A limit of 0 tells nothing."""
    if proven is not None and proven >= row.cap_until:
        row.cap, row.cap_until = None, 0.0
    if told is None or told.limit == 0:
        return
    known = row.limit(counter)
    if told.limit is not None and told.limit < known:
        row.cap, row.cap_until = told.limit, counter.ends or now + counter.span
    if told.remaining is not None:
        _raise_to(row, counter, (known if told.limit is None else told.limit) - told.remaining, now)


def _raise_to(row: Row, counter: Counter, taken: float, now: float) -> None:
    """Others use the same key: what they took is taken."""
    missing = round(taken - row.spent(counter), 6)
    if missing <= 0:
        return
    if counter.kind == "calendar":
        _add(row, counter.window, missing)
    elif counter.kind == "sliding":
        _enter(row, now, missing, counter.span)
    elif counter.kind == "refill":
        row.drained += missing


def _lapse(row: Row, counter: Counter, held: Open) -> None:
    """Nobody settled it, so it stays charged as if it had arrived as late as it could."""
    if counter.kind == "sliding":
        _enter(row, held[1] + ARRIVAL_SECONDS, held[0], counter.span)
    elif counter.kind == "calendar":
        _rebook(row, counter, held, held[0], min(held[2], held[1] + ARRIVAL_SECONDS))


def _rebook(row: Row, counter: Counter, held: Open, cost: float, until: float) -> None:
    """Charge a call to the window it was sent in, or to the next one if that had begun when the call surely had
    arrived, at `until`: it counts in the one before, too."""
    begun = counter.next_window if until >= counter.ends else counter.window if until >= counter.begins else ""
    window = held[3]
    if window in row.used:
        row.used[window] = max(0.0, row.used[window] - held[0])
    _add(row, max(window, begun), cost)


def _add(row: Row, window: str, cost: float) -> None:
    row.used[window] = row.used.get(window, 0.0) + cost
    if len(row.used) > WINDOWS_KEPT:
        row.used = {name: row.used[name] for name in sorted(row.used)[-WINDOWS_KEPT:]}


def _enter(row: Row, at: float, cost: float, span: float) -> None:
    """Add a settled charge in its place; those of one slot come back with the last of them."""
    if not cost:
        return
    slot = _slot(at, span)
    n = bisect_left(row.entries, slot, key=lambda entry: _slot(entry[0], span))
    before, after = row.entries[:n], row.entries[n:]
    if after and _slot(after[0][0], span) == slot:
        (last, sum_of_them), *after = after
        at, cost = max(at, last), round(sum_of_them + cost, 6)
    row.entries = [*before, (at, cost), *after]


def _slot(at: float, span: float) -> int:
    return math.floor(at * SLOTS / span)


def _recent(entries: list[Entry], since: float) -> list[Entry]:
    if not entries or entries[0][0] > since:
        return entries
    return [entry for entry in entries if entry[0] > since]


def _refilled(row: Row, counter: Counter, now: float) -> tuple[float, float]:
    """What is still drained, as of when. A clock that steps back refills nothing."""
    if row.at > now:
        return row.drained, row.at
    return max(0.0, row.drained - (now - row.at) * row.limit(counter) / counter.span), now


def _mended(made: float, expires: float, now: float) -> tuple[float, float]:
    return (now, now + (expires - made)) if _is_wild(made, expires, now) else (made, expires)


def _is_wild(made: float, expires: float, now: float) -> bool:
    """Was it made further ahead than it lasts?"""
    return made - now > expires - made
