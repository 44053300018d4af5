"""The catalogue as a page to read: who is free, within which limits, on which terms, and how we know. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from providers.catalog import Catalog
from providers.contracts import Limit, Route
from providers.rows import ProviderRow

RENEW = "python -m providers docs > docs/providers.md"
_INTRO = f"""# Providers

This page is generated from [providers/catalog.toml](../providers/catalog.toml) by `{RENEW}`.
Do not edit it: change the catalogue and run the command again. Rows stand in the order in which they are asked."""
_ADDRESS = re.compile(r"(https://[^\s<>]*[^\s<>.,;:)])")
_IN_ADDRESS = str.maketrans({"|": "%7C", "<": "%3C", ">": "%3E"})
_JSON = {"schema": "JSON by schema", "object": "JSON without a schema", "none": "JSON only as the prompt asks"}
_DAILY = ("rolling-day", "day", "refill-day")


def guide(catalog: Catalog) -> str:
    """All of docs/providers.md."""
    rows = sorted(catalog.values(), key=lambda row: row.priority)
    living = [row for row in rows if row.free != "retired"]
    head = ("Provider", "Free today?", "Day's allowance", "Settings", "Make a key")
    overview = _table(
        head, ([prose(r.label), _free(r), _allowance(r), _settings(r), _link(r.console)] for r in living)
    )
    gone = [f"- **{prose(row.label)}.** {prose(row.fact)} {_source(row)}" for row in rows if row.free == "retired"]
    parts = [_INTRO, overview, *map(_section, living)]
    if gone:
        parts.append("\n".join(("## No longer there", "", *gone)))
    return "\n\n".join(parts) + "\n"


def facts(row: ProviderRow) -> str:
    """What holds today beside what the plan claimed, on which terms, and how we know, as Markdown."""
    claim = f"{prose(row.claim)}{_as_interviews(row)}" if row.claim else "no figure"
    return "\n\n".join(
        [
            f"**Today:** {prose(row.fact)}",
            f"**Original plan:** {claim}",
            *_listed("Terms", row.terms),
            *_listed("Caveats", row.caveats),
            _source(row),
        ]
    )


def prose(text: str) -> str:
    """A row's text as one line of Markdown without any markup of its own; addresses become links."""
    parts = _ADDRESS.split(" ".join(text.split()))
    return "".join(_link(part) if n % 2 else _plain(part) for n, part in enumerate(parts))


def _plain(text: str) -> str:
    return re.sub(r"(?<!\w)_|_(?!\w)|[\\`*\[\]<>|$~&#]", r"\\\g<0>", text)


def _link(url: str) -> str:
    return f"<{url.translate(_IN_ADDRESS)}>"


def _code(text: str) -> str:
    """An id or the name of a setting. A pipe would end the table's cell even here."""
    return f"`{text}`".replace("|", r"\|")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _listed(title: str, texts: Sequence[str]) -> list[str]:
    return ["\n".join((f"**{title}:**\n", *(f"- {prose(text)}" for text in texts)))] if texts else []


def _source(row: ProviderRow) -> str:
    return f"Source: {prose(row.source)} (as of {row.as_of})."


def _as_interviews(row: ProviderRow) -> str:
    return f", that is {row.claim_interviews:,g} interviews" if row.claim_interviews else ""


def _free(row: ProviderRow) -> str:
    if row.free == "recurring":
        windows = {limit.window for route in row.routes for limit in route.limits}
        return "yes" + (", every day" if windows & {*_DAILY} else ", every month" if "month" in windows else "")
    words = {"credit-once": "only a credit, once", "own": "yes, it is yours"}
    return words.get(row.free) or f"no; used only with {_code(f'ALLOW_PAID={row.name}')}"


def _settings(row: ProviderRow) -> str:
    if row.free == "own":
        private = _code("ALLOW_LOCAL_UPSTREAMS=1")
        return f"{_code(row.base_url_setting)}, with {private} where it is plain http or a private address"
    return ", ".join(map(_code, (row.key_setting, *(each.setting for each in row.id_settings))))


def _allowance(row: ProviderRow) -> str:
    """What may be spent in a day, or in a month where only that is limited."""
    if row.free == "paid":
        return "none"
    words = "; ".join(_spans(row, _DAILY)) or "; ".join(_spans(row, ("month",)))
    if row.free == "credit-once":
        return f"while the credit lasts: {words}" if words else "as far as the credit goes"
    return words or ("no limit" if row.free == "own" else "no limit for a day is known")


def _spans(row: ProviderRow, windows: Sequence[str]) -> Iterator[str]:
    """The limits over `windows` in words: the account's, then the models' own, equal ones in one go."""
    places: dict[str, list[str]] = {}
    for pool in dict.fromkeys(limit.pool for route in row.routes for limit in route.limits):
        drawing = [route for route in row.routes if any(limit.pool == pool for limit in route.limits)]
        words = _words(each for each in drawing[0].limits if each.pool == pool and each.window in windows)
        if words and pool == row.name:
            yield f"{words} for all models together"
        elif words:
            together = " together" if len(drawing) > 1 else ""
            places.setdefault(words, []).append(_joined([_code(each.model) for each in drawing]) + together)
    for words, named in places.items():
        yield f"{words} on {'each of ' if len(named) > 1 else ''}{_joined(named)}"


def _words(limits: Iterable[Limit]) -> str:
    told = ("1 call at once" if (each.amount, each.window) == (1, "call") else _amount(each) for each in limits)
    return ", ".join(told)


def _amount(limit: Limit) -> str:
    return f"{limit.amount:,} {limit.what}"


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _section(row: ProviderRow) -> str:
    models = ([_code(each.model), _use(each), _own_limits(row, each)] for each in row.routes)
    return "\n\n".join(
        (
            f"## {prose(row.label)}",
            facts(row),
            f"**{'Server' if row.free == 'own' else 'Key'}:** {_link(row.console)}, for {_settings(row)}",
            f"**Limits of the account:** {_account_limits(row)}",
            _table(("Model", "Size and JSON", "Limits of its own"), models),
        )
    )


def _use(route: Route) -> str:
    return "speech to text" if route.does == "transcribe" else f"{route.tier}, {_JSON[route.json]}"


def _own_limits(row: ProviderRow, route: Route) -> str:
    words = _words(each for each in route.limits if each.pool != row.name)
    sharing = [_code(each.model) for each in row.routes if each.pool == route.pool != row.name and each != route]
    if words and sharing:
        return f"{words}, shared with {_joined(sharing)}"
    return words or ("only the account's" if row.limits else _unlimited(row))


def _account_limits(row: ProviderRow) -> str:
    windows = {limit.window for route in row.routes for limit in route.limits}
    words = _words(each for each in row.routes[0].limits if each.pool == row.name) or _unlimited(row)
    turning = [name for window, name in (("day", "days"), ("month", "months")) if window in windows]
    turns = f" Its {_joined(turning)} turn at midnight, {row.zone} time." if turning else ""
    refills = " What a day allows fills up again bit by bit." if "refill-day" in windows else ""
    return f"{words}.{turns}{refills}"


def _unlimited(row: ProviderRow) -> str:
    return "none" if row.free == "own" else "none known"
