"""HTTP for monitors and scripts: /api/system_status behind a bearer token, /healthz open and empty of detail."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.app import App
from core.stores.contract import StoreError

log = logging.getLogger(__name__)
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def routes(current: Callable[[], App]) -> list[BaseRoute]:
    """`current` gives the running app; handlers are plain functions, so they run in Starlette's thread pool."""

    def system_status(request: Request) -> Response:
        app = current()
        if not app.settings.status_public and not app.access.bearer(request.headers.get("authorization")):
            return JSONResponse(
                {"error": "send the API token as a bearer"}, 401, {**NO_STORE, "WWW-Authenticate": "Bearer"}
            )
        try:
            return JSONResponse(app.status.read().as_json(), headers=NO_STORE)
        except StoreError:
            log.exception("The quota store cannot be read")
            return JSONResponse({"error": "the quota store cannot be read; see the server's log"}, 503, NO_STORE)

    def healthz(request: Request) -> Response:  # noqa: ARG001 (signature is Starlette's)
        try:
            current().status.read()
            current().engine.check()
        except StoreError:
            return JSONResponse({"status": "store unreadable"}, 503, NO_STORE)
        return JSONResponse({"status": "ok"}, headers=NO_STORE)

    def unknown(request: Request) -> Response:  # noqa: ARG001
        return JSONResponse({"error": "no such endpoint"}, 404, NO_STORE)

    return [
        Route("/api/system_status", system_status, methods=["GET"]),
        Route("/api/{rest:path}", unknown),
        Route("/healthz", healthz, methods=["GET"]),
    ]
