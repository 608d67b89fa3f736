"""Recording sets made by the tests."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.recordings import COLUMNS, Entry, Recording
from device.replay import ESTIMATES, Judged, Signals

FS = 100.0


def standing(n: int, seed: int = 1) -> tuple[NDArray[Any], NDArray[Any]]:
    """Somebody who stands: acc [n,3] m/s², gyro [n,3] rad/s."""
    rng = np.random.default_rng(seed)
    acc = np.array([0.0, 0.0, 9.81]) + rng.normal(0, 0.05, (n, 3))
    return acc.astype(np.float32), rng.normal(0, 0.01, (n, 3)).astype(np.float32)


def tumbling(n: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Somebody to whom all sorts of things happen: steps, drops, knocks, turns, lying, gaps."""
    rng = np.random.default_rng(seed)
    acc, gyro = standing(n, seed)
    for start in range(0, n, 50):
        part = slice(start, start + 50)
        what = rng.integers(6)
        if what == 0:
            acc[part] *= rng.uniform(0, 0.4)
        elif what == 1:
            acc[part] += rng.normal(0, 25, acc[part].shape)
        elif what == 2:
            gyro[part] += rng.normal(0, 4, 3)
        elif what == 3:
            acc[part] = np.array([9.81, 0, 0]) + rng.normal(0, 0.1, acc[part].shape)
        elif what == 4:
            acc[part, 2] += 4 * np.sin(np.arange(len(acc[part])) * 0.12)
        elif rng.integers(3) == 0:
            acc[part] = gyro[part] = np.nan
    return acc, gyro


def entry(**given: Any) -> Entry:
    """A row of an index; what is not given is plain."""
    plain: dict[str, Any] = {
        "trial": "a1", "subject": "A", "code": "D01", "activity": "Walk", "fall": False,
        "onset": -1, "impact": -1, "fs": FS, "n": 400, "direction": "", "file": "A.npz",
    }  # fmt: skip
    return Entry(**plain | given)


def recording(n: int = 400, *, tumble: int | None = None, **given: Any) -> Recording:
    """One trial in memory; `truth` and `pings` may be among what is given."""
    truth, pings = given.pop("truth", {}), given.pop("pings", None)
    acc, gyro = standing(n) if tumble is None else tumbling(n, tumble)
    row = entry(n=n, **given)
    return Recording(row, np.arange(n) / row.fs, acc, gyro, truth, pings)


def judged(of: Recording, **columns: Any) -> Judged:
    """Hand-made estimates over a recording; columns not given are unknown."""
    n = len(of.t)
    estimates: dict[str, Any] = {
        name: np.full((n, 3) if name == "up" else n, np.nan, np.float32) for name in ESTIMATES
    }
    estimates |= {"direction": np.full(n, 9, np.int8), "step": np.zeros(n, bool)}
    signals = Signals(of.entry.fs, np.arange(n), of.t, of.acc, of.gyro)
    return Judged(signals, estimates | columns, [])


class SetMaker:
    """A set of subject A (trials a1, a2) and B (b1), to be spoiled before it is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, Any]] = []
        self.arrays: dict[str, dict[str, Any]] = {}
        for subject, trials in (("A", ("a1", "a2")), ("B", ("b1",))):
            n = [120 + 40 * k for k in range(len(trials))]
            acc, gyro = standing(sum(n))
            self.arrays[subject] = {
                "acc_q": np.round(acc / 0.001).astype(np.int16),
                "gyro_q": gyro,
                "acc_scale": np.float64(0.001),
                "gyro_scale": np.float64(1.0),
                "fs": np.float64(FS),
                "start": np.cumsum([0, *n[:-1]]),
                "n": np.array(n),
                "trial": np.array(trials),
                "code": np.array(["D01"] * len(trials)),
                "fall": np.zeros(len(trials), np.int8),
                "onset": np.full(len(trials), -1),
                "impact": np.full(len(trials), -1),
                "x_label": np.zeros(sum(n), np.int8),
            }
            for trial, samples in zip(trials, n, strict=True):
                self.rows.append(
                    {
                        "trial": trial, "subject": subject, "code": "D01", "activity": "Walk",
                        "fall": 0, "onset": -1, "impact": -1, "fs": 100, "n": samples,
                        "direction": "forward", "file": f"{subject}.npz", "note": "",
                    }
                )  # fmt: skip
        self.columns = [*COLUMNS, "note"]

    def ranger(self) -> dict[str, Any]:
        """Gives A range arrays and returns them."""
        pings = {
            "range_m": np.array([2.0, np.nan, 1.5]),
            "range_t": np.array([0.0, 0.06, 0.0]),
            "range_trial": np.array([0, 0, 1]),
            "range_status": np.array([0, 1, 0], np.int8),
        }
        self.arrays["A"] |= pings
        return self.arrays["A"]

    def write(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "index.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        for subject, arrays in self.arrays.items():
            np.savez_compressed(self.folder / f"{subject}.npz", **arrays)
        return self.folder
