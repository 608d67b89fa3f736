"""Weeks at a glance, trends that do not claim too much, and the course that follows from them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.course import course, screened, words
from service.progress import (
    TEST,
    energy_kcal_kg,
    trends,
    weeks,
    when,
)
from service.sessions import joined, wire
from service.trend import LEAST, trend
from tests.service.walked import START, record, walk

NOISES: dict[str, Callable[[random.Random], float]] = {
    "normal": lambda rng: rng.gauss(0, 1),
    "wild": lambda rng: rng.gauss(0, 1) / math.sqrt(rng.gammavariate(1.5, 2) / 3),  # Student, 3
}


def session(number: int, at: datetime, **totals: Any) -> dict[str, Any]:
    """A session as the history gives it."""
    made: dict[str, Any] | None = None
    for one in walk(f"w{number}", at, **totals):
        made = joined(made, one)
    assert made is not None
    return wire(made, "run")


def screening(day: float, detail: str) -> dict[str, Any]:
    return record("screening", START + timedelta(days=day), 1, state="confirmed", detail=detail)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize(("points", "lives"), [(LEAST, 500), (12, 500), (24, 250)])
def test_the_interval_holds_the_truth_and_no_change_is_seldom_called_one(
    noise: str, points: int, lives: int
) -> None:
    rng = random.Random(f"{noise}{points}")
    held = called = 0
    for _ in range(lives):
        at = [rng.uniform(0, points / 3.5) for _ in range(points)]
        scatter = [NOISES[noise](rng) for _ in at]
        found = trend([(t, 0.4 * t + s) for t, s in zip(at, scatter, strict=True)])
        held += found.low <= 0.4 <= found.high
        called += trend(list(zip(at, scatter, strict=True))).clear != 0
    assert held / lives >= 0.93, "of 95 % intervals"
    assert called / lives <= 0.07


def test_a_change_as_large_as_the_scatter_in_four_weeks_is_found() -> None:
    rng = random.Random(3)
    found = 0
    for _ in range(200):
        points = [(n / 4, 0.5 * n / 4 + rng.gauss(0, 0.5)) for n in range(16)]
        found += trend(points).clear == 1
    assert found > 160


def test_too_few_points_say_nothing() -> None:
    few = trend([(float(n), float(n)) for n in range(LEAST - 1)])
    assert not few.known
    assert few.clear == 0
    one_day = trend([(1.0, float(n)) for n in range(9)])
    assert not one_day.known
    assert trend([(math.nan, 1.0), (1.0, math.inf)] * 9).points == 0
    two_days = trend([(1.0, float(n)) for n in range(5)] + [(2.0, 9.0)])
    assert two_days.clear == 0, "five on one day and one on the next are no trend"


def test_weeks_at_a_glance() -> None:
    walked = [
        session(1, START, dose_s=600, speed_m_s=0.4, cues=5.0, borg=3),
        session(2, START + timedelta(days=2), dose_s=1200, speed_m_s=0.6, cues=5.0),
        session(3, START + timedelta(days=15), dose_s=30, minutes=1),
    ]
    tests = [
        record("walk_test", START, n, measurements={"time_s": t}) for n, t in enumerate([4.9, 5.1])
    ]
    first, empty, last = weeks(walked, tests)
    assert (first.start.isoformat(), first.sessions, first.total_min) == ("2026-03-02", 2, 30)
    assert first.figures["dose_min"] == 15
    assert first.figures["speed_m_s"] == pytest.approx(0.5)
    assert first.figures["step_time_cv"] == pytest.approx(5.0)
    assert first.figures["cues_min"] == pytest.approx((5 / 10 + 5 / 20) / 2)
    assert first.figures["borg_cr10"] == 3
    assert first.figures[TEST] == 5.0
    assert (empty.sessions, empty.total_min) == (0, 0)
    assert math.isnan(empty.figures["speed_m_s"]), "a week without a walk has no speed, not 0"
    assert last.figures["dose_min"] == 0.5
    assert math.isnan(last.figures["speed_m_s"]), "half a minute is too little for a speed"
    assert weeks([], []) == []


@pytest.mark.parametrize("absurd", [None, "4", True, -1, 0, 1e9, math.nan])
def test_a_test_without_a_time_that_can_be_true_is_not_shown(absurd: object) -> None:
    [week] = weeks([], [record("walk_test", START, 1, measurements={"time_s": absurd})])
    assert math.isnan(week.figures[TEST])


def test_trends_look_eight_weeks_back() -> None:
    slower_long_ago = [session(n, START + timedelta(days=3 * n), speed_m_s=0.2) for n in range(10)]
    since = START + timedelta(weeks=20)
    steady = [session(50 + n, since + timedelta(days=3 * n), speed_m_s=0.6) for n in range(10)]
    found = trends(slower_long_ago + steady, [], since + timedelta(weeks=5))
    assert found["speed_m_s"].points == 10
    assert found["speed_m_s"].clear == 0
    assert not found[TEST].known


def test_energy_is_a_range() -> None:
    least, most = energy_kcal_kg(session(1, START, dose_s=900, speed_m_s=0.5)) or (0, 0)
    assert least == pytest.approx((3.5 + 0.1 * 30) * 15 * 0.005)
    assert most == pytest.approx(1.4 * least)
    assert energy_kcal_kg(session(2, START, dose_s=10, minutes=1)) is None


def lived(days: list[float], **totals: Any) -> list[dict[str, Any]]:
    return [session(n, START + timedelta(days=d, hours=2), **totals) for n, d in enumerate(days)]


CHOSEN = [record("programme", START, 1, detail="four-weeks")]
THREE_WEEKS = [0, 1, 3, 5, 7, 8, 10, 12, 14, 15, 17, 19]


def test_a_course_follows_from_what_was_walked() -> None:
    """Nothing of it is kept but the choice."""
    walked = lived(THREE_WEEKS, dose_s=900, borg=3)
    found = course(CHOSEN, walked, [screening(-1, "allow")], [], START + timedelta(days=23))
    assert found is not None
    assert [goal.minutes for goal in found.goals] == [10, 12, 14]
    assert (found.goal.minutes, found.this_week) == (15, 0)
    assert words(found.goal) == "4 sessions of 15 min walking backward (more: it went well)"
    now = START + timedelta(days=2)
    begun = course(CHOSEN, walked[:2], [screening(-1, "allow")], [], now)
    assert begun is not None
    assert (begun.weeks, begun.goal.minutes, begun.this_week) == ([], 10, 2)


@pytest.mark.parametrize(
    ("fall", "asked_again", "expected"),
    [(9, None, 10), (9, 10, 10), (1, None, 10), (1, 2, 12), (None, None, 14)],
)
def test_a_fall_counts_in_its_week_and_until_a_screening(
    fall: float | None, asked_again: float | None, expected: float
) -> None:
    screenings = [screening(-1, "allow")]
    if asked_again is not None:
        screenings.append(screening(asked_again, "allow: nothing speaks against it"))
    falls = [] if fall is None else [record("fall", START + timedelta(days=fall), 5, kind="alert")]
    walked = lived(THREE_WEEKS[:8], dose_s=900)
    found = course(CHOSEN, walked, screenings, falls, START + timedelta(days=14.5))
    assert found is not None
    assert found.goal.minutes == expected


def test_a_refusal_stands_at_once_and_steps_grown_uneven_hold_it() -> None:
    walked = lived(THREE_WEEKS[:8], dose_s=900)
    now = START + timedelta(days=14.5)
    said = [screening(-1, "allow"), screening(14.2, "refuse: poor balance")]
    found = course(CHOSEN, walked, said, [], now)
    assert found is not None
    assert words(found.goal) == "no session: the screening refuses it"
    said[-1] = screening(14.2, "limit: dizziness")
    limited = course(CHOSEN, walked, said, [], now)
    assert limited is not None
    assert limited.goal.minutes == 10
    uneven = walked[:4] + lived(THREE_WEEKS[4:8], dose_s=900, step_time_cv=0.07)
    held = course(CHOSEN, uneven, said[:1], [], now)
    assert held is not None
    assert (held.goal.minutes, held.goal.reason) == (
        12,
        "the same: the steps have become less even",
    )


def test_no_course_without_a_choice_and_none_after_it_is_ended() -> None:
    assert course([], [], [], [], START) is None
    ended = [*CHOSEN, record("programme", START, 2, detail="")]
    assert course(ended, [], [], [], START) is None


def test_what_was_never_screened_has_no_goal() -> None:
    found = course(CHOSEN, [], [], [], START)
    assert found is not None
    assert words(found.goal) == "no session: the screening comes first"
    assert screened([screening(0, "what?")], START + timedelta(days=1)) == ""


def test_a_date_that_cannot_be_read_is_long_ago() -> None:
    assert when({"raised_at": "nonsense"}).year < 1971
