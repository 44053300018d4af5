"""The OpenRouter dialect: chat in OpenAI's words, and what OpenRouter tells about itself.

Its free models change monthly, so it is asked which there are; that takes no key and is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from providers import loose
from providers.contracts import Inspection, Told
from providers.openai_chat import OpenAIChat
from providers.told import LARGEST

_FREE_ID = re.compile(r"[a-z0-9][\w./-]{1,90}:free", re.ASCII | re.IGNORECASE)

_NEXT = re.compile(r"/models\?([\w=&]{1,80})\Z", re.ASCII)  # only what it asks for, never another place
MOST_PAGES = 10


@dataclass(frozen=True)
class FreeModel:
    """One that costs nothing and can be held to JSON, and how."""

    id: str
    json: Literal["schema", "object"]


@dataclass(frozen=True, kw_only=True)
class OpenRouter(OpenAIChat):
    def inspect(self, timeout: float) -> Inspection:
        """Which models are listed, and how many free requests the day still has. Raises ProviderError."""
        key = self._get("/key", timeout / 2)
        listed = super().inspect(timeout / 2)
        counted = loose.mapping(loose.mapping(loose.mapping(key).get("data")).get("free_model_daily_requests"))
        limit, remaining = (_count(counted.get(name)) for name in ("limit", "remaining"))
        told = Told("requests", "day", limit, remaining)
        return replace(listed, told=listed.told if (limit, remaining) == (None, None) else (told, *listed.told))

    def free_models(self, timeout: float) -> tuple[FreeModel, ...]:
        """Those that are free today and can answer in JSON, within `timeout` seconds. Raises ProviderError."""
        found: list[FreeModel] = []
        ends, path = self._now() + timeout, "/models"
        for _ in range(MOST_PAGES):
            page = loose.mapping(self._get(path, ends - self._now()))
            found += _free_models(loose.items(page.get("data")))
            following = _NEXT.search(loose.text(loose.mapping(page.get("links")).get("next")))
            if following is None:
                break
            path = f"/models?{following[1]}"
        return tuple(found)

    def _now(self) -> float:
        return self.account.http.clock.monotonic()

    def _get(self, path: str, timeout: float) -> Any:
        reply = self.account.http.get_json(self.beside(path), self.account.bearer, timeout)
        return self.account.payload(reply, f"OpenRouter's {path}")


def _free_models(rows: list[Any]) -> Iterator[FreeModel]:
    for row in map(loose.mapping, rows):
        name, can = loose.text(row.get("id")), loose.items(row.get("supported_parameters"))
        if _FREE_ID.fullmatch(name) and _is_text(row) and _costs_nothing(row):
            if "structured_outputs" in can:
                yield FreeModel(name, "schema")
            elif "response_format" in can:
                yield FreeModel(name, "object")


def _is_text(row: Mapping[str, Any]) -> bool:
    return loose.mapping(row.get("architecture")).get("output_modalities") in (None, ["text"])


def _costs_nothing(row: Mapping[str, Any]) -> bool:
    prices = loose.mapping(row.get("pricing"))
    return all(loose.amount(prices.get(what, "0")) == 0 for what in ("prompt", "completion", "request"))


def _count(value: object) -> float | None:
    number = loose.amount(value)
    return number if number is not None and number < LARGEST else None
