"""Progress: weeks at a glance, and which figures have changed for sure. Pure.

Sessions come as `Walks.sessions` gives them, records as `Walks.results` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from service.trend import Trend, trend

TREND_WEEKS = 8  # weeks back that a trend looks
LEAST_DOSE_S = 60.0  # s; of a shorter walk only the dose is told, the rest is of too few steps

Session = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is followed from week to week."""

    name: str
    title: str
    unit: str
    digits: int
    better: int  # 1: more is better, -1: less is, 0: neither by itself
    of: Callable[[Session], float]  # NaN: not known


def _total(name: str, scale: float = 1.0) -> Callable[[Session], float]:
    def value(session: Session) -> float:
        enough = session["totals"].get("dose_s", 0.0) >= LEAST_DOSE_S
        return float(session["totals"].get(name, math.nan)) * scale if enough else math.nan

    return value


def dose_min(session: Session) -> float:
    """Time walking backward, min."""
    return float(session["totals"].get("dose_s", 0.0)) / 60


def _cues_a_minute(session: Session) -> float:
    return _total("cues")(session) / dose_min(session) if dose_min(session) else math.nan


def _effort(session: Session) -> float:
    return math.nan if session["borg_cr10"] is None else float(session["borg_cr10"])


FIGURES = (
    Figure("dose_min", "Dose a walk", "min", 1, 0, dose_min),
    Figure("speed_m_s", "Speed", "m/s", 2, 1, _total("speed_m_s")),
    Figure("cadence_steps_min", "Cadence", "steps/min", 0, 0, _total("cadence_steps_min")),
    Figure("step_time_cv", "Step variability", "%", 1, -1, _total("step_time_cv", 100.0)),
    Figure("sway_m_s2", "Sway", "m/s²", 2, -1, _total("sway_m_s2")),
    Figure("cues_min", "Cues", "a minute", 2, -1, _cues_a_minute),
    Figure("borg_cr10", "Effort", "Borg CR10", 0, 0, _effort),
)
TEST = "test_s"  # the 3 m backward walk test, beside the figures of sessions


@dataclass(frozen=True, slots=True)
class Week:
    """A calendar week. Medians over its sessions; NaN: not known."""

    start: date  # a Monday
    sessions: int
    total_min: float  # walking backward
    figures: dict[str, float]  # by name of a figure, and TEST


def when(item: dict[str, Any]) -> datetime:
    """When a session began or a record was raised, in this machine's time zone."""
    written = item.get("started_at") or item.get("raised_at") or ""
    try:
        return datetime.fromisoformat(written).astimezone()
    except ValueError:
        return datetime.fromtimestamp(0).astimezone()


def test_time(record: dict[str, Any]) -> float:
    """Seconds of one trial of the walk test; NaN when it has none that can be true."""
    seconds = record.get("measurements", {}).get("time_s")
    good = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return float(seconds) if good and 0 < seconds < 600 else math.nan


def test_doubt(record: dict[str, Any]) -> float:
    """Seconds by which such a time may be off, either way; 0 when none are told."""
    seconds = record.get("measurements", {}).get("uncertain_s")
    good = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return float(seconds) if good and 0 < seconds < 600 else 0.0


def weeks(sessions: Sequence[Session], tests: Sequence[dict[str, Any]]) -> list[Week]:
    """Every calendar week from the first to the last with anything in it, also those without."""
    monday: dict[date, tuple[list[Session], list[float]]] = {}
    for session in sessions:
        monday.setdefault(_monday(session), ([], []))[0].append(session)
    for record in tests:
        monday.setdefault(_monday(record), ([], []))[1].append(test_time(record))
    if not monday:
        return []
    made, start = [], min(monday)
    while start <= max(monday):
        walked, timed = monday.get(start, ([], []))
        figures = {figure.name: middle(map(figure.of, walked)) for figure in FIGURES}
        total = sum(map(dose_min, walked))
        made.append(Week(start, len(walked), total, {**figures, TEST: middle(timed)}))
        start += timedelta(weeks=1)
    return made


def trends(
    sessions: Sequence[Session], tests: Sequence[dict[str, Any]], until: datetime
) -> dict[str, Trend]:
    """Change a week of each figure and of TEST, by session, in the `TREND_WEEKS` to `until`.

    Tests are far between: of them, all that are given count, a point a day.

    Walks of neighbouring days are more alike than chance, which makes the intervals a little too
    narrow; and of eight figures that do not change, one in three wearers shows one that seems to.
    """
    walked = dated(sessions)
    found = {figure.name: change(walked, figure.of, until) for figure in FIGURES}
    return {**found, TEST: trend([(day.toordinal() / 7, t) for day, t in test_days(tests)])}


def test_days(tests: Iterable[dict[str, Any]]) -> list[tuple[date, float]]:
    """The median time of each day's trials [s]: trials of one day are one point, not three."""
    days: dict[date, list[float]] = {}
    for record in tests:
        days.setdefault(when(record).date(), []).append(test_time(record))
    return [(day, middle(times)) for day, times in sorted(days.items())]


Dated = list[tuple[datetime, dict[str, Any]]]


def dated(items: Iterable[dict[str, Any]]) -> Dated:
    """Sessions or records, each with when it was."""
    return [(when(item), item) for item in items]


def change(items: Dated, of: Callable[[Any], float], until: datetime) -> Trend:
    """The trend of one figure, a week, in the `TREND_WEEKS` to `until`."""
    begins = until - timedelta(weeks=TREND_WEEKS)
    return trend(
        [
            (at.date().toordinal() / 7, of(item))  # walks of one day say nothing of a change a week
            for at, item in items
            if begins <= at <= until
        ]
    )


def middle(values: Iterable[float]) -> float:
    """The median of what is known; NaN: nothing is."""
    known = [value for value in values if not math.isnan(value)]
    return median(known) if known else math.nan


def energy_kcal_kg(session: Session) -> tuple[float, float] | None:
    """Least and most energy of the walking backward, kcal for each kg of body mass; or None.

    Least: walking forward on level ground at the same speed, by the American College of Sports
    Medicine's equation (VO2 = 3.5 + 0.1 × speed in m/min, in ml/kg/min; 1 l of oxygen: 5 kcal).
    Most: 40 % more, the highest share that is told of walking backward; for that share no primary
    source was found, and +17 to 20 % was measured on a grade. No heart rate is measured here.
    """
    speed, dose = session["totals"].get("speed_m_s"), dose_min(session)
    if speed is None or not dose or session["totals"].get("dose_s", 0.0) < LEAST_DOSE_S:
        return None
    least = (3.5 + 0.1 * abs(speed) * 60) * dose * 5 / 1000
    return least, least * 1.4


def _monday(item: dict[str, Any]) -> date:
    day = when(item).date()
    return day - timedelta(days=day.weekday())
