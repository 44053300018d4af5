"""Error bodies of the providers that speak OpenAI's format to answer, and their own to refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from tests.fakes.meter import Gauge

Row = tuple[int, Any]
_TRIAL = (
    "You are using a Trial key, which is limited to {} API calls / {}. You can continue to use the Trial key for "
)


def cohere_envelope(status: int, message: str) -> Any:
    return {"id": f"fake-{status}", "message": message}


def _mistral(kind: str, model: str, gauge: Gauge | None) -> Row | None:
    if kind == "key":
        return 401, {"detail": "Invalid API Key"}
    if kind == "422":
        wrong = {"type": "extra_forbidden", "loc": ["body", "x"], "msg": "Extra inputs are not permitted"}
        return 422, {"detail": [{**wrong, "input": "..."}]}
    if kind == "403":
        message = "This model is not available in your subscription tier"
        return 403, {"object": "error", "message": message, "type": "tier_not_allowed", "code": "1910"}
    codes = {"minute": "1300", "day": "1300", "busy": "3505", "gone": "1500"}
    if kind not in codes:
        return None
    message = "Invalid model" if kind == "gone" else "Rate limit exceeded"
    status = HTTPStatus.BAD_REQUEST if kind == "gone" else HTTPStatus.TOO_MANY_REQUESTS
    return int(status), {"object": "error", "message": message, "type": "error", "code": codes[kind]}


def _nvidia(kind: str, model: str, gauge: Gauge | None) -> Row | None:
    """RFC 9457 problems."""
    rows: dict[str, tuple[int, str, str]] = {
        "key": (401, "Unauthorized", "Authentication failed"),
        "403": (403, "Forbidden", "Authorization failed"),
        "degraded": (400, "Bad Request", f"Function for {model}: DEGRADED function cannot be invoked"),
    }
    if kind not in rows:
        return None
    status, title, detail = rows[kind]
    return status, {"type": "about:blank", "status": status, "title": title, "detail": detail}


def _sambanova(kind: str, model: str, gauge: Gauge | None) -> Row | None:
    if kind != "payment":
        return None
    message = "A payment method is required. Add one at cloud.sambanova.ai/plans/billing"
    return 402, {"error": {"message": message, "code": "PAYMENT_METHOD_REQUIRED"}, "balance_units": 0}


def _together(kind: str, model: str, gauge: Gauge | None) -> Row | None:
    if kind != "gone":
        return None
    message = (
        f"Unable to access non-serverless model {model}. Please visit https://api.together.ai/models/{model} to "
        "create and start a new dedicated endpoint for the model."
    )
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "model_not_available"}
    return 400, {"id": "fake-400", "error": error}


def _fireworks(kind: str, model: str, gauge: Gauge | None) -> Row | None:
    if kind != "gone":
        return None
    message = "Model not found, inaccessible, and/or not deployed"
    error = {"message": message, "param": "model", "code": "NOT_FOUND", "type": "error"}
    return 404, {"error": error, "request_id": "fake-404"}


def _cohere(kind: str, model: str, gauge: Gauge | None) -> Row | None:
    """The longest period that Cohere counts is a month; nothing in its words is about a day."""
    if kind not in {"minute", "day"} or gauge is None:
        return None
    period = "minute" if kind == "minute" else "month"
    return 429, cohere_envelope(429, _TRIAL.format(gauge.limit, period) + "free or upgrade to a Production key.")


TABLES: Mapping[str, Callable[[str, str, Gauge | None], Row | None]] = {
    "mistral": _mistral,
    "nvidia": _nvidia,
    "sambanova": _sambanova,
    "together": _together,
    "fireworks": _fireworks,
    "cohere": _cohere,
}
