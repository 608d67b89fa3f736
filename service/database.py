"""The store's file: its tables, opened checked, and what can be saved of one that is corrupt."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

# What makes version n of n - 1, in one transaction each; a store of any age is brought up by them.
VERSIONS = (
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
    """
ALTER TABLE events ADD COLUMN segment TEXT NOT NULL DEFAULT '';  -- of the journal; '': our own
CREATE INDEX events_held ON events(segment) WHERE delivered_at IS NULL AND segment <> '';
ALTER TABLE episodes ADD COLUMN acknowledged_by TEXT NOT NULL DEFAULT '';
ALTER TABLE episodes ADD COLUMN acknowledged_at TEXT NOT NULL DEFAULT '';
""",
)


COMPANIONS = ("", "-wal", "-shm")  # what SQLite keeps beside a file, by how its name ends
ASIDE = 2  # corrupt stores that are kept for whoever wants to know why


class StoreError(Exception):
    """The store cannot be used; the text says why and what to do, in one line."""


def lock(path: Path) -> IO[str]:
    """Hold `path` for the life of the process. Raises StoreError when somebody else does."""
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StoreError(f"another service runs with {path.parent}: stop it first") from error
    return lock


def connect(path: Path) -> sqlite3.Connection:
    """A checked connection. Raises sqlite3.DatabaseError when the file is corrupt."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        if damage := _damage(db):
            raise sqlite3.DatabaseError(damage)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(VERSIONS):
            raise StoreError(f"the store {path} is of a newer version ({version}): update")
        for number, script in enumerate(VERSIONS[version:], version + 1):
            db.executescript(f"BEGIN;{script}PRAGMA user_version = {number};COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _damage(db: sqlite3.Connection) -> str:
    """What is wrong with the file; empty: nothing that matters.

    quick_check looks at every page and row in about half of integrity_check's time, for it does not
    hold the indexes against their tables. One of them decides what is still sent, so that one is
    held here. The others only order what is shown, or keep an id from coming twice, and whoever
    gets an alert drops it by its id.
    """
    found: str = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        return found
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'events_waiting'").fetchone():
        return ""  # a new file
    waiting = "SELECT count(*) FROM events {} WHERE delivered_at IS NULL"
    by_index = db.execute(waiting.format("INDEXED BY events_waiting")).fetchone()[0]
    by_table = db.execute(waiting.format("NOT INDEXED")).fetchone()[0]
    return "" if by_index == by_table else f"{by_index} of {by_table} waiting records are in order"


def set_aside(path: Path) -> Path:
    """Move a corrupt store and its companions out of the way, under a name not yet taken."""
    aside = path.with_name(f"{path.name}.corrupt-{max(_numbers(path), default=0) + 1}")
    for suffix in COMPANIONS:
        if (part := Path(f"{path}{suffix}")).exists():
            part.rename(f"{aside}{suffix}")
    return aside


def forget(path: Path) -> None:
    """Delete what was set aside, but for the newest: what could be read of it is in the store."""
    for number in sorted(_numbers(path))[:-ASIDE]:
        for suffix in COMPANIONS:
            path.with_name(f"{path.name}.corrupt-{number}{suffix}").unlink(missing_ok=True)


def _numbers(path: Path) -> set[int]:
    """Of the stores that were set aside, the newest highest."""
    found = path.parent.glob(f"{path.name}.corrupt-*")
    return {int(digits) for file in found if (digits := file.name.rpartition("-")[2]).isdecimal()}


def readable(path: Path) -> Iterator[tuple[str, str, str | None]]:
    """(record, segment, delivered_at) of what can still be read of a corrupt store, oldest first.

    From both ends as far as each goes: a page that is gone takes only what lay on it.
    """
    try:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA writable_schema = 1")  # so that a file cut short is opened at all
            rows = {row[0]: row for order in ("ASC", "DESC") for row in _until_damage(db, order)}
    except sqlite3.DatabaseError:
        return
    for _, record, segment, delivered_at in sorted(rows.values(), key=lambda row: row[0]):
        yield record, segment, delivered_at


def _until_damage(db: sqlite3.Connection, order: str) -> Iterator[tuple[int, str, str, str | None]]:
    segment = "segment" if db.execute("PRAGMA user_version").fetchone()[0] >= 3 else "''"
    try:
        yield from db.execute(
            f"SELECT seq, record, {segment}, delivered_at FROM events ORDER BY seq {order}"  # noqa: S608 — words of ours
        )
    except sqlite3.DatabaseError:
        return
