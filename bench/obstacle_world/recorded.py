"""Real sonars with their real spikes, replayed through the core of a simulated backward walker.

24 sonars of a driving robot at 9 Hz (UCI 194, scitos_wall_following.npz: `range_m` [N,24], `fs`;
5 m stands for nothing in range). Nobody knows what stood there, so two things are counted that
need no truth: a warning whose newest echo is a lone spike, and an approach that nothing told.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.alerts import Level, State
from device.core import Core, Judgement
from device.figures.figure import Figure, share

from . import walks
from .approaches import CORE, STILL
from .echoes import DISTANCE, NOTHING, Array

RECORDED = Path(__file__).resolve().parents[3] / "shared/data/sonar/scitos_wall_following.npz"
CEILING = 4.99  # m
APART = 0.3  # m from all that was heard within a second either way: a lone spike
NEARER, NEAR = 0.5, 0.8  # m come nearer in echo after echo, to within so much: an approach
SPEED = 0.3  # m/s, about what the robot drove


def figures() -> dict[str, Figure]:
    """Of the recording beside the project; none when it is not there."""
    if not RECORDED.exists():
        return {}
    data = np.load(RECORDED)
    fs = float(data["fs"])
    sonars = data["range_m"].T.astype(float)
    t = 1.0 / fs + np.arange(sonars.shape[1]) / fs
    rng = np.random.default_rng(1)
    walk = walks.walk(rng, walks.belt(rng), walks.setting_off(t[-1] + 0.5, STILL, -SPEED))
    warnings = spikes = found = lost = 0
    for heard in sonars:
        echo = np.where(heard < CEILING, DISTANCE, NOTHING).astype(np.int32)
        events = Core(walks.FS, **CORE | {"max_range": 5.0}).run(
            walk.t, walk.acc, walk.gyro, (t, heard, echo), columns=()
        )[1]
        cues = [e for e in events if e.event == "obstacle"]
        warned = [e.t for e in cues if e.state is State.RAISED and e.level >= Level.WARNING]
        newest = np.searchsorted(t, np.array(warned) + 1e-9) - 1
        warnings += len(warned)
        spikes += int(_lone(heard, round(fs))[newest].sum())
        for first, last in _approaches(heard):
            found += 1
            lost += not _told(cues, t[first], t[last] + 0.15)
    return {
        "recorded: warnings on a lone spike": share(spikes, warnings, "warnings at real sonars"),
        "recorded: approaches lost": share(lost, found, "approaches to real sonars"),
    }


def _lone(heard: Array, second: int) -> NDArray[np.bool_]:
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(heard, second, mode="reflect"), 2 * second + 1
    )
    others = np.delete(around, second, axis=1)
    lone: NDArray[np.bool_] = (np.abs(others - heard[:, None]) > APART).all(axis=1)
    return lone & (heard < CEILING)


def _approaches(heard: Array) -> list[tuple[int, int]]:
    """First and last echo of each."""
    nearing = (np.diff(heard) > -0.15) & (np.diff(heard) < -0.005)
    ends = np.flatnonzero(~np.append(nearing, False))
    starts = np.append(0, ends[:-1] + 1)
    return [
        (a, b)
        for a, b in zip(starts, ends, strict=True)
        if heard[a] - heard[b] >= NEARER and heard[b] < NEAR
    ]


def _told(cues: list[Judgement], begins: float, ends: float) -> bool:
    """Whether an obstacle was being told of at any time in between."""
    raised = [e for e in cues if e.t < ends]
    return any(e.t > begins for e in raised) or bool(raised and raised[-1].state is State.RAISED)
