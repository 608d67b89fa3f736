"""A dossier: all that is kept of one wearer's walking, gathered for the page and the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.course import Course, course
from service.progress import Session, Week, trends, weeks, when
from service.trend import Trend
from service.walks import Walks

SPAN = timedelta(weeks=52)  # what is looked back on
FALLS = ("fall", "long_lie")


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything oldest first, of the `SPAN` to `now`; screenings are all there are."""

    wearer: str
    now: datetime
    sessions: list[Session]
    tests: list[dict[str, Any]]  # trials of the 3 m backward walk test
    screenings: list[dict[str, Any]]
    perceptions: list[dict[str, Any]]
    happened: list[dict[str, Any]]  # episodes of alerts
    course: Course | None
    weeks: list[Week]
    trends: dict[str, Trend]

    @property
    def falls(self) -> list[dict[str, Any]]:
        return [episode for episode in self.happened if episode["event"] in FALLS]


def gather(walks: Walks, wearer: str, now: datetime) -> Dossier:
    """The dossier of a wearer as things stand. Raises sqlite3.Error."""
    since = now - SPAN

    def recent(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [item for item in items if since <= when(item) <= now]

    sessions = recent(walks.sessions(wearer)[::-1])
    tests = recent(walks.results("walk_test", wearer))
    screenings = walks.results("screening", wearer)
    happened = recent(walks.happened(wearer))
    falls = [episode for episode in happened if episode["event"] in FALLS]
    return Dossier(
        wearer,
        now,
        sessions,
        tests,
        screenings,
        walks.results("perception", wearer),
        happened,
        course(walks.results("programme", wearer), sessions, screenings, falls, now),
        weeks(sessions, tests),
        trends(sessions, tests, now),
    )
