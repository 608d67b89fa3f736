"""Commands over HTTP: checked, passed to the device, answered with what became of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from fastapi import FastAPI, Request

from device.commands import COMMANDS, MOST_EFFORT, CommandError
from device.questions import QUESTIONS
from service import schemas
from service.callers import Caller
from service.desk import (
    MAX_BY,
    MAX_ID,
    OFFERED,
    PLAIN,
    Command,
    Desk,
    Refused,
    Repeated,
    TooMany,
    checked,
)
from service.history import History
from service.moment import moment
from service.problems import Problem

ANSWER_WITHIN = 2.0  # s for what came of a command to arrive as a record
LOOK_EVERY = 0.03  # s
ABOUT = {
    "ack": "Acknowledge an alert: who has seen it stands in `by`",
    "test": "Play the motor's test pattern",
    "start": "Begin a session",
    "stop": "End the session",
    "profile": "Change the wearer",
    "screening": "Answer the questions of /api/v1/screening: true for yes",
    "perception": "Begin the test whether buzzes are felt",
    "walk_test": "Begin the 3-metre backward walk test",
    "effort": "How hard the last session was",
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
SHAPES: dict[str, dict[str, Any]] = {  # of the arguments in device/commands.py
    "alert_id": {**_TEXT, "example": "belt:6f1c2b7a-1d4c:a3"},
    "plan": _TEXT,
    "name": _TEXT,
    "borg_cr10": {"type": "number", "minimum": 0, "maximum": MOST_EFFORT},
    "answers": {
        "type": "object",
        "properties": {question: {"type": "boolean"} for question in QUESTIONS},
        "required": list(QUESTIONS),
        "additionalProperties": False,
    },
}


def install(app: FastAPI, desk: Desk, history: History) -> None:
    for name in OFFERED:
        app.post(
            f"/api/v1/commands/{name}",
            summary=ABOUT.get(name, name),
            response_model=schemas.Answer,
            openapi_extra={"requestBody": _body(name)},
            operation_id=f"command_{name}",
        )(_command(name, desk, history))

    @app.post("/api/v1/commands/{name}", include_in_schema=False)
    async def unknown(name: str) -> None:
        raise Problem(404, f"there is no command {name[:40]!r}; known: {', '.join(OFFERED)}")


def _command(
    name: str, desk: Desk, history: History
) -> Callable[[Request], Awaitable[dict[str, Any]]]:
    async def command(request: Request) -> dict[str, Any]:
        """Under one `id` it is carried out once. `result` is null if none came in 2 s."""
        return await carried_out(desk, history, request, name, await _object(request))

    return command


async def carried_out(
    desk: Desk, history: History, request: Request, name: str, arguments: dict[str, Any]
) -> dict[str, Any]:
    """What became of a command. Raises Problem."""
    caller: Caller = request.scope["caller"]
    before = history.newest()
    try:
        order = checked(name, f"http:{caller.name}" if caller.name else "http", arguments)
    except Refused as error:
        raise Problem(400, str(error)) from error
    try:
        desk.put(order, moment().t)
    except TooMany as error:
        raise Problem(429, str(error)) from error
    except Repeated as error:
        raise Problem(409, str(error), "give each command an id of its own") from error
    answered = await _answered(order)
    result = await _result(history, answered, before)
    if result is not None and result["state"] == "cancelled":
        raise Problem(
            409, f"the device refused: {result['detail']}", "mend what it says", result=result
        )
    return {"accepted": True, "request": answered, "result": result}


async def _object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; an empty one stands for {}. Raises Problem."""
    try:
        found = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise Problem(422, f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Problem(422, "the body is no JSON object")
    return found


def _body(name: str) -> dict[str, Any]:
    """What a command's body looks like, for the description."""
    takes = COMMANDS[name]
    needed = [key for key, argument in takes.items() if not argument.optional]
    plain = {"type": "string", "pattern": f"^{PLAIN}$"}
    shape = {
        "type": "object",
        "properties": {
            **{key: SHAPES[key] for key in takes},
            "by": {**plain, "maxLength": MAX_BY, "example": "anna"},
            "id": {**plain, "maxLength": MAX_ID, "example": "5f0c"},
        },
        "required": needed,
        "additionalProperties": False,
    }
    return {"content": {"application/json": {"schema": shape}}, "required": bool(needed)}


async def _answered(order: Command) -> str:
    """The request's id, once the device has taken it. Raises Problem."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(order.answer), ANSWER_WITHIN)
    except (TimeoutError, FutureTimeoutError) as error:
        raise Problem(503, "the service is too busy to pass this on", "try again") from error
    except Refused as error:
        raise Problem(404, str(error)) from error
    except CommandError as error:
        raise Problem(503, str(error)) from error


async def _result(history: History, request: str, before: int) -> dict[str, Any] | None:
    """The record that says what became of a request; None: none came in time."""
    deadline = moment().t + ANSWER_WITHIN
    while (result := history.answer(request, before)) is None:
        if moment().t > deadline:
            return None
        await asyncio.sleep(LOOK_EVERY)
    return result
