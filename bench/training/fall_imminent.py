"""Fits the weights of device/core/falls.c, and says what they reach on subjects left out.

`python -m bench.training.fall_imminent KFALL SISFALL`, each a folder in the recording format. The
features are those of the C core itself, from a build of its own. Deterministic.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.archive import Archive
from device.recordings import Entry, RecordingSet
from device.replay import Signals, averaged

HERE = Path(__file__).resolve().parent
CORE = HERE.parents[1] / "device" / "core"
NAMES = ("DOWN", "SUNK", "TILT", "TURN")
SLOW = 20.0  # samples a second: SisFall is fitted at this rate as well, at half the weight
FRAMES = 50.0  # a second, at most, that are looked at
ROUNDS = 200
MISS = 0.7  # of a false alarm: in a life there are few falls and many days
RATE = 0.15  # of Adam, on standardised features; falls to 0 along a cosine
RIDGE = 1e-4

Floats = NDArray[np.float32]


@dataclass
class Trial:
    entry: Entry
    fs: float
    features: Floats  # [N,4], -inf where no alarm could pass
    out: bool  # its subject is left out of the fit
    onset: float | None  # s, where it is exact: KFall's is from video, SisFall's is not

    @property
    def impact(self) -> int:
        return int(self.entry.impact * self.fs / self.entry.fs)

    @property
    def begin(self) -> int:
        """First sample at which an alarm is a hit: evaluation's window."""
        if self.onset is not None:
            return int((self.onset - 0.2) * self.fs + 1)
        return max(int(self.impact - 1.5 * self.fs + 1), 0)


def build(folder: Path) -> Any:
    """The core with features.c, as a library."""
    sources = [str(c) for c in sorted(CORE.glob("*.c")) if c.name != "_native.c"]
    library = folder / "features.so"
    command = ["gcc", "-std=c11", "-O2", "-fPIC", "-shared", f"-I{CORE}", "-o", str(library)]
    subprocess.run([*command, *sources, str(HERE / "features.c"), "-lm"], check=True)
    return ctypes.CDLL(str(library))


def extract(lib: Any, fs: float, acc: Floats, gyro: Floats) -> Floats:
    """Features [N,4] of one trial."""
    acc, gyro = np.ascontiguousarray(acc, np.float32), np.ascontiguousarray(gyro, np.float32)
    out, free = np.zeros((len(acc), 4), np.float32), np.zeros(len(acc), np.uint8)
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (acc, gyro, out, free)]
    if lib.features(ctypes.c_int64(len(acc)), ctypes.c_double(fs), *pointers):
        raise SystemExit(f"the core refuses {fs} samples a second")
    out[free == 0] = -np.inf
    return out


def read(lib: Any, folder: Path, exact: bool, rate: float | None = None) -> list[Trial]:
    """A whole set; every third subject is left out of the fit."""
    index = RecordingSet(folder)
    left_out = set(sorted({entry.subject for entry in index.entries})[2::3])
    trials = []
    for file, entries in index.files.items():
        archive = Archive(folder / file)
        for entry in entries:
            found = archive.trial(entry)
            fs, acc, gyro = entry.fs, found.acc, found.gyro
            if rate is not None:
                every = Signals(fs, np.arange(len(acc)), found.t, acc, gyro)
                slow = averaged(every, rate)
                fs, acc, gyro = rate, slow.acc, slow.gyro
            onset = entry.onset / entry.fs if exact and entry.fall else None
            seen = extract(lib, fs, acc, gyro)
            trials.append(Trial(entry, fs, seen, entry.subject in left_out, onset))
    return trials


@dataclass
class Group:
    """Frames of many trials, of which each trial's highest counts."""

    frames: Floats  # [M,4]
    starts: NDArray[np.int64]  # of each trial's
    sign: int  # 1: the highest has to be above 0; -1: below
    weight: float


