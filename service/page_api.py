"""The page and its live stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import FileResponse, StreamingResponse

from device.alerts import EVENTS
from service.history import History
from service.moment import moment
from service.openapi import REF
from service.problems import Problem
from service.recordings import Recordings, name_of
from service.status import Status

PAGE = Path(__file__).parent / "page"
FILES = (
    "page.css", "page.js", "words.js", "chart.js", "alerts.js", "sessions.js",
    "walks.js", "walks.css",
)  # fmt: skip
SHOWN = 30  # episodes the page lists
STREAM_EVERY = 0.25  # s between pictures on a live stream
MAX_STREAMS = 8
_TOLD_AS = {  # for the description
    "schema": {"type": "string"},
    "example": 'event: alerts\ndata: {"episodes": []}\n\n',
}


def install(
    app: FastAPI, status: Status, history: History, recordings: Recordings,
    stopping: Callable[[], bool],
) -> None:  # fmt: skip
    streams = asyncio.Semaphore(MAX_STREAMS)

    @app.get(
        "/api/v1/events",
        summary="Live stream for the page (server-sent events)",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": _TOLD_AS}}},
        openapi_extra={
            "x-events": {"state": {"$ref": REF + "Picture"}, "alerts": {"$ref": REF + "Episodes"}}
        },
    )
    async def events() -> StreamingResponse:
        """`state` four times a second; `alerts` (episodes, newest first) whenever they change.

        It has no end and no ids: whoever comes back is told everything anew, and `Last-Event-ID`
        changes nothing. `x-events` has the shape of each event's `data`.
        """
        if streams.locked():
            raise Problem(503, f"{MAX_STREAMS} pages are watching already", "close one of them")
        lines = _stream(status, history, recordings, stopping, streams)
        return StreamingResponse(lines, media_type="text/event-stream")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    for name in FILES:
        app.get(f"/{name}", include_in_schema=False)(_file(name))


def _file(name: str) -> Callable[[], Any]:
    async def file() -> FileResponse:
        return FileResponse(PAGE / name)

    return file


async def _stream(
    status: Status, history: History, recordings: Recordings, stopping: Callable[[], bool],
    streams: asyncio.Semaphore,
) -> AsyncIterator[str]:  # fmt: skip
    async with streams:
        version: tuple[int, int] | None = None
        while not stopping():
            yield _event("state", status.picture(moment()))
            kept = recordings.names()
            if (newest := (history.version(), len(kept))) != version:
                version = newest
                told = [_told(episode, kept) for episode in history.recent(SHOWN)]
                yield _event("alerts", {"episodes": told})
            await asyncio.sleep(STREAM_EVERY)


def _told(episode: dict[str, Any], kept: list[str]) -> dict[str, Any]:
    """An episode with what a helper should do about it, and its recording when there is one."""
    row, name = EVENTS.get(episode["event"]), name_of(episode["alert_id"])
    return {
        **episode,
        "why": row.why if row else "",
        "helper": row.helper if row else "",
        "recording": name if name in kept else None,
    }


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
