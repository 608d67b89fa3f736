"""A course: the programme a wearer has chosen, what its weeks came to, what this one asks. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service import programme
from service.programme import PROGRAMMES, Goal, Programme
from service.progress import FIGURES, Session, dose_min, middle, trends, when

_VARIABILITY = next(figure for figure in FIGURES if figure.name == "step_time_cv")
_EFFORT = next(figure for figure in FIGURES if figure.name == "borg_cr10")
MOST_WEEKS = 104  # of a course that nobody has ended


@dataclass(frozen=True, slots=True)
class Course:
    """A programme on its way."""

    name: str  # a key of PROGRAMMES
    plan: Programme
    began: datetime
    weeks: list[programme.Week]
    goals: list[Goal]  # of each of these weeks
    goal: Goal  # this week's, as things stand now
    this_week: int  # sessions so far that reached at least half of it


def course(
    chosen: Sequence[dict[str, Any]],
    sessions: Sequence[Session],
    screenings: Sequence[dict[str, Any]],
    falls: Sequence[dict[str, Any]],
    now: datetime,
    *,
    long_allowed: bool,
) -> Course | None:
    """The course under way, from the records of it; None: no programme is chosen.

    `chosen`: the records that chose one, oldest first, `detail` its name (none: it was ended).
    """
    if not chosen or chosen[-1].get("detail") not in PROGRAMMES:
        return None
    name, began = chosen[-1]["detail"], when(chosen[-1])
    plan = PROGRAMMES[name]
    weeks: list[programme.Week] = []
    goals = programme.goals(plan, [], screened(screenings, began), long_allowed)
    ends = began + timedelta(weeks=1)
    while ends <= now and len(weeks) < MOST_WEEKS:
        goal = goals[-1]
        weeks.append(_week(goal, sessions, screenings, falls, ends))
        goals = programme.goals(plan, weeks, screened(screenings, began), long_allowed)
        ends += timedelta(weeks=1)
    so_far = [s for s in sessions if ends - timedelta(weeks=1) <= when(s) < ends]
    goal = programme.standing(goals.pop(), screened(screenings, now))
    return Course(name, plan, began, weeks, goals, goal, len(_counted(so_far, goal)))


def screened(screenings: Sequence[dict[str, Any]], at: datetime) -> str:
    """What the screening said as it stood at a time: allow, limit, refuse; empty: never asked."""
    before = [record for record in screenings if when(record) <= at]
    return _verdict(before[-1]) if before else ""


def _verdict(record: dict[str, Any]) -> str:
    word = str(record.get("detail", "")).split(":")[0].split(" ")[0].lower()
    return word if word in ("allow", "limit", "refuse") else ""


def _counted(sessions: Sequence[Session], goal: Goal) -> list[Session]:
    return [s for s in sessions if dose_min(s) >= max(1.0, goal.minutes / 2)]


def _week(
    goal: Goal,
    sessions: Sequence[Session],
    screenings: Sequence[dict[str, Any]],
    falls: Sequence[dict[str, Any]],
    ends: datetime,
) -> programme.Week:
    walked = [s for s in sessions if ends - timedelta(weeks=1) <= when(s) < ends]
    counted = _counted(walked, goal)
    before = [s for s in sessions if when(s) < ends]
    last_fall = max((when(record) for record in falls if when(record) < ends), default=None)
    cleared = last_fall is None or any(last_fall < when(r) < ends for r in screenings)
    in_week = last_fall is not None and last_fall >= ends - timedelta(weeks=1)
    return programme.Week(
        sessions=len(counted),
        dose_min=middle(map(dose_min, counted)),
        variability=middle(map(_VARIABILITY.of, walked)),
        effort=middle(map(_EFFORT.of, walked)),
        screening=screened(screenings, ends),
        fell=in_week or not cleared,
        unsteadier=trends(before, [], ends)[_VARIABILITY.name].clear > 0,
    )


def words(goal: Goal) -> str:
    """What a week asks, for a person."""
    if not goal.minutes or math.isnan(goal.minutes):
        return goal.reason
    return f"{goal.sessions} sessions of {goal.minutes:g} min walking backward ({goal.reason})"
