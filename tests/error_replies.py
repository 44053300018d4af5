"""Error replies as providers send them (taken from captured ones), by what they mean."""

from __future__ import annotations

from typing import Any

from providers.contracts import Period, Scope
from providers.errors import BadReply, Down, KeyRejected, ModelGone, Outcome, PaymentNeeded, ProviderError, Refused
from providers.verdicts import BY_CODE

NOW = 1_795_478_400.0
Limited = tuple[str, int, Any, dict[str, str], float | None]  # name, status, body, headers, seconds to wait
Failed = tuple[str, int, Any]


def google(code: int, message: str, *details: dict[str, Any], status: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def quota(name: str, value: str = "500") -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": name, "quotaValue": value}],
    }


RETRY_21 = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "21s"}
REASON = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
PER_DAY = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
PER_MINUTE = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
TOKENS_MINUTE = quota("GenerateContentInputTokensPerModelPerMinute-FreeTier")


def cloudflare(code: int, message: str = "") -> dict[str, Any]:
    return {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}


def openai(message: str, code: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code, **more}}


RESET_MS = {
    "X-RateLimit-Limit": "50",
    "X-RateLimit-Remaining": "0",
    "X-RateLimit-Reset": str(int((NOW + 5000) * 1000)),
}


def openrouter(message: str, code: int = 429, **metadata: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, "metadata": metadata}}


GROQ_TPD = (
    "Rate limit reached for model `openai/gpt-oss-120b` in organization `org_canary` service tier `on_demand` on "
    "tokens per day (TPD): Limit 200000, Used 199000, Requested 2000. Please try again in 9m38.016s."
)

