"""A sensor whose true orientation is known, for tests: made from a trajectory, not recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
G = 9.81


def rotation(axis: int, angle: Array | float) -> Array:
    """[N,3,3] (or [3,3]): turns by `angle` rad about x, y or z."""
    angle = np.asarray(angle, float)
    c, s, turn = np.cos(angle), np.sin(angle), np.zeros((*angle.shape, 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn[..., axis, axis] = 1.0
    turn[..., i, i] = turn[..., j, j] = c
    turn[..., j, i], turn[..., i, j] = s, -s
    return turn


def sense(turn: Array, push: Array, fs: float) -> tuple[Array, Array, Array]:
    """What a good IMU gives: acc [N,3], gyro [N,3] and the true vertical [N,3], sensor axes.

    `turn` [N,3,3] takes the sensor's axes to the earth's (z up); `push` [N,3] is the acceleration
    in the earth's [m/s²]. The rate at a sample is the turn since the one before, over its time.
    A little noise, seeded, is on both: no real sensor gives the same six values for half a second.
    """
    noise = np.random.default_rng(1)
    acc = np.einsum("nji,nj->ni", turn, push + np.array([0.0, 0.0, G]))
    step = np.einsum("nji,njk->nik", turn[:-1], turn[1:])
    angle = np.arccos(np.clip((np.trace(step, axis1=1, axis2=2) - 1) / 2, -1, 1))
    skew = np.stack([step[:, 2, 1] - step[:, 1, 2], step[:, 0, 2] - step[:, 2, 0],
                     step[:, 1, 0] - step[:, 0, 1]], 1) / 2  # fmt: skip
    scale = np.where(angle > 1e-9, angle / np.maximum(np.sin(angle), 1e-12), 1.0)
    gyro = np.vstack([np.zeros((1, 3)), skew * scale[:, None] * fs])
    acc += noise.normal(0, 5e-3, acc.shape)
    return acc, gyro + noise.normal(0, 1e-3, gyro.shape), turn[:, 2, :]


def walk(seconds: float, fs: float, cadence: float = 110.0) -> tuple[Array, Array]:
    """(turn, push) of a trunk that walks: sways, yaws, and is pushed up at every step."""
    t = np.arange(round(seconds * fs)) / fs
    phase = 2 * np.pi * cadence / 60 * t
    turn = rotation(2, 0.1 * np.sin(phase / 2) + 0.1 * t)
    turn = turn @ rotation(1, 0.06 + 0.03 * np.sin(phase)) @ rotation(0, 0.05 * np.sin(phase / 2))
    ahead = np.stack([1.5 * np.cos(phase), 1.0 * np.sin(phase / 2), 3.0 * np.cos(phase + 0.4)], 1)
    return turn, np.einsum("nij,nj->ni", rotation(2, 0.1 * t), ahead)


def degrees_between(a: Array, b: Array) -> Array:
    """[N] angle between the rows of two arrays of unit vectors."""
    return np.degrees(np.arccos(np.clip(np.einsum("ni,ni->n", a, b), -1, 1)))
