"""Commands to the device over its control socket: the words, their bounds, and a client.

One line of JSON each way over a Unix stream socket: a request
`{"command", "request", "by", …arguments}`, answered at once by `{"request", "accepted", "detail"}`.
What came of it follows as a journal record of kind `result` (or as the alert it changed).
"""

from __future__ import annotations

import json
import socket
import uuid
from pathlib import Path
from typing import Any

MAX_LINE = 4096  # bytes of a request or an answer

# command → arguments it must have, each a non-empty string of at most 200 characters
COMMANDS: dict[str, tuple[str, ...]] = {
    "ack": ("alert_id",),  # a caregiver has seen this alert
    "test": (),  # play the test pattern; the result comes back as a record
    "play": ("pattern",),  # play one pattern of haptics.PATTERNS
    "start": (),  # start a session
    "stop": (),  # stop it
    "profile": ("name",),  # change the wearer
    "doctor": ("question",),  # status | health
    "told": ("alert_id",),  # the broker has confirmed this danger: help has been told
    "consumed": ("segment",),  # the service has stored everything before this journal segment
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
    for key in ("request", "by", *COMMANDS[name]):
        value = request.get(key)
        if not isinstance(value, str) or not 1 <= len(value) <= 200:
            return f"{name} needs {key!r}: a text of 1 to 200 characters"
    unknown = set(request) - {"command", "request", "by", *COMMANDS[name]}
    if unknown:
        return f"{name} does not take {sorted(map(str, unknown))[0][:40]!r}"
    return ""


def send(
    path: Path, command: str, by: str, timeout: float = 1.0, **arguments: str
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
