"""What may happen to a row: time passes, calls are made and settled, quota is promised, limits are learnt. Pure.

`turn` and `tamed` make a row of its own, which the others then change.
"""

from __future__ import annotations

import math
from bisect import bisect_left

from core.stores.contract import ARRIVAL_SECONDS, Claim, Counter, Lesson
from core.stores.rows import Entry, Open, Promise, Row, rounded

WINDOWS_KEPT = 3
SLOTS = 240  # settled charges within so small a part of a sliding window come back together


def is_ahead(row: Row, counter: Counter, now: float) -> bool:
    """Has a clock that ran far ahead left anything on the row? It would be in the way until that time comes."""
    horizon = now + counter.span
    if row.at > horizon or row.cap_until > (counter.ends or horizon):
        return True
    if (row.used and max(row.used) > counter.next_window) or (row.entries and row.entries[-1][0] > horizon):
        return True
    if not row.open and not row.promised:
        return False
    lasting: list[Open | Promise] = [*row.open.values(), *row.promised.values()]
    return any(_is_wild(each, now) for each in lasting)


def tamed(row: Row, counter: Counter, now: float) -> Row:
    """Nothing on it is far ahead: charges to windows beyond the next one or from a whole span ahead are taken for
    charges to this one or of now, holds and promises further ahead than they last for made now."""
    mended, horizon = row.copy(), now + counter.span
    for window in [name for name in row.used if name > counter.next_window]:
        _add(mended, counter.window, mended.used.pop(window))
    mended.entries = [(at, cost) for at, cost in row.entries if at <= horizon]
    for _, cost in row.entries[len(mended.entries) :]:
        _enter(mended, now, cost, counter.span)
    mended.at = row.at if row.at <= horizon else now
    mended.cap_until = min(row.cap_until, counter.ends or horizon)
    for hold, held in row.open.items():
        if _is_wild(held, now):
            window = held.window if held.window <= counter.next_window else counter.window
            times = (now, now + (held.expires - held.made))
            mended.open[hold] = Open(held.cost, *times, window, counter.next_window, counter.ends, held.drawn)
    for envelope, kept in row.promised.items():
        if _is_wild(kept, now):
            mended.promised[envelope] = Promise(kept.left, now, now + (kept.expires - kept.made))
    return mended


def turn(row: Row, counter: Counter, now: float) -> Row:
    """As of `now`: without what has come back, and holds and promises that have expired."""
    turned = row.copy()
    if counter.kind == "sliding":
        turned.entries = _recent(row.entries, now - counter.span)
    elif counter.kind == "refill":
        turned.drained, turned.at = _refilled(row, counter, now)
    for hold, held in row.open.items():
        is_back = counter.kind == "sliding" and held.made + ARRIVAL_SECONDS <= now - counter.span
        if is_back or held.expires <= now:
            del turned.open[hold]
            if not is_back:
                _lapse(turned, counter, held)
    for envelope, kept in row.promised.items():
        if kept.expires <= now:
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
    row.open[hold] = Open(claim.cost, now, expires, window, counter.next_window, counter.ends)


def promise(row: Row, envelope: str, amount: float, now: float, expires: float) -> None:
    """Keep `amount` free for the envelope, in place of what was kept before."""
    row.promised.pop(envelope, None)
    if amount:
        row.promised[envelope] = Promise(amount, now, expires)


def draw(row: Row, envelope: str, hold: str) -> None:
    """Take as much of the hold as there is out of what is promised to its envelope."""
    if envelope in row.promised:
        kept, held = row.promised[envelope], row.open[hold]
        drawn = min(kept.left, held.cost)
        row.promised[envelope] = kept._replace(left=rounded(kept.left - drawn))
        row.open[hold] = held._replace(drawn=drawn)


def settle(row: Row, counter: Counter, hold: str, cost: float, now: float) -> None:
    """Put `cost` in place of what was held.

    A refilling budget gets back only what time has not given back already, else a refund would mint quota. A
    sliding charge counts from when the call surely had arrived.
    """
    held = row.open.pop(hold)
    since = max(0.0, now - held.made)
    if counter.kind == "refill":
        back = max(0.0, held.cost - cost - since * row.limit(counter) / counter.span)
        row.drained = max(0.0, row.drained + max(0.0, cost - held.cost) - back)
    elif counter.kind == "sliding":
        _enter(row, held.made + min(ARRIVAL_SECONDS, since), cost, counter.span)
    elif counter.kind == "calendar":
        _rebook(row, held, cost, now)


def give_back(row: Row, envelope: str, amount: float) -> None:
    """Return to the envelope what a call drew and did not need. An envelope that is closed stays closed."""
    if amount > 0 and envelope in row.promised:
        kept = row.promised[envelope]
        row.promised[envelope] = kept._replace(left=rounded(kept.left + amount))


def learn(row: Row, counter: Counter, held: Open, lesson: Lesson, now: float) -> None:
    """Tighten at once to what the provider tells of the counter; loosen only by a good call that was made after
    what was learnt has run out. A limit of 0 tells nothing."""
    if lesson.good and held.made >= row.cap_until:
        row.cap, row.cap_until = None, 0.0
    told = lesson.told.get(counter.key)
    if told is None or told.limit == 0:
        return
    known = row.limit(counter)
    if told.limit is not None and told.limit < known:
        row.cap, row.cap_until = told.limit, held.turns or now + counter.span
    if told.remaining is not None and held.window == counter.window:  # else our clock has stepped since
        _raise_to(row, counter, (known if told.limit is None else told.limit) - told.remaining, now)


def _raise_to(row: Row, counter: Counter, taken: float, now: float) -> None:
    """Others use the same key: what they took is taken, up to all there is."""
    missing = rounded(min(taken, row.limit(counter)) - row.spent(counter))
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
        _enter(row, held.made + ARRIVAL_SECONDS, held.cost, counter.span)
    elif counter.kind == "calendar":
        _rebook(row, held, held.cost, held.expires)


def _rebook(row: Row, held: Open, cost: float, ended: float) -> None:
    """Charge a call that is over to the window it was sent in, or to the next one if that had begun when the call
    surely had arrived: what counts in a window counts in those before it, too."""
    arrived = min(ended, held.made + ARRIVAL_SECONDS)
    if held.window in row.used:
        row.used[held.window] = max(0.0, row.used[held.window] - held.cost)
    _add(row, max(held.window, held.next_window) if arrived >= held.turns else held.window, cost)


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
        at, cost = max(at, last), rounded(sum_of_them + cost)
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


def _is_wild(each: Open | Promise, now: float) -> bool:
    """Was it made further ahead than it lasts?"""
    return each.made - now > each.expires - each.made
