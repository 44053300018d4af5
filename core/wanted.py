"""What is wanted of the balancer, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.budget import NOTHING, Spent
from core.policy import Skipped, Task
from core.quotas import Envelope
from providers.contracts import ChatReply, ChatRequest, Recording

T = TypeVar("T")


class AllRoutesOut(Exception):
    """No route can take the call. `skipped` says why, one by one; `soonest` when one may be back, if known."""

    def __init__(self, skipped: Sequence[Skipped], soonest: float | None, spent: Spent = NOTHING) -> None:
        super().__init__("; ".join(f"{s.route.name}: {s.reason}" for s in skipped) or "no provider is configured")
        self.skipped = tuple(skipped)
        self.soonest = soonest
        self.spent = spent


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A reply that passed its check, and the name of the route that gave it.

    `failed` are the routes that were tried before; `cached` tells that somebody had asked the same already.
    `reply` is as it came, with the model that really answered; None where it answered somebody else. `spent` is
    what all attempts together cost.
    """

    value: T
    route: str
    failed: tuple[Skipped, ...] = ()
    cached: bool = False
    reply: ChatReply | None = None
    spent: Spent = NOTHING


@dataclass(frozen=True)
class Wanted(Generic[T]):
    """What is asked, or what is to be written down, and for what.

    `read` makes the value out of the reply's text; it raises BadReply for one of no use. `pinned` names the route
    to prefer; calls are drawn from `envelope` where it has something left. `attempts` may lower what the task
    allows.
    """

    task: Task
    request: ChatRequest | Recording
    read: Callable[[str], T]
    pinned: str | None = None
    envelope: Envelope | None = None
    attempts: int | None = None
