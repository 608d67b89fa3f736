"""What stands behind the wearer, and what an ultrasonic beam makes of it.

A straight walkway: the wearer faces +x and walks backward toward -x; y is to the left, heights
are above the ground. Angles and reach are those of an HC-SR04 (datasheet: 15° measuring angle,
4 m); soft targets swallow part of the pings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

HALF_ANGLE = 0.20  # rad: half the datasheet's beam, and what its side lobes add on near targets
MAX_RANGE = 4.3  # m: a little beyond what the datasheet promises
MIN_RANGE = 0.02  # m
NOISE = 0.003  # m, s.d. of one ping
LOST = 0.02  # share of pings without an echo even from a hard target
FLOOR_DIP = 0.9  # rad below level from which the floor itself answers; flatter, it mirrors away
COVERED = 0.25  # m above the ground: lying on the back, the transducer is in the floor


@dataclass(slots=True)
class Target:
    """An upright surface facing the wearer."""

    x: float  # m, along the walkway
    y: float = 0.0  # m, its middle, to the left
    half_width: float = 0.25  # m
    low: float = 0.0  # m above the ground
    high: float = 1.7
    missed: float = LOST  # share of pings it swallows
    vx: float = 0.0  # m/s
    vy: float = 0.0
    until: float = math.inf  # s of moving left

    def advance(self, dt: float) -> None:
        step = min(dt, self.until)
        self.x += self.vx * step
        self.y += self.vy * step
        self.until -= step


def chair(x: float) -> Target:
    return Target(x, half_width=0.22, high=0.95, missed=0.08)


def person(x: float, y: float = 0.0, vy: float = 0.0, seconds: float = 0.0) -> Target:
    """Comes in from the side at `vy` [m/s] for `seconds`, then stands; clothes swallow a fifth."""
    return Target(x, y, half_width=0.22, missed=0.2, vy=vy, until=seconds)


def wall(x: float) -> Target:
    return Target(x, half_width=2.0, high=2.5)


def post(x: float) -> Target:
    return Target(x, y=0.05, half_width=0.025, high=2.0, missed=0.1)


def cloth(x: float) -> Target:
    """A curtain: half the pings come to nothing in it."""
    return Target(x, half_width=0.6, missed=0.5)


def oblique_wall(x: float) -> Target:
    """Most of what strikes it is mirrored away; it is met with the nearer side."""
    return Target(x, half_width=1.0, high=2.5, missed=0.4)


def doorway_edge(x: float) -> Target:
    """A wall that ends in the way: of its edge little comes back."""
    return Target(x, y=0.6, half_width=0.55, high=2.1, missed=0.3)


def low_box(x: float) -> Target:
    """Reaches to the knee: what strikes it comes back too weak (hardware.md, what is not seen)."""
    return Target(x, half_width=0.3, high=0.4, missed=1.0)


@dataclass(slots=True)
class Scene:
    """The targets there are."""

    targets: list[Target] = field(default_factory=list)

    def advance(self, dt: float) -> None:
        for target in self.targets:
            target.advance(dt)

    def contact(self, x: float, reach: float) -> bool:
        """Whether heels or seat, `reach` [m] behind the belt at `x`, touch something."""
        return any(
            0.0 < x - target.x <= reach and abs(target.y) < target.half_width + 0.2
            for target in self.targets
        )

    def echo(self, x: float, height: float, elevation: float, random: Random) -> float | None:
        """Distance [m] one ping measures from a belt at `x` and `height` [m], or None.

        `elevation` [rad] is where the beam's axis points above level.
        """
        if height < COVERED:
            return None
        ranges = [
            r
            for target in self.targets
            if (r := _range(target, x, height, elevation)) is not None
            and random.random() >= target.missed
        ]
        if elevation < -FLOOR_DIP:
            ranges.append(height / math.sin(-elevation))
        if not ranges:
            return None
        nearest = min(ranges) + random.gauss(0.0, NOISE)
        return max(MIN_RANGE, nearest) if nearest <= MAX_RANGE else None


def _range(target: Target, x: float, height: float, elevation: float) -> float | None:
    """From the sensor to the target's nearest point, None when that is outside the beam."""
    ahead = x - target.x
    if ahead <= 0.0 or ahead > MAX_RANGE:
        return None
    aside = max(0.0, abs(target.y) - target.half_width)
    bottom = height + ahead * math.tan(elevation - HALF_ANGLE)
    top = height + ahead * math.tan(elevation + HALF_ANGLE)
    if aside > ahead * math.tan(HALF_ANGLE) or target.low > top or target.high < bottom:
        return None
    below, above = height - target.high, target.low - height
    return math.hypot(ahead, aside, max(0.0, below, above))
