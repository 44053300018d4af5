"""Which OpenRouter models are free today: asked at the start, at most daily, or else those of the catalogue's row.

Free models come and go every month. The row's own are preferred for as long as they are listed.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from core.stores.contract import Documents, StoreError
from providers.contracts import Clock, Tier
from providers.errors import ProviderError
from providers.openrouter import FreeModel, OpenRouter
from providers.registry import Catalog, Fleet
from providers.rows import ModelRow

DOCUMENT = "free-models"
KEPT = 86_400.0
SECONDS = 4.0  # that a start may wait for the list
SPARE = 2  # models of each tier; another one is worth having, because a free model may be throttled for everybody
LARGE = 60  # billions of parameters from which on we call a model large
log = logging.getLogger(__name__)


def with_free_models(fleet: Fleet, documents: Documents, clock: Clock) -> Catalog:
    """The fleet's catalogue, with today's free models in the place of those in each OpenRouter row."""
    catalog = dict(fleet.catalog)
    for name, provider in fleet.providers.items():
        row = catalog[name]
        if row.discover and isinstance(provider, OpenRouter):
            listed = _listed(name, provider, documents, clock)
            catalog[name] = replace(row, models=choose(row.models, listed))
    return catalog


def choose(preferred: Sequence[ModelRow], listed: Sequence[FreeModel]) -> tuple[ModelRow, ...]:
    """The preferred models that are still listed, and others up to SPARE of each tier. Pure.

    Falls back on all the preferred ones where nothing fits.
    """
    offered = {model.id: model for model in listed}
    kept = [replace(row, json=offered[row.id].json) for row in preferred if row.id in offered]
    for model in sorted(listed, key=lambda each: (each.json != "schema", each.id)):
        tier = _tier(model.id)
        if tier and model.id not in {row.id for row in kept} and sum(row.tier == tier for row in kept) < SPARE:
            kept.append(ModelRow(id=model.id, tier=tier, json=model.json))
    return tuple(kept) or tuple(preferred)


def _tier(name: str) -> Tier | None:
    """By the size in the name, "nemotron-3-super-120b-a12b"; None where it tells none or a tiny one."""
    sizes = [float(size) for size in re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![a-z0-9])", name.lower())]
    if not sizes or max(sizes) < 7:
        return None
    return "large" if max(sizes) >= LARGE else "small"


def _listed(name: str, provider: OpenRouter, documents: Documents, clock: Clock) -> tuple[FreeModel, ...]:
    """Today's list, kept for a day; () where it cannot be had."""
    key = f"{DOCUMENT}:{name}"
    try:
        known = documents.get(key)
        if known and (kept := _fresh(known, clock.now())):
            return kept
        found = provider.free_models(SECONDS)
        text = json.dumps({"at": clock.now(), "models": [asdict(model) for model in found]})
        documents.replace(key, known, text, KEPT)
    except ProviderError as error:
        log.warning("The list of free models could not be read; the catalogue's are used: %s", error)
        return ()
    except StoreError:
        log.exception("The list of free models could not be kept")
        return ()
    return found


def _fresh(known: str, now: float) -> tuple[FreeModel, ...]:
    try:
        kept: dict[str, Any] = json.loads(known)
        models = tuple(FreeModel(**each) for each in kept["models"])
        return models if 0 <= now - kept["at"] < KEPT else ()
    except (ValueError, KeyError, TypeError):
        return ()
