"""Made-up walks: bodies that bounce evenly and sway with every other step, as nobody walks. What a
network learnt of a few walkers must know that a walk may look otherwise, and that who walks slowest
hardly bounces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

FS = 100.0  # 1/s
SECONDS = 16.0
COUNT = 160
G = 9.81
CADENCE = (45.0, 185.0)  # steps/min
BOUNCE = (0.15, 7.0)  # m/s², of the vertical acceleration's first harmonic
STANDS = (1.5, 5.0)  # s before the walk, and after it
CREST = 0.03  # s from a contact to the first harmonic's crest, about as in Voisard's walks
SECOND = 0.6  # of the first harmonic that the second has at most
AHEAD, ASIDE, TURN = (0.1, 3.0), (0.2, 1.2), (0.0, 0.4)  # m/s², m/s², rad/s
RAMP = (0.5, 2.0)  # steps in which it begins, and ends
UNEVEN = 0.03  # s.d. of a step's time, a share of it
NOISE = ((0.0, 0.1), (0.0, 0.01))  # m/s², rad/s: s.d. of white noise

Floats = NDArray[np.float64]


def walks(seed: int) -> Iterator[tuple[Floats, Floats, Floats]]:
    """(acceleration [N, 3] m/s², rates [N, 3] rad/s, contacts [s]) of each, in the sensor's frame:
    x ahead, y to the left, z up."""
    rng = np.random.default_rng(seed)
    for _ in range(COUNT):
        yield _walk(rng)


def _walk(rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    t = np.arange(round(SECONDS * FS)) / FS
    begin, end = rng.uniform(*STANDS), SECONDS - rng.uniform(*STANDS)
    # As many walks to a doubling of the cadence, and of the bounce.
    interval = 60 / np.exp(rng.uniform(*np.log(CADENCE)))
    bounce = np.exp(rng.uniform(*np.log(BOUNCE)))
    times = begin + np.cumsum(np.maximum(rng.normal(1, UNEVEN, 60), 0.8) * interval)
    contacts = times[times < end]
    walked = np.concatenate([[begin], contacts, [contacts[-1] + interval]])
    phase = 2 * np.pi * np.interp(t - CREST, walked, np.arange(len(walked)))  # 0 at each crest
    sets_off, stops = rng.uniform(*RAMP, 2) * interval
    on = np.clip((t - begin) / sets_off, 0, 1) * np.clip((walked[-1] - t) / stops, 0, 1)

    def swing(size: float, times: float = 1.0, off: float | None = None) -> Floats:
        off = rng.uniform(0, 2 * np.pi) if off is None else off
        return np.asarray(size * on * np.cos(times * phase + off))

    up = swing(bounce, off=0.0) + swing(bounce * rng.uniform(0, SECOND), 2.0)
    ahead = swing(rng.uniform(*AHEAD)) + swing(bounce * rng.uniform(0, SECOND), 2.0)
    aside = swing(rng.uniform(*ASIDE), 0.5)
    acc = np.stack([ahead, aside, G + up], 1)
    rates = np.stack([swing(rng.uniform(*TURN), 0.5 if axis != 1 else 1.0) for axis in range(3)], 1)
    noise = [rng.normal(0, rng.uniform(*spread), (len(t), 3)) for spread in NOISE]
    return acc + noise[0], rates + noise[1], contacts
