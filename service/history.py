"""The store as people read it: alerts, episodes, what is open. Never writes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

EPISODES_BACK = 2000  # of the newest, in which a recording's is looked for

_EPISODE = """
SELECT e.alert_id, e.event, e.level, e.state, e.open, e.acknowledged_by, e.acknowledged_at,
       f.record, l.record, l.delivered_at IS NOT NULL
FROM episodes e JOIN events f ON f.seq = e.first_seq JOIN events l ON l.seq = e.last_seq
"""


_URGENCY = (
    "ORDER BY CASE e.level WHEN 'danger' THEN 0 WHEN 'fault' THEN 1 ELSE 2 END, e.first_seq DESC"
)


class UnknownId(Exception):  # noqa: N818 — it reads as what it is
    """No record has this id."""


class History:
    """A reading connection of its own: never held up by the writer's sync. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA query_only = 1")

    def newest(self) -> int:
        """Number of the newest record; 0 when there is none."""
        return int(self._db.execute("SELECT ifnull(max(seq), 0) FROM events").fetchone()[0])

    def alerts(
        self, *, limit: int, level: str = "", event: str = "", state: str = "",
        alert_id: str = "", since: str = "", before: str = "",
    ) -> tuple[list[dict[str, Any]], str]:  # fmt: skip
        """Alert records, newest first, and the id to go on `before` (empty at the end).

        `alert_id`: only the records of this episode, its chain. `since` and `before` are ids,
        neither of which is part of the answer. Raises UnknownId.
        """
        where, values = ["kind = 'alert'"], list[str | int]()
        for column, value in (("level", level), ("event", event)):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        if state:
            where.append("json_extract(record, '$.state') = ?")
            values.append(state)
        if alert_id:
            where.append("seq BETWEEN ? AND ? AND json_extract(record, '$.alert_id') = ?")
            values += [*self._span(alert_id), alert_id]
        for comparison, record_id in ((">", since), ("<", before)):
            if record_id:
                where.append(f"seq {comparison} ?")
                values.append(self._seq(record_id))
        rows = self._db.execute(
            f"SELECT record, delivered_at FROM events WHERE {' AND '.join(where)}"  # noqa: S608 — names are ours, values are bound
            " ORDER BY seq DESC LIMIT ?",
            [*values, limit + 1],
        ).fetchall()
        found = [{**json.loads(text), "delivered_at": at} for text, at in rows[:limit]]
        return found, found[-1]["id"] if len(rows) > limit else ""

    def active(self) -> list[dict[str, Any]]:
        """Open episodes, oldest first."""
        return self._episodes("WHERE e.open ORDER BY e.first_seq")

    def newest_of(self, *events: str) -> dict[str, Any] | None:
        """The episode of one of these events that changed last."""
        marks = ", ".join("?" * len(events))
        found = self._episodes(
            f"WHERE e.event IN ({marks}) ORDER BY e.last_seq DESC LIMIT 1", *events
        )
        return found[0] if found else None

    def since(self) -> str:
        """When the oldest record that is kept was made (ISO 8601); empty when there is none."""
        row = self._db.execute("SELECT record FROM events ORDER BY seq LIMIT 1").fetchone()
        return str(json.loads(row[0]).get("raised_at", "")) if row else ""

    def urgent(self, limit: int) -> list[dict[str, Any]]:
        """Open episodes: danger, then faults, then the rest, of each the newest first."""
        return self._episodes(
            "WHERE e.alert_id IN "  # noqa: S608 — words of ours
            f"(SELECT e.alert_id FROM episodes e WHERE e.open {_URGENCY} LIMIT ?) {_URGENCY}",
            limit,
        )

    def recent(self, limit: int) -> list[dict[str, Any]]:
        """Episodes by their latest record, newest first."""
        return self._episodes("ORDER BY e.last_seq DESC LIMIT ?", limit)

    def answer(self, request: str, after: int) -> dict[str, Any] | None:
        """The record after number `after` that says what came of a request (its id, or our own)."""
        rows = self._db.execute("SELECT record FROM events WHERE seq > ? ORDER BY seq", (after,))
        records = (json.loads(text) for (text,) in rows)
        return next((r for r in records if request in (r["id"], r.get("request"))), None)

    def waiting(self) -> tuple[int, str]:
        """How many records the broker does not have yet, and when the oldest was raised."""
        count, seq = self._db.execute(
            "SELECT count(*), min(seq) FROM events WHERE delivered_at IS NULL"
        ).fetchone()
        if not count:
            return 0, ""
        (text,) = self._db.execute("SELECT record FROM events WHERE seq = ?", (seq,)).fetchone()
        return count, json.loads(text).get("raised_at", "")

    def device_run(self) -> str:
        """The device's latest run, as far as it has spoken."""
        row = self._db.execute(
            "SELECT run FROM events WHERE run NOT LIKE 'service-%' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else ""

    def run_of(self, alert_id: str) -> str | None:
        """The run that an episode belongs to, or None when there is no such episode."""
        row = self._db.execute(
            "SELECT run FROM episodes WHERE alert_id = ?", (alert_id,)
        ).fetchone()
        return row[0] if row else None

    def named(self, alert_id: str) -> tuple[str, str]:
        """Event and level of an episode. Raises UnknownId."""
        row = self._db.execute(
            "SELECT event, level FROM episodes WHERE alert_id = ?", (alert_id,)
        ).fetchone()
        if row is None:
            raise UnknownId(alert_id)
        return row[0], row[1]

    def open_by_event(self) -> dict[str, int]:
        """Event → episodes that are open."""
        rows = self._db.execute("SELECT event, count(*) FROM episodes WHERE open GROUP BY event")
        return dict(rows.fetchall())

    def episode_ids(self) -> list[str]:
        """Newest first, as far back as recordings may go."""
        rows = self._db.execute(
            "SELECT alert_id FROM episodes ORDER BY last_seq DESC LIMIT ?", (EPISODES_BACK,)
        )
        return [alert_id for (alert_id,) in rows]

    def decided(self, alert_id: str, begin: float, end: float) -> list[dict[str, Any]]:
        """What was decided in the run of this episode from `begin` to `end` [s, monotonic]."""
        run = self.run_of(alert_id)
        rows = self._db.execute(
            "SELECT record FROM events WHERE kind = 'alert' AND run = ?"
            " AND json_extract(record, '$.t') BETWEEN ? AND ? ORDER BY seq LIMIT 200",
            (run, begin, end),
        )
        return [json.loads(text) for (text,) in rows]

    def version(self) -> int:
        """Changes whenever the store has (SQLite's data_version)."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._db.close()

    def _seq(self, record_id: str) -> int:
        row = self._db.execute("SELECT seq FROM events WHERE id = ?", (record_id,)).fetchone()
        if row is None:
            raise UnknownId(record_id)
        return int(row[0])

    def _span(self, alert_id: str) -> tuple[int, int]:
        """Numbers of an episode's first and last record. Raises UnknownId."""
        row = self._db.execute(
            "SELECT first_seq, last_seq FROM episodes WHERE alert_id = ?", (alert_id,)
        ).fetchone()
        if row is None:
            raise UnknownId(alert_id)
        return int(row[0]), int(row[1])

    def _episodes(self, rest: str, *values: int | str) -> list[dict[str, Any]]:
        episodes = []
        for row in self._db.execute(_EPISODE + rest, values):
            alert_id, event, level, state, is_open, who, when, first, last, told = row
            first, last = json.loads(first), json.loads(last)
            episodes.append(
                {
                    "alert_id": alert_id,
                    "event": event,
                    "level": level,
                    "state": state,
                    "open": bool(is_open),
                    "raised_at": first.get("raised_at"),
                    "changed_at": last.get("raised_at"),
                    "clock_synchronised": bool(last.get("clock_synchronised")),
                    "by": last.get("by", ""),
                    "acknowledged_by": who,
                    "acknowledged_at": when or None,
                    "detail": last.get("detail", ""),
                    "source": last.get("source", ""),
                    "session": last.get("session", ""),
                    "test": bool(last.get("test")),
                    "measurements": last.get("measurements", {}),
                    "delivered": bool(told),
                }
            )
        return episodes
