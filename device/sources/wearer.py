"""The wearer: a body that stands, walks, stumbles, falls, lies and gets up; one act at a time.

An act is a generator that moves the body on by the `dt` [s] it is sent at each yield, so that a
scenario reads as a list of acts. Angles: lean is forward positive, roll right side down positive,
both rad; accelerations are in the walker frame (forward, left, up) without gravity, m/s².

Sizes of stumbles and falls follow what public recordings of low-back sensors show: a stumble
peaks at 30 to 40 m/s²; a backward fall takes 0.55 to 0.75 s from loss of balance to impact, the
trunk by then tipped by about 1 rad at 4 to 6 rad/s, unloaded to below 3 m/s².
"""

from __future__ import annotations

import math
from collections.abc import Generator
from random import Random

from device.sources.gait import BACKWARD, FORWARD, cadence, knock, series

Act = Generator[None, float, None]  # is sent dt [s] at each yield

GRAVITY = 9.81
HIP = 1.0  # m, height of the belt, standing
LEAN_BACK = -0.09  # rad: who walks backward leans back by some 5°
STOPPING = 0.57  # s from deciding to stop to standing (older adults)
MOTOR_ONSET = 0.05  # s until a coin motor is felt
CUE_WINDOW, CUE = 1.5, 0.35  # s: buzzing for so long within the window makes this wearer stop
REACH = 0.35  # m heels and seat reach behind the belt
_FOLLOW = 5.0  # 1/s, how fast posture follows what is wanted


