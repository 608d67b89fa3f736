"""The store: every record and how far it got, in SQLite. This is its writing side.

A record is inserted and the journal's cursor moved in one transaction, fully synced, before
anything is sent. Reading for people is in history.py, over a connection of its own.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from device.alerts import Level, State
from device.journal import Cursor
from service import sessions
from service.own import RUN_PREFIX

# What makes version n of n - 1, in one transaction each; a store of any age is brought up by them.
_VERSIONS = (
    """
CREATE TABLE events(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of arrival
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL, event TEXT NOT NULL, level TEXT NOT NULL,
  run TEXT NOT NULL,                      -- of the process that made it
  priority INTEGER NOT NULL,              -- 0 danger, 1 fault, 2 the rest
  record TEXT NOT NULL,                   -- JSON, as it came
  delivered_at TEXT                       -- when the broker had it; NULL: not yet
);
CREATE INDEX events_waiting ON events(priority, seq) WHERE delivered_at IS NULL;
CREATE INDEX events_kind ON events(kind, seq);
CREATE TABLE episodes(
  alert_id TEXT PRIMARY KEY,
  event TEXT NOT NULL, level TEXT NOT NULL, state TEXT NOT NULL,
  run TEXT NOT NULL,
  first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
  open INTEGER NOT NULL
);
CREATE INDEX episodes_open ON episodes(first_seq) WHERE open;
CREATE INDEX episodes_last ON episodes(last_seq);
CREATE TABLE cursor(one INTEGER PRIMARY KEY CHECK (one = 1), segment TEXT, offset INTEGER);
INSERT INTO cursor VALUES (1, '', 0);
""",
    """
CREATE TABLE sessions(
  session TEXT PRIMARY KEY,
  wearer TEXT NOT NULL,
  started_at TEXT NOT NULL,
  summary TEXT NOT NULL                   -- JSON, see sessions.joined
);
CREATE INDEX sessions_wearer ON sessions(wearer, started_at);
ALTER TABLE events ADD COLUMN wearer TEXT AS (  -- Python's JSON has infinity, SQLite's has not
  CASE WHEN json_valid(record) THEN ifnull(json_extract(record, '$.wearer'), '') ELSE '' END
);
CREATE INDEX events_of ON events(event, wearer, seq);
""",
)
T = TypeVar("T")
_TEXTS = ("id", "kind", "event", "level", "state", "alert_id", "boot")


class StoreError(Exception):
    """The store cannot be used; the text says why and what to do, in one line."""


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

        Raises StoreError when another process has it, a newer version wrote it, or the folder
        cannot be written.
        """
        self.set_aside: Path | None = None  # where a corrupt store was moved to at this start
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(path.with_suffix(".lock"))
            try:
                self._db = _open(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise  # it cannot be reached; that does not make it corrupt
                self.set_aside = _set_aside(path)
                self._db = _open(path)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"the store {path} cannot be opened ({error}): check the folder and its disk"
            ) from error

    @property
    def cursor(self) -> Cursor:
        """Everything before this place in the journal is in the store."""
        segment, offset = self._db.execute("SELECT segment, offset FROM cursor").fetchone()
        return Cursor(segment, offset)

    def take(self, records: Iterable[dict[str, Any]], cursor: Cursor | None = None) -> int:
        """Insert what is new among `records` and move the cursor, both or neither.

        Returns how many were new. Raises sqlite3.Error; nothing has changed then.
        """
        new = 0
        with self._transaction():
            for record in records:
                new += self._insert(record)
            if cursor is not None:
                self._db.execute("UPDATE cursor SET segment = ?, offset = ?", _pair(cursor))
        return new

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

    def _insert(self, record: dict[str, Any]) -> int:
        level, run = record["level"], record["boot"]
        text = _json(record)
        added = self._db.execute(
            "INSERT OR IGNORE INTO events(id, kind, event, level, run, priority, record,"
            " delivered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record["id"],
                record["kind"],
                record["event"],
                level,
                run,
                _priority(level),
                text,
                # totals that grow are told by the retained topic, not as news every ten seconds
                record.get("raised_at", "") if record["event"] == "progress" else None,
            ),
        )
        if not added.rowcount:
            return 0
        if not run.startswith(RUN_PREFIX):
            self._end_other_runs(run)
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
            "SELECT event, level, run FROM episodes WHERE alert_id = ?", (record["alert_id"],)
        ).fetchone()
        if known is None:
            self._db.execute(
                "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (record["alert_id"], event, level, state, run, seq, seq, is_open),
            )
            return
        was, highest, owner = known
        if state not in (State.RAISED, State.CONFIRMED):
            event = was  # an episode is named by what was last raised in it
        if state == State.ACKNOWLEDGED and run.startswith(RUN_PREFIX):
            # the service answers for what the device no longer clears; its own it clears itself
            is_open = was == "not_guarding" and owner.startswith(RUN_PREFIX)
            run = owner
        self._db.execute(
            "UPDATE episodes SET event = ?, level = ?, state = ?, run = ?, last_seq = ?, open = ?"
            " WHERE alert_id = ?",
            (
                event,
                max(level, highest, key=_rank),
                state,
                run,
                seq,
                is_open,
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
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _pair(cursor: Cursor) -> tuple[str, int]:
    return cursor.segment, cursor.offset


def _rank(level: str) -> int:
    return Level[level.upper()] if level.upper() in Level.__members__ else Level.NONE


def _priority(level: str) -> int:
    return {Level.DANGER.word: 0, Level.FAULT.word: 1}.get(level, 2)


def _lock(path: Path) -> IO[str]:
    """Hold `path` for the life of the process. Raises StoreError when somebody else does."""
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StoreError(f"another service runs with {path.parent}: stop it first") from error
    return lock


def _open(path: Path) -> sqlite3.Connection:
    """A checked connection. Raises sqlite3.DatabaseError when the file is corrupt."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        if (found := db.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_VERSIONS):
            raise StoreError(f"the store {path} is of a newer version ({version}): update")
        for number, script in enumerate(_VERSIONS[version:], version + 1):
            db.executescript(f"BEGIN;{script}PRAGMA user_version = {number};COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _set_aside(path: Path) -> Path:
    """Move a corrupt store and its companions out of the way, under a name not yet taken."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        if (part := Path(f"{path}{suffix}")).exists():
            part.rename(f"{aside}{suffix}")
    return aside
