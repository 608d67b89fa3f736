"""Erasing one wearer: every record of theirs, wherever this belt's store and journal hold it.

Works while the service runs: SQLite keeps the two apart, and the service tells the broker to
forget the session it retains. What the device keeps, `rearguard erase` has dealt with before.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.journal import Cursor, decode, read, segments
from service.database import StoreError
from service.store import Store, is_record

WAIT_S = 10.0  # s for a running service to take in what the journal still holds
BUSY_S = 30.0  # s for the store to be free


@dataclass(frozen=True, slots=True)
class Erased:
    """How much went."""

    sessions: int
    records: int
    journal: int  # lines overwritten


class BusyError(Exception):
    """The store could not be had; one line with a remedy."""


def erase(store: Path, journal: Path, wearer: str, clock: Callable[[], float]) -> Erased:
    """Erase a wearer; `clock` in s, monotonic. Raises BusyError, OSError, sqlite3.Error.

    First all that the journal holds is brought into the store, so that nothing comes after; then it
    is deleted there and overwritten in the journal. Set-aside stores that were corrupt go whole.
    """
    cursor = _taken_in(store, journal, clock)
    db = sqlite3.connect(store, timeout=BUSY_S, isolation_level=None)
    try:
        db.execute("PRAGMA secure_delete = ON")
        sessions, records = _deleted(db, wearer)
        db.execute("VACUUM")  # else names would linger in pages that are part free
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()
    for aside in store.parent.glob(f"{store.name}.corrupt-*"):
        aside.unlink()
    return Erased(sessions, records, _overwritten(journal, cursor, wearer))


def _taken_in(store: Path, journal: Path, clock: Callable[[], float]) -> Cursor:
    """Where the journal's end is, once all before it is in the store."""
    deadline = clock() + WAIT_S
    while True:
        try:
            mine = Store(store)
        except StoreError as error:  # a service runs: it takes in by itself
            if clock() > deadline:
                raise BusyError(
                    f"the service does not take in the journal: restart it and try again ({error})"
                ) from error
            cursor = _cursor(store)
            if not read(journal, cursor, 1):
                return cursor
            time.sleep(0.1)
            continue
        try:
            while entries := read(journal, mine.cursor):
                records = [e.record for e in entries if e.record and is_record(e.record)]
                mine.take(records, entries[-1].after)
            return mine.cursor
        finally:
            mine.close()


def _cursor(store: Path) -> Cursor:
    db = sqlite3.connect(store, timeout=BUSY_S)
    try:
        return Cursor(*db.execute("SELECT segment, offset FROM cursor").fetchone())
    finally:
        db.close()


def _deleted(db: sqlite3.Connection, wearer: str) -> tuple[int, int]:
    """Sessions and records that went, in one transaction."""
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute(
            "DELETE FROM episodes WHERE alert_id IN (SELECT json_extract(record, '$.alert_id')"
            " FROM events WHERE wearer = ? AND kind = 'alert')",
            (wearer,),
        )
        sessions = db.execute("DELETE FROM sessions WHERE wearer = ?", (wearer,)).rowcount
        records = db.execute(
            "DELETE FROM events WHERE wearer = ? OR (kind = 'result' AND instr(record, ?))",
            (wearer, wearer),  # results of commands list the profiles, whoever wears the belt
        ).rowcount
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return sessions, records


def _overwritten(journal: Path, cursor: Cursor, wearer: str) -> int:
    """Lines of this wearer before the cursor, which nobody reads again, made blank on the disk."""
    count = 0
    for file in segments(journal):
        if file.name > cursor.segment:
            break
        end = cursor.offset if file.name == cursor.segment else file.stat().st_size
        with file.open("r+b") as stream:
            while stream.tell() < end and (line := stream.readline()):
                record = decode(line)
                if record is not None and _names(record, line, wearer):
                    after = stream.tell()
                    stream.seek(after - len(line))
                    stream.write(b" " * (len(line) - 1))
                    stream.seek(after)
                    count += 1
            stream.flush()
            os.fsync(stream.fileno())
    return count


def _names(record: dict[str, Any], line: bytes, wearer: str) -> bool:
    """Whether a record is of a wearer, or a result of a command that names them."""
    named = record.get("kind") == "result" and wearer.encode() in line
    return record.get("wearer") == wearer or named
