"""Trials of a reader, written as a recording set."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from device.formats import Trial
from device.recordings import COLUMNS, Malformed

INDEX = (*COLUMNS, "note")


def write_subject(folder: Path, subject: str, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """One subject's .npz, float32; returns its rows of the index.

    All trials have the same arrays of truth. Raises Malformed when their rates differ.
    """
    file = f"{subject}.npz"
    if len(rates := {trial.fs for trial in trials}) > 1:
        raise Malformed(f"{subject}: trials at {sorted(rates)} samples a second; keep those of one")
    counts = [len(trial.acc) for trial in trials]
    joined: dict[str, Any] = {
        "acc_q": np.concatenate([trial.acc for trial in trials]).astype(np.float32),
        "gyro_q": np.concatenate([trial.gyro for trial in trials]).astype(np.float32),
        "acc_scale": np.float64(1),
        "gyro_scale": np.float64(1),
        "fs": np.float64(trials[0].fs),
        "start": np.cumsum([0, *counts[:-1]]),
        "n": np.array(counts),
        "trial": np.array([trial.trial for trial in trials]),
        "code": np.array([trial.code for trial in trials]),
        "fall": np.array([trial.fall for trial in trials], np.int8),
        "onset": np.array([trial.onset for trial in trials], np.int32),
        "impact": np.array([trial.impact for trial in trials], np.int32),
    }
    for name in trials[0].truth:
        joined[name] = np.concatenate([trial.truth[name] for trial in trials])
    np.savez_compressed(folder / file, **joined)
    return [
        {
            "trial": trial.trial,
            "subject": subject,
            "code": trial.code,
            "activity": trial.activity,
            "fall": int(trial.fall),
            "onset": trial.onset,
            "impact": trial.impact,
            "fs": f"{trials[0].fs:g}",
            "n": n,
            "direction": trial.direction,
            "file": file,
            "note": trial.note,
        }
        for trial, n in zip(trials, counts, strict=True)
    ]


def write_index(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as file:
        index = csv.DictWriter(file, INDEX)
        index.writeheader()
        index.writerows(rows)
