"""How the belt moves: a body's path, its trunk, and what a motion sensor feels of both.

Gait is the template of `device/sources/gait.py` over whole arrays: what the simulated belt of the
demo feels, with each wearer's own vigour. The beam sways with the pelvis: about 5° to either side
and 1° up and down within a stride, 2 cm sideways, 1.5 cm fore and aft (Whittle, Gait Analysis,
2007, chapter 2: trunk and pelvis in walking).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device.sources.gait import BACKWARD, FORWARD, KNOCK_DECAY, KNOCK_HZ, Harmonics

from .echoes import Array, Poses

FS = 100.0  # samples a second
GRAVITY = 9.81
STARTING = 0.9  # s from standing to full pace
LEAN_BACK, LEAN_SD = -0.09, 0.04  # rad: who walks backward leans back by some 5°


@dataclass(frozen=True, slots=True)
class Belt:
    """How one belt sits, and how vigorous its wearer is."""

    height: float  # m
    pitch: float  # rad the beam truly points above level, standing
    lean: float  # rad, of the trunk while walking backward
    vigour: float  # of the gait, beside the average at that speed
    sway: float  # m and, times 0.5, rad: postural sway, s.d.
    turned: NDArray[np.float64]  # [3,3] from the trunk's axes to the sensor's


def belt(rng: np.random.Generator) -> Belt:
    """Told to the core are 1.0 m and +5° (hardware.md); a belt sits as it sits."""
    roll, pitch, yaw = np.radians(rng.normal(0, [2.0, 3.0, 2.0]))
    return Belt(
        height=rng.normal(1.0, 0.06),
        pitch=np.radians(rng.normal(5.0, 3.0)),
        lean=rng.normal(LEAN_BACK, LEAN_SD),
        vigour=rng.lognormal(0, 0.15),
        sway=rng.uniform(0.004, 0.012),
        turned=_rotation(roll, pitch, yaw),
    )


@dataclass(frozen=True, slots=True)
class Walk:
    """One wearer's motion at FS: what the sensor feels, and where the beam is."""

    t: Array
    acc: NDArray[np.float32]  # [n,3] m/s², sensor axes
    gyro: NDArray[np.float32]
    x: Array  # m; the trunk faces +x at heading 0, the beam points backward
    y: Array
    heading: Array  # rad
    height: Array
    azimuth: Array
    elevation: Array

    def at(self, t: Array) -> Poses:
        """The sensor at these times [s]."""
        names = ("x", "y", "height", "azimuth", "elevation")
        return Poses(t, *(np.interp(t, self.t, getattr(self, name)) for name in names))


def walk(
    rng: np.random.Generator,
    worn: Belt,
    speed: Array,
    turn: Array | None = None,
    bend: Array | None = None,
    drop: Array | None = None,
    back: Array | None = None,
) -> Walk:
    """From speed [m/s, backward negative] and turning [rad/s] of the steps, and what the trunk does
    beside them: bend [rad, forward positive], drop and shift back of the belt [m]; one a sample."""
    n, dt = speed.size, 1 / FS
    t = np.arange(n) * dt
    turn = np.zeros(n) if turn is None else turn
    way = BACKWARD if speed.min() < -speed.max() else FORWARD
    stepping = np.maximum(np.abs(speed), 0.25 * np.minimum(1.0, np.abs(turn) / 0.5))
    cadence = (74.0 + 45.0 * stepping) * (stepping > 0.02)
    steps = np.cumsum(cadence) * dt / 60.0
    count = int(steps[-1]) + 3
    own = np.interp(steps, np.arange(count), rng.normal(1.0, 0.08, count)) * worn.vigour
    phase = np.pi * (steps + np.interp(steps, np.arange(count), rng.normal(0.0, 0.02, count)) + 0.1)
    size, full = own * stepping / way.speed, own * np.minimum(1.0, stepping / 0.25)

    since = np.mod(phase, np.pi) / np.maximum(np.pi * cadence / 60.0, 1e-3)
    knock = 1.8 * np.exp(-since / KNOCK_DECAY) * np.sin(2 * np.pi * KNOCK_HZ * since)
    knock = np.where(since < 0.2, knock, 0.0) * size
    rate = np.maximum(np.pi * cadence / 60.0, 1.0)

    leaning = np.convolve(np.where(speed < 0, worn.lean, 0.0), _smooth(1.0), "full")[:n]
    swaying = 0.5 * _wander(rng, t, worn.sway)
    trunk = leaning + swaying + (0.0 if bend is None else bend)
    pelvis_pitch = full * _integral(way.pitch, phase) / rate
    lean, roll = trunk + pelvis_pitch, full * _integral(way.roll, phase) / rate
    pitch_rate = np.gradient(trunk, dt) + full * _sum(way.pitch, phase)
    yaw_rate = turn + full * _sum(way.yaw, phase)

    sway_x, sway_y = _wander(rng, t, worn.sway), _wander(rng, t, worn.sway)
    fallen = np.zeros(n) if drop is None else drop
    shifted = np.zeros(n) if back is None else -back
    forward = size * _sum(way.forward, phase) + way.knock_forward * knock
    up = size * _sum(way.up, phase) + way.knock_up * knock + GRAVITY
    forward = forward + np.gradient(np.gradient(shifted, dt), dt)
    up = up - np.gradient(np.gradient(fallen, dt), dt)
    left = size * _sum(way.left, phase)
    acc = _tilt(forward, left, up, lean, roll)
    gyro = _rates(full * _sum(way.roll, phase), pitch_rate, yaw_rate, lean, roll)
    acc = acc @ worn.turned.T + rng.normal(0, 0.05, (n, 3))
    gyro = gyro @ worn.turned.T + rng.normal(0, 0.01, (n, 3))

    heading = np.cumsum(turn) * dt + np.radians(1.5) * _wander(rng, t, 1.0) * (stepping > 0.02)
    within = 0.015 * np.cos(2 * phase) * full + sway_x + shifted
    aside = 0.02 * np.cos(phase) * full + sway_y
    x = np.cumsum(speed * np.cos(heading)) * dt + within * np.cos(heading) - aside * np.sin(heading)
    y = np.cumsum(speed * np.sin(heading)) * dt + within * np.sin(heading) + aside * np.cos(heading)
    azimuth = heading + np.pi + full * _integral(way.yaw, phase) / rate
    return Walk(
        t, acc.astype(np.float32), gyro.astype(np.float32), x, y, heading,
        worn.height - fallen, azimuth, worn.pitch + lean,
    )  # fmt: skip


