"""From a guided person's frames to a calibration: level, forward, steps, the floor's echo.

Nonsense is refused, each kind by its name in remedies.py. What it rests on: standing still the mean
specific force points up; leaning forward moves that vector in the plane of forward and up; the core
itself must then see steps forward; and an echo that stays where it is while the trunk leans
forward, which lifts the beam, is no floor's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median, pstdev

from device.calibration import Calibration, Turn, Vector
from device.core import Core
from device.frames import Echo, Frame, Gap

G = 9.80665  # m/s²
LEAST_GOOD = 0.8  # share of samples that are no gap
STILL_ACC, STILL_RATE = 0.35, 0.25  # m/s² s.d. of the norm, rad/s mean turn: quiet standing
SCALE_WITHIN = 0.5  # m/s² off 1 g, as the doctor has it
SITS_WITHIN = math.cos(math.radians(40.0))  # core/mount.c: a belt sits at 30 at most
LEAN = (math.radians(10.0), math.radians(60.0))  # less is sway, more is no lean
TURNED = math.radians(30.0)  # a rear sensor so far aside looks past what is behind
STEPS, FORWARD = 4, 0.6  # least steps, and share of the walking time that must be forward
CLEAR_M = 1.5  # m: nearer no floor answers from 1 m up with a beam that points backward
SPREAD_M = 0.5  # m between the 10th and 90th per cent of one floor's echoes
SAME_M = 0.3  # m: an echo that stays there while the beam rises is a thing's
HALF_ANGLE = 0.26  # rad: the beam's, as rg_params has it by default


class Nonsense(Exception):  # noqa: N818  what is refused is the measurement, not the program
    """`str` is what was seen; `fault` a key of REMEDIES."""

    def __init__(self, what: str, fault: str) -> None:
        super().__init__(what)
        self.fault = fault


def level(frames: Sequence[Frame]) -> Vector:
    """Unit vector up in the belt's axes, of somebody who stands still. Raises Nonsense."""
    up = _steady(frames)
    if up[2] < SITS_WITHIN:
        tilt = math.degrees(math.acos(up[2]))
        raise Nonsense(f"it hangs at {tilt:.0f}°", "calibration_not_upright")
    return up


def forward(up: Vector, leaning: Sequence[Frame]) -> Turn:
    """The walker's axes in the belt's, from the lean that followed standing. Raises Nonsense."""
    leant = _steady(leaning)
    along = _dot(leant, up)
    angle = math.acos(max(-1.0, min(1.0, along)))
    if not LEAN[0] <= angle <= LEAN[1]:
        raise Nonsense(f"the lean was {math.degrees(angle):.0f}°", "calibration_lean")
    x = _unit(_minus(_scaled(up, along), leant))  # up goes backward as the trunk goes forward
    y = _cross(up, x)
    aside = math.atan2(_dot(x, (0.0, 1.0, 0.0)), _dot(x, (1.0, 0.0, 0.0)))
    if abs(aside) > TURNED:
        raise Nonsense(f"forward is {math.degrees(aside):.0f}° to its left", "calibration_turned")
    return (x, y, up)


def check_steps(calibration: Calibration, frames: Sequence[Frame], fs: float) -> int:
    """How many steps forward the core sees in frames turned so. Raises Nonsense."""
    core, steps, ways = Core(fs), 0, []
    for frame in frames:
        ax, ay, az = calibration.turned((frame.ax, frame.ay, frame.az))
        gx, gy, gz = calibration.turned((frame.gx, frame.gy, frame.gz))
        turned = Frame(t=frame.t, ax=ax, ay=ay, az=az, gx=gx, gy=gy, gz=gz, gap=frame.gap)
        core.step(turned)
        steps += turned.step
        if turned.direction in (-1, 1, 2):
            ways.append(turned.direction)
    share = ways.count(1) / len(ways) if ways else 0.0
    if steps < STEPS or share < FORWARD:
        raise Nonsense(f"{steps} steps, {share:.0%} of them forward", "calibration_steps")
    return steps


def floor(standing: Sequence[Frame], leaning: Sequence[Frame]) -> float | None:
    """Where the floor answers [m]; None: nowhere in range. Raises Nonsense."""
    echoes = [Echo(frame.ping_echo) for frame in standing if frame.ping_echo >= 0]
    good = [e for e in echoes if e in (Echo.DISTANCE, Echo.NOTHING_IN_RANGE)]
    if len(good) < LEAST_GOOD * len(echoes) or not good:
        raise Nonsense(f"{len(echoes)} pings, {len(good)} of them answered", "ranger")
    found = _distances(standing)
    if len(found) < 0.5 * len(echoes):  # now and then the floor's roughness answers
        return None
    at = median(found)
    if at < CLEAR_M:
        raise Nonsense(f"an echo from {at:.2f} m", "calibration_beam")
    if found[len(found) * 9 // 10] - found[len(found) // 10] > SPREAD_M:
        raise Nonsense(f"echoes from {found[0]:.2f} to {found[-1]:.2f} m", "calibration_beam")
    still_there = [d for d in _distances(leaning) if abs(d - at) < SAME_M]
    if len(still_there) > 0.5 * sum(frame.ping_echo >= 0 for frame in leaning):
        what = f"an echo stays at {at:.2f} m while the beam rises"
        raise Nonsense(what, "calibration_beam")
    return at


def beam_up(floor_m: float, height_m: float) -> float:
    """Degrees the beam's axis points above level, by where its lower edge meets the floor."""
    return math.degrees(HALF_ANGLE - math.asin(min(1.0, height_m / floor_m)))


def _steady(frames: Sequence[Frame]) -> Vector:
    """Unit vector of the mean specific force, of a belt held still. Raises Nonsense."""
    good = [f for f in frames if f.gap == Gap.NONE]
    if len(good) < max(2.0, LEAST_GOOD * len(frames)):
        raise Nonsense(f"{len(frames)} samples, {len(good)} of them good", "imu")
    norms = [math.hypot(f.ax, f.ay, f.az) for f in good]
    turning = fmean(math.hypot(f.gx, f.gy, f.gz) for f in good)
    if pstdev(norms) > STILL_ACC or turning > STILL_RATE:
        what = f"it shook by {pstdev(norms):.2f} m/s² and turned by {turning:.2f} rad/s"
        raise Nonsense(what, "calibration_moving")
    if abs(fmean(norms) - G) > SCALE_WITHIN:
        raise Nonsense(f"{fmean(norms):.2f} m/s² at rest", "imu_scale")
    return _unit((fmean(f.ax for f in good), fmean(f.ay for f in good), fmean(f.az for f in good)))


def _distances(frames: Sequence[Frame]) -> list[float]:
    return sorted(f.ping_range for f in frames if f.ping_echo == Echo.DISTANCE)


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _scaled(v: Vector, by: float) -> Vector:
    return v[0] * by, v[1] * by, v[2] * by


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _unit(v: Vector) -> Vector:
    return _scaled(v, 1 / math.hypot(*v))


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
