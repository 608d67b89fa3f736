"""What a 40 kHz ranger (HC-SR04 and kin) makes of what stands there.

The sonar equation in decibels, echo level over the sensor's threshold ("excess"):

    excess = strength(shape, r) - ABSORPTION·2r - directivity(θ) - losses + SENSITIVITY

- Strength relative to the outgoing pressure at 1 m: a plane mirrors, -20 log 2r; a vertical round
  post of radius a answers -30 log r + 10 log(a/2) (target strengths of the plane, r²/4, and of the
  long cylinder, a·r/2, less the way out and back: Urick, Principles of Underwater Sound, 1983,
  table 9.1; thinner than a wavelength round, it answers with its cube: Rayleigh). A plate smaller
  than the first Fresnel zone, √(λr/2), answers with that share of its width and of its height. The
  point that mirrors is the foot of the perpendicular; where the plate ends before it, its edge
  answers, EDGE weaker (order of Keller's theory of diffraction at a right-angled edge and this
  wavelength; an assumption within 5 dB).
- A vertical face that meets the floor is a corner: it sends sound back whence it came, from the
  line where both meet, CORNER weaker than a mirror for what a floor and a rough face scatter
  (an assumption).
- ABSORPTION: 1.3 dB/m at 40 kHz (Massa, Choosing an ultrasonic sensor, Sensors 1999).
- Directivity: transmitter and receiver are 6 dB down each at 27.5° (Pro-Wave 400ST/R160: 55° beam
  angle), parabolic in dB; nothing beyond CUT.
- SENSITIVITY: set so that a round post of 89 mm is lost at 2.29 m on the axis (Parallax PING)))
  product guide 28015 v2.0, as read by G. Dyrkacz, HC-SR04 beam tests, 2020). The same report then
  gives 20° to either side at 1.66 m; this model, not fitted to that, 19.3°. A wall is left with
  4.8 dB at 4 m, the datasheet's range.
- Every echo fades by FADING dB (s.d.; an assumption): what is at threshold comes half the time.

Positions are in metres over ground, x and y level, z up; angles in rad, azimuth from x to y.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from device.config import Ranger
from device.drivers.hcsr04 import SPREAD

Array = NDArray[np.float64]

SOUND = 343.4  # m/s
WAVELENGTH = SOUND / 40e3  # m
ABSORPTION = 1.3  # dB/m
SENSITIVITY = 33.3  # dB
SIX_DOWN = np.radians(27.5)  # rad off axis where one transducer is 6 dB down
CUT = np.radians(35.0)  # rad off axis beyond which nothing is heard
EDGE = 20.0  # dB
CORNER = 8.0  # dB
FADING = 3.0  # dB
NOISE = 0.003  # m, s.d. of one distance (datasheet: 3 mm)
NEAREST, FARTHEST = 0.02, 4.0  # m, datasheet
PERIOD = Ranger().period_s  # s between pings at least; SPREAD more at random: two keep no step
TIME_OUT = 0.038  # s, the sensor's own when nothing echoes

DISTANCE, NOTHING, NO_PULSE, STUCK, NAK, GLITCH = range(6)  # rg_echo


@dataclass(frozen=True, slots=True)
class Reflector:
    """A vertical face from `a` to `b` (each (2,), or (n, 2): one a ping), or a round post at `a`.

    `radius` > 0 makes it round. `loss` [dB] is what its surface swallows, `missed` the share of
    pings that it swallows whole (cloth).
    """

    a: Array
    b: Array
    radius: float = 0.0
    low: float = 0.0  # m above the floor
    high: float = 2.0
    loss: float = 0.0
    missed: float = 0.0


@dataclass(frozen=True, slots=True)
class Poses:
    """The sensor at each ping."""

    t: Array  # s, when it is sent
    x: Array
    y: Array
    height: Array
    azimuth: Array  # where the beam's axis points
    elevation: Array

    def taken(self, at: NDArray[np.int64]) -> Poses:
        """Those of pings `at` [n], in this order."""
        return Poses(*(getattr(self, field.name)[at] for field in fields(self)))


def excess(target: Reflector, pose: Poses) -> tuple[Array, Array]:
    """(distance [m], excess [dB]) of the strongest echo of a reflector, one a ping.

    -inf dB where none can be: behind the sensor, or outside CUT.
    """
    a = np.broadcast_to(target.a, (pose.t.size, 2))
    b = np.broadcast_to(target.b, (pose.t.size, 2))
    sensor = np.stack([pose.x, pose.y], axis=1)
    along = b - a
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    foot = np.einsum("ij,ij->i", sensor - a, along) / length
    inside = (foot >= 0) & (foot <= length)
    point = a + along * (np.clip(foot, 0, length) / length)[:, None]
    away = point - sensor
    level = np.maximum(np.hypot(away[:, 0], away[:, 1]) - target.radius, 0.02)
    side = _wrap(np.arctan2(away[:, 1], away[:, 0]) - pose.azimuth)

    mirror_z = np.clip(pose.height, target.low, target.high)
    drop = mirror_z - pose.height
    edges = (~inside & (target.radius == 0)) | (drop != 0)
    r = np.hypot(level, drop)
    best_r = r
    best = _received(target, r, length, side, np.arctan2(drop, level) - pose.elevation)
    best -= EDGE * edges
    if target.low == 0 and target.radius == 0 and target.high >= 0.1:
        r = np.hypot(level, pose.height)
        corner = _received(
            target, r, length, side, -np.arctan2(pose.height, level) - pose.elevation
        )
        corner -= CORNER + EDGE * ~inside
        best_r, best = np.where(corner > best, r, best_r), np.maximum(corner, best)
    return best_r, best - target.loss


def _received(target: Reflector, r: Array, length: Array, side: Array, rise: Array) -> Array:
    """dB over threshold of a mirror or a post at r, seen so far off the beam's axis."""
    off = np.hypot(side, rise)
    if target.radius:
        thin = min(1.0, 2 * np.pi * target.radius / WAVELENGTH)  # below 1 sound flows round it
        strength = -30 * np.log10(r) + 10 * np.log10(target.radius / 2) + 30 * np.log10(thin)
    else:
        zone = 2 * np.sqrt(WAVELENGTH * r / 2)
        share = np.minimum(1, length / zone) * np.minimum(1, (target.high - target.low) / zone)
        strength = -20 * np.log10(2 * r) + 20 * np.log10(share)
    heard = strength - 2 * ABSORPTION * r - 12 * (off / SIX_DOWN) ** 2 + SENSITIVITY
    return np.where(off <= CUT, heard, -np.inf)


