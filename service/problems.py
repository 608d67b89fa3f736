"""Problem details (RFC 9457): every error as one JSON object with what to do about it."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_SEE = "see /openapi.json for what there is and what it takes"
REMEDIES = {  # for each status, where an error has no better one
    400: _SEE,
    401: "send a token, made by `rearguard token add`",
    404: _SEE,
    405: _SEE,
    422: _SEE,
    429: "ask again in a moment",
    500: "look into the service's log: journalctl -u rearguard-service",
    503: "look at /readyz; then `rearguard doctor`",
}


class Problem(Exception):  # noqa: N818 — the RFC's word
    """An error to be answered as such; `more` are members of its own."""

    def __init__(self, status: int, detail: str, remedy: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.remedy, self.more = status, detail, remedy, more


def response(
    status: int, detail: str, headers: dict[str, str] | None = None, remedy: str = "", **more: Any
) -> Response:
    """The answer. `type` is about:blank: the status says the kind. `remedy`: empty for the usual.

    Where `detail` has its remedy behind a colon, that is the remedy.
    """
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "remedy": remedy or REMEDIES.get(status) or detail.rpartition(": ")[2],
        **more,
    }
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have every error of the application answered as a problem."""

    @app.exception_handler(Problem)
    async def _own(_request: Request, error: Problem) -> Response:
        return response(error.status, error.detail, remedy=error.remedy, **error.more)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        detail = {
            404: f"there is nothing at {request.url.path}",
            405: f"{request.url.path} does not take {request.method}",
        }.get(error.status_code, str(error.detail))
        return response(error.status_code, detail, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        faults = [
            {"where": "/".join(map(str, fault["loc"])), "what": fault["msg"]}
            for fault in error.errors()
        ]
        detail = "; ".join(f"{fault['where']}: {fault['what']}" for fault in faults)
        return response(422, detail, errors=faults)

    @app.exception_handler(Exception)
    async def _unforeseen(_request: Request, _error: Exception) -> Response:
        # logged by the server with its traceback; what it says is not for strangers
        return response(500, "the service failed at this")
