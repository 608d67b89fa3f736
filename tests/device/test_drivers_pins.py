"""Ranger, motor and button on pins whose levels and times are given."""

from __future__ import annotations

import math
from random import Random

import pytest
from gpiozero.pins.mock import MockPin
from hypothesis import given, settings
from hypothesis import strategies as st

from device.drivers.button import DEBOUNCE, Button
from device.drivers.hcsr04 import BURST_DELAY, EARLY, SPEED_OF_SOUND, Hcsr04
from device.drivers.motor import Motor
from device.drivers.ranger import Ping
from device.frames import Echo
from device.sources.pins import ButtonPin, EchoPin, MotorPin, SimulatedPins, TriggerPin

TRIGGER, ECHO, MOTOR, BUTTON = 23, 24, 18, 17
PERIOD = 0.06
Edges = list[tuple[float, bool]]  # s after the trigger, level


class Rig:
    """The four pins; what follows a trigger is `edges`."""

    def __init__(self) -> None:
        self.now = 10.0
        self.edges: Edges = []
        self.triggers: list[float] = []
        self.duty: list[float] = []
        self.held = False
        kinds: dict[int, type[MockPin]] = {
            TRIGGER: TriggerPin, ECHO: EchoPin, MOTOR: MotorPin, BUTTON: ButtonPin,
        }  # fmt: skip
        self.pins = SimulatedPins(
            kinds, lambda: self.now, lambda: None, self.trigger, self.duty.append,
            lambda t: self.held,
        )  # fmt: skip
        self.ranger = Hcsr04(self.pins, TRIGGER, ECHO, PERIOD, "belt")

    def trigger(self, t: float) -> Edges:
        self.triggers.append(t)
        return [(t + after, level) for after, level in self.edges]

    def pings(self, seconds: float, tick: float = 0.01) -> list[Ping]:
        found = []
        for _ in range(round(seconds / tick)):
            if ping := self.ranger.poll(self.now):
                found.append(ping)
            self.now += tick
        return found


def pulse(width: float) -> Edges:
    return [(BURST_DELAY, True), (BURST_DELAY + width, False)]


@settings(max_examples=60, deadline=None)
@given(st.floats(0.021, 3.99), st.floats(0.001, 0.02))
def test_a_distance_is_exact_whatever_the_tick(distance: float, tick: float) -> None:
    rig = Rig()
    rig.edges = pulse(2 * distance / SPEED_OF_SOUND)
    pings = rig.pings(1.0, tick)
    assert pings
    for ping, sent in zip(pings, rig.triggers, strict=False):
        assert ping.echo is Echo.DISTANCE
        assert ping.range == pytest.approx(distance, abs=1e-6)
        assert ping.t == pytest.approx(sent + BURST_DELAY + 2 * distance / SPEED_OF_SOUND)


@pytest.mark.parametrize(
    ("edges", "echo"),
    [
        (pulse(0.038), Echo.NOTHING_IN_RANGE),  # the sensor's own time-out
        (pulse(2 * 4.1 / SPEED_OF_SOUND), Echo.NOTHING_IN_RANGE),  # farther than promised
        ([], Echo.NO_PULSE),
        ([(BURST_DELAY, True)], Echo.STUCK),
        (pulse(20e-6), Echo.GLITCH),
        ([(0.01, False)], Echo.NO_PULSE),  # the line was low all the time: no edge at all
        ([*pulse(0.005), (0.006, True), (0.007, False)], Echo.GLITCH),
    ],
)
def test_what_a_ping_brings(edges: Edges, echo: Echo) -> None:
    rig = Rig()
    rig.edges = edges
    pings = rig.pings(0.07)
    assert {p.echo for p in pings} == {echo}
    assert math.isnan(pings[0].range)


def test_a_missed_rise_is_a_glitch_and_no_distance() -> None:
    rig = Rig()
    assert rig.ranger.poll(rig.now) is None
    rig.ranger._edge(rig.now + 0.01, 0)
    rig.now += 0.02
    assert (ping := rig.ranger.poll(rig.now)) is not None
    assert ping.echo is Echo.GLITCH


