"""How a pelvis moves in walking: harmonics of the step, forward and backward, and heel strikes.

Phase runs 0 to 2π over a stride from a left contact; the right one is at π. Harmonic k is
amplitude · cos(k · phase + angle). Even ones are those of the step (fore-aft and vertical), odd
ones alternate with the side. Order and size follow averages over pelvis motion derived from
motion capture, rounded; what distinguishes the directions is when in the step the pelvis speeds
up: after forward contacts it is braked, after backward ones it is pushed forward. Motion capture
smooths contacts away, so each is added: a short damped knock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Harmonics = tuple[tuple[int, float, float], ...]  # (k, amplitude, angle in degrees)


@dataclass(frozen=True, slots=True)
class Template:
    """One direction of walking at `speed` [m/s]."""

    speed: float
    forward: Harmonics  # m/s²
    left: Harmonics
    up: Harmonics
    roll: Harmonics  # rad/s
    pitch: Harmonics
    yaw: Harmonics
    knock_forward: float  # m/s² at a contact
    knock_up: float


BACKWARD = Template(
    speed=0.75,
    forward=((2, 2.2, -169), (4, 0.85, 148), (6, 0.45, 110)),
    left=((1, 0.45, 30), (2, 0.25, 60), (3, 0.9, -160)),
    up=((2, 1.35, -89), (4, 0.7, 105), (6, 0.5, -35)),
    roll=((1, 0.17, -65), (3, 0.35, -112)),
    pitch=((1, 0.05, -80), (2, 0.06, 80), (4, 0.08, -70)),
    yaw=((1, 0.45, 95), (2, 0.12, 60), (3, 0.48, -30)),
    knock_forward=2.5,
    knock_up=4.0,
)
FORWARD = Template(
    speed=1.05,
    forward=((2, 1.7, 54), (4, 1.35, -78), (6, 0.95, -170)),
    left=((1, 0.38, -150), (2, 0.25, 150), (3, 0.68, -148)),
    up=((2, 1.95, -60), (4, 1.8, -22), (6, 0.9, -50)),
    roll=((1, 0.34, 5), (3, 0.36, -118)),
    pitch=((1, 0.03, -80), (2, 0.13, 90), (4, 0.14, -85)),
    yaw=((1, 0.4, -165), (2, 0.07, 70), (3, 0.12, -32)),
    knock_forward=-4.0,
    knock_up=6.0,
)
KNOCK_HZ = 11.0  # soft tissue and belt ring at about this
KNOCK_DECAY = 0.035  # s


def series(harmonics: Harmonics, phase: float) -> float:
    return sum(a * math.cos(k * phase + math.radians(d)) for k, a, d in harmonics)


def knock(since: float) -> float:
    """Shape of a contact, `since` [s] it: 0 before, rings and dies within 0.15 s."""
    if not 0.0 <= since < 0.2:
        return 0.0
    return math.exp(-since / KNOCK_DECAY) * math.sin(2 * math.pi * KNOCK_HZ * since) * 1.8


def cadence(speed: float) -> float:
    """Steps a minute at `speed` [m/s]: backward it is as forward at that speed (Laufer 2005)."""
    return 74.0 + 45.0 * speed
