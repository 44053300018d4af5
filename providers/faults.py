"""The many shapes of an error body, read into one. Pure; says what is there, not what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers.http import parse_json
from providers.loose import first, items, mapping, text

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """`codes` are all machine-readable names, lower-case, most specific first; `quotas` are (quotaId, quotaValue).

    `headers` include those that a gateway repeats inside the body. `message` is empty for a web page.
    `structured` tells whether the body was JSON.
    """

    status: int
    headers: Headers
    codes: tuple[str, ...]
    quotas: tuple[tuple[str, str], ...]
    delay: str
    message: str
    structured: bool


def read_fault(status: int, headers: Headers, body: str) -> Fault:
    """Never raises: what cannot be read counts as not said."""
    try:
        payload = _unwrap(parse_json(body))
    except ValueError:
        payload = None
    error = _error_in(payload)
    details = [row for row in items(error.get("details")) if isinstance(row, Mapping)]
    delays = (*(text(row.get("retryDelay")) for row in details), _plain(error.get("retry_after")))
    metadata = mapping(error.get("metadata"))
    inner = {str(name).lower(): str(value) for name, value in mapping(metadata.get("headers")).items()}
    if status < 400:
        status = error_in_success(payload) or status
    return Fault(
        status=status,
        headers={**{name.lower(): value for name, value in headers.items()}, **inner},
        codes=tuple(_codes(error, details, metadata)),
        quotas=tuple(_quotas(details)),
        delay=next(filter(None, delays), ""),
        message=_message(error, body if payload is None else ""),
        structured=payload is not None,
    )


def error_in_success(payload: object) -> int | None:
    """The status that a 200 with this body should have had; 200 when it does not say; None when it is no error."""
    body = mapping(_unwrap(payload))
    error = _reported(body)
    if error is None:
        return None
    for code in (mapping(error).get("code"), body.get("status_code")):
        number = (
            int(code) if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3 else code
        )
        if type(number) is int and 400 <= number <= 599:
            return number
    return 200


def _reported(body: Mapping[str, Any]) -> Any:
    """Whatever stands where an error stands: the field, a Cloudflare envelope, the document, the first choice."""
    if body.get("error"):
        return body["error"]
    if body.get("success") is False:
        return first(body.get("errors")) or {}
    if bare := _bare(body):
        return bare
    return mapping(first(body.get("choices"))).get("error") or None


def _bare(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The whole document, where it is an error object itself: Cerebras and Mistral send them so."""
    if "choices" in body or "candidates" in body:
        return None
    names = {name for name in ("message", "type", "code") if body.get(name)}
    said = text(body.get("detail")) or text(body.get("message"))
    return body if said or len(names) > 1 else None


def _error_in(payload: object) -> Mapping[str, Any]:
    """The object that describes the error, with prose alone as its `message`."""
    body = mapping(payload)
    reported = _reported(body)
    if isinstance(reported, Mapping):
        return reported
    if isinstance(reported, str):
        return {**body, "message": reported}
    return mapping(first(body.get("errors"))) or body


def _codes(
    error: Mapping[str, Any], details: list[Mapping[str, Any]], metadata: Mapping[str, Any]
) -> Iterator[str]:
    named = [row.get("reason") for row in details]
    named += [error.get("code"), metadata.get("limit_source"), metadata.get("error_type")]
    named += [error.get("type"), error.get("status")]
    if metadata.get("flagged_input"):
        yield "flagged_input"
    if mapping(error.get("availability")).get("retryable") is True:
        yield "retryable"
    for name in named:
        if isinstance(name, str | int):
            yield str(name)[:80].lower()


def _quotas(details: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for row in details:
        for violation in map(mapping, items(row.get("violations"))):
            yield str(violation.get("quotaId", "")), str(violation.get("quotaValue", ""))


def _message(error: Mapping[str, Any], prose: str) -> str:
    for name in ("message", "detail", "title"):
        if said := text(error.get(name)):
            return " ".join(said.split())[:4000]
    return "" if prose.lstrip().startswith("<") else " ".join(prose.split())[:4000]


def _unwrap(payload: object) -> object:
    return payload[0] if isinstance(payload, list) and len(payload) == 1 else payload


def _plain(number: object) -> str:
    return str(number) if type(number) in (int, float) else ""