def group(trials: list[Trial], falling: bool, weight: float) -> Group:
    """Falling: from 0.1 s after onset, or the last 0.4 s where it is not known, to impact."""
    frames: list[Floats] = []
    for trial in trials:
        if trial.out or (falling and not trial.entry.fall):
            continue
        stop = trial.impact if falling else trial.begin if trial.entry.fall else None
        start = 0
        if falling:
            known = trial.onset is not None
            start = trial.begin + int(0.3 * trial.fs) if known else stop - int(0.4 * trial.fs)
        rows = trial.features[max(start, 0) : stop : max(1, round(trial.fs / FRAMES))]
        rows = rows[np.isfinite(rows[:, 0])]
        if len(rows):
            frames.append(rows)
    starts = np.cumsum([0, *(len(rows) for rows in frames[:-1])])
    return Group(np.concatenate(frames), starts, 1 if falling else -1, weight)


def fit(groups: list[Group]) -> NDArray[np.float64]:
    """Logistic regression on each trial's highest frame: weights [4] and bias."""
    every = np.concatenate([g.frames for g in groups])
    mean, spread = every.mean(0), every.std(0)
    for g in groups:
        g.frames = (g.frames - mean) / spread
    p = np.array([0.5, 0.5, 0.5, 0.5, -3.0])
    drift, size = np.zeros(5), np.zeros(5)
    total = sum(g.weight * len(g.starts) for g in groups)
    for k in range(ROUNDS):
        slope = RIDGE * np.r_[p[:4], 0.0]
        for g in groups:
            score = g.frames @ p[:4].astype(np.float32)
            best = np.maximum.reduceat(score, g.starts)
            ends = np.r_[g.starts[1:], len(score)]
            rows = [a + int(np.argmax(score[a:b])) for a, b in zip(g.starts, ends, strict=True)]
            wrong = g.sign / (1 + np.exp(np.clip(g.sign * (best + p[4]), -30, 30)))
            slope -= g.weight / total * np.r_[wrong @ g.frames[rows], wrong.sum()]
        drift, size = 0.9 * drift + 0.1 * slope, 0.99 * size + 0.01 * slope**2
        step = RATE * 0.5 * (1 + np.cos(np.pi * k / ROUNDS))
        up = drift / (1 - 0.9 ** (k + 1))
        p -= step * up / (np.sqrt(size / (1 - 0.99 ** (k + 1))) + 1e-8)
    weights = p[:4] / spread
    return np.r_[weights, p[4] - weights @ mean]


def report(name: str, trials: list[Trial], weights: NDArray[np.float64]) -> None:
    for out in (False, True):
        falls = hits = others = false = 0
        leads = []
        for trial in (t for t in trials if t.out is out):
            score = np.nan_to_num(trial.features, neginf=-1e6) @ weights[:4] + weights[4]
            alarms = np.flatnonzero(score > 0)
            first = int(alarms[0]) if len(alarms) else None
            if not trial.entry.fall:
                others += 1
                false += first is not None
            else:
                falls += 1
                if first is not None and trial.begin <= first < trial.impact:
                    hits += 1
                    leads.append((trial.impact - first) / trial.fs)
        print(
            f"{name:12s} {'left out' if out else 'fitted':8s} sensitivity {hits}/{falls}"
            f" {100 * hits / max(falls, 1):.1f} %  specificity {others - false}/{others}"
            f" {100 * (1 - false / max(others, 1)):.1f} %  lead median {np.median(leads):.2f} s"
            f" p10 {np.percentile(leads, 10):.2f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kfall", type=Path)
    parser.add_argument("sisfall", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lib = build(Path(folder))
        sets = {"kfall": read(lib, args.kfall, True), "sisfall": read(lib, args.sisfall, False)}
        sets["sisfall 20 Hz"] = read(lib, args.sisfall, False, SLOW)
    worth = {"kfall": 1.0, "sisfall": 1.0, "sisfall 20 Hz": 0.5}
    groups = [group(t, True, MISS * worth[s]) for s, t in sets.items()]
    groups += [group(t, False, worth[s]) for s, t in sets.items()]
    weights = fit(groups)
    print(", ".join(f"PER_{n} = {w:.3f}f" for n, w in zip(NAMES, weights, strict=False)))
    print(f"CALM = {-weights[4]:.3f}f")
    for name, trials in sets.items():
        report(name, trials, weights)


if __name__ == "__main__":
    main()
