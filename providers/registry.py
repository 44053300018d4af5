"""Catalogue rows and the operator's settings -> the providers that are in use, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from providers.catalog import SHIPPED, Catalog, CatalogError, load_catalog, provider_settings
from providers.contracts import Clock, Provider, Route
from providers.gemini import Gemini
from providers.http import Http, refuse_unsafe
from providers.openai_chat import OpenAIChat
from providers.rows import Dialect, ProviderRow

__all__ = ["Catalog", "CatalogError", "Fleet", "ProviderRow", "connect", "load_catalog", "provider_settings"]

_SWITCH = {"": False, "0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True)
class Fleet:
    """`providers` and `routes` are those in use; `off` says of every other catalogued one why, and the remedy."""

    catalog: Catalog
    providers: Mapping[str, Provider]
    routes: tuple[Route, ...]
    off: Mapping[str, str]


@dataclass(frozen=True)
class _Account:
    """A row with the operator's values in place. `key` is "" where none is set."""

    row: ProviderRow
    base_url: str
    path: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class _Line:
    http: Http
    clock: Clock


def _openai_chat(account: _Account, line: _Line) -> Provider:
    row = account.row
    return OpenAIChat(
        http=line.http,
        clock=line.clock,
        url=account.base_url + account.path,
        headers=row.headers,
        body=row.body,
        key=account.key,
        max_tokens_field=row.max_tokens_field,
        schema_style=row.schema_style,
        stream_usage=row.stream_usage,
        stream_json=row.stream_json,
        tells=row.tells,
    )


def _gemini(account: _Account, line: _Line) -> Provider:
    return Gemini(clock=line.clock, base_url=account.base_url, key=account.key)


DIALECTS: Mapping[Dialect, Callable[[_Account, _Line], Provider]] = {
    "openai-chat": _openai_chat,
    "gemini": _gemini,
}


def connect(catalog: Catalog, values: Mapping[str, str], *, http: Http, clock: Clock) -> Fleet:
    """Build every provider that `values` (setting names to plain strings) allow. Makes no call.

    Raises CatalogError, naming the setting and never its value, for a value that cannot be meant.
    """
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    paid = _allowed_to_cost(catalog, given.get("ALLOW_PAID", ""))
    accounts = {name: _account(row, given) for name, row in catalog.items()}
    off = {name: reason for name, row in catalog.items() if (reason := _obstacle(row, given, paid))}
    line = _Line(http, clock)
    providers = {
        name: DIALECTS[account.row.dialect](account, line) for name, account in accounts.items() if name not in off
    }
    routes = tuple(route for name in providers for route in catalog[name].routes)
    return Fleet(catalog, providers, routes, off)


def _allowed_to_cost(catalog: Catalog, text: str) -> frozenset[str]:
    names = frozenset(filter(None, re.split(r"[,\s]+", text.lower())))
    if names - catalog.keys():
        known = ", ".join(sorted(name for name, row in catalog.items() if row.free == "paid"))
        raise CatalogError(f"ALLOW_PAID names an unknown provider: use only names from {known}, or leave it out")
    return names


def _obstacle(row: ProviderRow, given: Mapping[str, str], paid: frozenset[str]) -> str | None:
    """Why the row is not in use, with the remedy; None when it is."""
    needed = [] if row.free == "own" else [row.key_setting]
    lacking = [name for name in (*needed, *(each.setting for each in row.id_settings)) if name not in given]
    if row.free == "retired":
        return "retired: it takes no calls any more; use another provider"
    if row.free == "paid" and row.name not in paid:
        return f"paid: set {' and '.join((f'ALLOW_PAID={row.name}', *lacking))} to use it"
    if row.free == "own" and row.origin == SHIPPED and row.base_url_setting not in given:
        return f"no address: set {row.base_url_setting}"
    if lacking:
        return f"no {'key' if row.key_setting in lacking else 'account id'}: set {' and '.join(lacking)}"
    return None


def _account(row: ProviderRow, given: Mapping[str, str]) -> _Account:
    key = given.get(row.key_setting, "")
    if not re.fullmatch(r"[!-~]*", key):
        raise CatalogError(f"{row.key_setting} has a space or an unprintable character in it: paste the key again")
    ids = {}
    for each in row.id_settings:
        value = given.get(each.setting, "")
        if value and not re.fullmatch(each.format, value):
            raise CatalogError(f"{each.setting} is malformed: {each.hint}")
        ids[each.name] = quote(value, safe="")
    return _Account(row, _base_url(row, given), row.path.format_map(ids), key)


def _base_url(row: ProviderRow, given: Mapping[str, str]) -> str:
    """The override if one is set. What we ship is not checked: checking looks the host up, at every start."""
    url = given.get(row.base_url_setting)
    if url is None and row.origin == SHIPPED:
        return row.base_url
    where = row.base_url_setting if url else f"{row.origin}: [{row.name}] base_url"
    url = url or row.base_url
    if not re.fullmatch(r"[!-~]+", url) or re.search(r"[?#]", url):
        raise CatalogError(f"{where} is not a plain address: write it as https://host/path")
    try:
        refuse_unsafe(url, _local_upstreams(given))
    except ValueError as error:
        raise CatalogError(f"{where}: {error}") from None
    return url.rstrip("/")


def _local_upstreams(given: Mapping[str, str]) -> bool:
    try:
        return _SWITCH[given.get("ALLOW_LOCAL_UPSTREAMS", "").lower()]
    except KeyError:
        raise CatalogError("ALLOW_LOCAL_UPSTREAMS is neither on nor off: use 1, or leave it out") from None
