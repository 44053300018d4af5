"""The tables behind classify: which code, sentence or status means what. Data: new facts are new rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from providers.contracts import Period, Scope, Unit
from providers.errors import BadReply, Busy, Down, KeyRejected, ModelGone, PaymentNeeded, ProviderError, Refused


@dataclass(frozen=True)
class Verdict:
    """`said` may hold {status}. `rolling`: a spent day refills bit by bit, so a short wait can be believed.
    `unit` is what ran out in the period, None where that is not said.

    The provider's own words are never part of it: they may echo what a person wrote.
    """

    kind: type[ProviderError]
    said: str
    scope: Scope = "pool"
    period: Period | None = None
    unit: Unit | None = None
    rolling: bool = False


KEY = Verdict(KeyRejected, "key not accepted")
ACCOUNT = Verdict(KeyRejected, "account id or address not known to the provider; check the settings")
PAY = Verdict(PaymentNeeded, "no free calls or credits left on this account")
NOT_HERE = Verdict(PaymentNeeded, "the free tier is not offered to this account or country")
GONE = Verdict(ModelGone, "model not available to this account")
NOT_FREE = Verdict(ModelGone, "model not available on the free plan")
FULL = Verdict(Down, "out of capacity")
SLOW = Verdict(Down, "the provider ran out of time")
FAILED = Verdict(Down, "server error {status}")
UNREACHED = Verdict(Down, "turned away by a filter in front of the provider")
ODD = Verdict(Down, "reported an error inside a success")
FILTERED = Verdict(Refused, "refused by the provider's content filter")
TOO_LONG = Verdict(Refused, "the request is too long for this model")
BAD = Verdict(BadReply, "request not accepted, status {status}")
NO_JSON = Verdict(BadReply, "the model could not produce the JSON that was asked for")
DAY = Verdict(Busy, "daily quota used up", period="day")
NEURONS = replace(DAY, said="neurons per day used up", unit="neurons", scope="provider")
TOKENS_DAY = replace(DAY, said="tokens per day used up", unit="tokens")
REQUESTS_DAY = replace(DAY, said="requests per day used up", unit="requests")
REQUESTS_MONTH = Verdict(Busy, "requests per month used up", period="month", unit="requests")
MINUTE = Verdict(Busy, "quota per minute used up", period="minute")
TOKENS_MINUTE = replace(MINUTE, said="tokens per minute used up", unit="tokens")
REQUESTS_MINUTE = replace(MINUTE, said="requests per minute used up", unit="requests")
AUDIO_HOUR = Verdict(Busy, "seconds of audio per hour used up", unit="seconds")
AUDIO_DAY = replace(DAY, said="seconds of audio per day used up", unit="seconds", rolling=True)
SHARED = Verdict(Busy, "busy: the upstream's shared pool is used up", scope="route")
BUSY = Verdict(Busy, "too many requests", scope="route")

_GOOGLE = {
    "api_key_invalid": KEY,
    "api_key_service_blocked": KEY,
    "api_key_http_referrer_blocked": KEY,
    "api_key_ip_address_blocked": KEY,
    "service_disabled": KEY,
    "consumer_suspended": KEY,
    "permission_denied": KEY,
    "unauthenticated": KEY,
    "failed_precondition": NOT_HERE,
    "model_capacity_exhausted": FULL,
    "not_found": GONE,
    "unavailable": FULL,
    "deadline_exceeded": SLOW,
    "internal": FAILED,
}
_CLOUDFLARE = {
    "10000": replace(KEY, said="API token or account id not accepted"),
    "9106": KEY,
    "7003": ACCOUNT,
    "3006": TOO_LONG,
    "3021": REQUESTS_MINUTE,
    "3036": NEURONS,
    "4006": NEURONS,
    "3040": FULL,
    "3046": SLOW,
    "5007": GONE,
    "5028": GONE,
    "5035": NOT_FREE,
}
_OPENAI = {
    "wrong_api_key": KEY,
    "invalid_api_key": KEY,
    "authentication_error": KEY,
    "unsupported_country_region_territory": NOT_HERE,
    "payment_required": PAY,
    "payment_required_error": PAY,
    "payment_method_required": PAY,
    "insufficient_quota": PAY,
    "retryable": FULL,
    "queue_exceeded": FULL,
    "flagged_input": FILTERED,
    "content_filter": FILTERED,
    "content_policy_violation": FILTERED,
    "context_length_exceeded": TOO_LONG,
    "json_validate_failed": NO_JSON,
    "model_not_found": GONE,
    "model_not_supported": GONE,
    "model_not_available": GONE,
    "model_decommissioned": GONE,
    "openrouter_free_tier_daily": REQUESTS_DAY,
    "upstream_provider_shared_pool": SHARED,
}
_MISTRAL = {"1500": GONE, "1910": NOT_FREE, "3505": FULL}  # 1300 is any rate limit, so its text and headers decide

# Who speaks OpenAI's dialect may be a gateway that passes on another's codes; Google has such an endpoint too.
BY_CODE = {
    "gemini": _GOOGLE,
    "openai-chat": _GOOGLE | _OPENAI | _MISTRAL,
    "openrouter": _GOOGLE | _OPENAI,
    "cloudflare": _CLOUDFLARE | _OPENAI,
    "replicate": {},
}

_ANY = range(200, 600)
_ASKED_TOO_MUCH = (range(413, 414), range(429, 430))
_CLIENT = range(400, 500)


def _says(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


# Sentences that only one limit or fault produces: as good as a code.
BY_SENTENCE = (
    (_ANY, _says(r"free-models-per-day"), REQUESTS_DAY),
    (_ANY, _says(r"free-models-per-min"), REQUESTS_MINUTE),
    (_ANY, _says(r"prepa(?:id|y).{0,60}(?:depleted|exhausted)"), PAY),
    (_ANY, _says(r"\blimit: 0(?![\d.])"), GONE),
    *((status, _says(r"\(TPD\)"), replace(TOKENS_DAY, rolling=True)) for status in _ASKED_TOO_MUCH),
    *((status, _says(r"\(RPD\)"), replace(REQUESTS_DAY, rolling=True)) for status in _ASKED_TOO_MUCH),
    *((status, _says(r"\(TPM\)"), TOKENS_MINUTE) for status in _ASKED_TOO_MUCH),
    *((status, _says(r"\(RPM\)"), REQUESTS_MINUTE) for status in _ASKED_TOO_MUCH),
    (range(413, 414), _says(r"\(ASP[HD]\)"), TOO_LONG),  # longer than the whole limit
    (range(429, 430), _says(r"\(ASPH\)"), AUDIO_HOUR),
    (range(429, 430), _says(r"\(ASPD\)"), AUDIO_DAY),
    (_ANY, _says(r"flagged as sensitive"), FILTERED),
    (range(429, 430), _says(r"limited to \d+ API calls / month"), REQUESTS_MONTH),  # Cohere
    (range(429, 430), _says(r"limited to \d+ API calls / minute"), REQUESTS_MINUTE),
    (_CLIENT, _says(r"error code: 10\d\d"), UNREACHED),
    (_CLIENT, _says(r"DEGRADED function"), FULL),
    (_CLIENT, _says(r"Content Exists Risk"), FILTERED),
    (_CLIENT, _says(r"JSON Mode couldn't be met"), NO_JSON),
)

_LIMITED = range(429, 430)
_UNKNOWN = range(400, 404)
_UNFIT = range(400, 423)
BY_PROSE = (
    (_LIMITED, _says(r"tokens per day limit exceeded"), replace(TOKENS_DAY, rolling=True)),  # Cerebras
    (_LIMITED, _says(r"tokens per day|daily token"), TOKENS_DAY),
    (_LIMITED, _says(r"neurons"), NEURONS),
    (_LIMITED, _says(r"\bper[ -]day\b|\bdaily\b"), DAY),
    (_LIMITED, _says(r"tokens per minute"), TOKENS_MINUTE),
    (_LIMITED, _says(r"\bper[ -]min(?:ute)?\b"), MINUTE),
    (_CLIENT, _says(r"insufficient (?:balance|credit|fund)|depleted your monthly|exceeded your monthly"), PAY),
    (_UNKNOWN, _says(r"content (?:filter|policy)|moderation|\bunsafe\b"), FILTERED),
    (_UNKNOWN, _says(r"api key (?:not valid|expired|invalid)|(?:invalid|incorrect|wrong) api.?key"), KEY),
    (_UNFIT, _says(r"context length|token count .*exceeds|prompt is too long|too large|reduce the len"), TOO_LONG),
    (_UNFIT, _says(r"no longer (?:available|supported)|decommissioned|no such model|no endpoints found"), GONE),
    (_UNFIT, _says(r"model .*(?:does not exist|not found|not supported)"), GONE),
)  # fmt: skip


def by_status(status: int) -> Verdict:
    """What is left to say when only the status speaks."""
    if status >= 500 or status == 408:
        return FAILED
    known = {401: KEY, 402: PAY, 403: KEY, 404: GONE, 405: GONE, 410: GONE, 413: TOO_LONG, 429: BUSY}
    return known.get(status, BAD if status >= 400 else ODD)
