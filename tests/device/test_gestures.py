"""Short, long and double presses, at any tick rate and however they are mixed."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device.gestures import DOUBLE_S, LONG_S, Gesture, Gestures

TICK = 0.01


def play(presses: list[tuple[float, float]], tick: float = TICK) -> list[tuple[Gesture, float]]:
    """(s up, s down) pairs, then quiet; gestures with the time they were told."""
    gestures, told, t = Gestures(), [], 0.0
    levels = [(wait, down) for up, held in presses for wait, down in ((up, False), (held, True))]
    for wait, down in [*levels, (1.0, False)]:
        for _ in range(round(wait / tick)):
            t += tick
            if gesture := gestures.sample(t, down):
                told.append((gesture, t))
    return told


def test_a_short_press_is_told_when_no_second_has_come() -> None:
    ((gesture, t),) = play([(1.0, 0.2)])
    assert gesture is Gesture.SHORT
    assert t == pytest.approx(1.2 + DOUBLE_S, abs=3 * TICK)


def test_a_long_press_is_told_while_it_is_held_and_once() -> None:
    ((gesture, t),) = play([(1.0, 7.0)])
    assert gesture is Gesture.LONG
    assert t == pytest.approx(1.0 + LONG_S, abs=2 * TICK)


def test_a_second_press_soon_after_makes_it_double_at_once() -> None:
    ((gesture, t),) = play([(1.0, 0.1), (0.2, 0.1)])
    assert gesture is Gesture.DOUBLE
    assert t == pytest.approx(1.3, abs=2 * TICK)


def test_a_double_whose_second_press_is_held_is_no_call_for_help() -> None:
    assert [gesture for gesture, _ in play([(1.0, 0.1), (0.2, 5.0)])] == [Gesture.DOUBLE]


def test_two_presses_far_apart_are_two_short_ones() -> None:
    assert [gesture for gesture, _ in play([(1.0, 0.1), (0.6, 0.1)])] == [Gesture.SHORT] * 2


times = st.floats(0.05, 4.0)


@settings(deadline=None)  # up to a minute of ticks each
@given(st.lists(st.tuples(times, times), max_size=8), st.sampled_from([0.0025, 0.01, 0.05]))
@example([(1.0, 1.0), (1.0, 1.0), (2.0, 2.0), (0.375, 1.0)], 0.05)  # both in one tick
def test_every_press_counts_once(presses: list[tuple[float, float]], tick: float) -> None:
    told = [gesture for gesture, _ in play(presses, tick)]
    doubles = told.count(Gesture.DOUBLE)
    assert len(told) + doubles == len(presses)
    assert told.count(Gesture.LONG) <= sum(held >= LONG_S - 2 * tick for _, held in presses)