def test_a_line_that_is_high_before_the_trigger_is_stuck_and_not_triggered() -> None:
    rig = Rig()
    rig.edges = [(BURST_DELAY, True)]
    pings = rig.pings(1.0)
    assert {p.echo for p in pings} == {Echo.STUCK}
    assert len(rig.triggers) == 1
    assert len(pings) > 10


def test_an_echo_that_comes_after_giving_up_is_not_taken_for_the_next() -> None:
    rig = Rig()
    rig.ranger.close()
    rig.ranger = Hcsr04(rig.pins, TRIGGER, ECHO, 0.1, "belt")
    rig.edges = [(0.070, True), (0.0705, False)]
    assert {p.echo for p in rig.pings(2.0)} == {Echo.NO_PULSE}


def test_it_recovers_with_the_first_good_pulse() -> None:
    rig = Rig()
    rig.pings(0.3)
    rig.edges = pulse(0.01)
    assert rig.pings(0.2)[-1].echo is Echo.DISTANCE


def test_pings_keep_their_distance() -> None:
    rig = Rig()
    rig.edges = pulse(0.001)
    rig.pings(5.0, tick=0.003)
    gaps = [b - a for a, b in zip(rig.triggers, rig.triggers[1:], strict=False)]
    assert min(gaps) >= PERIOD - EARLY
    assert len(rig.triggers) > 70


def test_open_space_is_pinged_at_as_often_as_a_wall_and_a_late_tick_costs_none() -> None:
    """The time-out leaves a tick: the next ping goes out with the outcome of the last."""
    rig = Rig()
    rig.ranger.close()
    rig.ranger = Hcsr04(rig.pins, TRIGGER, ECHO, 0.04, "belt")
    rig.edges = pulse(0.038)
    late = Random(1)
    for tick in range(1000):
        rig.now = 20.0 + 0.01 * tick + late.uniform(0.0, 0.4e-3)
        ping = rig.ranger.poll(rig.now)
        assert ping is None or ping.echo is Echo.NOTHING_IN_RANGE
    gaps = [round(b - a, 2) for a, b in zip(rig.triggers, rig.triggers[1:], strict=False)]
    assert set(gaps) == {0.04, 0.05}
    assert 0.4 < gaps.count(0.04) / len(gaps) < 0.6


def test_a_closed_ranger_lets_its_pins_go() -> None:
    rig = Rig()
    rig.pings(0.2)
    rig.ranger.close()
    Hcsr04(rig.pins, TRIGGER, ECHO, PERIOD, "belt").close()  # raises when they are still taken


def test_the_motor_is_off_at_close_and_refuses_nonsense() -> None:
    rig = Rig()
    motor = Motor(rig.pins, MOTOR)
    motor.set(0.7)
    assert (motor.duty, rig.duty[-1]) == (0.7, 0.7)
    with pytest.raises(ValueError, match="duty is 0 to 1"):
        motor.set(1.1)
    motor.close()
    assert (motor.duty, rig.duty[-1]) == (0.0, 0.0)


def test_off_is_written_even_when_it_seems_off() -> None:
    rig = Rig()
    motor = Motor(rig.pins, MOTOR)
    rig.pins.pin(MOTOR)._change_state(1.0)  # somebody else's doing
    motor.off()
    assert rig.duty[-1] == 0.0


def test_the_button_follows_a_level_that_stands() -> None:
    rig = Rig()
    button = Button(rig.pins, BUTTON)
    assert not button.pressed(0.0)
    rig.held = True
    assert not button.pressed(0.01)
    assert button.pressed(0.01 + DEBOUNCE)
    rig.held = False
    assert button.pressed(0.05)
    assert not button.pressed(0.05 + DEBOUNCE)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_chatter_shorter_than_the_debounce_is_never_seen(levels: list[bool]) -> None:
    rig = Rig()
    button, t = Button(rig.pins, BUTTON), 0.0
    for level in levels:  # each level is followed by its opposite before it has stood
        for rig.held in (level, False):
            t += DEBOUNCE / 4
            assert not button.pressed(t)
