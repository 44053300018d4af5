"""Who is left alone until when, and why. Cooldowns survive a restart and only ever grow.

A later, shorter guess never shortens a cooldown, and neither does a success: nobody is called while it lasts, so
the success can only be of a call sent before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from core import windows
from core.stores.contract import Documents, StoreError
from providers.contracts import (
    Busy,
    Clock,
    Down,
    KeyRejected,
    Limit,
    ModelGone,
    PaymentNeeded,
    ProviderError,
    Route,
)

DOCUMENT = "cooldowns"
SHORTEST, LONGEST = 1.0, 31 * 86_400.0
DOWN_SECONDS = 30.0
BUSY_SECONDS = 60.0  # a bare 429 says neither which window nor how long; a minute is the shortest window there is
GONE_SECONDS = 86_400.0
ATTEMPTS = 50


@dataclass(frozen=True)
class Cooldown:
    """`subject` is a route's, pool's or provider's name. `key_id` ties a rejected key to its cooldown."""

    subject: str
    until: float
    reason: str
    key_id: str = ""


class Health:
    """`key_ids` names each provider's present key without revealing it: a new key clears the old one's verdict."""

    def __init__(self, documents: Documents, clock: Clock, key_ids: Mapping[str, str]) -> None:
        self._documents = documents
        self._clock = clock
        self._key_ids = key_ids

    def cooldowns(self) -> dict[str, Cooldown]:
        """What is being left alone now, by subject. Raises StoreError."""
        return self._standing(self._documents.get(DOCUMENT))

    def learn(self, route: Route, error: ProviderError) -> Cooldown | None:
        """Bench what the error speaks of; None if it says nothing about health. Raises StoreError."""
        verdict = self._verdict(route, error)
        if verdict is None:
            return None
        subject, until = verdict
        now = self._clock.now()
        key_id = self._key_ids.get(route.provider, "") if isinstance(error, KeyRejected) else ""
        cooldown = Cooldown(subject, min(max(until, now + SHORTEST), now + LONGEST), str(error), key_id)
        self._change(lambda all_: _later(all_, cooldown))
        return cooldown

    def _verdict(self, route: Route, error: ProviderError) -> tuple[str, float] | None:
        now = self._clock.now()
        match error:
            case Busy():
                subject = {"route": route.name, "pool": route.pool, "provider": route.provider}[error.scope]
                return subject, error.until or self._window_end(route, error)
            case KeyRejected():
                return route.provider, now + LONGEST
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

    def _standing(self, text: str | None) -> dict[str, Cooldown]:
        now = self._clock.now()
        return {s: c for s, c in _parse(text).items() if c.until > now and self._key_holds(c)}

    def _key_holds(self, cooldown: Cooldown) -> bool:
        return not cooldown.key_id or self._key_ids.get(cooldown.subject) == cooldown.key_id

    def _change(self, edit: Callable[[dict[str, Cooldown]], dict[str, Cooldown]]) -> None:
        for _ in range(ATTEMPTS):
            old = self._documents.get(DOCUMENT)
            new = json.dumps([asdict(c) for c in edit(self._standing(old)).values()])
            if self._documents.replace(DOCUMENT, old, new):
                return
        raise StoreError("cooldowns cannot be saved: too many writers")


def _later(all_: Mapping[str, Cooldown], new: Cooldown) -> dict[str, Cooldown]:
    old = all_.get(new.subject)
    return {**all_, new.subject: new if old is None or new.until > old.until else old}


def _parse(text: str | None) -> dict[str, Cooldown]:
    try:
        return {row["subject"]: Cooldown(**row) for row in json.loads(text or "[]")}
    except (ValueError, TypeError, KeyError):
        raise StoreError("the saved cooldowns cannot be read") from None


def _zone(limits: tuple[Limit, ...]) -> str:
    return limits[0].zone if limits else "UTC"