class Wearer:
    """Where the body is and how it moves now; `acts` change it."""

    def __init__(self, random: Random, reaction: float) -> None:
        self.random, self.reaction = random, reaction
        self.uneven = 0.03  # s.d. of a step's time, a share of it
        self.t = 0.0  # s since the wearer began
        self.x = 0.0  # m along the walkway
        self.height = HIP  # m of the belt above ground
        self.speed = 0.0  # m/s, backward negative: truth
        self.contacts: list[float] = []  # s, the newest few initial contacts: truth
        self.button = False
        self.touches = False  # heels or seat are against something
        self.acc = (0.0, 0.0, 0.0)  # of the act, beside gait
        self.lean = self.roll = 0.0
        self.lean_rate = self.roll_rate = 0.0
        self._want_lean = self._want_roll = 0.0
        self._gait = FORWARD
        self._pace = 0.0  # m/s walked at when at full stride
        self._stride = 0.0  # 0 standing .. 1 walking
        self._phase = 0.3
        self._rhythm = self._vigour = 1.0  # this step's own length of time and strength
        self._contact = -1.0
        self._buzzes: list[tuple[float, float]] = []  # s, (begin, end) of the newest; end inf: now
        self._cue = math.inf  # s, when what was felt will have been understood

    # what the belt does to the wearer

    def feel(self, duty: float) -> None:
        """The motor runs at `duty` from now. A pulse now and then is borne; more is a warning."""
        on = bool(self._buzzes) and math.isinf(self._buzzes[-1][1])
        if duty > 0.2 and not on:
            self._buzzes = [*self._buzzes[-15:], (self.t, math.inf)]
        elif duty <= 0.2 and on:
            self._buzzes[-1] = (self._buzzes[-1][0], self.t)

    # acts

    def stand(self, seconds: float) -> Act:
        self._want_lean = 0.0
        yield from self._settle(seconds)

    def wait_for_buzz(self, long: float, seconds: float) -> Act:
        """Stand until a buzz of `long` [s] at least has been felt, or so many seconds are over."""
        self._want_lean, self._buzzes = 0.0, []
        end = self.t + seconds
        while self.t < end and not any(min(e, self.t) - b >= long for b, e in self._buzzes):
            dt = yield
            self._posture(dt)

    def walk(self, speed: float, seconds: float) -> Act:
        """Walk at `speed` [m/s, backward negative] until done, warned or stopped by a thing.

        Ends in mid-stride: `stop`, or what else happens, comes next.
        """
        self._gait = BACKWARD if speed < 0 else FORWARD
        self._pace, self._want_lean = speed, LEAN_BACK if speed < 0 else 0.03
        self._buzzes, self._cue = [], math.inf  # only what is felt from now on
        end = self.t + seconds
        while self.t < end and self.t < self._cue and not self.touches:
            dt = yield
            self._stride = min(1.0, self._stride + dt / 0.9)
            self._posture(dt)
        if self.touches:
            yield from self._bump()

    def stop(self) -> Act:
        """One or two last steps."""
        self._want_lean = 0.0
        while self._stride > 0.0:
            dt = yield
            self._stride = max(0.0, self._stride - dt / STOPPING)
            self._posture(dt)

    def press(self, seconds: float) -> Act:
        """Hold the button, however the body is."""
        self.button = True
        yield from self._settle(seconds)
        self.button = False

    def lie(self, seconds: float) -> Act:
        """Stay lying, breathing."""
        start = self.t
        while self.t - start < seconds:
            dt = yield
            self._posture(dt)
            breath = 0.03 * math.sin(2 * math.pi * 0.25 * self.t)
            self.acc = (breath, 0.0, 0.5 * breath)
        self.acc = (0.0, 0.0, 0.0)

    def stumble(self) -> Act:
        """A heel catches: the trunk tips back, two quick steps catch it."""
        side, size = self.random.choice((-1.0, 1.0)), self.random.uniform(0.75, 0.92)
        start, lean0 = self.t, self.lean
        while (s := self.t - start) < 1.3:
            dt = yield
            self._stride = max(0.0, self._stride - dt / 0.15)
            s += dt
            tip = size * (-0.42 * _bell(s, 0.0, 0.75) + 0.16 * _bell(s, 0.7, 1.3))
            self._move(dt, lean0 * max(0.0, 1.0 - s / 1.3) + tip, 0.16 * side * _bell(s, 0.1, 0.7))
            first, second = _bell(s, 0.30, 0.38), _bell(s, 0.62, 0.72)
            first, second = size * first, size * second
            self.acc = (
                -4.0 * _bell(s, 0.02, 0.28) + 13.0 * first + 6.0 * second,
                side * (5.0 * _bell(s, 0.1, 0.3) - 8.0 * first + 4.0 * second),
                -6.5 * size * _bell(s, 0.05, 0.30)
                + 19.0 * first
                - 3.0 * size * _bell(s, 0.40, 0.62)
                + 9.0 * second,
            )
            self.x -= 0.3 * dt * (s < 0.75)
        self.acc = (0.0, 0.0, 0.0)
        self._want_lean = 0.0

    def fall(self) -> Act:
        """Backward, not caught: some 0.65 s of losing the ground, an impact, the head after it."""
        falling, flat = self.random.uniform(0.57, 0.73), -1.5  # s, rad
        drop = 6.0 * 0.70 / falling**2  # m/s² at its end, rising evenly: the hips come down 0.7 m
        tip, side = self.random.uniform(0.9, 1.2), self.random.uniform(-0.25, 0.25)  # rad
        start, lean0 = self.t, self.lean
        while (s := self.t - start) < falling:
            dt = yield
            self._stride = max(0.0, self._stride - dt / 0.15)
            part = min(1.0, (s + dt) / falling)
            self._move(dt, lean0 - tip * part**2.2, side * part**2)
            flail = 1.5 * math.sin(2 * math.pi * 5.0 * s)
            self.acc = (-3.0 * math.sin(math.pi * part) + flail, flail, -drop * part)
            self.height = HIP - drop * falling**2 / 6.0 * part**3
            self.x -= 0.6 * dt * part
        struck = self.t
        head_peak = 22.0  # m/s², half a sine of 60 ms
        stop = drop * falling / 2.0 - head_peak * 0.06 * 2 / math.pi  # m/s the hips take up
        lean1, rate1 = self.lean, self.lean_rate
        while (s := self.t - struck) < 1.2:
            dt = yield
            s += dt
            hit, head = _half_sine(s, 0.08), _half_sine(s - 0.16, 0.06)
            ring = math.exp(-s / 0.15) * math.sin(2 * math.pi * 9.0 * s)
            rate = rate1 * math.exp(-s / 0.07)
            down = lean1 + rate1 * 0.07 * (1.0 - math.exp(-s / 0.07))
            settled = 1.0 - math.exp(-max(0.0, s - 0.08) / 0.08)
            self._move(dt, down + (flat - down) * settled, side * math.exp(-s / 0.3))
            knock_up = stop * math.pi / (2 * 0.08) * hit + head_peak * head + 5.0 * ring
            self.acc = (-6.0 * hit + rate * 0.5, 3.0 * ring, knock_up)
            self.height = 0.12
        self.acc = (0.0, 0.0, 0.0)
        self._want_lean, self._want_roll = flat, 0.05

    def get_up(self) -> Act:
        """Sit up, kneel, stand: 5 s without haste."""
        lean0, height0, roll0 = self.lean, self.height, self.roll
        for seconds, lean, height in ((2.0, -0.25, 0.3), (1.5, 0.55, 0.55), (1.5, 0.05, HIP)):
            start = self.t
            while (part := (self.t - start) / seconds) < 1.0:
                dt = yield
                part = min(1.0, part + dt / seconds)
                share = part**3 * (10 - 15 * part + 6 * part**2)  # minimum jerk
                push = (60 * part - 180 * part**2 + 120 * part**3) / seconds**2
                self._move(dt, lean0 + (lean - lean0) * share, roll0 * (1 - share))
                self.acc = (0.3 * push * (lean - lean0), 0.0, push * (height - height0))
                self.height = height0 + (height - height0) * share
            lean0, height0, roll0 = lean, height, 0.0
        self.acc = (0.0, 0.0, 0.0)
        self._want_lean = self._want_roll = 0.0

    # the body, whatever the act

    def advance(self, dt: float) -> None:
        """Time, the stride and the place; called once for every step of an act, before it."""
        self.t += dt
        recent = self.t - CUE_WINDOW
        buzzed = sum(max(0.0, min(e, self.t) - max(b, recent)) for b, e in self._buzzes)
        if buzzed >= CUE:
            self._cue = min(self._cue, self.t + MOTOR_ONSET + self.reaction)
        self.speed = self._pace * self._stride
        self.x += self.speed * dt
        if self._stride > 0.0:
            before = self._phase
            self._phase += dt * math.pi * cadence(abs(self._pace)) / 60.0 * self._rhythm
            if before // math.pi != self._phase // math.pi:
                self._contact = self.t
                self.contacts = [*self.contacts[-7:], self.t]
                self._rhythm = self.random.gauss(1.0, self.uneven)
                self._vigour = self.random.gauss(1.0, 0.08)

    def motion(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Specific force [m/s²] and angular rate [rad/s] in trunk axes."""
        gait, phase = self._gait, self._phase
        size = self._stride * self._vigour * abs(self._pace) / gait.speed
        knocks = size * knock(self.t - self._contact)
        turn = self._stride * self._vigour  # pelvis rotation hardly grows with speed
        forward = self.acc[0] + size * series(gait.forward, phase) + gait.knock_forward * knocks
        left = self.acc[1] + size * series(gait.left, phase)
        up = self.acc[2] + size * series(gait.up, phase) + gait.knock_up * knocks + GRAVITY
        roll_rate = self.roll_rate + turn * series(gait.roll, phase)
        pitch_rate = self.lean_rate + turn * series(gait.pitch, phase)
        yaw_rate = turn * series(gait.yaw, phase)
        lean = self.lean + turn * _integral(gait.pitch, phase, self._pace)
        roll = self.roll + turn * _integral(gait.roll, phase, self._pace)
        cl, sl, cr, sr = math.cos(lean), math.sin(lean), math.cos(roll), math.sin(roll)
        level_up = forward * sl + up * cl
        acc = (forward * cl - up * sl, left * cr + level_up * sr, level_up * cr - left * sr)
        gyro = (
            roll_rate - yaw_rate * sl,
            pitch_rate * cr + yaw_rate * sr * cl,
            yaw_rate * cr * cl - pitch_rate * sr,
        )
        return acc, gyro

    def _settle(self, seconds: float) -> Act:
        end = self.t + seconds
        while self.t < end:
            dt = yield
            self._posture(dt)

    def _bump(self) -> Act:
        """Into the thing: a push in the back that stops the walk short."""
        start, self._stride = self.t, 0.0
        while (s := self.t - start) < 0.3:
            dt = yield
            self._posture(dt)
            self.acc = (6.0 * _bell(s + dt, 0.0, 0.12), 0.0, 3.0 * _bell(s + dt, 0.0, 0.1))
        self.acc = (0.0, 0.0, 0.0)

    def _posture(self, dt: float) -> None:
        """Lean and roll go where they are wanted, critically damped, and sway about it."""
        sway = self.random.gauss
        want = self._want_lean + sway(0.0, 0.05), self._want_roll + sway(0.0, 0.05)
        for name, goal in zip(("lean", "roll"), want, strict=True):
            angle, rate = getattr(self, name), getattr(self, name + "_rate")
            rate += dt * (_FOLLOW**2 * (goal - angle) - 2 * _FOLLOW * rate)
            setattr(self, name, angle + dt * rate)
            setattr(self, name + "_rate", rate)

    def _move(self, dt: float, lean: float, roll: float) -> None:
        """Lean and roll go where the act puts them."""
        self.lean_rate, self.roll_rate = (lean - self.lean) / dt, (roll - self.roll) / dt
        self.lean, self.roll = lean, roll


def _bell(s: float, start: float, end: float) -> float:
    """0 .. 1 .. 0 between `start` and `end`, with level ends."""
    if not start < s < end:
        return 0.0
    return math.sin(math.pi * (s - start) / (end - start)) ** 2


def _half_sine(s: float, seconds: float) -> float:
    return math.sin(math.pi * s / seconds) if 0.0 < s < seconds else 0.0


def _integral(rates: tuple[tuple[int, float, float], ...], phase: float, pace: float) -> float:
    """The angle [rad] whose rate is `series(rates, phase)`."""
    turn = math.pi * cadence(abs(pace)) / 60.0  # rad of phase a second
    return sum(a / (k * turn) * math.sin(k * phase + math.radians(d)) for k, a, d in rates)
