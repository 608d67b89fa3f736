"""The HTTP interface: for technicians, their tools, and the page. Here: health, status, config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from device.config import Config
from service import (
    alert_api,
    command_api,
    configuration,
    openapi,
    page_api,
    problems,
    recording_api,
    schemas,
    session_api,
)
from service.bundle import Bundle
from service.desk import Desk
from service.history import History
from service.loop import Loop
from service.metrics import MEDIA_TYPE, Metrics
from service.moment import moment
from service.problems import Problem
from service.recordings import Recordings
from service.status import Status
from service.walks import Walks


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the interface shows and passes on to."""

    config: Config
    status: Status
    metrics: Metrics
    history: History  # a connection of the interface's own
    walks: Walks  # the same
    recordings: Recordings
    bundle: Bundle
    desk: Desk
    loop: Loop
    stopping: Callable[[], bool]


def build(rooms: Rooms, version: str) -> FastAPI:
    """The application, without its gate."""
    app = FastAPI(title="Rearguard", version=version, docs_url=None, redoc_url=None)
    problems.install(app)
    _health(app, rooms)
    _status(app, rooms)
    alert_api.install(app, rooms.history)
    session_api.install(
        app, rooms.walks, rooms.desk, rooms.history, rooms.config.belt.name, rooms.config.plans_dir
    )
    recording_api.install(app, rooms.recordings, rooms.history)
    command_api.install(app, rooms.desk, rooms.history)
    page_api.install(app, rooms.status, rooms.history, rooms.recordings, rooms.stopping)
    openapi.install(app)
    return app


def _health(app: FastAPI, rooms: Rooms) -> None:
    @app.get("/healthz", summary="Whether the process works", response_model=schemas.Health)
    async def healthz() -> dict[str, Any]:
        if not rooms.loop.alive(moment().t):
            raise Problem(503, "the service's loop makes no rounds", "restart the service")
        return {"healthy": True}

    @app.get(
        "/readyz", summary="Whether every stream that guards is fresh", response_model=schemas.Ready
    )
    async def readyz() -> dict[str, Any]:
        if reasons := rooms.status.reasons(moment()):
            raise Problem(
                503, "; ".join(reasons), "look at /api/v1/status; then `rearguard doctor`",
                ready=False, reasons=reasons,
            )  # fmt: skip
        return {"ready": True, "reasons": []}


def _status(app: FastAPI, rooms: Rooms) -> None:
    @app.get(
        "/api/v1/status",
        summary="What is known now, and how old it is",
        response_model=schemas.Status,
    )
    async def status() -> dict[str, Any]:
        return {
            **rooms.status.picture(moment()),
            "active": rooms.history.active(),
            "session_record": rooms.walks.newest(),
        }

    @app.get(
        "/api/v1/config",
        summary="The configuration in force, with every default",
        response_model=configuration.shape(),
    )
    async def config() -> dict[str, dict[str, Any]]:
        """Secrets are not in it: they stand in files of their own, whose names it has."""
        return configuration.settings(rooms.config)

    @app.get(
        "/api/v1/bundle",
        summary="The support bundle: how everything stands, the log, the last recordings",
        response_class=Response,
        responses=schemas.ZIP,
    )
    def bundle() -> Response:
        """A ZIP archive. It holds health data, and no secrets."""
        name = f"rearguard-{rooms.config.belt.name}.zip"
        return Response(
            rooms.bundle.zipped(),
            media_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @app.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        return Response(rooms.metrics.text(moment()), media_type=MEDIA_TYPE)
