"""The HTTP interface: for technicians, their tools, and the page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query, Request
from pydantic import AfterValidator
from starlette.responses import FileResponse, StreamingResponse

from device.alerts import EVENTS, Level
from device.commands import CommandError
from service import problems, session_api
from service.broker import Broker
from service.callers import Caller
from service.desk import Desk, Refused, Repeated, TooMany, checked
from service.history import History, UnknownId
from service.intake import Intake
from service.live import Live
from service.loop import Loop
from service.moment import moment
from service.problems import Problem
from service.walks import Walks

PAGE = Path(__file__).parent / "page"
ANSWER_WITHIN = 2.0  # s for what came of a command to arrive as a record
SHOWN = 30  # episodes the page lists
STREAM_EVERY = 0.25  # s between pictures on a live stream
MAX_STREAMS = 8


def _one_of(words: list[str]) -> AfterValidator:
    def check(word: str) -> str:
        if word and word not in words:
            raise ValueError(f"choose one of: {', '.join(words)}")
        return word

    return AfterValidator(check)


Levels = Annotated[str, _one_of([level.word for level in Level][1:]), Query(max_length=20)]
Events = Annotated[str, _one_of(list(EVENTS)), Query(max_length=40)]
RecordId = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the interface shows and passes on to."""

    live: Live
    history: History  # a connection of the interface's own
    walks: Walks  # the same
    desk: Desk
    broker: Broker
    intake: Intake
    loop: Loop
    stopping: Callable[[], bool]


def build(rooms: Rooms, version: str) -> FastAPI:
    """The application, without its gate."""
    app = FastAPI(title="Rearguard", version=version, docs_url=None, redoc_url=None)
    problems.install(app)
    _health(app, rooms)
    _data(app, rooms)
    _commands(app, rooms)
    _page(app, rooms)
    session_api.install(app, rooms.walks, rooms.live.belt)
    return app


def _health(app: FastAPI, rooms: Rooms) -> None:
    @app.get("/healthz", summary="Whether the process works")
    async def healthz() -> dict[str, Any]:
        if not rooms.loop.alive(moment().t):
            raise Problem(503, "the service's loop makes no rounds: restart the service")
        return {"healthy": True}

    @app.get("/readyz", summary="Whether every stream that guards is fresh")
    async def readyz() -> dict[str, Any]:
        t = moment().t
        reasons = rooms.live.stale(t)
        if rooms.loop.trouble:
            reasons.append(rooms.loop.trouble)
        if not rooms.loop.alive(t):
            reasons.append("the service's loop makes no rounds")
        if reasons:
            raise Problem(503, "; ".join(reasons), ready=False, reasons=reasons)
        return {"ready": True, "reasons": []}


def _data(app: FastAPI, rooms: Rooms) -> None:
    @app.get("/api/v1/status", summary="What is known now, and how old it is")
    async def status() -> dict[str, Any]:
        now = moment()
        return {
            "time": now.written(),
            **rooms.live.picture(now.t),
            "active": rooms.history.active(),
            "session_record": rooms.walks.newest(),
            "service": _service(rooms),
        }

    @app.get("/api/v1/alerts", summary="Alert records, newest first")
    async def alerts(
        level: Levels = "",
        event: Events = "",
        since: RecordId = "",
        before: RecordId = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Give `next` as `before` to go on to older ones, or the first id as `since` for newer."""
        try:
            found, further = rooms.history.alerts(
                limit=limit, level=level, event=event, since=since, before=before
            )
        except UnknownId as error:
            raise Problem(404, f"there is no record {error}: leave out since and before") from error
        return {"alerts": found, "next": further or None}


def _commands(app: FastAPI, rooms: Rooms) -> None:
    @app.post(
        "/api/v1/commands/{name}", summary="Acknowledge an alert, test the motor, start, stop"
    )
    async def command(
        request: Request,
        name: str,
        arguments: Annotated[dict[str, Any] | None, Body()] = None,
    ) -> dict[str, Any]:
        """`ack` takes `alert_id`; each may say `by` whom. Under one `id` it is carried out once.

        `result` is null if none came in 2 s.
        """
        before = rooms.history.newest()
        try:
            caller: Caller = request.scope["caller"]
            by = f"http:{caller.name}" if caller.name else "http"
            order = checked(name, by, arguments or {})
        except Refused as error:
            raise Problem(400, str(error)) from error
        try:
            rooms.desk.put(order, moment().t)
        except TooMany as error:
            raise Problem(429, str(error)) from error
        except Repeated as error:
            raise Problem(409, str(error)) from error
        deadline = moment().t + ANSWER_WITHIN
        try:
            answered = await asyncio.wait_for(asyncio.wrap_future(order.answer), ANSWER_WITHIN)
        except (TimeoutError, FutureTimeoutError) as error:
            raise Problem(503, "the service is too busy to pass this on: try again") from error
        except Refused as error:
            raise Problem(404, str(error)) from error
        except CommandError as error:
            raise Problem(503, str(error)) from error
        while (result := rooms.history.answer(answered, before)) is None:
            if moment().t > deadline:
                break
            await asyncio.sleep(0.03)
        if result is not None and result["state"] == "cancelled":
            raise Problem(409, f"the device refused: {result['detail']}", result=result)
        return {"accepted": True, "request": answered, "result": result}


def _page(app: FastAPI, rooms: Rooms) -> None:
    streams = asyncio.Semaphore(MAX_STREAMS)

    @app.get("/api/v1/events", summary="Live stream for the page (server-sent events)")
    async def events() -> StreamingResponse:
        """`state` four times a second; `alerts` (episodes, newest first) whenever they change."""
        if streams.locked():
            raise Problem(503, f"{MAX_STREAMS} pages are watching already: close one")
        return StreamingResponse(_stream(rooms, streams), media_type="text/event-stream")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    @app.get("/page.js", include_in_schema=False)
    async def script() -> FileResponse:
        return FileResponse(PAGE / "page.js")

    @app.get("/page.css", include_in_schema=False)
    async def style() -> FileResponse:
        return FileResponse(PAGE / "page.css")


def _service(rooms: Rooms) -> dict[str, Any]:
    """How the service itself does."""
    waiting, oldest = rooms.history.waiting()
    return {
        "broker": "connected" if rooms.broker.connected else rooms.broker.trouble,
        "device_answers": rooms.intake.device_answers,
        "storage": rooms.loop.trouble or "ok",
        "waiting": waiting,
        "oldest_waiting_raised_at": oldest or None,
    }


async def _stream(rooms: Rooms, streams: asyncio.Semaphore) -> AsyncIterator[str]:
    async with streams:
        version = -1
        while not rooms.stopping():
            now = moment()
            picture = rooms.live.picture(now.t)
            yield _event("state", {"time": now.written(), **picture, "service": _service(rooms)})
            if (newest := rooms.history.version()) != version:
                version = newest
                yield _event(
                    "alerts", {"episodes": [_told(e) for e in rooms.history.recent(SHOWN)]}
                )
            await asyncio.sleep(STREAM_EVERY)


def _told(episode: dict[str, Any]) -> dict[str, Any]:
    """An episode with what a helper should do about it."""
    row = EVENTS.get(episode["event"])
    return {**episode, "why": row.why if row else "", "helper": row.helper if row else ""}


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
