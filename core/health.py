"""Who is left alone until when, and why. Cooldowns survive a restart and only ever grow.

A later, shorter guess never shortens a cooldown, and neither does a success: nobody is called while it lasts, so
the success can only be of a call sent before. When it is over, one call of one process tries the route out; the
others wait until that has shown that the route works, or has started the next cooldown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from core import windows
from core.stores.contract import Documents, StoreError
from providers.contracts import Clock, Confidence, Limit, Route
from providers.errors import Busy, Down, KeyRejected, ModelGone, PaymentNeeded, ProviderError

DOCUMENT = "cooldowns"
SHORTEST, LONGEST = 1.0, 31 * 86_400.0
DOWN_SECONDS, LONGEST_DOWN = 30.0, 600.0  # doubled with each failed trial
TRIAL_SECONDS = 60.0  # past this, whoever was trying has died and somebody else may
FORGET_SECONDS = 86_400.0  # a cooldown so long over says nothing any more
BUSY_SECONDS = 60.0  # a bare 429 says neither which window nor how long; a minute is the shortest window there is
GONE_SECONDS = 86_400.0  # a model that is gone is asked for after a day, then two, four, and so on
KEY_SECONDS = 21_600.0  # a new key is tried at once; the same one may have been allowed again in the console
ATTEMPTS = 50
Admission = Literal["open", "trial", "wait"]


@dataclass(frozen=True)
class Cooldown:
    """`subject` is a route's, pool's or provider's name. `key_id` ties a rejected key to its cooldown.

    `trial_until` is how long a call that tries the subject out after `until` keeps the others waiting; `failures`
    counts the trials that failed. `confidence` is how sure it is that the reason is the right one.
    """

    subject: str
    until: float
    reason: str
    key_id: str = ""
    trial_until: float = 0.0
    failures: int = 0
    confidence: Confidence = "likely"


class Health:
    """`key_ids` names each provider's present key without revealing it: a new key clears the old one's verdict."""

    def __init__(self, documents: Documents, clock: Clock, key_ids: Mapping[str, str]) -> None:
        self._documents = documents
        self._clock = clock
        self._key_ids = key_ids

    def cooldowns(self) -> dict[str, Cooldown]:
        """What is being left alone now, by subject. Raises StoreError."""
        now = self._clock.now()
        return {s: c for s, c in self._known().items() if c.until > now or c.trial_until > now}

    def admit(self, route: Route) -> Admission:
        """May a call be made? "trial" makes the caller the one who tries the route out, so it must report back.

        Raises StoreError.
        """
        now = self._clock.now()
        known = self._known()
        mine = [known[subject] for subject in _subjects(route) if subject in known]
        if any(cooldown.until > now for cooldown in mine):
            return "wait"
        over = [cooldown.subject for cooldown in mine]
        if not over:
            return "open"
        free = False

        def claim(all_: dict[str, Cooldown]) -> dict[str, Cooldown]:
            nonlocal free
            free = all(max(all_[s].until, all_[s].trial_until) <= now for s in over if s in all_)
            begun = {s: replace(all_[s], trial_until=now + TRIAL_SECONDS) for s in over if free and s in all_}
            return {**all_, **begun}

        self._change(claim)
        return "trial" if free else "wait"

    def proven(self, route: Route) -> None:
        """The trial went well: what is over for this route is forgotten. Raises StoreError."""
        now = self._clock.now()
        mine = _subjects(route)
        self._change(lambda all_: {s: c for s, c in all_.items() if s not in mine or c.until > now})

    def learn(self, route: Route, error: ProviderError) -> Cooldown | None:
        """Bench what the error speaks of; the cooldown that holds from now on, None if the error says nothing
        about health. Raises StoreError."""
        verdict = self._verdict(route, error)
        if verdict is None:
            return None
        subject, until = verdict
        now = self._clock.now()
        key_id = self._key_ids.get(route.provider, "") if isinstance(error, KeyRejected) else ""
        until = min(max(until, now + SHORTEST), now + LONGEST)
        meant = holds = Cooldown(subject, until, str(error), key_id, confidence=error.confidence)

        def bench(all_: dict[str, Cooldown]) -> dict[str, Cooldown]:
            nonlocal holds
            holds = _later(all_.get(subject), meant, now, _growth(error))
            return {**all_, subject: holds}

        self._change(bench)
        return holds

    def _verdict(self, route: Route, error: ProviderError) -> tuple[str, float] | None:
        now = self._clock.now()
        match error:
            case Busy():
                subject = {"route": route.name, "pool": route.pool, "provider": route.provider}[error.scope]
                return subject, error.until or self._window_end(route, error)
            case KeyRejected():
                return route.provider, now + KEY_SECONDS
            case PaymentNeeded():
                return route.provider, windows.resets_at("day", _zone(route.limits), now)
            case ModelGone():
                return route.name, now + GONE_SECONDS
            case Down():
                return (route.provider if error.outcome == "not_sent" else route.name), now + DOWN_SECONDS
        return None

    def _window_end(self, route: Route, error: Busy) -> float:
        now = self._clock.now()
        if error.period in ("day", "month"):
            return windows.resets_at(error.period, _zone(route.limits), now)
        return now + BUSY_SECONDS

    def _known(self, text: str | None = None) -> dict[str, Cooldown]:
        """Every cooldown that still says something, over or not."""
        found = _parse(text if text is not None else self._documents.get(DOCUMENT))
        since = self._clock.now() - FORGET_SECONDS
        return {s: c for s, c in found.items() if c.until > since and self._key_holds(c)}

    def _key_holds(self, cooldown: Cooldown) -> bool:
        return not cooldown.key_id or self._key_ids.get(cooldown.subject) == cooldown.key_id

    def _change(self, edit: Callable[[dict[str, Cooldown]], dict[str, Cooldown]]) -> None:
        for _ in range(ATTEMPTS):
            old = self._documents.get(DOCUMENT)
            new = json.dumps([asdict(c) for c in edit(self._known(old or "[]")).values()])
            if new == old or self._documents.replace(DOCUMENT, old, new):
                return
        raise StoreError("cooldowns cannot be saved: too many writers")


def _growth(error: ProviderError) -> tuple[float, float]:
    """How long the first rest is that doubles with each failed trial, and the longest; 0 for those that do not."""
    match error:
        case Down():
            return DOWN_SECONDS, LONGEST_DOWN
        case ModelGone():
            return GONE_SECONDS, LONGEST
    return 0.0, 0.0


def _later(old: Cooldown | None, new: Cooldown, now: float, growth: tuple[float, float]) -> Cooldown:
    """The longer of two; after a failed trial, trouble that grows is left alone twice as long each time."""
    if old is None:
        return new
    if old.until > now:
        return new if new.until > old.until else old
    failures = old.failures + 1
    first, longest = growth
    return replace(new, until=max(new.until, now + min(first * 2**failures, longest)), failures=failures)


def _subjects(route: Route) -> tuple[str, ...]:
    return tuple(dict.fromkeys((route.provider, route.pool, route.name)))


def _parse(text: str | None) -> dict[str, Cooldown]:
    try:
        return {row["subject"]: Cooldown(**row) for row in json.loads(text or "[]")}
    except (ValueError, TypeError, KeyError):
        raise StoreError("the saved cooldowns cannot be read") from None


def _zone(limits: tuple[Limit, ...]) -> str:
    return limits[0].zone if limits else "UTC"
