"""Programmes of several weeks, and what each week asks. Pure: the goal of a week follows from what
the weeks before it came to, so there is no goal to keep, to lose or to get wrong.

Programmes are those of trials that found a benefit. A goal is never raised after a fall, a refused
screening or a rising variability of the steps, nor when one of them is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

LIMITED_MOST = 10.0  # min, under a screening that limits; the device keeps to the same
TIRED, TOO_HARD = 5.0, 7.0  # Borg CR10: "hard" is not to be raised, "very hard" is taken back
DONE_SHARE = 0.9  # of the week's goal, which counts as done


@dataclass(frozen=True, slots=True)
class Programme:
    """What each week asks, and whose it is."""

    title: str
    minutes: tuple[float, ...]  # walking backward, a session, week by week
    sessions_a_week: int
    source: str
    found: str  # in one line, in whom and what


PROGRAMMES = {
    "four-weeks": Programme(
        "Four weeks",
        (10.0, 12.0, 14.0, 15.0),
        4,
        "Whitley CR, Dufek JS. Int J Exerc Sci 2011;4(3):192-198",
        "10 healthy women, 10 to 15 min on 4 days a week for 4 weeks: more hamstring flexibility, "
        "faster backward walking; no control group",
    ),
    "six-weeks": Programme(
        "Six weeks",
        (10.0,) * 6,
        3,
        "Alghadir AH, Anwer S, Sarkar B, et al. BMC Musculoskelet Disord 2019;20:159",
        "68 adults with knee osteoarthritis, 10 min on 3 days a week for 6 weeks beside usual "
        "care: less pain and disability, stronger quadriceps than usual care alone",
    ),
    "four-weeks-long": Programme(  # the only one beyond 20 min: chosen for it, screened for it
        "Four weeks, up to 30 minutes",
        (15.0, 20.0, 25.0, 30.0),
        3,
        "Chang KW, Lin CM, Yen CW, et al. Int J Environ Res Public Health 2021;18(5):2376",
        "16 adults after a stroke, 30 min on a treadmill, 3 days a week for 4 weeks beside "
        "therapy: a pilot study under supervision",
    ),
}


@dataclass(frozen=True, slots=True)
class Week:
    """What one week of a programme came to."""

    sessions: int  # that reached at least half of the goal
    dose_min: float  # median of its sessions, min; NaN: none
    variability: float  # median coefficient of variation of the step time; NaN: not known
    effort: float  # median Borg CR10; NaN: nobody said
    screening: str  # allow, limit, refuse as it stood at the week's end; empty: never asked
    fell: bool  # in the week, or before it with no screening since
    unsteadier: bool = False  # the trend of the variability is clearly rising


@dataclass(frozen=True, slots=True)
class Goal:
    """What a week asks. `minutes` 0: no session, for the reason given."""

    minutes: float  # walking backward, a session
    sessions: int
    reason: str
    step: int = 0  # of the programme
    raised: bool = False


def goals(programme: Programme, weeks: Iterable[Week], screening: str) -> list[Goal]:
    """The goal of each week: the first, and one after each of `weeks`.

    `screening` is the result before the first week.
    """
    goal = _bounded(programme, 0, "the programme's first week", screening)
    made, before = [goal], list[float]()
    for week in weeks:
        goal = _next(programme, goal, week, before)
        made.append(goal)
        if not math.isnan(week.variability):
            before.append(week.variability)
    return made


def standing(goal: Goal, screening: str) -> Goal:
    """A week's goal as it stands within the week, when the screening may have changed."""
    if screening not in ("allow", "limit"):
        return Goal(0.0, 0, _no_session(screening))
    if screening == "limit" and goal.minutes > LIMITED_MOST:
        return replace(goal, minutes=LIMITED_MOST, reason="less: the screening limits it")
    return goal


def _unsteadier(week: Week, before: list[float]) -> bool:
    """Whether the variability clearly rises, or is a tenth above the median of the weeks before."""
    return week.unsteadier or (bool(before) and week.variability > 1.1 * median(before))


def _next(programme: Programme, goal: Goal, week: Week, before: list[float]) -> Goal:
    """The goal after `goal`, of which `week` came."""
    if week.screening not in ("allow", "limit"):
        return _bounded(programme, 0, "", week.screening)
    if not goal.minutes:
        if week.fell or _unsteadier(week, before):
            what = "a fall, and no screening since" if week.fell else "steps less even than before"
            return replace(goal, reason=f"no session: {what}")
        again = _bounded(programme, 0, "from the start: a screening allows it", week.screening)
        return replace(again, raised=True)
    change, why = _verdict(programme, goal, week, before)
    step = goal.step
    if change < 0:
        step = max(0, step - 1)
    elif change > 0 and programme.minutes[step] <= goal.minutes:  # else that step is still to reach
        step += 1
    made = _bounded(programme, step, why, week.screening)
    if change <= 0 or made.minutes <= goal.minutes:
        return replace(made, minutes=min(made.minutes, goal.minutes))
    return replace(made, raised=True)


def _verdict(programme: Programme, goal: Goal, week: Week, before: list[float]) -> tuple[int, str]:
    """Less (-1), the same or more (1) than this week, and why; what speaks against comes first."""
    verdicts = (
        (week.fell, -1, "less: a fall, and no screening since"),
        (week.effort >= TOO_HARD, -1, "less: it was very hard"),
        (_unsteadier(week, before), 0,
         "the same: the steps have become less even"),
        (math.isnan(week.variability), 0, "the same: how even the steps were is not known"),
        (week.effort >= TIRED, 0, "the same: it was hard"),
        (week.screening != "allow", 0, "the same: the screening allows no more"),
        (not _done(goal, week), 0, "the same: the week's goal was not reached"),
        (goal.minutes >= programme.minutes[-1], 0, "the same: the programme asks no more"),
    )  # fmt: skip
    return next(((by, why) for holds, by, why in verdicts if holds), (1, "more: it went well"))


def _done(goal: Goal, week: Week) -> bool:
    """Whether at most one session was missed, and the others reached what was asked."""
    return week.sessions >= goal.sessions - 1 and week.dose_min >= DONE_SHARE * goal.minutes


def _bounded(programme: Programme, step: int, why: str, screening: str) -> Goal:
    """The goal of a step, or of the highest one below it that may be asked."""
    if screening not in ("allow", "limit"):
        return Goal(0.0, 0, _no_session(screening))
    most = LIMITED_MOST if screening == "limit" else max(programme.minutes)
    step = min(step, len(programme.minutes) - 1)
    if programme.minutes[step] > most:
        why = f"{why}, within the {most:g} min that are allowed"
    while step and programme.minutes[step] > most:
        step -= 1
    return Goal(min(programme.minutes[step], most), programme.sessions_a_week, why, step)


def _no_session(screening: str) -> str:
    said = "the screening refuses it" if screening == "refuse" else "the screening comes first"
    return f"no session: {said}"
