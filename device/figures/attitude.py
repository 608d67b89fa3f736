"""Attitude beside an optical truth, and beside VQF on the same trials (BROAD)."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.figures.figure import Figure, over_subjects
from device.recordings import Recording
from device.replay import Judged

_OVER: dict[str, Callable[[NDArray[Any]], Any]] = {
    "mean": np.mean,
    "median": np.median,
    "worst": np.max,
}


@dataclass(frozen=True, slots=True)
class Attitude:
    """One trial: root mean square of the vertical's error [deg], ours and VQF's (NaN: not here)."""

    subject: str
    ours: float
    vqf: float


def observe(recording: Recording, judged: Judged) -> Attitude | None:
    """None when the recording has no true orientation."""
    if "x_quat" not in recording.truth:
        return None
    rows = judged.signals.newest
    truth = vertical(recording.truth["x_quat"][rows].astype(np.float64))
    moving = recording.truth.get("x_movement", np.ones(len(recording.t), bool))[rows] != 0
    judgeable = moving & np.isfinite(truth).all(axis=1)
    if not judgeable.any():
        return None
    peer = float("nan")
    if importlib.util.find_spec("vqf"):
        filtered = (
            importlib.import_module("vqf")
            .VQF(1 / judged.signals.fs)
            .updateBatch(
                judged.signals.gyro.astype(np.float64), judged.signals.acc.astype(np.float64)
            )
        )
        peer = error_deg(vertical(filtered["quat6D"])[judgeable], truth[judgeable])
    ours = error_deg(judged.estimates["up"][judgeable].astype(np.float64), truth[judgeable])
    return Attitude(recording.entry.subject, ours, peer)


def figures(trials: Sequence[Attitude]) -> dict[str, Figure]:
    """The attitude part of the evaluation; empty when no orientation is known."""
    if not trials:
        return {}
    pairs = [(t.subject, np.array([t.ours, t.vqf])) for t in trials]
    has_peer = bool(np.isfinite([t.vqf for t in trials]).all())
    found = {}
    for word, over in _OVER.items():
        for column, who in enumerate(("", "_vqf") if has_peer else ("",)):
            found[f"error_{word}{who}"] = over_subjects(
                pairs,
                lambda seen, at=column, over=over: float(over(np.array(seen)[:, at])),  # type: ignore[misc]
                "deg",
                len(trials),
                "trials",
            )
    for word, over in _OVER.items():
        found[f"ratio_{word}_to_vqf"] = over_subjects(
            pairs if has_peer else [],
            lambda seen, over=over: float(  # type: ignore[misc]
                over(np.array(seen)[:, 0]) / over(np.array(seen)[:, 1])
            ),
            "ratio",
            len(trials),
            "trials",
            note="" if has_peer else "VQF is not installed: pip install vqf",
        )
    return found


def vertical(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The earth's z axis in the sensor's axes, [N,3], from sensor-to-earth w x y z [N,4]."""
    w, x, y, z = quaternions.T
    return np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=1)


def error_deg(up: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Root mean square of the angle between unit vectors [deg]; an unknown one is 180° off."""
    # the sine keeps small angles exact, where the cosine is flat
    angle = np.arctan2(np.linalg.norm(np.cross(up, truth), axis=1), (up * truth).sum(axis=1))
    angle[~np.isfinite(angle)] = np.pi
    return float(np.degrees(np.sqrt((angle**2).mean())))
