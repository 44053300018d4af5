"""Facts per provider that are neither wording nor wire format: addresses, models, days, neurons."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fakes.exchange import Exchange

BASE_PATHS: Mapping[str, str] = {
    "gemini": "",
    "cloudflare": "/client/v4",
    "openrouter": "/api/v1",
    "groq": "/openai/v1",
    "fireworks": "/inference/v1",
    "cohere": "/compatibility/v1",
}
"""What follows the host in <PROVIDER>_BASE_URL; /v1 for everyone else."""

ZONES: Mapping[str, str] = {"gemini": "America/Los_Angeles"}
"""Where the provider's day ends; UTC for everyone else."""

MODELS: Mapping[str, tuple[str, ...]] = {
    "gemini": ("gemini-3.5-flash-lite", "gemini-3.1-flash-lite", "gemini-3.8-flash"),
    "cloudflare": (
        "@cf/meta/llama-3.1-8b-instruct-fp8-fast",
        "@cf/meta/llama-3.2-3b-instruct",
        "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
        "@cf/openai/whisper-large-v3-turbo",
    ),
    "cerebras": ("qwen-3.8-27b", "gpt-oss-120b"),
    "openrouter": ("google/gemma-4-26b-a4b-it:free", "nvidia/nemotron-3-super-120b-a12b:free"),
    "deepseek": ("deepseek-flash", "deepseek-v4-pro"),
    "huggingface": ("meta-llama/Llama-3.1-8B-Instruct", "openai/gpt-oss-120b:cheapest"),
    "groq": (
        "openai/gpt-oss-20b",
        "openai/gpt-oss-120b",
        "qwen/qwen3.8-27b",
        "whisper-large-v3-turbo",
        "whisper-large-v3",
    ),
    "mistral": ("ministral-8b-2512", "ministral-14b-2512", "mistral-small-2603"),
    "nvidia": ("openai/gpt-oss-20b", "nvidia/nemotron-3-super-120b-a12b"),
    "together": ("Qwen/Qwen3.5-9B", "openai/gpt-oss-120b"),
    "fireworks": (
        "accounts/fireworks/models/nemotron-lightning-3p5-30b-a3b",
        "accounts/fireworks/models/gpt-oss-120b",
    ),
    "cohere": ("command-r7b-12-2024", "command-a-03-2025"),
    "sambanova": ("gemma-4-31B-it", "gpt-oss-120b"),
    "replicate": ("meta/meta-llama-3-8b-instruct", "meta/meta-llama-3-70b-instruct"),
}

_NEURONS: Mapping[str, tuple[int, int]] = {
    "@cf/ibm-granite/granite-4.0-h-micro": (1542, 10158),
    "@cf/meta/llama-3.1-8b-instruct-fp8-fast": (4119, 34868),
    "@cf/meta/llama-3.2-3b-instruct": (4625, 30475),
    "@cf/google/gemma-4-26b-a4b-it": (9091, 27273),
    "@cf/meta/llama-3.3-70b-instruct-fp8-fast": (26668, 204805),
}
_USUAL_NEURONS = (4625, 30475)
_NEURONS_PER_AUDIO_MINUTE: Mapping[str, float] = {
    "@cf/openai/whisper": 41.14,
    "@cf/openai/whisper-large-v3-turbo": 46.63,
}


def neurons(model: str, prompt_tokens: int, completion_tokens: int) -> float:
    """What Cloudflare charges for a call, from its price list per million tokens."""
    per_prompt, per_completion = _NEURONS.get(model, _USUAL_NEURONS)
    return (prompt_tokens * per_prompt + completion_tokens * per_completion) / 1e6


def audio_neurons(model: str, seconds: float) -> float:
    """What Cloudflare charges for writing down so much audio, from its price list per minute."""
    return _NEURONS_PER_AUDIO_MINUTE.get(model, 46.63) * seconds / 60


def unfit(provider: str, exchange: Exchange) -> str | None:
    """The status of the provider's refusal, for a request that others would answer."""
    form = exchange.body.get("response_format")
    if provider == "cohere" and isinstance(form, dict) and form.get("type") == "json_schema":
        return "400"
    return _unfit_for_streaming(provider, exchange)


def _unfit_for_streaming(provider: str, exchange: Exchange) -> str | None:
    if not exchange.stream or exchange.dialect != "openai":
        return None
    reasons = provider == "cerebras" and exchange.model.startswith("gpt-oss")
    if exchange.wants_json and (reasons or provider in {"groq", "cloudflare"}):
        return "400"
    return "422" if provider == "mistral" and "stream_options" in exchange.body else None
