"""What a call is expected to cost, and what it did cost."""

from __future__ import annotations

import pytest

from core.quotas import (
    NOTHING,
    Cost,
    Reservation,
    cost_of_failure,
    cost_of_leaving,
    cost_of_usage,
    estimate,
)
from core.stores.contract import Hold
from providers.contracts import ChargeRules, ChatRequest, Limit, Message, Route, Usage
from providers.errors import Outcome

HOLD = Hold("h", ())
REQUEST = ChatRequest((Message("system", "x" * 35), Message("user", "y" * 36)), max_tokens=700)


def route(*limits: Limit, **more: object) -> Route:
    return Route("acme", "m", "small", "acme/m", limits, 10, **more)  # type: ignore[arg-type]


ROUTE = route()


def test_an_estimate_holds_the_prompt_and_all_the_tokens_it_may_answer_with() -> None:
    assert estimate(ROUTE, REQUEST) == Cost(1, 21 + 700, 0.0)


def test_neurons_follow_the_models_rates_unless_the_reply_tells_them() -> None:
    rated = route(Limit("acme", "neurons", 10_000, "day"), neurons_per_million=(26_668.0, 204_805.0))
    assert cost_of_usage(rated, Usage(1500, 500)) == Cost(1, 2000, 142.405)  # 40.002 + 102.4025
    assert cost_of_usage(rated, Usage(1500, 500, neurons=7.25)) == Cost(1, 2000, 7.25)
    assert cost_of_usage(rated, Usage(1500, 500, neurons=0.0)).neurons == 0
    assert cost_of_usage(ROUTE, Usage(1500, 500)).neurons == 0


ESTIMATE = Cost(1, 721, 3.5)


@pytest.mark.parametrize(
    ("outcome", "rules", "cost"),
    [
        ("not_sent", ChargeRules(True, True, True), NOTHING),
        ("unauthorised", ChargeRules(True, True, True), NOTHING),
        ("rate_limited", ChargeRules(rate_limited=False), NOTHING),
        ("rate_limited", ChargeRules(rate_limited=True), Cost(1, 0, 0.0)),
        ("server_error", ChargeRules(server_error=False), NOTHING),
        ("server_error", ChargeRules(server_error=True), Cost(1, 0, 0.0)),
        ("no_reply", ChargeRules(no_reply=False), NOTHING),
        ("no_reply", ChargeRules(no_reply=True), ESTIMATE),
        ("rejected", ChargeRules(False, False, False), Cost(1, 0, 0.0)),
        ("answered", ChargeRules(False, False, False), ESTIMATE),
    ],
)
def test_what_a_failure_costs_by_the_providers_rules(outcome: Outcome, rules: ChargeRules, cost: Cost) -> None:
    held = Reservation(HOLD, route(charge=rules), ESTIMATE)
    assert cost_of_failure(held, outcome, None) == cost


def test_an_answer_of_no_use_costs_what_it_reported() -> None:
    assert cost_of_failure(Reservation(HOLD, ROUTE, ESTIMATE), "answered", Usage(10, 20)) == Cost(1, 30, 0.0)


def test_a_stream_that_was_left_costs_all_of_it_unless_the_provider_stops_then() -> None:
    whole, stopping = route(), route(charge=ChargeRules(stops_when_left=True))
    assert cost_of_leaving(Reservation(HOLD, whole, ESTIMATE), REQUEST, "z" * 35) == ESTIMATE
    assert cost_of_leaving(Reservation(HOLD, stopping, ESTIMATE), REQUEST, "z" * 35) == Cost(1, 21 + 10, 0.0)
    assert cost_of_leaving(Reservation(HOLD, stopping, ESTIMATE), REQUEST, "z" * 9_999) == Cost(1, 721, 0.0)
