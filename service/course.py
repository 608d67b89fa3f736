"""A course: the programme a wearer has chosen, what its weeks came to, what this one asks. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service import programme
from service.programme import PROGRAMMES, Goal, Programme
from service.progress import (
    FIGURES,
    Dated,
    Session,
    change,
    dated,
    dose_min,
    middle,
    when,
)

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
) -> Course | None:
    """The course under way, from the records of it; None: no programme is chosen.

    `chosen`: the records that chose one, oldest first, `detail` its name (none: it was ended).
    """
    if not chosen or chosen[-1].get("detail") not in PROGRAMMES:
        return None
    name, began = chosen[-1]["detail"], when(chosen[-1])
    plan = PROGRAMMES[name]
    walked, asked, fallen = dated(sessions), dated(screenings), [when(fall) for fall in falls]
    at_first = screened(screenings, began)
    weeks: list[programme.Week] = []
    goals = programme.goals(plan, weeks, at_first)
    ends = began + timedelta(weeks=1)
    while ends <= now and len(weeks) < MOST_WEEKS:
        weeks.append(_week(goals[-1], walked, asked, fallen, ends))
        goals = programme.goals(plan, weeks, at_first)
        ends += timedelta(weeks=1)
    goal = programme.standing(goals.pop(), screened(screenings, now))
    this_week = len(_counted(_within(walked, ends), goal))
    return Course(name, plan, began, weeks, goals, goal, this_week)


def screened(screenings: Sequence[dict[str, Any]], at: datetime) -> str:
    """What the screening said as it stood at a time: allow, limit, refuse; empty: never asked."""
    return _screened(dated(screenings), at)


def _screened(asked: Dated, at: datetime) -> str:
    before = [record for when_, record in asked if when_ <= at]
    word = str(before[-1].get("detail", "")).split(":")[0].split(" ")[0] if before else ""
    return word if word in ("allow", "limit", "refuse") else ""


def _within(walked: Dated, ends: datetime) -> list[Session]:
    """The sessions of the week that ends then."""
    return [session for at, session in walked if ends - timedelta(weeks=1) <= at < ends]


def _counted(sessions: Sequence[Session], goal: Goal) -> list[Session]:
    return [s for s in sessions if dose_min(s) >= max(1.0, goal.minutes / 2)]


def _week(
    goal: Goal, walked: Dated, asked: Dated, fallen: Sequence[datetime], ends: datetime
) -> programme.Week:
    sessions = _within(walked, ends)
    counted = _counted(sessions, goal)
    last_fall = max((at for at in fallen if at < ends), default=None)
    cleared = last_fall is None or any(last_fall < at < ends for at, _ in asked)
    in_week = last_fall is not None and last_fall >= ends - timedelta(weeks=1)
    return programme.Week(
        sessions=len(counted),
        dose_min=middle(map(dose_min, counted)),
        variability=middle(map(_VARIABILITY.of, sessions)),
        effort=middle(map(_EFFORT.of, sessions)),
        screening=_screened(asked, ends),
        fell=in_week or not cleared,
        unsteadier=change(walked, _VARIABILITY.of, ends).clear > 0,
    )


def words(goal: Goal) -> str:
    """What a week asks, for a person."""
    if not goal.minutes or math.isnan(goal.minutes):
        return goal.reason
    return f"{goal.sessions} sessions of {goal.minutes:g} min walking backward ({goal.reason})"
