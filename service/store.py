"""The store: every record and how far it got, in SQLite. This is its writing side.

A record is inserted and the journal's cursor moved in one transaction, fully synced, before
anything is sent. Reading for people is in history.py, over a connection of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from device.alerts import Level, State
from device.journal import Cursor
from service import database, sessions
from service.database import StoreError
from service.own import RUN_PREFIX

T = TypeVar("T")
_TEXTS = ("id", "kind", "event", "level", "state", "alert_id", "boot")


def is_record(record: dict[str, Any] | None) -> bool:
    """Whether a journal line is one of our records: the texts that the store needs are there."""
    return (
        record is not None
        and all(isinstance(record.get(key), str) for key in _TEXTS)
        and record["id"] != ""
    )


class Store:
    """One writer a file, kept so by a lock beside it."""

    def __init__(self, path: Path) -> None:
        """Open or begin the store at `path`; a corrupt one is set aside, never overwritten.

        What can be read of it goes into the new one; the journal, read again, brings the rest of
        what nobody has had yet (see `needed`). Raises StoreError when another process has it, a
        newer version wrote it, or the folder cannot be written.
        """
        self.raised: Counter[str] = Counter()  # alerts since this start, by event
        self.set_aside: Path | None = None  # where a corrupt store was moved to at this start
        self.saved = 0  # records of it that are in this one
        self._device_run = ""  # whose record was taken last
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = database.lock(path.with_suffix(".lock"))
            try:
                self._db = database.connect(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise  # it cannot be reached; that does not make it corrupt
                self.set_aside = database.set_aside(path)
                self._db = database.connect(path)
                self._save(self.set_aside)
                database.forget(path)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"the store {path} cannot be opened ({error}): check the folder and its disk"
            ) from error

    @property
    def cursor(self) -> Cursor:
        """Everything before this place in the journal is in the store."""
        segment, offset = self._db.execute("SELECT segment, offset FROM cursor").fetchone()
        return Cursor(segment, offset)

    def needed(self) -> str:
        """The oldest journal segment with a record that has not arrived; empty: none has any."""
        row = self._db.execute(
            "SELECT min(segment) FROM events WHERE delivered_at IS NULL AND segment <> ''"
        ).fetchone()
        return row[0] or ""

    def take(
        self, records: Iterable[dict[str, Any]], cursor: Cursor | None = None, segment: str = ""
    ) -> int:
        """Insert what is new among `records` and move the cursor, both or neither.

        `segment`: the journal's oldest that any of them is from. Returns how many were new. Raises
        sqlite3.Error; nothing has changed then.
        """
        with self._transaction():
            new = [record for record in records if self._insert(record, segment)]
            if cursor is not None:
                self._db.execute("UPDATE cursor SET segment = ?, offset = ?", _pair(cursor))
        for record in new:
            if record["kind"] == "alert" and record["state"] == State.RAISED:
                self.raised[record["event"]] += 1
        return len(new)

    def work(self, task: Callable[[sqlite3.Connection], T]) -> T:
        """What `task` makes of the store, in one transaction. Raises sqlite3.Error."""
        with self._transaction():
            return task(self._db)

    def waiting(self, limit: int, in_flight: Collection[int]) -> list[tuple[int, str]]:
        """(seq, record) of what is to be sent next: danger, then faults, then the rest."""
        rows = self._db.execute(
            "SELECT seq, record FROM events WHERE delivered_at IS NULL"
            " ORDER BY priority, seq LIMIT ?",
            (limit + len(in_flight),),
        ).fetchall()
        return [(seq, record) for seq, record in rows if seq not in in_flight][:limit]

    def delivered(self, seqs: Iterable[int], at: str) -> None:
        """Mark as received by the broker. Raises sqlite3.Error."""
        with self._transaction():
            self._db.executemany(
                "UPDATE events SET delivered_at = ? WHERE seq = ?", [(at, seq) for seq in seqs]
            )

    def close(self) -> None:
        self._db.close()
        self._lock.close()

    def _save(self, corrupt: Path) -> None:
        with self._transaction():
            for text, segment, delivered_at in database.readable(corrupt):
                self.saved += self._insert(json.loads(text), segment, delivered_at)

    def _insert(self, record: dict[str, Any], segment: str, delivered_at: str | None = None) -> int:
        level, run = record["level"], record["boot"]
        text = _json(record)
        # totals that grow are told by the retained topic, not as news every ten seconds
        if record["event"] == "progress":
            delivered_at = record.get("raised_at", "")
        added = self._db.execute(
            "INSERT OR IGNORE INTO events(id, kind, event, level, run, priority, record, segment,"
            " delivered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record["id"],
                record["kind"],
                record["event"],
                level,
                run,
                _priority(level),
                text,
                segment,
                delivered_at,
            ),
        )
        if not added.rowcount:
            return 0
        if not run.startswith(RUN_PREFIX) and run != self._device_run:
            self._end_other_runs(run)
            self._device_run = run
        if record["kind"] == "alert" and record["alert_id"]:
            self._note_episode(record, int(added.lastrowid or 0))
        if record["kind"] == "session" and isinstance(record.get("session"), str):
            self._note_session(record)
        return 1

    def _note_session(self, record: dict[str, Any]) -> None:
        if not record["session"] or record["event"] not in (*sessions.COUNTED, "effort"):
            return  # a test or a screening is no walk
        row = self._db.execute(
            "SELECT summary FROM sessions WHERE session = ?", (record["session"],)
        ).fetchone()
        made = sessions.joined(json.loads(row[0]) if row else None, record)
        self._db.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)",
            (made["session"], made["wearer"], made["started_at"], _json(made)),
        )

    def _end_other_runs(self, run: str) -> None:
        """What an earlier run of the device had open, nobody will clear: it ends with that run.

        Danger does not: it stays until somebody answers for it.
        """
        self._db.execute(
            "UPDATE episodes SET open = 0 WHERE open AND run <> ? AND run NOT LIKE ?"
            " AND (level <> 'danger' OR state = 'acknowledged')",
            (run, RUN_PREFIX + "%"),
        )

    def _note_episode(self, record: dict[str, Any], seq: int) -> None:
        event, run, level = record["event"], record["boot"], record["level"]
        state = State.CANCELLED.value if event == "fall_cancelled" else record["state"]
        is_open = state not in (State.CLEARED, State.CANCELLED)
        known = self._db.execute(
            "SELECT e.event, e.level, e.run, ifnull(l.id, '') FROM episodes e"
            " LEFT JOIN events l ON l.seq = e.last_seq WHERE alert_id = ?",
            (record["alert_id"],),
        ).fetchone()
        if state == State.ACKNOWLEDGED:
            answered = str(record.get("by", "")), str(record.get("raised_at", ""))
        else:
            answered = "", ""
        if known is None:
            self._db.execute(
                "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (record["alert_id"], event, level, state, run, seq, seq, is_open, *answered),
            )
            return
        was, highest, owner, last = known
        if _follows(last, record["id"]):
            return  # read again after damage: more is known already
        if state not in (State.RAISED, State.CONFIRMED):
            event = was  # an episode is named by what was last raised in it
        if state == State.ACKNOWLEDGED and run.startswith(RUN_PREFIX):
            # the service answers for what the device no longer clears; its own it clears itself
            is_open = was == "not_guarding" and owner.startswith(RUN_PREFIX)
            run = owner
        self._db.execute(
            "UPDATE episodes SET event = ?, level = ?, state = ?, run = ?, last_seq = ?, open = ?,"
            # the first who answers is kept, and when
            " acknowledged_by = iif(acknowledged_at = '', ?, acknowledged_by),"
            " acknowledged_at = iif(acknowledged_at = '', ?, acknowledged_at) WHERE alert_id = ?",
            (
                event,
                max(level, highest, key=_rank),
                state,
                run,
                seq,
                is_open,
                *answered,
                record["alert_id"],
            ),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._device_run = ""  # what was ended for it has not been, after all
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _pair(cursor: Cursor) -> tuple[str, int]:
    return cursor.segment, cursor.offset


def _rank(level: str) -> int:
    return Level[level.upper()] if level.upper() in Level.__members__ else Level.NONE


def _follows(later: str, earlier: str) -> bool:
    """Whether one id of a run comes after another of the same."""
    (run, number), (of, than) = (name.rpartition(":")[::2] for name in (later, earlier))
    return run == of and number.isdecimal() and than.isdecimal() and int(number) > int(than)


def _priority(level: str) -> int:
    return {Level.DANGER.word: 0, Level.FAULT.word: 1}.get(level, 2)
