"""The dangers that are open, in a file of their own, so that no restart in their middle ends them.

The journal's writer follows its own records: a danger is in the file before its record is in the
journal, and out of it after the record that ends it. A chain may so be told once more than it had
to be, and never be forgotten.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from device.alerts import Level, State
from device.scribe import write

FILE = "open.json"  # in the journal's folder
MOST = 16  # a wearer has one fall and one call for help open; more is a mistake


@dataclass(frozen=True, slots=True)
class Kept:
    """One danger that an earlier run had open."""

    alert_id: str
    event: str  # what was last raised in it
    age: float  # s since it began; 0 where no clock can say
    acknowledged_by: str
    same_boot: bool


class Dangers:
    """Fed with every record as it is written; `save` when `grown`, and when all is on the disk."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._open = _read(self._file)  # alert_id → what is known of it
        self._saved = dict(self._open)

    @property
    def grown(self) -> bool:
        """Whether a danger is new: it must be saved before its record."""
        return any(self._open[name] != self._saved.get(name) for name in self._open)

    def note(self, record: dict[str, Any]) -> bool:
        """Take in one record of the journal; whether it changes what is open."""
        name = record["alert_id"]
        known = self._open.get(name)
        if record["kind"] != "alert" or not name:
            return False
        if record["state"] in (State.CLEARED, State.CANCELLED):
            self._open.pop(name, None)
            return known is not None
        if record["level"] != Level.DANGER.word:
            return False
        if record["state"] == State.RAISED:
            began = known if known and record["event"] == "long_lie" else record
            times = {key: began[key] for key in ("t", "boot", "raised_at", "clock_synchronised")}
            same = {"event": record["event"], "source": record["source"]}
            answered = known["acknowledged_by"] if known else ""
            self._open[name] = {**same, **times, "acknowledged_by": answered}
        elif record["state"] == State.ACKNOWLEDGED and known and not known["acknowledged_by"]:
            self._open[name] = {**known, "acknowledged_by": record["by"] or "somebody"}
        return self._open.get(name) != known

    def save(self) -> None:
        """Bring it to the disk, if it has changed. Raises OSError."""
        if self._open != self._saved:
            write(self._file, self._open)
            self._saved = dict(self._open)


def kept(
    folder: Path, source: str, now: float, wall: float, trusted: bool, boot: str
) -> list[Kept]:
    """What an earlier run, fed by the same kind of `source`, left open.

    `now` [s, monotonic] and `wall` [s since 1970] are the present, `trusted` whether the wall clock
    is synchronised. Within one boot the monotonic clock tells the age, else the wall clock.
    """
    found = []
    for name, it in _read(folder / FILE).items():
        same_boot = it["boot"].split("-")[0] == boot
        if same_boot:
            age = now - it["t"]
        elif trusted and it["clock_synchronised"]:
            age = wall - datetime.fromisoformat(it["raised_at"]).timestamp()
        else:
            age = 0.0
        if it["source"].partition(":")[0] == source.partition(":")[0]:
            found.append(Kept(name, it["event"], max(0.0, age), it["acknowledged_by"], same_boot))
    return found


def _read(file: Path) -> dict[str, dict[str, Any]]:
    """What the file holds; what is not as we write it is left out."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return dict([(name, it) for name, it in entries if _is_whole(it)][:MOST])


def _is_whole(it: object) -> bool:
    if not isinstance(it, dict):
        return False
    texts = all(isinstance(it.get(k), str) for k in ("event", "boot", "source", "acknowledged_by"))
    try:
        datetime.fromisoformat(it["raised_at"])
        return texts and math.isfinite(it["t"]) and isinstance(it["clock_synchronised"], bool)
    except (KeyError, TypeError, ValueError):
        return False
