"""Notes: what somebody says of a walk, kept by the service itself; the device need not be on."""

from __future__ import annotations

import sqlite3
from typing import Any

from device.alerts import Level, State
from device.commands import COMMANDS, TEXT, Argument
from service.moment import Moment
from service.own import OwnRecords
from service.programme import PROGRAMMES

NO_PROGRAMME = "none"
_PROGRAMME = Argument(
    f"one of {', '.join(PROGRAMMES)}, {NO_PROGRAMME}",
    lambda value: isinstance(value, str) and value in (*PROGRAMMES, NO_PROGRAMME),
)
# command → its arguments, as device.commands has them for what the device carries out
NOTES: dict[str, dict[str, Argument]] = {
    "rate": {"session": TEXT, **COMMANDS["effort"]},  # how hard this session was
    "programme": {"wearer": TEXT, "name": _PROGRAMME},  # begin it today; none: end it
}


class UnknownError(Exception):
    """What a note is about is not kept here; one line says so."""


def note(
    db: sqlite3.Connection, own: OwnRecords, now: Moment, name: str, by: str, said: dict[str, Any]
) -> dict[str, Any]:
    """The record that a command of `NOTES` leads to. Raises UnknownError."""
    about: dict[str, Any]
    if name == "rate":
        row = db.execute(
            "SELECT wearer, json_extract(summary, '$.source') FROM sessions WHERE session = ?",
            (said["session"],),
        ).fetchone()
        if row is None:
            raise UnknownError(f"there is no session {said['session'][:80]!r}")
        event, detail = "effort", ""
        about = {
            "wearer": row[0],
            "source": row[1],
            "session": said["session"],
            "measurements": {"borg_cr10": float(said["borg_cr10"])},
        }
    else:
        event, detail = "programme", "" if said["name"] == NO_PROGRAMME else said["name"]
        about = {"wearer": said["wearer"]}
    return own.record(
        now, event, Level.INFO, detail, kind="session", state=State.CONFIRMED, by=by, **about
    )
