"""Catalogue rows and the operator's settings -> the providers that are in use, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from providers.account import Account
from providers.addresses import refuse_unsafe
from providers.catalog import SHIPPED, Catalog, CatalogError, load_catalog, provider_settings
from providers.cloudflare import Cloudflare
from providers.contracts import Clock, Provider, Route
from providers.gemini import Gemini
from providers.http import Http
from providers.openai_chat import OpenAIChat
from providers.openrouter import OpenRouter
from providers.replicate import Replicate
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
    http: Http = field(repr=False)

    def close(self) -> None:
        """Close the kept connections."""
        self.http.close()


@dataclass(frozen=True)
class _Connection:
    """A row with the operator's values in place."""

    row: ProviderRow
    base_url: str
    path: str
    account: Account

    @property
    def chat(self) -> dict[str, Any]:
        """What every dialect that speaks OpenAI's chat completions is made from."""
        names = ("body", "max_tokens_field", "stream_usage")
        made = {name: getattr(self.row, name) for name in names}
        return {"account": self.account, "url": self.base_url + self.path, **made}


def _openai_chat(found: _Connection) -> Provider:
    return OpenAIChat(**found.chat, stream_json=found.row.stream_json)


def _openrouter(found: _Connection) -> Provider:
    return OpenRouter(**found.chat, stream_json=found.row.stream_json)


def _cloudflare(found: _Connection) -> Provider:
    return Cloudflare(**found.chat)


def _replicate(found: _Connection) -> Provider:
    row = found.row
    return Replicate(
        account=found.account, base_url=found.base_url, body=row.body, max_tokens_field=row.max_tokens_field
    )


def _gemini(found: _Connection) -> Provider:
    return Gemini(account=found.account, base_url=found.base_url, body=found.row.body)


DIALECTS: Mapping[Dialect, Callable[[_Connection], Provider]] = {
    "openai-chat": _openai_chat,
    "gemini": _gemini,
    "cloudflare": _cloudflare,
    "openrouter": _openrouter,
    "replicate": _replicate,
}


def connect(catalog: Catalog, values: Mapping[str, str], clock: Clock) -> Fleet:
    """Build every provider that `values` (setting names to plain strings) allow. Makes no call.

    Raises CatalogError, naming the setting and never its value, for a value that cannot be meant.
    """
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    paid = _allowed_to_cost(catalog, given.get("ALLOW_PAID", ""))
    http = Http(clock, private=_local_upstreams(given))
    found = {name: _connection(row, given, http) for name, row in catalog.items()}
    off = {name: reason for name, row in catalog.items() if (reason := _obstacle(row, given, paid))}
    providers = {name: DIALECTS[each.row.dialect](each) for name, each in found.items() if name not in off}
    routes = tuple(route for name in providers for route in catalog[name].routes)
    return Fleet(catalog, providers, routes, off, http)


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


def _connection(row: ProviderRow, given: Mapping[str, str], http: Http) -> _Connection:
    key = given.get(row.key_setting, "")
    if not re.fullmatch(r"[!-~]*", key):
        raise CatalogError(f"{row.key_setting} has a space or an unprintable character in it: paste the key again")
    ids = {}
    for each in row.id_settings:
        value = given.get(each.setting, "")
        if value and not re.fullmatch(each.format, value):
            raise CatalogError(f"{each.setting} is malformed: {each.hint}")
        ids[each.name] = quote(value, safe="")
    account = Account(http=http, key=key, dialect=row.dialect, headers=row.headers, tells=row.tells)
    return _Connection(row, _base_url(row, given), row.path.format_map(ids), account)


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