def setting_off(seconds: float, still: float, speed: float) -> Array:
    """Speed [m/s] of who stands `still` s and then walks at `speed`."""
    t = np.arange(round(seconds * FS)) / FS
    return speed * np.clip((t - still) / STARTING, 0.0, 1.0)


def _sum(harmonics: Harmonics, phase: Array) -> Array:
    return sum(
        (a * np.cos(k * phase + np.radians(d)) for k, a, d in harmonics), np.zeros(phase.size)
    )


def _integral(harmonics: Harmonics, phase: Array) -> Array:
    """Over the phase."""
    parts = (a / k * np.sin(k * phase + np.radians(d)) for k, a, d in harmonics)
    return sum(parts, np.zeros(phase.size))


def _wander(rng: np.random.Generator, t: Array, sd: float) -> Array:
    """Slow irregular sway: five sines of 0.1 to 0.7 Hz, s.d. `sd` together."""
    rates, at = rng.uniform(0.1, 0.7, 5), rng.uniform(0, 2 * np.pi, 5)
    parts = (np.sin(2 * np.pi * f * t + p) for f, p in zip(rates, at, strict=True))
    return sd * np.sqrt(2 / 5) * sum(parts, np.zeros(t.size))


def _smooth(seconds: float) -> Array:
    bell = np.hanning(round(seconds * FS) + 2)
    return bell / bell.sum()


def _tilt(forward: Array, left: Array, up: Array, lean: Array, roll: Array) -> Array:
    """Level axes to those of a trunk that leans and rolls."""
    cl, sl, cr, sr = np.cos(lean), np.sin(lean), np.cos(roll), np.sin(roll)
    middle = forward * sl + up * cl
    return np.stack([forward * cl - up * sl, left * cr + middle * sr, middle * cr - left * sr], 1)


def _rates(roll: Array, pitch: Array, yaw: Array, lean: Array, rolled: Array) -> Array:
    cl, sl, cr, sr = np.cos(lean), np.sin(lean), np.cos(rolled), np.sin(rolled)
    return np.stack([roll - yaw * sl, pitch * cr + yaw * sr * cl, yaw * cr * cl - pitch * sr], 1)


def _rotation(roll: float, pitch: float, yaw: float) -> NDArray[np.float64]:
    cr, sr, cp, sp = np.cos(roll), np.sin(roll), np.cos(pitch), np.sin(pitch)
    cy, sy = np.cos(yaw), np.sin(yaw)
    return np.array([
        [cp * cy, cp * sy, -sp],
        [sr * sp * cy - cr * sy, sr * sp * sy + cr * cy, sr * cp],
        [cr * sp * cy + sr * sy, cr * sp * sy - sr * cy, cr * cp],
    ])  # fmt: skip