def possible(target: Reflector, pose: Poses) -> NDArray[np.bool_]:
    """Whether the target is inside the beam: an echo over threshold, fading and luck apart."""
    r, over = excess(target, pose)
    return (over >= 0) & (r <= FARTHEST)


@dataclass(frozen=True, slots=True)
class Air:
    """What else is in the air, for one scene."""

    dropouts: float  # share of pings lost whatever stands there
    spurious: float  # share of pings with an echo of nothing (taken uniform over the range)
    rough_floor: float  # share of pings with an echo where the beam's lower edge meets the floor
    neighbour: float  # share of a second belt's bursts that are heard; it pings as this one does


FLOOR_HALF_ANGLE = np.radians(15.0)  # the cone of hardware.md; rougher than Lambert's law would be


def air(rng: np.random.Generator) -> Air:
    """Most places are kind: a third have a rough floor, a tenth a second belt within earshot."""
    return Air(
        dropouts=rng.uniform(0.0, 0.06),
        spurious=rng.choice([0.0, 0.002, 0.01]),
        rough_floor=rng.choice([0.0, 0.0, 0.4]),
        neighbour=rng.uniform(0.1, 0.4) if rng.random() < 0.1 else 0.0,
    )


def ping(
    rng: np.random.Generator, pose: Poses, targets: list[Reflector], place: Air
) -> tuple[Array, Array, NDArray[np.int32], NDArray[np.int64]]:
    """What the ranger says: (t back [s], distance [m], rg_echo, index of the target or -1).

    The first sound over threshold ends the measurement, so the nearest echo is the one told; what
    comes from so far that the next ping is out by then is taken for that one's.
    """
    n = pose.t.size
    nearest, whose, late = np.full(n, np.inf), np.full(n, -1), np.full(n, np.inf)

    def offer(r: Array, heard: NDArray[np.bool_], index: int) -> None:
        nearer = heard & (r < nearest)
        nearest[nearer], whose[nearer] = r[nearer], index

    for index, target in enumerate(targets):
        r, over = excess(target, pose)
        heard = over + rng.normal(0, FADING, n) > 0
        if target.missed:
            heard &= rng.random(n) >= target.missed
        offer(r, heard, index)
        late = np.where(heard & (r > PERIOD * SOUND / 2), np.minimum(late, r), late)
    late[1:] = late[:-1] - np.diff(pose.t) * SOUND / 2
    offer(late, late > NEAREST, -1)
    down = FLOOR_HALF_ANGLE - pose.elevation
    if place.rough_floor:
        with np.errstate(divide="ignore"):
            floor = np.where(down > 0, pose.height / np.sin(np.clip(down, 1e-6, 1.5)), np.inf)
        floor = floor + np.abs(rng.normal(0, 0.05, n))
        offer(floor, rng.random(n) < place.rough_floor, -1)
    nearest[rng.random(n) < place.dropouts] = np.inf
    if place.spurious:
        offer(rng.uniform(0.1, FARTHEST, n), rng.random(n) < place.spurious, -1)
    if place.neighbour:
        theirs = moments(rng, float(pose.t[-1]) + 1.0)  # when they arrive here
        wait = theirs[np.searchsorted(theirs, pose.t)] - pose.t
        offer(wait * SOUND / 2, rng.random(n) < place.neighbour, -1)
    nearest = np.maximum(nearest + rng.normal(0, NOISE, n), NEAREST)
    heard = nearest <= FARTHEST
    whose[~heard] = -1
    distance = np.where(heard, nearest, np.nan)
    back = pose.t + np.where(heard, 2 * nearest / SOUND, TIME_OUT)
    return back, distance, np.where(heard, DISTANCE, NOTHING).astype(np.int32), whose


def moments(rng: np.random.Generator, seconds: float) -> Array:
    """When pings are sent [s]."""
    apart = rng.uniform(PERIOD, PERIOD + SPREAD, int(seconds / PERIOD) + 1)
    t = rng.uniform(0, PERIOD) + np.cumsum(apart)
    return t[t < seconds]


def _wrap(angle: Array) -> Array:
    return (angle + np.pi) % (2 * np.pi) - np.pi
