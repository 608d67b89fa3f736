"""Pieces of walks as the networks of walks learn from them: faster and slower, on another belt."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.training.walk_trials import SIDEWAYS, TURNS, Trial

Floats = NDArray[np.float32]


def paced(trial: Trial, begin: int, pace: float, size: int) -> tuple[Floats, NDArray[np.int64]]:
    """Frames [CHANNELS, n ≤ size] from `begin` on, and the frame [n] of the trial below each.

    A body that does the same within 1/p of the time has p² the acceleration and p the rates.
    """
    at = begin + np.arange(size) * pace
    at = at[at < len(trial.labels) - 1]
    below, part = at.astype(np.int64), (at % 1)[:, None].astype(np.float32)
    frames = trial.frames[below] * (1 - part) + trial.frames[below + 1] * part
    return (frames * [*[pace**2] * 3, *[pace] * 3]).T, below


def spread(x: Tensor, by: float, channels: int, rng: np.random.Generator) -> Tensor:
    """[B, channels, 1] normal numbers."""
    return torch.from_numpy(rng.normal(0, by, (len(x), channels, 1))).float()


def worn(x: Tensor, yaw: Tensor, strength: float, each: float, rng: np.random.Generator) -> Tensor:
    """Belts turned by yaw [B, 1], left for right; all channels, and each, softer or harder."""
    x = x.clone()
    cos, sin = yaw.cos(), yaw.sin()
    for a, b in TURNS:
        x[:, a], x[:, b] = cos * x[:, a] - sin * x[:, b], sin * x[:, a] + cos * x[:, b]
    x[:, SIDEWAYS] *= torch.from_numpy(rng.choice([-1.0, 1.0], (len(x), 1, 1))).float()
    return x * (1 + spread(x, strength, 1, rng)) * (1 + spread(x, each, x.shape[1], rng))
