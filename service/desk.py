"""The desk: commands from outside, checked, answered for, and passed on to the device.

Requests come from MQTT and HTTP at any time and are worked off in the service's loop, one by one.
"""

from __future__ import annotations

import json
import logging
import queue
import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from device.alerts import Level, State
from device.commands import CommandError, unfit
from service.broker import Message
from service.history import History
from service.limits import Buckets
from service.moment import Moment
from service.notes import NOTES, UnknownError, note
from service.own import OwnRecords
from service.store import Store
from service.weekly import TEST

log = logging.getLogger(__name__)

OFFERED = (  # of device.commands; nothing that could stop guarding, nothing that deletes
    "ack", "test", "start", "stop", "profile", "screening", "perception", "walk_test", "effort",
)  # fmt: skip
MAX_PAYLOAD = 1024  # bytes of a command
MAX_BY = 40  # characters of a name
# nothing that steers a terminal, breaks a line or turns the way of writing round
PLAIN = r"[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*"
MAX_ID = 64  # characters of the id that a command may carry
REMEMBERED = 256  # ids: a command that comes again under one of them is not carried out again
COMMANDS = (5.0, 20.0)  # a second and at once, by each way in: MQTT, HTTP
MAX_WAITING = 16
A_ROUND = 2  # commands a round of the loop, so that a flood of them delays no alert


class Refused(Exception):  # noqa: N818 — it reads as what it is
    """The command is malformed, or cannot be taken; one line says why."""


class TooMany(Refused):
    """There are more commands than can be taken."""


class Repeated(Refused):
    """A command with this id has come before."""


@dataclass(frozen=True, slots=True)
class Command:
    """A checked command, and where its answer goes."""

    name: str
    by: str  # the way in, and who as far as it is known: `mqtt:anna`, `http:phone`
    arguments: dict[str, Any]
    id: str = ""  # the sender's own, empty: none
    answer: Future[str] = field(default_factory=Future)  # `request` or `id` of the record to come


def checked(name: str, by: str, arguments: dict[str, Any]) -> Command:
    """A command whose words and bounds hold. Raises Refused.

    `by` in `arguments` says who, and `id` makes it the same command when it comes twice.
    """
    if name not in OFFERED and name not in NOTES:
        raise Refused(f"unknown command {name[:40]!r}; known: {', '.join((*OFFERED, *NOTES))}")
    arguments = dict(arguments)
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # half of a pair: JSON can say it, nobody can write it
        raise Refused("a command's texts are Unicode, without lone surrogates") from error
    said = {"by": "", "id": ""}
    for key, most in (("by", MAX_BY), ("id", MAX_ID)):
        text = arguments.pop(key, "")
        if not isinstance(text, str) or len(text) > most or not re.fullmatch(PLAIN, text):
            raise Refused(f"{key!r} must be a text of at most {most} printable characters")
        said[key] = text
    if fault := unfit(arguments, name, NOTES.get(name)):
        raise Refused(fault)
    who = f"{by}:{said['by']}" if said["by"] else by
    return Command(name, who, arguments, said["id"])


class Desk:
    """Takes commands from any thread; `poll` works them off in the loop's."""

    def __init__(
        self, store: Store, history: History, own: OwnRecords, send: Callable[..., dict[str, Any]]
    ) -> None:
        """`send(command, by, **arguments)` tells the device; it may raise CommandError."""
        self._store, self._history, self._own, self._send = store, history, own, send
        self._waiting: queue.Queue[Command] = queue.Queue(MAX_WAITING)
        self._allowed = Buckets(*COMMANDS)
        self._known: deque[str] = deque(maxlen=REMEMBERED)

    def put(self, command: Command, t: float) -> None:
        """Hand in a command at `t` [s]. Raises Refused for too many, or one that came before."""
        if self._allowed.take(command.by.partition(":")[0], t):
            raise TooMany("too many commands at once: try again in a second")
        if command.id and command.id in self._known:
            raise Repeated(f"a command {command.id!r} has come before: give each an id of its own")
        try:
            self._waiting.put_nowait(command)
        except queue.Full as error:
            raise TooMany("too many commands wait: try again in a second") from error
        if command.id:
            self._known.append(command.id)

    def receive(self, message: Message, t: float) -> None:
        """A command over MQTT: obeyed when it is fresh and well-formed, else logged and dropped."""
        name = message.topic.rsplit("/", 1)[-1]
        if message.retained:
            # nobody may leave an order lying about that every connect would carry out again
            log.warning("retained command %r ignored", name[:40])
            return
        try:
            self.put(checked(name, "mqtt", _arguments(message.payload)), t)
        except Refused as error:
            log.warning("command over MQTT refused: %s", error)

    def poll(self, now: Moment) -> bool:
        """Carry out what waits; whether a record was stored. Raises sqlite3.Error."""
        stored = False
        for _ in range(min(A_ROUND, self._waiting.qsize())):
            command = self._waiting.get_nowait()
            if not command.answer.set_running_or_notify_cancel():
                continue  # who asked has gone: do not surprise anybody with it now
            try:
                if command.name == "ack" and self._outlived(command.arguments["alert_id"]):
                    request = self._acknowledge(now, command)
                    stored = True
                elif command.name in NOTES:
                    request = self._note(now, command)
                    stored = True
                else:
                    request = self._send(command.name, command.by, **command.arguments)["request"]
            except (CommandError, Refused) as error:
                log.warning("%s by %s: %s", command.name, command.by, error)
                command.answer.set_exception(error)
            else:
                log.info("%s by %s", command.name, command.by)
                command.answer.set_result(request)
        return stored

    def _note(self, now: Moment, command: Command) -> str:
        try:
            made = self._store.work(
                lambda db: note(db, self._own, now, command.name, command.by, command.arguments)
            )
        except UnknownError as error:
            raise Refused(str(error)) from error
        self._store.take([made])
        return str(made["id"])

    def _outlived(self, alert_id: str) -> bool:
        """Whether the device no longer knows this episode, so that the service answers for it."""
        run = self._history.run_of(alert_id)
        if run is None:
            raise Refused(f"there is no alert {alert_id[:80]!r}: look at /api/v1/alerts")
        event, _ = self._history.named(alert_id)
        # a record that was lost stays lost: the device has nothing to clear there
        return run != self._history.device_run() or event == "storage_fault"

    def _acknowledge(self, now: Moment, command: Command) -> str:
        alert_id = command.arguments["alert_id"]
        event, level = self._history.named(alert_id)
        record = self._own.record(
            now,
            event,
            Level[level.upper()],
            "acknowledged; nothing is left for the device to clear",
            state=State.ACKNOWLEDGED,
            alert_id=alert_id,
            by=command.by,
            test=event == TEST,
        )
        self._store.take([record])
        return str(record["id"])


def _arguments(payload: bytes) -> dict[str, Any]:
    """The JSON object of a command's payload; empty stands for {}. Raises Refused."""
    if len(payload) > MAX_PAYLOAD:
        raise Refused(f"a command has at most {MAX_PAYLOAD} bytes")
    try:
        arguments = json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refused("a command's payload is a JSON object, or empty") from error
    if not isinstance(arguments, dict):
        raise Refused("a command's payload is a JSON object, or empty")
    return arguments
