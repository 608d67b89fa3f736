"""What is felt: whole or replaced by something more urgent, and never on by accident."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.alerts import EVENTS, Level
from device.haptics import FAMILIES, MAX_ON_S, PATTERNS, Haptics

TICK = 0.01


class Motor:
    """The pin: keeps what it was set to."""

    def __init__(self) -> None:
        self.duty = 0.0

    def set(self, duty: float) -> None:
        assert 0.0 < duty <= 1.0
        self.duty = duty

    def off(self) -> None:
        self.duty = 0.0

    def close(self) -> None:
        self.off()


def trace(haptics: Haptics, motor: Motor, start: float, seconds: float, going_on=()) -> list[float]:
    duties = []
    for k in range(1, round(seconds / TICK) + 1):
        haptics.update(start + k * TICK, going_on)
        duties.append(motor.duty)
    return duties


def onsets(duties: list[float]) -> list[float]:
    """s from the first tick at which the motor goes on."""
    pairs = enumerate(zip([1.0, *duties], duties, strict=False))
    return [k * TICK for k, (before, duty) in pairs if duty and not before]


def test_every_pattern_of_the_table_of_alerts_is_here() -> None:
    felt = {p for row in EVENTS.values() for p in row.felt.values() if p}
    assert felt <= set(PATTERNS)


def test_there_are_six_rhythms_to_learn_and_each_pattern_has_that_of_its_family() -> None:
    assert len(FAMILIES) <= 6
    felt = {p for row in EVENTS.values() for p in row.felt.values() if p} - {"answer"}
    assert {PATTERNS[name].family for name in felt | {"guarding", "told"}} == set(FAMILIES)
    flutter = PATTERNS["fault"].pulses
    for pattern in PATTERNS.values():
        starts_so = pattern.pulses[: len(flutter)] == flutter
        assert starts_so == (pattern.family == "trouble"), "a fault differs from all else"
        assert (len(pattern.pulses) in (3, 6) and pattern.pulses[-1][0] > 0.4) == (
            pattern.family == "help"
        )


def test_guarding_not_guarding_and_help_told_are_felt_apart() -> None:
    three = [PATTERNS[name] for name in ("guarding", "not_guarding", "told")]
    assert len({p.family for p in three}) == 3
    assert len({len(p.pulses) for p in three}) == 3


def test_called_told_coming_and_nobody_reached_are_felt_apart() -> None:
    four = [PATTERNS[name] for name in ("danger", "told", "coming", "nobody")]
    shapes = {tuple("long" if on > 0.2 else "short" for on, _ in p.pulses) for p in four}
    assert len(shapes) == 4, "by more than by how strong, or how quick"


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_felt_whole_and_unlike_the_others(name: str) -> None:
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    assert haptics.feel(name, 0.0) == 0.0
    assert motor.duty == PATTERNS[name].duty
    on = sum(duty > 0 for duty in trace(haptics, motor, 0.0, 6.0)) * TICK
    assert on == pytest.approx(sum(on for on, _ in PATTERNS[name].pulses), abs=0.06)
    assert motor.duty == 0.0
    rhythm = (PATTERNS[name].pulses, PATTERNS[name].duty)
    assert [p for p in PATTERNS.values() if (p.pulses, p.duty) == rhythm] == [PATTERNS[name]]
    assert PATTERNS[name].means.endswith(".")


@given(st.sampled_from(sorted(PATTERNS)), st.sampled_from(sorted(PATTERNS)))
def test_only_the_more_urgent_interrupts(first: str, second: str) -> None:
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    haptics.feel(first, 0.0)
    begun = haptics.feel(second, 0.02)
    if PATTERNS[second].priority > PATTERNS[first].priority:
        assert begun == 0.02
        assert motor.duty == PATTERNS[second].duty
    else:
        assert begun is None
        assert motor.duty == PATTERNS[first].duty


wishes = st.tuples(
    st.floats(0.0, 0.7),
    st.sampled_from(sorted(PATTERNS)),
    st.lists(st.tuples(st.sampled_from(sorted(PATTERNS)), st.sampled_from(Level)), max_size=3),
)


@given(st.lists(wishes, max_size=30), st.sampled_from([0.3, 1.0]))
@settings(deadline=None)  # up to 20 s of ticks each
def test_the_motor_never_runs_long_whatever_is_asked(asked: list, strength: float) -> None:
    motor = Motor()
    haptics = Haptics(motor, strength)
    t, on = 0.0, 0.0
    for wait, name, going_on in asked:
        haptics.feel(name, t)
        for _ in range(round(wait / TICK)):
            t += TICK
            haptics.update(t, going_on)
            on = on + TICK if motor.duty else 0.0
            assert motor.duty <= strength
            assert on <= MAX_ON_S + 2 * TICK
    haptics.off()
    assert motor.duty == 0.0


def test_the_nearer_the_quicker() -> None:
    motor = Motor()
    rates = []
    for name, level in [("approach", 3), ("approach", 4), ("stop", 5)]:
        duties = trace(Haptics(motor, 1.0), motor, 0.0, 30.0, [(name, Level(level))])
        length = PATTERNS[name].length
        rates.append(len(onsets(duties)) / len(PATTERNS[name].pulses) / 30.0)
        assert rates[-1] < 1.0 / length
    assert rates == sorted(rates)


def pulses(left: float, name: str = "approach", level: Level = Level.WARNING) -> int:
    """Felt in 12 s with so much time left [s]."""
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    duties = []
    for k in range(1200):
        haptics.update(k * TICK, [(name, level)], left)
        duties.append(motor.duty)
    return len(onsets(duties))


def test_pulses_quicken_with_the_time_left_and_do_not_wait_for_the_next_level() -> None:
    felt = [pulses(left, level=Level.CAUTION) for left in (4.4, 3.5, 2.5, 1.8, 1.4)]
    assert felt == sorted(felt)
    assert felt[-1] > 1.5 * felt[0]
    assert len(set(felt)) >= 4


@pytest.mark.parametrize(("name", "level"), [("approach", Level.WARNING), ("stop", Level.STOP)])
def test_who_has_stopped_is_told_once_and_coming_closer_speaks_again(name, level) -> None:
    once = len(PATTERNS[name].pulses)
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    haptics.feel(name, 0.0)
    duties = []
    for k in range(1, 1000):
        haptics.update(k * TICK, [(name, level)], float("inf") if k < 500 else 1.5)
        duties.append(motor.duty)
    assert len(onsets(duties[:499])) == once - 1  # the first pulse began with `feel`
    assert len(onsets(duties[499:])) > 2 * once


def test_not_knowing_the_time_left_quiets_nothing() -> None:
    assert pulses(float("nan")) > pulses(float("inf"))


def test_what_is_over_is_not_felt_again() -> None:
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    haptics.feel("fault", 0.0)
    assert onsets(trace(haptics, motor, 0.0, 60.0, [("fault", Level.FAULT)]))[5:] != []
    assert onsets(trace(haptics, motor, 60.0, 60.0))[5:] == []


def test_of_two_open_the_more_urgent_is_felt_first() -> None:
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    haptics.update(0.0, [("fault", Level.FAULT), ("stop", Level.STOP)])
    assert motor.duty == PATTERNS["stop"].duty


def test_what_is_felt_once_waits_for_the_more_urgent_to_end() -> None:
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    haptics.feel("danger", 0.0)
    assert haptics.feel("told", 0.1) is None
    duties = trace(haptics, motor, 0.1, 5.0)
    assert len(onsets(duties)) == 2 + len(PATTERNS["told"].pulses)


def test_a_lesser_pattern_is_not_squeezed_between_two_stops() -> None:
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    both = [("stop", Level.STOP), ("fault", Level.FAULT)]
    duties = set(trace(haptics, motor, 0.0, 10.0, both))
    assert duties == {0.0, PATTERNS["stop"].duty}
    after = trace(haptics, motor, 10.0, 2.0, both[1:])
    assert PATTERNS["fault"].duty in after


def test_ever_more_urgent_patterns_do_not_add_up_to_a_motor_left_on() -> None:
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    duties: list[float] = []
    begun = 0.0
    for name, lasts in [("test", 0.98), ("danger", 0.48), ("stop", 3.0)]:
        haptics.feel(name, begun)
        duties += trace(haptics, motor, begun, lasts)
        begun += lasts
    runs = "".join("1" if duty else "0" for duty in duties).split("0")
    assert 1.9 < max(map(len, runs)) * TICK <= MAX_ON_S + 2 * TICK


def test_coming_closer_speaks_at_once_and_the_same_again_does_not() -> None:
    motor = Motor()
    haptics = Haptics(motor, 1.0)
    assert haptics.feel("approach", 0.0, Level.CAUTION) == 0.0
    haptics.update(0.18)
    assert motor.duty == 0.0, "between its pulses"
    assert haptics.feel("approach", 0.19, Level.CAUTION) is None
    assert haptics.feel("approach", 0.2, Level.WARNING) == 0.2
    assert haptics.feel("approach", 0.3, Level.WARNING) is None
    assert haptics.feel("approach", 0.3, Level.CAUTION) is None
