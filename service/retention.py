"""Retention: what is older than the configuration keeps it goes, a little at a time.

A sweep walks over the records in order of arrival, a batch every few seconds, and begins anew at
the end; so no round of the loop is held up, however much is kept. What is deleted is overwritten
(`secure_delete` of store.py). Nothing goes that waits to be delivered or that is open, and nothing
while the clock is not to be believed; the device does the same with its recordings.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from device.config import Keep
from service.moment import Moment
from service.store import Store

EVERY = 5.0  # s between batches
BATCH = 100  # records
PROGRESS_DAYS = 1.0  # of totals that later ones have replaced
DAY = 86400.0  # s


@dataclass(frozen=True, slots=True)
class Cut:
    """What was raised before goes (ISO 8601, UTC)."""

    alerts: str
    sessions: str
    progress: str

    def of(self, kind: str, event: str) -> str:
        if kind != "session":
            return self.alerts
        return self.progress if event == "progress" else self.sessions


class Retention:
    """Polled by the loop."""

    def __init__(self, store: Store, keep: Keep, synchronised: Callable[[], bool]) -> None:
        self._store, self._keep, self._synchronised = store, keep, synchronised
        self._reached = 0  # number of the record up to which this sweep has come
        self._due = 0.0
        self.dropped = 0  # records, by this process

    def poll(self, now: Moment) -> bool:
        """One batch, when it is due; whether anything went. Raises sqlite3.Error."""
        if now.t < self._due:
            return False
        self._due = now.t + EVERY
        if not self._synchronised():
            return False
        keep = self._keep
        days = (keep.alerts_days, keep.sessions_days, min(PROGRESS_DAYS, keep.sessions_days))
        cut = Cut(*(now.written(day * DAY) for day in days))
        reached = self._reached
        self._reached, gone = self._store.work(lambda db: sweep(db, reached, BATCH, cut))
        self.dropped += gone
        return gone > 0


def sweep(db: sqlite3.Connection, after: int, limit: int, cut: Cut) -> tuple[int, int]:
    """One batch of records past number `after`, within a transaction of the caller.

    Returns where to go on (0: from the beginning) and how many records went. A record whose own
    clock was not set is as old as the next one whose clock was: at most too young.
    """
    rows = db.execute(
        "SELECT seq, kind, event, record FROM events WHERE seq > ? AND delivered_at IS NOT NULL"
        " ORDER BY seq LIMIT ?",
        (after, limit),
    ).fetchall()
    believed, gone = "", 0
    for seq, kind, event, text in reversed(rows):
        record = json.loads(text)
        if record.get("clock_synchronised"):
            believed = str(record.get("raised_at", ""))
        if believed and believed < cut.of(kind, event):
            gone += _drop(db, seq, kind, event, record)
    return (rows[-1][0] if len(rows) == limit else 0), gone


def _drop(db: sqlite3.Connection, seq: int, kind: str, event: str, record: dict[str, str]) -> int:
    """Delete one record, and what it holds up; an episode goes with its last record, whole."""
    if kind == "alert" and record["alert_id"]:
        found = db.execute(
            "SELECT first_seq, last_seq, open FROM episodes WHERE alert_id = ?",
            (record["alert_id"],),
        ).fetchone()
        if found is not None:
            first, last, is_open = found
            if is_open or seq != last:
                return 0
            db.execute("DELETE FROM episodes WHERE alert_id = ?", (record["alert_id"],))
            return db.execute(
                "DELETE FROM events WHERE seq BETWEEN ? AND ? AND kind = 'alert'"
                " AND json_extract(record, '$.alert_id') = ?",
                (first, last, record["alert_id"]),
            ).rowcount
    if kind == "session" and event != "progress":
        db.execute("DELETE FROM sessions WHERE session = ?", (record.get("session", ""),))
    return db.execute("DELETE FROM events WHERE seq = ?", (seq,)).rowcount
