"""LiteLLM's Router as a contestant, in its own environment: `python -m benchmarks.litellm_router KIND SETUP`."""

from __future__ import annotations

import importlib
import os
from functools import cache, partial
from typing import Any

from benchmarks.task import MAX_TOKENS, MESSAGES, PLENTY, TIMEOUT, Setup, checked
from benchmarks.workers import Operation, main

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else importing it asks the Internet for prices
os.environ["LITELLM_MODE"] = "PRODUCTION"  # else it reads the operator's .env
litellm: Any = importlib.import_module("litellm")  # by name, because type checks run where it is not installed
litellm.suppress_debug_info = True


@cache  # each Router leaves callbacks behind in the module, and the calls of the next one would run them all
def router(setup: Setup, strategy: str) -> Operation:
    """Retries, fallbacks and cooldowns are the Router's defaults. `order` is our priority."""
    shared = {"model": "openai/m", "api_key": "key", "rpm": PLENTY, "tpm": PLENTY, "timeout": TIMEOUT}
    deployments = [
        {"model_name": "m", "litellm_params": {**shared, "api_base": url, "order": number}}
        for number, url in enumerate(setup.routes, start=1)
    ]
    made = litellm.Router(model_list=deployments, routing_strategy=strategy, redis_url=setup.redis_url or None)

    def ask() -> None:
        reply = made.completion(model="m", messages=MESSAGES, max_tokens=MAX_TOKENS)
        checked(reply.choices[0].message.content)

    return ask


if __name__ == "__main__":
    strategies = ("simple-shuffle", "usage-based-routing-v2")
    main({strategy: partial(router, strategy=strategy) for strategy in strategies})
