"""The plots: what they show can be read off them."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.plot import HEIGHT, WIDTH, Plot, nice

MONDAY = date(2026, 3, 2)


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**7))
def test_ticks_hold_what_is_shown_and_are_few(low: float, span: float) -> None:
    low, span = low / 1000, span / 1000  # figures have at most four decimals
    ticks = nice(low, low + span)
    assert ticks[0] <= low + 1e-6 * abs(low)
    assert ticks[-1] >= low + span - 1e-6 * abs(low + span)
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))


def test_what_cannot_be_negative_has_no_axis_below_nought() -> None:
    assert min(nice(0.0, 0.0)) == 0
    assert min(nice(0.02, 0.02)) >= 0


def drawn(values: list[float], *, bars: bool = False) -> str:
    weeks = [(MONDAY + timedelta(weeks=n), value) for n, value in enumerate(values)]
    return Plot("speed", weeks, bars=bars, lines=((0.5, "half"),)).svg()


def test_nothing_known_draws_nothing() -> None:
    assert drawn([math.nan, math.nan]) == ""


def test_a_week_that_is_not_known_is_a_gap_and_not_a_nought() -> None:
    path = re.search(r'<path d="(M[^"]*)" fill="none"', drawn([1.0, 2.0, math.nan, 3.0]))
    assert path is not None
    assert path[1].count("M") == 2
    assert drawn([1.0, math.nan, 0.0, 2.0], bars=True).count("<rect") == 2


@pytest.mark.parametrize("bars", [False, True])
def test_it_stays_within_its_frame(bars: bool) -> None:
    svg = drawn([3.0, 0.1, 12.5, 7.0], bars=bars)
    for x, y in re.findall(r'cx="([\d.-]+)" cy="([\d.-]+)"', svg):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT
    assert "nan" not in svg


def test_higher_is_further_up() -> None:
    ys = [float(y) for y in re.findall(r'cy="([\d.]+)" r="2.4"', drawn([1.0, 2.0, 3.0]))]
    assert ys == sorted(ys, reverse=True)
