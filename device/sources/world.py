"""The simulated world: one wearer, what stands behind, and a script. Seeded; nothing else decides.

It lives in the time it is advanced to and answers what sensors would ask of it: how the belt
moves, what a ping would measure, whether the button is held, what is plugged in. All it takes back
is the motor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from random import Random

from device.sources.targets import Scene
from device.sources.wearer import REACH, Wearer

Vector = tuple[float, float, float]
Script = Callable[["World"], Generator[None, float, None]]

_STEP = 0.010  # s, longest step of the script
_BOUNCE = 0.004  # s for which the button's contacts chatter
_BUZZ_HZ = 205.0  # a coin motor at full duty; aliases at any IMU rate, as it does in truth
_BUZZ = 0.35  # m/s² it shakes the IMU with, through the belt


class World:
    """Begins at `start` [s] on the clock of whoever asks.

    Truth for tests and pictures: `wearer`, `scene`.
    """

    def __init__(self, script: Script, start: float, seed: int = 1, pitch: float = 0.0) -> None:
        self.random = Random(seed)  # noqa: S311 — repeatable on purpose
        self.wearer = Wearer(self.random, reaction=self.random.uniform(0.25, 0.60))
        self.scene = Scene()
        self.ranger_plugged = True
        self._later: list[tuple[float, Callable[[], None]]] = []  # (s, what happens then)
        self._start, self._pitch = start, pitch  # pitch: rad the ranger points above level
        self._now = start
        self._duty = 0.0
        self._button, self._button_since = False, -math.inf
        self._mount = _rotation(*(self.random.gauss(0.0, math.radians(d)) for d in (2.0, 3.0, 2.0)))
        self._script = script(self)
        next(self._script)

    def advance(self, t: float) -> None:
        """Live until `t` [s]; a time already lived through is no error."""
        while t - self._now > 1e-9:
            dt = min(_STEP, t - self._now)
            self._now += dt
            self.wearer.advance(dt)
            self.scene.advance(dt)
            self.wearer.touches = self.scene.contact(self.wearer.x, REACH)
            for happening in [h for h in self._later if h[0] <= self._now]:
                self._later.remove(happening)
                happening[1]()
            self._script.send(dt)
            if self.wearer.button != self._button:
                self._button, self._button_since = self.wearer.button, self._now

    def imu(self, t: float) -> tuple[Vector, Vector]:
        """Specific force [m/s²] and angular rate [rad/s] at `t`, in axes of the belt as worn."""
        self.advance(t)
        acc, gyro = self.wearer.motion()
        shake = self._duty * _BUZZ * math.sin(2 * math.pi * _BUZZ_HZ * t)
        acc = (acc[0] + shake, acc[1] + 0.3 * shake, acc[2] + shake)
        return _turn(self._mount, acc), _turn(self._mount, gyro)

    def distance(self, t: float) -> float | None:
        """What a ping sent at `t` would measure [m]; None: nothing echoes."""
        self.advance(t)
        wearer = self.wearer
        return self.scene.echo(wearer.x, wearer.height, self._pitch + wearer.lean, self.random)

    def pressed(self, t: float) -> bool:
        """Whether the button's contacts are closed at `t`; they chatter when it is moved."""
        self.advance(t)
        if t - self._button_since < _BOUNCE:
            return self.random.random() < 0.5
        return self._button

    def after(self, seconds: float, happening: Callable[[], None]) -> None:
        """Let it happen so many seconds from now, whatever the wearer does by then."""
        self._later.append((self._now + seconds, happening))

    def plug_ranger(self, plugged: bool) -> None:
        """Put the rear sensor's cable in, or pull it out."""
        self.ranger_plugged = plugged

    def drive(self, duty: float) -> None:
        """The motor runs at `duty` from now."""
        self._duty = duty
        self.wearer.feel(duty)


Matrix = tuple[Vector, Vector, Vector]


def _rotation(roll: float, pitch: float, yaw: float) -> Matrix:
    """From the trunk's axes to those of a belt turned by these angles [rad]."""
    cr, sr, cp, sp = math.cos(roll), math.sin(roll), math.cos(pitch), math.sin(pitch)
    cy, sy = math.cos(yaw), math.sin(yaw)
    return (
        (cp * cy, cp * sy, -sp),
        (sr * sp * cy - cr * sy, sr * sp * sy + cr * cy, sr * cp),
        (cr * sp * cy + sr * sy, cr * sp * sy - sr * cy, cr * cp),
    )


def _turn(m: Matrix, v: Vector) -> Vector:
    return (
        m[0][0] * v[0] + m[0][1] * v[1] + m[0][2] * v[2],
        m[1][0] * v[0] + m[1][1] * v[1] + m[1][2] * v[2],
        m[2][0] * v[0] + m[2][1] * v[1] + m[2][2] * v[2],
    )
