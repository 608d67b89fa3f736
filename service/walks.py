"""The walks as people read them: sessions, tests, wearers. Never writes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from device.alerts import State
from service import sessions
from service.history import History, UnknownId


class Walks:
    """A reading connection of its own. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._history = History(path)  # knows the device's run
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA query_only = 1")

    def newest(self) -> dict[str, Any] | None:
        """The session that was begun last, as it goes over the wire; None: there was none."""
        found = self.sessions(limit=1)
        return found[0] if found else None

    def sessions(
        self, wearer: str = "", since: str = "", before: str = "", limit: int = -1
    ) -> list[dict[str, Any]]:
        """Sessions begun at or after `since` and before `before` (ISO 8601), newest first."""
        where, values = ["1"], list[str | int]()
        for test, value in (
            ("wearer =", wearer),
            ("started_at >=", since),
            ("started_at <", before),
        ):
            if value:
                where.append(f"{test} ?")
                values.append(value)
        rows = self._db.execute(
            f"SELECT summary FROM sessions WHERE {' AND '.join(where)}"  # noqa: S608 — names are ours, values are bound
            " ORDER BY started_at DESC, session DESC LIMIT ?",
            [*values, limit],
        )
        run = self._history.device_run()
        return [sessions.wire(json.loads(text), run) for (text,) in rows]

    def session(self, session: str) -> dict[str, Any]:
        """One session. Raises UnknownId."""
        row = self._db.execute(
            "SELECT summary FROM sessions WHERE session = ?", (session,)
        ).fetchone()
        if row is None:
            raise UnknownId(session)
        return sessions.wire(json.loads(row[0]), self._history.device_run())

    def results(self, event: str, wearer: str) -> list[dict[str, Any]]:
        """What came out of each screening, perception, walk_test or programme, oldest first.

        What was broken off came to nothing and is left out.
        """
        found = self._records("kind = 'session' AND event = ? AND wearer = ?", event, wearer)
        return [record for record in found if record["state"] == State.CONFIRMED]

    def happened(self, wearer: str) -> list[dict[str, Any]]:
        """Each episode of an alert, oldest first: `event`, `level`, `state`, `raised_at`, `by`.

        Named and levelled by what it came to; tests are left out.
        """
        rows = self._db.execute(
            "SELECT e.event, e.level, e.state, json_extract(f.record, '$.raised_at'),"
            " ifnull(json_extract(l.record, '$.by'), '')"
            " FROM episodes e JOIN events f ON f.seq = e.first_seq JOIN events l"
            " ON l.seq = e.last_seq WHERE f.wearer = ?"
            " AND NOT ifnull(json_extract(f.record, '$.test'), 0) ORDER BY e.first_seq",
            (wearer,),
        )
        return [
            dict(zip(("event", "level", "state", "raised_at", "by"), row, strict=True))
            for row in rows
        ]

    def wearers(self) -> list[str]:
        """Everybody of whom there is a session or a result, by name."""
        rows = self._db.execute(
            "SELECT wearer FROM sessions UNION"
            " SELECT wearer FROM events WHERE event IN ('screening', 'perception', 'walk_test')"
            " ORDER BY 1"
        )
        return [name for (name,) in rows if name]

    def wearing(self) -> str:
        """Whose the device's newest record is; empty: it has said nothing yet."""
        row = self._db.execute(
            "SELECT wearer FROM events WHERE wearer <> '' AND run NOT LIKE 'service-%'"
            " ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else ""

    def close(self) -> None:
        self._db.close()
        self._history.close()

    def _records(self, where: str, *values: str) -> list[dict[str, Any]]:
        rows = self._db.execute(
            f"SELECT record FROM events WHERE {where} ORDER BY seq",  # noqa: S608 — ours
            values,
        )
        return [json.loads(text) for (text,) in rows]
