"""How each provider words its errors, taken from captured replies: one function per provider, one row per case."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.fakes import refusals_google, refusals_more, refusals_replicate
from tests.fakes.meter import Gauge

Row = tuple[int, Any]


@dataclass(frozen=True)
class Case:
    """What to refuse: `kind` is a word of refusals.PLAIN or an HTTP status; `gauge` the limit that ran out."""

    provider: str
    kind: str
    model: str
    gauge: Gauge | None = None


def error_body(provider: str, status: int, message: str, code: int = 0) -> Any:
    """The provider's error envelope around a message of its server's; `code` is Cloudflare's own number."""
    if provider == "cloudflare":
        return _cloudflare_envelope(status, message, code)
    return _ENVELOPES.get(provider, _openai_envelope)(status, message)


def own_row(case: Case) -> Row | None:
    """Status and body in the provider's own words; None where nothing special is known."""
    if more := refusals_more.TABLES.get(case.provider):
        return more(case.kind, case.model, case.gauge)
    table = _TABLES.get(case.provider)
    return table(case) if table else None


def go_duration(seconds: float) -> str:
    """Seconds as Go prints a duration: 578.016 -> 9m38.016s."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    tail = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours:.0f}h{minutes:.0f}m{tail}"
    return f"{minutes:.0f}m{tail}" if minutes else tail


def openrouter_headers(gauge: Gauge) -> dict[str, str]:
    reset = str(int(gauge.resets_at * 1000))
    values = {"Limit": str(gauge.limit), "Remaining": "0", "Reset": reset}
    return {f"X-RateLimit-{name}": value for name, value in values.items()}


def _openai_envelope(status: int, message: str) -> Any:
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _cloudflare_envelope(status: int, message: str, code: int = 0) -> Any:
    return {
        "success": False,
        "errors": [{"code": code or status * 10, "message": message}],
        "messages": [],
        "result": None,
    }


def _cerebras_envelope(status: int, message: str, code: str = "", kind: str = "", param: str | None = None) -> Any:
    return {"message": message, "type": kind or "server_error", "param": param, "code": code or str(status)}


_ENVELOPES: Mapping[str, Callable[[int, str], Any]] = {
    "gemini": refusals_google.envelope,
    "cerebras": _cerebras_envelope,
    "openrouter": lambda status, message: {"error": {"message": message, "code": status}},
    "huggingface": lambda status, message: {"error": message},
    "mistral": lambda status, message: {"detail": message},
    "cohere": refusals_more.cohere_envelope,
    "replicate": refusals_replicate.envelope,
}


def _gemini(case: Case) -> Row | None:
    return refusals_google.row(case.kind, case.model, case.gauge)


def _cloudflare(case: Case) -> Row | None:
    rows: dict[str, tuple[int, int, str]] = {
        "key": (401, 10000, "Authentication error"),
        "gone": (410, 5028, f"Model {case.model} has been deprecated."),
        "payment": (403, 5035, f"Model {case.model} is not available on the Workers Free plan."),
        "busy": (429, 3040, "Capacity temporarily exceeded, please try again."),
        "minute": (429, 3021, "AiError: AiError: rate limiting: inference request per min rate reached"),
        "day": (
            429,
            4006,
            "you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's "
            "Workers Paid plan if you would like to continue usage.",
        ),
        "413": (413, 3006, "Request is too large"),
        "undecodable": (400, 5004, "AiError: Invalid data: the audio could not be decoded"),
    }
    if case.kind not in rows:
        return None
    status, code, message = rows[case.kind]
    return status, _cloudflare_envelope(status, message, code)


def _cerebras(case: Case) -> Row | None:
    unit = case.gauge.unit if case.gauge else "requests"
    quota = ("token_quota_exceeded", "too_many_tokens_error") if unit == "tokens" else _CEREBRAS_REQUESTS
    tail = f"limit exceeded - too many {unit} processed."
    rows: dict[str, tuple[int, str, str, str, str]] = {
        "key": (401, "Wrong API Key", "wrong_api_key", "invalid_request_error", "api_key"),
        "payment": (
            402,
            "Payment required to access this resource. Visit your billing tab.",
            "payment_required",
            "payment_required_error",
            "quota",
        ),
        "gone": (
            404,
            f"Model {case.model} does not exist or you do not have access to it.",
            "model_not_found",
            "not_found_error",
            "model",
        ),
        "busy": (
            429,
            "We're experiencing high traffic right now!",
            "queue_exceeded",
            "too_many_requests_error",
            "queue",
        ),
        "minute": (429, f"{unit.title()} per minute {tail}", *quota, "quota"),
        "day": (429, f"{unit.title()} per day {tail}", *quota, "quota"),
    }
    if case.kind not in rows:
        return None
    status, message, code, kind, param = rows[case.kind]
    return status, _cerebras_envelope(status, message, code, kind, param)


_CEREBRAS_REQUESTS = ("request_quota_exceeded", "too_many_requests_error")


def _openrouter(case: Case) -> Row | None:
    if case.kind == "key":
        return 401, {"error": {"message": "User not found.", "code": 401}}
    if case.kind == "filtered":
        flags = {
            "reasons": ["violence"],
            "flagged_input": "...",
            "provider_name": "Fake",
            "model_slug": case.model,
        }
        return 403, {"error": {"message": "Input was flagged by moderation", "code": 403, "metadata": flags}}
    if case.gauge is None or case.kind not in {"minute", "day"}:
        return None
    what, hint, source = "free-models-per-min", "", "openrouter_free_tier_minute"
    if case.kind == "day":
        what, source = "free-models-per-day", "openrouter_free_tier_daily"
        hint = ". Add 10 credits to unlock 1000 free model requests per day"
    meta = {"headers": openrouter_headers(case.gauge), "limit_source": source}
    return 429, {"error": {"message": f"Rate limit exceeded: {what}{hint}", "code": 429, "metadata": meta}}


def _deepseek(case: Case) -> Row | None:
    rows: dict[str, tuple[int, str, str]] = {
        "key": (401, "Authentication Fails, Your api key: ****1234 is invalid", "authentication_error"),
        "payment": (402, "Insufficient Balance", "unknown_error"),
        "filtered": (400, "Content Exists Risk", "invalid_request_error"),
    }
    if case.kind not in rows:
        return None
    status, message, kind = rows[case.kind]
    return status, {"error": {"message": message, "type": kind, "param": None, "code": "invalid_request_error"}}


def _groq(case: Case) -> Row | None:
    if case.kind == "key":
        kind = "invalid_request_error"
        return 401, {"error": {"message": "Invalid API Key", "type": kind, "code": "invalid_api_key"}}
    if case.kind == "gone":
        message = f"The model `{case.model}` does not exist or you do not have access to it."
        return 404, {"error": {"message": message, "type": "invalid_request_error", "code": "model_not_found"}}
    if case.kind in _GROQ_AUDIO:
        status, message, code = _GROQ_AUDIO[case.kind]
        return status, {"error": {"message": message, "type": "invalid_request_error", **code}}
    return None if case.gauge is None else _groq_quota(case.model, case.gauge)


_GROQ_AUDIO: Mapping[str, tuple[int, str, dict[str, str]]] = {
    "undecodable": (400, "could not process file - is it a valid media file?", {}),
    "too-short": (400, "Audio file is too short. Minimum audio length is 0.01 seconds.", {}),
    "file-type": (
        400,
        "file must be one of the following types: [flac mp3 mp4 mpeg mpga m4a ogg opus wav webm]",
        {"code": "unsupported_audio_format"},
    ),
    "413": (413, "Request Entity Too Large", {"code": "request_too_large"}),
}


def _groq_quota(model: str, gauge: Gauge) -> Row:
    what, short, kind = str(gauge.unit), f"{gauge.unit[0]}P{gauge.period[0]}".upper(), str(gauge.unit)
    if gauge.unit == "audio":
        what, short, kind = "seconds of audio", f"ASP{gauge.period[0]}".upper(), "seconds"
    where = (
        f"for model `{model}` in organization `org_fake` service tier `on_demand` on {what} per "
        f"{gauge.period} ({short}): Limit {gauge.limit:.0f}, "
    )
    status, requested = 429, math.ceil(gauge.needed)
    if gauge.unit == "audio" and gauge.needed > gauge.limit:
        status = 413
        message = f"Request too large {where}Requested {requested}, please reduce your message size and try again."
    else:
        message = (
            f"Rate limit reached {where}Used {math.ceil(gauge.used)}, Requested {requested}. "
            f"Please try again in {go_duration(gauge.resets_in)}. Need more tokens? Upgrade to Dev Tier today at "
            "https://console.groq.com/settings/billing"
        )
    return status, {"error": {"message": message, "type": kind, "code": "rate_limit_exceeded"}}


def _huggingface(case: Case) -> Row | None:
    if case.kind == "payment":
        message = "You have depleted your monthly included credits. Purchase pre-paid credits to continue using "
        return 402, {"error": message + "Inference Providers."}
    if case.kind == "gone":
        message = f"The requested model '{case.model}' is not supported by any provider you have enabled."
        error = {
            "message": message,
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_supported",
        }
        return 400, {"error": error}
    return None


_TABLES: Mapping[str, Callable[[Case], Row | None]] = {
    "gemini": _gemini,
    "cloudflare": _cloudflare,
    "cerebras": _cerebras,
    "openrouter": _openrouter,
    "deepseek": _deepseek,
    "groq": _groq,
    "huggingface": _huggingface,
    "replicate": lambda case: refusals_replicate.row(case.kind, case.gauge),
}
