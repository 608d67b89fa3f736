"""A reserve on the disk: given up when the disk is full, so that alerts can still be kept and sent.

The device's journal and the store write into what it leaves; some thousand records have room there.
It is taken back when there is room again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from device.alerts import Level, State
from service.history import History
from service.moment import Moment
from service.own import RUN_PREFIX, OwnRecords
from service.store import Store

SIZE = 4 << 20  # bytes
FULL = 1 << 20  # bytes left at which the reserve goes: the store's log alone takes a part of them
ROOM = 16 << 20  # bytes left over at which it is taken back
LOOK_EVERY = 1.0  # s
NAME = "space"  # of its episodes, so that a later start of the service knows them


class Reserve:
    """A file that is there or not, by how much room the disk has."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def keep(self) -> str:
        """Give it up, or take it back, as the disk is now; empty: it is there. Raises OSError."""
        found = os.statvfs(self._file.parent)
        left = found.f_bavail * found.f_frsize
        if left < FULL:
            self._file.unlink(missing_ok=True)
        elif left > SIZE + ROOM and not self._file.exists():
            with suppress(OSError):  # somebody else was quicker with what was left
                self._take()
        if self._file.exists():
            return ""
        return f"the disk is full, {left / 1e6:.1f} MB are left to tell alerts: free space"

    def _take(self) -> None:
        unfinished = self._file.with_suffix(".new")
        with unfinished.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, SIZE)
        unfinished.replace(self._file)


class Shortage:
    """Tells that the reserve had to go: one `storage_fault` until it is back."""

    def __init__(self, reserve: Reserve, own: OwnRecords, store: Store, history: History) -> None:
        """An episode that an earlier start of the service left open is gone on with."""
        self._reserve, self._own, self._store = reserve, own, store
        ours = (e["alert_id"] for e in history.active() if f":{RUN_PREFIX}" in e["alert_id"])
        self._episode = next((name for name in ours if name.endswith(f":{NAME}")), "")
        self._due = float("-inf")  # s

    def poll(self, now: Moment) -> bool:
        """Look after the reserve; whether a record was stored. Raises sqlite3.Error, OSError."""
        if now.t < self._due:
            return False
        fault = self._reserve.keep()
        if bool(fault) == bool(self._episode):
            self._due = now.t + LOOK_EVERY
            return False
        record = self._own.record(
            now,
            "storage_fault",
            Level.FAULT,
            fault or "the disk has room again",
            state=State.RAISED if fault else State.CLEARED,
            alert_id=self._episode or f"{self._own.belt}:{self._own.run}:{int(now.t)}:{NAME}",
        )
        self._store.take([record])
        self._episode = record["alert_id"] if fault else ""
        return True