# fmt: off
BUSY: list[tuple[Scope, Period | None, list[Limited]]] = [
    ("pool", "day", [
        ("gemini day, whatever the delay says", 429, google(429, "quota", PER_DAY, RETRY_21), {}, None),
        ("gemini day beats minute", 429, google(429, "q", PER_MINUTE, PER_DAY, RETRY_21), {}, None),
        ("gemini in an array", 429, [google(429, "quota", PER_DAY, RETRY_21)], {}, None),
        ("groq tokens a day", 429, openai(GROQ_TPD, "rate_limit_exceeded"), {}, 578.016),
        ("groq requests a day", 429, openai("(RPD): Limit 1000. try again in 1m26.4s"), {}, 86.4),
        ("cerebras day", 429,
         {"message": "Tokens per day limit exceeded - too many tokens processed.", "code": "token_quota_exceeded"},
         {"Retry-After": "86399"}, 86399.0),
        ("cerebras day by headers", 429,
         {"message": "limit", "code": "token_quota_exceeded"},
         {"x-ratelimit-remaining-tokens-day": "0", "x-ratelimit-reset-tokens-day": "300.5", "retry-after": "4"},
          300.5),
        ("openrouter day", 429, openrouter("free-models-per-day. Add 10", headers=RESET_MS), {}, 5000.0),
        ("openrouter day, rich", 429, openrouter("free-models-per-day-high-balance"), RESET_MS, 5000.0),
        ("openrouter day by source", 429, openrouter("no", limit_source="openrouter_free_tier_daily"), {}, None),
    ]),
    ("pool", "minute", [
        ("gemini minute", 429, google(429, "quota", PER_MINUTE, RETRY_21), {}, 21.0),
        ("gemini token minute", 429, google(429, "q", TOKENS_MINUTE), {"Retry-After": "9"}, 9.0),
        ("cloudflare minute", 429, cloudflare(3021), {}, None),
        ("groq tokens a minute", 429, openai("(TPM): try again in 520ms"), {}, 0.52),
        ("groq requests a minute", 429, openai("(RPM)"), {"retry-after": "2"}, 2.0),
        ("groq too large for a minute", 413, openai("Request too large (TPM): Limit 8000"), {}, None),
        ("cerebras minute", 429,
         {"message": "Tokens per minute limit exceeded", "code": "token_quota_exceeded"},
         {"retry-after": "31"}, 31.0),
        ("cerebras minute by headers", 429,
         {"message": "limit", "code": "token_quota_exceeded"},
         {"x-ratelimit-remaining-requests-minute": "0", "x-ratelimit-reset-requests-minute": "12.25"}, 12.25),
        ("openrouter minute", 429, openrouter("free-models-per-min"), {}, None),
        ("openrouter in a 200", 200, openrouter("free-models-per-min"), {}, None),
        ("hostile minute", 429, google(429, "q", PER_MINUTE), {"Retry-After": "2000000"}, 3600.0),
    ]),
    ("route", None, [
        ("gemini prose", 429, google(429, "Please retry in 21.5s."), {}, 21.5),
        ("openrouter upstream", 429,
         openrouter("Provider returned error", limit_source="upstream_provider_shared_pool"),
         {}, None),
        ("replicate", 429, {"detail": "Request was throttled. Your rate limit resets in ~30s."}, {}, 30.0),
        ("bare", 429, "", {}, None),
        ("mistral rate", 429, {"message": "Rate limit exceeded", "code": "1300"}, {"Retry-After": "5"}, 5.0),
        ("bare with a wait", 429, "slow down", {"RETRY-AFTER": "7"}, 7.0),
        ("groq style reset", 429,
         "",
         {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m59.56s"}, 179.56),
    ]),
    ("provider", "day", [
        ("cloudflare neurons seen", 429, cloudflare(4006, "10,000 neurons"), {}, None),
        ("cloudflare neurons documented", 429, cloudflare(3036), {"retry-after": "5"}, None),
        ("cloudflare neurons in a 200", 200, cloudflare(4006), {}, None),
    ]),
]

OTHERS: list[tuple[type[ProviderError], Outcome, list[Failed]]] = [
    (KeyRejected, "unauthorised", [
        ("gemini key", 400, google(400, "API key not valid.", REASON, status="INVALID_ARGUMENT")),
        ("gemini key in an array", 400, [google(400, "x", REASON)]),
        ("gemini key by prose", 400, google(400, "API key not valid. Please pass")),
        ("gemini forbidden", 403, google(403, "no", status="PERMISSION_DENIED")),
        ("cloudflare key", 401, cloudflare(10000, "Authentication error")),
        ("cloudflare account", 403, cloudflare(10000)),
        ("cloudflare junk token", 400, cloudflare(9106)),
        ("cloudflare malformed account", 404, cloudflare(7003)),
        ("cerebras key", 401, {"message": "Wrong API Key", "code": "wrong_api_key"}),
        ("openrouter key", 401, openrouter("User not found.", 401)),
        ("deepseek key", 401, openai("Your api key: ****1234 is invalid", "invalid_request_error")),
        ("hugging face key", 401, {"error": "Invalid username or password."}),
        ("groq key", 401, openai("Invalid API Key", "invalid_api_key")),
        ("mistral key", 401, {"detail": "Invalid API Key"}),
    ]),
    (ModelGone, "rate_limited", [
        ("gemini no quota at all", 429, google(429, "q", quota("PerDayPerProject", "0"), RETRY_21)),
        ("gemini limit: 0", 429, google(429, "exceeded, limit: 0, model: gemini-2")),
    ]),
    (PaymentNeeded, "rate_limited", [
        ("gemini prepaid", 429, google(429, "Your prepayment credits are depleted")),
    ]),
    (PaymentNeeded, "rejected", [
        ("gemini country", 400, google(400, "location", status="FAILED_PRECONDITION")),
        ("cerebras payment", 402, {"message": "Payment required", "code": "payment_required"}),
        ("openrouter credits", 402, openrouter("Insufficient credits", 402)),
        ("deepseek empty", 402, openai("Insufficient Balance", "invalid_request_error")),
        ("hugging face credits", 402, {"error": "You have depleted your monthly included credits."}),
    ]),
    (ModelGone, "rejected", [
        ("gemini gone", 404, google(404, "no longer available", status="NOT_FOUND")),
        ("cloudflare unknown model", 400, cloudflare(5007)),
        ("cloudflare retired model", 410, cloudflare(5028)),
        ("cloudflare paid model", 403, cloudflare(5035)),
        ("cerebras model", 404, {"message": "x does not exist", "code": "model_not_found"}),
        ("openrouter no endpoint", 404, openrouter("No endpoints found for x", 404)),
        ("hugging face model", 400, openai("The requested model 'X' is not supported", "model_not_supported")),
        ("mistral model", 400, {"message": "Invalid model", "code": "1500"}),
        ("gone", 410, ""),
    ]),
    (Down, "server_error", [
        ("gemini overloaded", 503, google(503, "overloaded", status="UNAVAILABLE")),
        ("cloudflare slow", 408, cloudflare(3046)),
        ("cerebras stream", 200, {"status_code": 500, "error": {"message": "broke"}}),
        ("cerebras broken success", 200, {"message": "oops", "type": "server_error", "code": "502"}),
        ("openrouter broken success", 200, openrouter("Upstream failed", 502)),
        ("openrouter choice error", 200, {"choices": [{"error": {"code": 503, "message": "x"}}]}),
        *((f"status {status}", status, "<h1>sorry</h1>") for status in (500, 502, 503, 504, 529, 408)),
    ]),
    (Refused, "rejected", [
        ("gemini too long", 400, google(400, "The input token count (9) exceeds the maximum")),
        ("cloudflare too large", 413, cloudflare(3006)),
        ("openrouter moderation", 403, openrouter("flagged", 403, flagged_input="my text", reasons=["x"])),
        ("groq filter", 400, openai("The request was blocked by the content filter")),
        ("deepseek filter", 400, openai("Content Exists Risk")),
        ("context", 400, openai("too long", "context_length_exceeded")),
    ]),
    (Down, "rate_limited", [
        ("cloudflare capacity", 429, cloudflare(3040)),
        ("cerebras queue", 429, {"message": "busy", "code": "queue_exceeded"}),
        ("mistral capacity", 429, {"message": "capacity", "code": "3505"}),
    ]),
    (BadReply, "rejected", [
        ("cloudflare json", 400, cloudflare(5024, "JSON Mode couldn't be met")),
        ("groq json", 400, openai("Failed to generate JSON", "json_validate_failed")),
        ("mistral fields", 422, {"detail": [{"type": "extra_forbidden"}]}),
        ("unknown field", 400, openai("Unsupported parameter: 'seed'")),
        ("teapot", 418, ""),
    ]),
    (Down, "answered", [
        ("mistral broken success", 200, {"detail": "oops"}),
        ("cloudflare failed success", 200, cloudflare(3040)),
        ("error without a word", 200, {"error": "something"}),
    ]),
    (Down, "rejected", [
        ("openrouter retryable", 404, openai("none", 404, availability={"retryable": True})),
        ("nvidia degraded", 400, {"detail": "DEGRADED function cannot be invoked"}),
        ("bot filter", 403, "error code: 1010"),
        ("captcha", 403, "<!DOCTYPE html><title>Just a moment...</title>"),
    ]),
]


def dialect_of(name: str) -> str:
    """Which dialect's table a reply of this name is read with: it opens with the provider's name."""
    first = name.split(maxsplit=1)[0]
    return first if first in BY_CODE else "openai-chat"
