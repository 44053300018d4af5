"""What the replies of `error_replies` mean, read from the providers' own facts, and more wordings of them.

First of all to whom: to the `model` that was asked, to the `account` with all its models, or to the `request`
alone. Then for how many seconds; where nobody says how long, the product's own choice. A refused key has no time.
"""

from __future__ import annotations

from typing import Any, Literal

from tests.error_replies import (
    BUSY,
    NOW,
    OTHERS,
    PER_DAY,
    PER_MINUTE,
    RETRY_21,
    cloudflare,
    google,
    openai,
    openrouter,
    quota,
)
from tests.verbatim import Words

Whose = Literal["model", "account", "request"]
Meaning = tuple[Whose, float | None]

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
PACIFIC = 8 * HOUR  # NOW is midnight UTC, when California has eight hours of its day left
DOWN = 30.0


def _ms(seconds: float) -> str:
    return str(int((NOW + seconds) * 1000))


def _groq(short: str, limit: int, wait: str) -> Any:
    words = {"TPM": "tokens per minute", "TPD": "tokens per day", "RPM": "requests per minute"}
    message = (
        f"Rate limit reached for model `openai/gpt-oss-20b` in organization `org_1` service tier `on_demand` on "
        f"{words.get(short, 'requests per day')} ({short}): Limit {limit}, Used {limit}, Requested 1. Please try "
        f"again in {wait}. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
    )
    return openai(message, "rate_limit_exceeded")


def _openrouter(what: str, limit: str, reset: float, source: str) -> Any:
    headers = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": _ms(reset)}
    return openrouter(f"Rate limit exceeded: {what}", headers=headers, limit_source=source)


def _gemini(*details: dict[str, Any]) -> Any:
    message = (
        "You exceeded your current quota, please check your plan and billing details. \n* Quota exceeded for "
        "metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 20, model: "
        "gemini-3.8-flash\nPlease retry in 21.497994s."
    )
    return google(429, message, *details, status="RESOURCE_EXHAUSTED")


MORE: dict[str, tuple[Words, Meaning]] = {
    "gemini day in full": (Words(429, _gemini(PER_DAY, RETRY_21)), ("model", PACIFIC)),
    "gemini minute in full": (
        Words(429, _gemini(quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "15"), RETRY_21)),
        ("model", 21.0),
    ),
    "gemini prose in full": (Words(429, _gemini()), ("model", 21.497994)),
    "gemini tokens a day": (
        Words(429, _gemini(quota("GenerateContentInputTokensPerModelPerDay-FreeTier", "1000000"), RETRY_21)),
        ("model", PACIFIC),
    ),
    "gemini minute before day": (Words(429, _gemini(PER_MINUTE, RETRY_21, PER_DAY)), ("model", PACIFIC)),
    "groq requests a day in full": (Words(429, _groq("RPD", 1000, "1m26.4s")), ("model", 86.4)),
    "groq requests a day, long": (Words(429, _groq("RPD", 14_400, "1h2m3.5s")), ("model", 3_723.5)),
    "groq tokens a minute in full": (Words(429, _groq("TPM", 8_000, "7.66s")), ("model", 7.66)),
    "groq requests a minute in full": (
        Words(429, _groq("RPM", 30, "2s"), {"retry-after": "2", "x-ratelimit-remaining-requests": "611"}),
        ("model", 2.0),
    ),
    "cloudflare neurons in full": (
        Words(
            429,
            cloudflare(
                4006,
                "you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's "
                "Workers Paid plan if you would like to continue usage.",
            ),
        ),
        ("account", DAY),
    ),
    "cloudflare neurons, no code": (
        Words(429, {"error": "you have used up your daily free allocation of 25,000 neurons"}),
        ("account", DAY),
    ),
    "cloudflare minute in full": (
        Words(429, cloudflare(3021, "AiError: AiError: rate limiting: inference request per min rate reached")),
        ("account", MINUTE),
    ),
    "cloudflare capacity in full": (
        Words(429, cloudflare(3040, "Capacity temporarily exceeded, please try again.")),
        ("model", DOWN),
    ),
    "cerebras requests a day": (
        Words(
            429,
            {
                "message": "Requests per day limit exceeded - too many requests sent.",
                "type": "too_many_requests_error",
                "param": "quota",
                "code": "request_quota_exceeded",
            },
            {"retry-after": "43201"},
        ),
        ("model", 43_201.0),
    ),
    "cerebras day, five minutes before its end": (
        Words(
            429,
            {
                "message": "Tokens per day limit exceeded - too many tokens processed.",
                "code": "token_quota_exceeded",
            },
            {"retry-after": "300"},
        ),
        ("model", 300.0),
    ),
    "openrouter day in full": (
        Words(
            429,
            _openrouter(
                "free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
                *("50", DAY, "openrouter_free_tier_daily"),
            ),
        ),
        ("account", DAY),
    ),
    "openrouter day, bought": (
        Words(429, _openrouter("free-models-per-day-high-balance", "1000", DAY, "openrouter_free_tier_daily")),
        ("account", DAY),
    ),
    "openrouter minute in full": (
        Words(429, _openrouter("free-models-per-min", "20", 37, "openrouter_free_tier_minute")),
        ("account", 37.0),
    ),
    "plain day": (Words(429, {"error": "You have reached your daily limit."}), ("model", DAY)),
    "plain minute": (Words(429, "Only 10 requests per minute, please."), ("model", MINUTE)),
    "plain payment method": (
        Words(402, openai("A payment method is required.", "PAYMENT_METHOD_REQUIRED")),
        ("account", DAY),
    ),
}

