"""Commands to the device over its control socket: the words, their bounds, and a client.

One line of JSON each way over a Unix stream socket: a request
`{"command", "request", "by", …arguments}`, answered at once by `{"request", "accepted", "detail"}`.
What came of it follows as a journal record of kind `result` (or as the alert it changed).
"""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.questions import QUESTIONS

MAX_LINE = 4096  # bytes of a request or an answer
LEAST_GOAL, MOST_GOAL = 1.0, 30.0  # min of walking backward; some trials ask for 30
MOST_EFFORT = 10.0  # of Borg's category-ratio scale CR10


@dataclass(frozen=True, slots=True)
class Argument:
    """What one argument of a command must be."""

    wanted: str  # in words
    fits: Callable[[Any], bool]
    optional: bool = False


def _text(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 200


def _effort(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0.0 <= value <= MOST_EFFORT


def _answers(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(QUESTIONS)
        and all(isinstance(answer, bool) for answer in value.values())
    )


def _goal(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and (value == 0 or LEAST_GOAL <= value <= MOST_GOAL)


TEXT = Argument("a text of 1 to 200 characters", _text)
_PLAN = Argument(TEXT.wanted, _text, optional=True)
_EFFORT = Argument(f"a number from 0 to {MOST_EFFORT:g} (Borg CR10)", _effort)
_GOAL = Argument(f"0, or a number from {LEAST_GOAL:g} to {MOST_GOAL:g}", _goal)
_ANSWERS = Argument(f"true or false for each of {', '.join(QUESTIONS)}", _answers)

COMMANDS: dict[str, dict[str, Argument]] = {  # command → its arguments
    "ack": {"alert_id": TEXT},  # a caregiver has seen this alert
    "test": {},  # play the test pattern; the result comes back as a record
    "play": {"pattern": TEXT},  # play one pattern of haptics.PATTERNS
    "start": {"plan": _PLAN},  # prepare and begin a session
    "stop": {},  # end it, or break off its preparation or a test
    "profile": {"name": TEXT},  # change the wearer
    "forget": {"name": TEXT},  # delete all that is kept of a wearer
    "screening": {"answers": _ANSWERS},  # the wearer's answers to questions.QUESTIONS
    "perception": {},  # begin the perception test: are buzzes felt?
    "walk_test": {},  # begin the 3-metre backward walk test
    "goal": {"name": TEXT, "minutes": _GOAL},  # of a wearer's sessions; 0: the plan's own
    "effort": {"borg_cr10": _EFFORT},  # how hard the last session was
    "doctor": {"question": TEXT},  # status | health | parts
    "told": {"alert_id": TEXT},  # the broker has confirmed this danger: help has been told
    "consumed": {"segment": TEXT},  # the service has stored everything before this segment
}


class CommandError(Exception):
    """The device is not there, or refused; the text says why, in one line."""


def validate(request: object) -> str:
    """Empty when `request` is a well-formed command, else one line that says what is wrong."""
    if not isinstance(request, dict):
        return "a command is a JSON object"
    name = request.get("command")
    if not isinstance(name, str) or name not in COMMANDS:
        return f"unknown command {str(name)[:40]!r}; known: {', '.join(COMMANDS)}"
    given = {key: value for key, value in request.items() if key != "command"}
    return unfit(given, name, {"request": TEXT, "by": TEXT, **COMMANDS[name]})


def unfit(given: dict[str, Any], name: str, wanted: dict[str, Argument] | None = None) -> str:
    """Empty when `given` are the arguments of command `name` (or `wanted`), else what is wrong."""
    wanted = COMMANDS[name] if wanted is None else wanted
    for key, argument in wanted.items():
        if key not in given and argument.optional:
            continue
        if not argument.fits(given.get(key)):
            return f"{name} needs {key!r}: {argument.wanted}"
    if unknown := set(given) - set(wanted):
        return f"{name} does not take {sorted(map(str, unknown))[0][:40]!r}"
    return ""


def send(
    path: Path, command: str, by: str, timeout: float = 1.0, **arguments: Any
) -> dict[str, Any]:
    """Send one command and return the device's answer; `request` in it names the result to come.

    Raises CommandError when it is malformed, refused, or not answered within `timeout` [s].
    """
    request = {"command": command, "request": uuid.uuid4().hex, "by": by, **arguments}
    if fault := validate(request):
        raise CommandError(fault)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(timeout)
            peer.connect(str(path))
            peer.sendall(json.dumps(request).encode() + b"\n")
            line = b""
            while not line.endswith(b"\n") and len(line) < MAX_LINE:
                part = peer.recv(MAX_LINE)
                if not part:
                    break
                line += part
        answer = json.loads(line)
    except (OSError, ValueError) as error:
        raise CommandError(f"the device does not answer at {path}: {error}") from error
    if not isinstance(answer, dict) or not answer.get("accepted"):
        detail = answer.get("detail", "") if isinstance(answer, dict) else ""
        raise CommandError(f"the device refused {command}: {detail}")
    return answer
