"""What a failed answer means: status, headers and body in, the ProviderError to raise out. Pure.

Providers disagree about everything, so evidence is read from the most to the least specific: codes and quotas
in the body, sentences that only one limit produces, headers, other prose, and only then the status. How specific
it was is the error's confidence. A guess never names a period.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from providers.contracts import Confidence, Limit, Period
from providers.errors import Busy, KeyRejected, Outcome, PaymentNeeded, ProviderError
from providers.faults import Fault, error_in_success, read_fault
from providers.told import joined, told_by_fault
from providers.verdicts import (
    BY_CODE,
    BY_PROSE,
    BY_SENTENCE,
    DAY,
    GONE,
    MINUTE,
    NOT_FREE,
    UNREACHED,
    Verdict,
    by_status,
)
from providers.waits import parse_wait

__all__ = ["classify", "error_in_success", "parse_wait"]

SHORT = 600.0  # seconds: a shorter wait beside a spent day is some other limit talking
LONGEST_MINUTE = 3600.0
_PROSE_WAIT = re.compile(r"(?:again|retry|resets?)\s+in\s+~?((?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+)", re.IGNORECASE)


def classify(
    status: int,
    headers: Mapping[str, str],
    body: str,
    *,
    dialect: str,
    now: float,
    where: str,
    limits: tuple[Limit, ...] = (),
) -> ProviderError:
    """The error to raise for an answer that is not a success. `where` ("provider/model") opens its message.

    `dialect` decides which provider codes can occur. `now` (epoch seconds) dates what the provider says about
    waiting. For a spent day `until` stays None unless the provider's own reset can be believed. `limits` are the
    route's: they know which kind of day its provider counts in.
    """
    fault = read_fault(status, headers, body)
    verdict, confidence = _verdict(fault, dialect)
    message = f"{where}: {verdict.said.replace('{status}', str(fault.status))}"
    error: ProviderError
    if verdict.kind is Busy:
        error = Busy(message, until=_until(fault, verdict, now), scope=verdict.scope, period=verdict.period)
    else:
        outcome: Outcome = "unauthorised" if verdict.kind is KeyRejected else _outcome(fault.status)
        error = verdict.kind(message, outcome=outcome)
    error.confidence = confidence
    error.told = joined(told_by_fault(fault, verdict), limits=limits)
    return error


def _verdict(fault: Fault, dialect: str) -> tuple[Verdict, Confidence]:
    verdict, confidence = next((v, c) for c, read in _EVIDENCE if (v := read(fault, dialect)) is not None)
    if fault.status != 402:
        return verdict, confidence
    return by_status(402), confidence if verdict.kind is PaymentNeeded else "guess"


def _by_code(fault: Fault, dialect: str) -> Verdict | None:
    codes = BY_CODE.get(dialect, BY_CODE["openai-chat"])
    return next((codes[code] for code in fault.codes if code in codes), None)


def _by_quota(fault: Fault, _: str) -> Verdict | None:
    """Google names the quota that ran out; the retryDelay beside it always speaks of the minute."""
    if any(value == "0" for _, value in fault.quotas):
        return GONE
    names = " ".join(name for name, _ in fault.quotas).lower()
    if "perday" in names:
        return DAY
    return MINUTE if "perminute" in names else None


def _by_sentence(fault: Fault, _: str) -> Verdict | None:
    return _by_text(fault, BY_SENTENCE)


def _by_prose(fault: Fault, _: str) -> Verdict | None:
    return _by_text(fault, BY_PROSE)


def _by_text(fault: Fault, table: tuple[tuple[range, re.Pattern[str], Verdict], ...]) -> Verdict | None:
    return next(
        (v for statuses, said, v in table if fault.status in statuses and said.search(fault.message)), None
    )


def _by_headers(fault: Fault, _: str) -> Verdict | None:
    """Only names with a period count: `remaining-requests` is a day at one provider, a minute at another.

    A limit of 0 is no allowance at all, and waiting will not change that.
    """
    if fault.status != 429:
        return None
    if any(
        name.startswith("x-ratelimit-limit-") and value.strip() == "0" for name, value in fault.headers.items()
    ):
        return NOT_FREE
    for period, verdict in (("day", DAY), ("minute", MINUTE)):
        if next(_spent(fault, f"-{period}"), None) is not None:
            return verdict
    return None


def _by_status(fault: Fault, _: str) -> Verdict:
    return UNREACHED if fault.status == 403 and not fault.structured else by_status(fault.status)


_EVIDENCE: tuple[tuple[Confidence, Callable[[Fault, str], Verdict | None]], ...] = (
    ("certain", _by_code),
    ("certain", _by_sentence),
    ("certain", _by_quota),
    ("likely", _by_headers),
    ("likely", _by_prose),
    ("guess", _by_status),
)


def _spent(fault: Fault, suffix: str) -> Iterator[str]:
    """The reset that stands beside each counter that is at zero."""
    for unit in ("requests", "tokens"):
        if fault.headers.get(f"x-ratelimit-remaining-{unit}{suffix}", "").strip() in ("0", "0.0"):
            yield fault.headers.get(f"x-ratelimit-reset-{unit}{suffix}", "")


def _hints(fault: Fault, period: Period | None) -> Iterator[tuple[str, bool]]:
    """What the answer says about waiting, most specific first, and whether it can be meant for a whole day."""
    if period == "day":
        yield from ((reset, True) for reset in _spent(fault, "-day"))
        yield fault.headers.get("x-ratelimit-reset", ""), True
    yield fault.delay, False
    yield fault.headers.get("retry-after", ""), False
    for suffix in ("-minute", "-hour", ""):
        yield from ((reset, False) for reset in _spent(fault, suffix))
    yield fault.headers.get("x-ratelimit-reset", ""), False
    prose = _PROSE_WAIT.search(fault.message)
    yield prose[1].lower() if prose else "", False


def _until(fault: Fault, verdict: Verdict, now: float) -> float | None:
    for text, whole_day in _hints(fault, verdict.period):
        wait = parse_wait(text, now)
        if wait is None or (
            verdict.period in ("day", "month") and not (whole_day or verdict.rolling or wait >= SHORT)
        ):
            continue
        return now + (min(wait, LONGEST_MINUTE) if verdict.period == "minute" else wait)
    return None


def _outcome(status: int) -> Outcome:
    if status == 429:
        return "rate_limited"
    if status >= 500 or status == 408:  # 408 is the provider's own deadline: the model may have run
        return "server_error"
    return "rejected" if status >= 400 else "answered"