_LIMITED: list[tuple[Whose, float, list[str]]] = [
    ("model", PACIFIC, ["gemini day, whatever the delay says", "gemini day beats minute", "gemini in an array"]),
    ("model", 21.0, ["gemini minute"]),
    ("model", 9.0, ["gemini token minute"]),
    ("model", 21.5, ["gemini prose"]),
    ("model", HOUR, ["hostile minute"]),
    ("model", 578.016, ["groq tokens a day"]),
    ("model", 86.4, ["groq requests a day"]),
    ("model", 1.0, ["groq tokens a minute"]),
    ("model", 2.0, ["groq requests a minute"]),
    ("model", MINUTE, ["groq too large for a minute", "openrouter upstream", "bare"]),
    ("model", 179.56, ["groq style reset"]),
    ("model", 86_399.0, ["cerebras day"]),
    ("model", 300.5, ["cerebras day by headers"]),
    ("model", 31.0, ["cerebras minute"]),
    ("model", 12.25, ["cerebras minute by headers"]),
    ("account", DAY, ["openrouter day", "openrouter day, rich", "openrouter day by source"]),
    ("account", MINUTE, ["openrouter minute", "openrouter in a 200", "cloudflare minute"]),
    ("account", DAY, ["cloudflare neurons seen", "cloudflare neurons documented", "cloudflare neurons in a 200"]),
    ("model", 30.0, ["replicate"]),
    ("model", 5.0, ["mistral rate"]),
    ("model", 7.0, ["bare with a wait"]),
]
_ELSE: dict[str, Meaning] = {
    "KeyRejected": ("account", None),
    "PaymentNeeded": ("account", DAY),
    "ModelGone": ("model", DAY),
    "Down": ("model", DOWN),
    "BadReply": ("request", None),
    "Refused": ("request", None),
}
_TIMES = {_ms(5000): _ms(DAY)}  # OpenRouter's day ends at midnight


def _true(said: Any) -> Any:
    """With the times as the provider would really say them at NOW."""
    if isinstance(said, dict):
        return {name: _true(value) for name, value in said.items()}
    return _TIMES.get(said, said) if isinstance(said, str) else said


def _captured() -> dict[str, tuple[Words, Meaning]]:
    limited: dict[str, Meaning] = {name: (whose, wait) for whose, wait, names in _LIMITED for name in names}
    found = {
        name: (Words(status, _true(body), _true(headers)), limited[name])
        for _, _, rows in BUSY
        for name, status, body, headers, _ in rows
    }
    for kind, _, others in OTHERS:
        for name, status, body in others:
            whose, wait = _ELSE[kind.__name__]
            pacific = name.startswith("gemini") and wait == DAY and whose == "account"
            found[name] = Words(status, body), (whose, PACIFIC if pacific else wait)
    return found


REPLIES = _captured() | MORE
