"""HC-SR04 and its 3.3 V kin: an ultrasonic ranger on two pins, timed by the edges of its echo.

The echo pin rises when the burst has left (about 0.45 ms after the trigger) and falls when the
echo is back, or after about 38 ms when there is none (its datasheet's time-out): pings can be 40 ms
apart. Manuals ask for 50 or 60, until echoes have faded; what comes after 40 is from 6.9 m and
hardly heard (bench/obstacle_world/echoes.py has the level; not tried on hardware).
The edges come through the pin's `when_changed` with the back end's own time stamps: the kernel's
with lgpio. They are as late as the interrupt that took them, at each end of the pulse: some 10 µs
(2 mm) on an idle Pi, up to some 100 µs (2 cm) where a driver holds interrupts off. A back end that
polls would be worse by milliseconds, so lgpio's is named (sources/live.py).
`gpiozero.DistanceSensor` is not used: it keeps the last distance when echoes stop.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from random import Random
from typing import Any

from gpiozero import InputDevice, OutputDevice

from device.drivers.ranger import Ping
from device.frames import NAN, Echo

SPEED_OF_SOUND = 343.4  # m/s in dry air at 20 °C; 0.6 m/s more a degree: 2 % off at 8 °C or 32 °C
TRIGGER_PULSE = 10e-6  # s, at least, datasheet
PULSE_POLLS = 200  # looks at the clock at most during that pulse: a clock that stands must not hang
BURST_DELAY = 0.45e-3  # s from trigger to the rise of echo
MIN_RANGE = 0.02  # m, datasheet: a shorter pulse is no echo
SPREAD = 0.010  # s more between pings, at random: a tick of the loop, or none
EARLY = 0.5e-3  # s too soon a ping may be: four ticks after one that was late are not 40 ms
GIVE_UP = 0.050  # s after the trigger: past the 38 ms of the sensor's own time-out


class Hcsr04:
    """Pings every `period` [s], less EARLY at most, and up to SPREAD more, one at a time; echoes
    beyond `max_range` [m] are out of range.

    The moments are drawn from `name` (two belts have two): in step, a second belt's pings would
    look as a target does.
    """

    def __init__(
        self, pins: Any, trigger: int, echo: int, period: float, name: str, max_range: float = 4.0
    ) -> None:
        self._pins = pins  # a gpiozero pin factory
        self._period, self._max_range = period, max_range
        self._random = Random(name)  # noqa: S311 — repeatable on purpose
        with contextlib.ExitStack() as made:  # given back where the other pin cannot be had
            self._trigger = OutputDevice(trigger, pin_factory=pins)
            made.callback(self._trigger.close)
            self._echo = InputDevice(echo, pull_up=False, pin_factory=pins)  # unplugged reads low
            made.pop_all()
        self._edges: deque[tuple[float, bool]] = deque(maxlen=8)  # (ticks, level) of this ping
        self._echo.pin.edges = "both"
        self._echo.pin.when_changed = self._edge
        self._sent = NAN  # s, when the ping on its way was sent; NaN: none is
        self._next = 0.0  # s, when the next one is due

    def poll(self, now: float) -> Ping | None:
        """As `Ranger.poll`; the trigger pulse itself keeps the caller for some 10 µs."""
        high = bool(self._echo.pin.state)
        ping = None if math.isnan(self._sent) else self._outcome(now, high)
        if math.isnan(self._sent) and now >= self._next - EARLY:
            self._next = now + self._period + SPREAD * max(0.0, self._random.uniform(-1.0, 1.0))
            if high:  # before any trigger: the line is stuck, a pulse now would only hide it
                return ping or Ping(now, NAN, Echo.STUCK)
            self._edges.clear()
            self._pulse()
            self._sent = now
        return ping

    def close(self) -> None:
        """Both pins back to inputs, nothing listening."""
        self._echo.pin.when_changed = None
        self._trigger.close()
        self._echo.close()

    def _pulse(self) -> None:
        self._trigger.on()
        start = self._pins.ticks()
        for _ in range(PULSE_POLLS):
            if self._pins.ticks_diff(self._pins.ticks(), start) >= TRIGGER_PULSE:
                break
        self._trigger.off()

    def _edge(self, ticks: float, level: int) -> None:
        """Called by the back end, from its own thread on real pins."""
        self._edges.append((ticks, bool(level)))

    def _outcome(self, now: float, high: bool) -> Ping | None:
        edges = list(self._edges)
        fallen = any(not level for _, level in edges)
        if not fallen and now - self._sent < GIVE_UP:
            return None
        sent, self._sent = self._sent, NAN
        if not fallen:
            return Ping(now, NAN, Echo.STUCK if high else Echo.NO_PULSE)
        if [level for _, level in edges] != [True, False]:  # an edge missed, or more than a pulse
            return Ping(now, NAN, Echo.GLITCH)
        width = self._pins.ticks_diff(edges[1][0], edges[0][0])
        back = min(now, sent + BURST_DELAY + width)  # edges have the back end's clock, pings ours
        distance = 0.5 * SPEED_OF_SOUND * width
        if distance < MIN_RANGE:
            return Ping(back, NAN, Echo.GLITCH)
        if distance > self._max_range:
            return Ping(back, NAN, Echo.NOTHING_IN_RANGE)
        return Ping(back, distance, Echo.DISTANCE)
