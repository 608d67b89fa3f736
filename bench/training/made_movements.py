"""Made-up slow movements of people who do not fall: lying down, sitting down and bending, as smooth
and as stiff as nobody moves. What a network learnt of acted falls must know that these are none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

FS = 100.0  # 1/s
SECONDS = 14.0
COUNT = 240
G = 9.81
# How far the trunk tilts [rad], how far the pelvis goes down [m], how long it takes [s]
MOVES = (
    ((1.2, 1.6), (0.0, 0.7), (2.2, 5.0)),  # lies down, to any side
    ((0.0, 0.5), (0.3, 0.5), (1.2, 3.0)),  # sits down
    ((0.6, 1.4), (0.1, 0.3), (1.2, 3.0)),  # bends
)
STAYS = (1.0, 5.0)  # s before it begins, and at least before it goes back
UPRIGHT = 0.1  # rad, s.d. of the lean before
NOISE = ((0.0, 0.1), (0.0, 0.01))  # m/s², rad/s: s.d. of white noise

Floats = NDArray[np.float64]


def movements(seed: int) -> Iterator[tuple[Floats, Floats]]:
    """(acceleration [N, 3] m/s², rates [N, 3] rad/s) of each, in the sensor's frame: x ahead, y to
    the left, z up."""
    rng = np.random.default_rng(seed)
    for k in range(COUNT):
        yield _moved(rng, *MOVES[k % len(MOVES)])


def _moved(
    rng: np.random.Generator,
    tilts: tuple[float, float],
    drops: tuple[float, float],
    durations: tuple[float, float],
) -> tuple[Floats, Floats]:
    t = np.arange(round(SECONDS * FS)) / FS
    begin, lasts = rng.uniform(*STAYS), rng.uniform(*durations)
    goes = _smooth(t, begin, lasts)
    if rng.random() < 0.5:
        goes = goes - _smooth(t, begin + lasts + rng.uniform(*STAYS), lasts)
    way = rng.uniform(-np.pi, np.pi)  # of the tilt: 0 ahead
    angle = rng.normal(0, UPRIGHT) + rng.uniform(*tilts) * goes
    height = -rng.uniform(*drops) * goes
    up = np.stack([-np.cos(way) * np.sin(angle), -np.sin(way) * np.sin(angle), np.cos(angle)], 1)
    weight = G + np.gradient(np.gradient(height, t), t)
    rate = np.gradient(angle, t)[:, None] * np.array([-np.sin(way), np.cos(way), 0.0])
    noise = [rng.normal(0, rng.uniform(*spread), (len(t), 3)) for spread in NOISE]
    return weight[:, None] * up + noise[0], rate + noise[1]


def _smooth(t: Floats, begin: float, lasts: float) -> Floats:
    """0 before and 1 after, with no jump of speed or acceleration between."""
    x = np.clip((t - begin) / lasts, 0.0, 1.0)
    return np.asarray(x**3 * (10.0 - 15.0 * x + 6.0 * x**2))
