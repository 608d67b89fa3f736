"""The description of the interface: what FastAPI knows of it, and what the gate adds."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service import schemas
from service.problems import MEDIA_TYPE

ABOUT = (
    "What a Rearguard belt knows and how it does. Errors are problem details (RFC 9457) with a "
    "`remedy`. Lists are newest first; their `next` goes on to older ones. Beyond loopback all but "
    "health asks for a bearer token (`rearguard token add`)."
)
REF = "#/components/schemas/"
# What no endpoint answers as JSON, and so FastAPI does not know of.
_BESIDES: list[tuple[type[BaseModel], Literal["serialization"]]] = [
    (model, "serialization") for model in (schemas.Problem, schemas.Picture, schemas.Episodes)
]
_PROBLEM = {
    "description": "What is wrong, and what to do about it.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": REF + "Problem"}}},
}


def install(app: FastAPI) -> None:
    """Describe every error of every path as a problem, and the token."""

    def described() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        found = get_openapi(
            title=app.title, version=app.version, description=ABOUT, routes=app.routes
        )
        components = found.setdefault("components", {})
        known = components.setdefault("schemas", {})
        known.update(models_json_schema(_BESIDES, ref_template=REF + "{model}")[1]["$defs"])
        for name in ("HTTPValidationError", "ValidationError"):
            known.pop(name, None)
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, operations in found["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = _PROBLEM
                if path not in ("/healthz", "/readyz"):
                    operation["security"] = [{}, {"token": []}]
        app.openapi_schema = found
        return found

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way
