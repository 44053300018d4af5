"""What a provider says about itself: its models, and OpenRouter what a key may still do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

Row = dict[str, Any]


def row(provider: str, model: str, **more: Any) -> Row:
    """A model as the provider lists it; `more` replaces or adds fields."""
    if provider == "gemini":
        return {
            "name": f"models/{model}",
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            **more,
        }
    if provider == "cloudflare":
        return {"name": model, **more}
    if provider == "openrouter":
        return {**_openrouter(model), **more}
    if provider == "replicate":
        owner, _, name = model.partition("/")
        return {"owner": owner, "name": name, "visibility": "public", "run_count": 1, **more}
    listed = {"id": model, "object": "model", "created": 0, "owned_by": "fake"}
    if provider == "together":
        price = {"hourly": 0, "input": 0.05, "output": 0.2, "base": 0, "finetune": 0}
        listed |= {"type": "chat", "display_name": model, "context_length": 131072, "pricing": price}
    return {**listed, **more}


def listing(provider: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    """The rows as the provider wraps them: most in an object, Together in a bare list."""
    listed = list(rows)
    if provider == "together":
        return listed
    if provider == "gemini":
        return {"models": listed}
    if provider == "cloudflare":
        return {"success": True, "errors": [], "messages": [], "result": listed}
    if provider == "replicate":
        return {"next": None, "previous": None, "results": listed}
    return {"object": "list", "data": listed}


def openrouter_page(rows: Sequence[Mapping[str, Any]], path: str, query: str) -> Row:
    """The part of the rows that the query asks for, and where the next part is."""
    asked = parse_qs(query)
    offset, size = int(asked.get("offset", ["0"])[0]), min(int(asked.get("limit", ["500"])[0]), 1000)
    following = f"{path}?offset={offset + size}&limit={size}" if offset + size < len(rows) else None
    return {"data": list(rows[offset : offset + size]), "total_count": len(rows), "links": {"next": following}}


def openrouter_key(used: int, limit: int) -> Row:
    """The reply of GET /key: `used` free requests today of `limit`."""
    spent = {
        f"{kind}{period}": 0
        for kind in ("usage", "byok_usage")
        for period in ("", "_daily", "_weekly", "_monthly")
    }
    free = {"used": used, "limit": limit, "remaining": max(0, limit - used)}
    data = {
        "label": "sk-or-v1-fak...e00",
        "limit": None,
        "limit_remaining": None,
        "limit_reset": None,
        "is_free_tier": limit < _WITH_CREDITS,
        "is_management_key": False,
        "is_provisioning_key": False,
        "include_byok_in_limit": False,
        "creator_user_id": "user_fake",
        "organization_id": None,
        "workspace_id": "0" * 32,
        "allowed_data_regions": ["global"],
        "budgets": [],
        "effective_budget": None,
        "expires_at": None,
        "free_model_daily_requests": free,
        "rate_limit": {"interval": "10s", "requests": -1, "note": "This field is deprecated and safe to ignore."},
        **spent,
    }
    return {"data": data}


_WITH_CREDITS = 1000
"""Free requests a day for who ever bought 10 credits."""


def _openrouter(model: str) -> Row:
    return {
        "id": model,
        "canonical_slug": model.removesuffix(":free"),
        "name": model,
        "created": 1_790_000_000,
        "description": "Made up.",
        "context_length": 131072,
        "architecture": {
            "modality": "text->text",
            "input_modalities": ["text"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {"prompt": "0", "completion": "0"},
        "top_provider": {"context_length": 131072, "max_completion_tokens": None, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": ["max_tokens", "temperature", "response_format", "structured_outputs"],
        "expiration_date": None,
    }
