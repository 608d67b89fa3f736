"""Programmes: a goal is earned, and never raised when the body speaks against it."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from statistics import median

import pytest

from service.programme import LIMITED_MOST, PROGRAMMES, Goal, Programme, Week, goals

GOOD = Week(4, 30.0, 0.05, 3.0, "allow", False)
FOUR = PROGRAMMES["four-weeks"]
LONG = PROGRAMMES["four-weeks-long"]


def minutes(programme: Programme, *weeks: Week, screening: str = "allow") -> list[float]:
    return [goal.minutes for goal in goals(programme, weeks, screening)]


def test_weeks_that_go_well_follow_the_trial() -> None:
    assert minutes(FOUR, *[GOOD] * 4) == [10, 12, 14, 15, 15]
    assert minutes(PROGRAMMES["six-weeks"], *[GOOD] * 6) == [10] * 7


@pytest.mark.parametrize(
    ("bad", "asked", "why"),
    [
        ({"fell": True}, 10, "a fall"),
        ({"effort": 7.0}, 10, "very hard"),
        ({"effort": 5.0}, 12, "it was hard"),
        ({"unsteadier": True}, 12, "less even"),
        ({"variability": 0.06}, 12, "less even"),
        ({"variability": math.nan}, 12, "not known"),
        ({"sessions": 2}, 12, "not reached"),
        ({"dose_min": 9.0}, 12, "not reached"),
        ({"sessions": 0, "dose_min": math.nan}, 12, "not reached"),
        ({"screening": "limit"}, LIMITED_MOST, "allows no more"),
        ({"screening": "refuse"}, 0, "the screening refuses it"),
        ({"screening": ""}, 0, "the screening comes first"),
    ],
)
def test_each_thing_that_speaks_against_more(
    bad: dict[str, object], asked: float, why: str
) -> None:
    last = goals(FOUR, [GOOD, replace(GOOD, **bad)], "allow")[-1]  # type: ignore[arg-type]
    assert last.minutes == asked
    assert why in last.reason
    assert not last.raised


def test_an_effort_that_nobody_told_holds_nothing_up() -> None:
    assert minutes(FOUR, replace(GOOD, effort=math.nan)) == [10, 12]


def test_more_than_twenty_minutes_only_when_allowed() -> None:
    assert minutes(LONG, *[GOOD] * 4) == [15, 20, 25, 30, 30]
    limited = replace(GOOD, screening="limit")
    assert max(minutes(LONG, *[limited] * 4, screening="limit")) == LIMITED_MOST
    assert "within the 10 min" in goals(LONG, [GOOD, GOOD, limited], "allow")[3].reason
    usual = [programme for programme in PROGRAMMES.values() if programme is not LONG]
    assert max(m for programme in usual for m in programme.minutes) <= 20


def test_a_limit_holds_and_its_end_is_no_leap() -> None:
    limited = replace(GOOD, screening="limit")
    assert minutes(FOUR, GOOD, GOOD, limited, GOOD, GOOD) == [10, 12, 14, 10, 12, 14]
    assert minutes(LONG, limited, GOOD, GOOD, screening="limit") == [10, 10, 15, 20]


def test_after_a_refusal_it_begins_anew_and_not_while_a_fall_stands() -> None:
    refused = Week(0, math.nan, math.nan, math.nan, "refuse", False)
    idle = replace(refused, screening="allow")
    assert minutes(FOUR, GOOD, GOOD, refused, refused, idle, GOOD) == [10, 12, 14, 0, 0, 10, 12]
    fallen = replace(idle, fell=True)
    assert minutes(FOUR, GOOD, refused, fallen, idle) == [10, 12, 0, 0, 10]


def lived(rng: random.Random) -> list[Week]:
    """The weeks of somebody to whom anything may happen."""
    variability, weeks, fallen = rng.uniform(0.02, 0.08), [], False
    risk, bent = rng.uniform(0, 0.3), rng.gauss(0, 0.05)
    for _ in range(rng.randint(1, 12)):
        variability *= 1 + rng.gauss(bent, 0.05)
        fallen = (fallen and rng.random() < 0.5) or rng.random() < risk
        known = rng.random() > 0.1
        weeks.append(
            Week(
                rng.randint(0, 5),
                rng.uniform(3, 35) if rng.random() > 0.05 else math.nan,
                variability if known else math.nan,
                rng.choice([math.nan, rng.uniform(0, 10)]),
                rng.choices(["allow", "limit", "refuse", ""], [20, 3, 2, 1])[0],
                fallen,
                unsteadier=known and rng.random() < 0.05,
            )
        )
    return weeks


def test_ten_thousand_lives() -> None:
    """Never raised after a fall, a refused screening or a rising variability; always bounded."""
    rng = random.Random(7)
    raised = against = 0
    for _ in range(10_000):
        programme = rng.choice(list(PROGRAMMES.values()))
        weeks = lived(rng)
        made = goals(programme, weeks, rng.choice(["allow", "limit", "refuse", ""]))
        assert len(made) == len(weeks) + 1
        seen: list[float] = []
        for n, week in enumerate(weeks):
            was, asked = made[n], made[n + 1]
            uneven = week.unsteadier or (bool(seen) and week.variability > 1.1 * median(seen))
            if week.fell or week.screening in ("refuse", "") or uneven:
                against += 1
                assert asked.minutes <= was.minutes
                assert not asked.raised
            if week.screening in ("refuse", ""):
                assert asked.minutes == 0
            if week.screening == "limit":
                assert asked.minutes <= LIMITED_MOST
            if not math.isnan(week.variability):
                seen.append(week.variability)
            raised += asked.minutes > was.minutes
            bounded(programme, was, asked)
    assert raised > 1000, "a test of what never rises must see it rise"
    assert against > 10_000


def bounded(programme: Programme, was: Goal, asked: Goal) -> None:
    """No leap, and no more than the trial or the rule allows."""
    assert asked.raised == (asked.minutes > was.minutes)
    assert asked.minutes <= max(programme.minutes)
    if was.minutes:
        assert asked.minutes - was.minutes <= 5
    assert asked.reason
