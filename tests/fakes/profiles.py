"""Facts per provider that are neither wording nor wire format: addresses, models, days, neurons."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fakes.exchange import Exchange

BASE_PATHS: Mapping[str, str] = {"gemini": "", "cloudflare": "/client/v4"}
"""What follows the host in <PROVIDER>_BASE_URL; /v1 for everyone else."""

ZONES: Mapping[str, str] = {"gemini": "America/Los_Angeles"}
"""Where the provider's day ends; UTC for everyone else."""

MODELS: Mapping[str, tuple[str, ...]] = {
    "gemini": ("gemini-3.5-flash-lite", "gemini-3.1-flash-lite", "gemini-3.8-flash"),
    "cloudflare": ("@cf/meta/llama-3.2-3b-instruct", "@cf/meta/llama-3.3-70b-instruct-fp8-fast"),
    "cerebras": ("qwen-3.8-27b", "gpt-oss-120b"),
    "openrouter": ("google/gemma-4-26b-a4b-it:free", "nvidia/nemotron-3-super-120b-a12b:free"),
    "deepseek": ("deepseek-flash", "deepseek-v4-pro"),
    "huggingface": ("meta-llama/Llama-3.1-8B-Instruct", "openai/gpt-oss-120b:cheapest"),
    "groq": ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3.8-27b"),
    "mistral": ("ministral-8b-2512", "mistral-small-2603"),
    "nvidia": ("openai/gpt-oss-20b", "nvidia/nemotron-3-super-120b-a12b"),
}

_NEURONS: Mapping[str, tuple[int, int]] = {
    "@cf/ibm-granite/granite-4.0-h-micro": (1542, 10158),
    "@cf/meta/llama-3.1-8b-instruct-fp8-fast": (4119, 34868),
    "@cf/meta/llama-3.2-3b-instruct": (4625, 30475),
    "@cf/google/gemma-4-26b-a4b-it": (9091, 27273),
    "@cf/meta/llama-3.3-70b-instruct-fp8-fast": (26668, 204805),
}
_USUAL_NEURONS = (4625, 30475)


def neurons(model: str, prompt_tokens: int, completion_tokens: int) -> float:
    """What Cloudflare charges for a call, from its price list per million tokens."""
    per_prompt, per_completion = _NEURONS.get(model, _USUAL_NEURONS)
    return (prompt_tokens * per_prompt + completion_tokens * per_completion) / 1e6


def unfit_for_streaming(provider: str, exchange: Exchange) -> str | None:
    """The status of the provider's refusal, for a request that it answers whole but does not stream."""
    if not exchange.stream or exchange.dialect != "openai":
        return None
    reasons = provider == "cerebras" and exchange.model.startswith("gpt-oss")
    if exchange.wants_json and (reasons or provider in {"groq", "cloudflare"}):
        return "400"
    return "422" if provider == "mistral" and "stream_options" in exchange.body else None
