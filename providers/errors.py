"""Failures of a call, named by what to do next."""

from __future__ import annotations

from typing import Literal

from providers.contracts import Confidence, Period, Scope, Told, Usage

Outcome = Literal["not_sent", "unauthorised", "rate_limited", "server_error", "no_reply", "rejected", "answered"]


class ProviderError(Exception):
    """A call failed. Subclasses are named by what to do next. The message never holds a secret.

    `outcome` is what became of the request on the wire, which decides what it cost: `not_sent` surely never
    reached the provider, `unauthorised` was turned away at the door, `rate_limited` is a 429, `no_reply` may or
    may not have been counted, `rejected` is another 4xx, `answered` a 200 that is of no use. `usage` is what an
    answered call reported, `told` what was said of the provider's limits, and `confidence` how sure it is that the
    failure means what the class says.
    """

    outcome: Outcome = "rejected"

    def __init__(self, message: str, *, outcome: Outcome | None = None, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome or type(self).outcome
        self.usage = usage
        self.told: tuple[Told, ...] = ()
        self.confidence: Confidence = "likely"


class Busy(ProviderError):
    """Wait or go elsewhere. `until` is when the provider says it is worth trying again, None if it did not.

    `scope` says what is busy: the model's route, its pool, or the whole account; `period` which window ran out.
    """

    outcome: Outcome = "rate_limited"

    def __init__(
        self, message: str, *, until: float | None = None, scope: Scope = "route", period: Period | None = None
    ) -> None:
        super().__init__(message)
        self.until = until
        self.scope = scope
        self.period = period


class Down(ProviderError):
    """Go elsewhere now."""

    outcome: Outcome = "server_error"


class KeyRejected(ProviderError):
    """Stop using this key and tell the admin."""

    outcome: Outcome = "unauthorised"


class ModelGone(ProviderError):
    """This route will not come back by waiting."""


class PaymentNeeded(ProviderError):
    """The account has no free calls or money left."""


class Refused(ProviderError):
    """Nobody will take this request as it stands (content filter, too long): tell the person."""


class BadReply(ProviderError):
    """Empty, truncated or not what was asked for. The request may be to blame: do not bench the route."""

    outcome: Outcome = "answered"
