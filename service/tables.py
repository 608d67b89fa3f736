"""The history as CSV, for a spreadsheet: one row a session, a trial of the walk test, an alert."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from service.dossier import Dossier
from service.sessions import TOTALS

SESSION = ("session", "started_at", "clock_synchronised", "changed_at", "state", "ended", "source",
           "borg_cr10")  # fmt: skip
TRIAL = (
    "raised_at", "time_s", "uncertain_s", "distance_m", "on_wall_m", "steps", "trial", "detail",
    "source",
)  # fmt: skip
ALERT = ("raised_at", "event", "level", "state", "by")
SCREENING = ("raised_at", "detail", "by")


def write(folder: Path, dossier: Dossier) -> None:
    """Into a folder that is there. Units stand in the names of the columns. Raises OSError."""
    _table(
        folder / "sessions.csv",
        (*SESSION, *TOTALS),
        ({**session, **session["totals"]} for session in dossier.sessions),
    )
    _table(
        folder / "walk_tests.csv",
        TRIAL,
        ({**record, **record.get("measurements", {})} for record in dossier.tests),
    )
    _table(folder / "alerts.csv", ALERT, dossier.happened)
    _table(folder / "screenings.csv", SCREENING, dossier.screenings)


def _table(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows({name: _cell(row.get(name)) for name in columns} for row in rows)


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as a text."""
    formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if formula else value
