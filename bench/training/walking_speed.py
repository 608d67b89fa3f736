"""Fits three constants of device/core/speed.c to walks whose speed is known.

    python -m bench.training.walking_speed RECORDINGS

RECORDINGS is the folder of the recording sets. Needs gcc. Nothing is drawn at random. What is
printed: the error for each subject with the constants fitted to all the others, what that comes to
a set, then the constants of all. The rest of speed.c was chosen by hand: LEAST of five values the
one with which no figure of `rearguard evaluate` got worse; EBBS, the ebb's power and how long its
half step is (direction.c) looking at the table this prints.

Truth: the two motion-capture sets (derived) give the velocity itself, in windows of 1.5 s up to
1.6 m/s. Voisard's walks give a mean a trial: twice 10 m over the time from the first to the last
contact without the U-turn, one window a trial; the circle of the turn is not counted, so it is a
little low. The styles of the Bandai-Namco set count as subjects, though few actors played them: for
those the held-out error flatters.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.training.fall_trials import build
from bench.training.walk_trials import LEG, U_TURN, frames
from device.archive import Archive
from device.figures.motion import BACKWARD, FASTEST, FORWARD, WINDOW
from device.figures.steps import true_contacts
from device.recordings import Recording, RecordingSet

SOURCE = Path(__file__).resolve().parents[2] / "device" / "core" / "speed.c"
LEAST, EBBS = (
    float(found)
    for name in ("LEAST", "EBBS")
    for found in re.findall(rf"float {name} = ([0-9.]+)f", SOURCE.read_text())
)
SETS = ("cmu_pelvis_derived", "mocap_pelvis_derived", "voisard_gait")
STANDS = 0.1  # m/s
POWERS = np.arange(0.15, 0.451, 0.005)


class Walk(NamedTuple):
    source: str
    subject: str
    speed: float  # m/s, true
    way: int  # as the core has it
    roots: NDArray[np.float64]  # [POWERS] mean of what speed.c scales, by power


def roots(bounce: NDArray[Any], lately: NDArray[Any]) -> NDArray[np.float64]:
    """[POWERS] the mean over frames [F] of root() of speed.c."""
    ebb = np.minimum(EBBS * lately / np.maximum(bounce, 1e-3), 1.0) ** 8
    swing = np.maximum(bounce, LEAST)[:, None] ** POWERS
    return np.asarray((swing * (ebb * np.minimum(bounce / LEAST, 1.0))[:, None]).mean(0))


def spans(recording: Recording) -> Iterator[tuple[slice, float]]:
    """(samples, true speed) of each piece with a known speed."""
    data, fs = recording.truth, recording.entry.fs
    if "x_vel" in data:
        v = data["x_vel"][:, 0].astype(float)
        bad = data["x_bad"] > 0 if "x_bad" in data else np.zeros(len(v), bool)
        step = round(WINDOW * fs)
        for i in range(0, len(v) - step + 1, step):
            span = slice(i, i + step)
            if abs(v[span].mean()) <= FASTEST and not bad[span].any():
                yield span, float(v[span].mean())
        return
    contacts, turn = true_contacts(data["x_events"]), np.flatnonzero(data["x_events"] & U_TURN)
    seconds = (contacts[-1] - contacts[0] - (turn[-1] - turn[0])) / fs
    yield slice(int(contacts[0]), int(turn[0])), 2 * LEG / seconds


def walks(lib: Any, folder: Path) -> Iterator[Walk]:
    for file, entries in RecordingSet(folder).files.items():
        archive = Archive(folder / file)
        for entry in entries:
            trial = archive.trial(entry)
            _, at, gait = frames(lib, entry.fs, trial.acc, trial.gyro)
            for span, speed in spans(trial):
                bounce, lately, way = gait[(at >= span.start) & (at < span.stop)].T
                told = way[np.isin(way, (FORWARD, BACKWARD))]
                # Unknown, still and wrong directions teach nothing.
                if len(told) <= len(way) / 2 or (told != told[0]).any():
                    continue
                if speed * told[0] > 0 or abs(speed) < STANDS:
                    known = way == told[0]
                    said = roots(bounce[known], lately[known])
                    yield Walk(folder.name, entry.subject, speed, int(told[0]), said)


def weighted_median(values: NDArray[Any], weights: NDArray[Any]) -> float:
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])


def fit(data: Sequence[Walk]) -> tuple[int, dict[int, float]]:
    """Number of the power, and the scale of each way: the least mean absolute error, which for
    a given power a weighted median has. A subject weighs as a root of how many windows it has."""
    names = [w.subject for w in data]
    weight = np.array([names.count(w.subject) ** -0.5 for w in data])
    speed, way = np.array([w.speed * w.way for w in data]), np.array([w.way for w in data])
    every = np.array([w.roots for w in data])
    best, found = np.inf, (0, {FORWARD: 1.0, BACKWARD: 1.0})
    for k in range(len(POWERS)):
        scales, error = {}, 0.0
        for which in (FORWARD, BACKWARD):
            mine = way == which
            root = every[mine, k]
            scales[which] = weighted_median(speed[mine] / root, weight[mine] * root)
            error += float((weight[mine] * np.abs(scales[which] * root - speed[mine])).sum())
        if error < best:
            best, found = error, (k, scales)
    return found


def main(recordings: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        lib = build(Path(scratch), "walk_frames")
        data = [w for name in SETS for w in walks(lib, recordings / name)]
    errors: dict[tuple[str, int], list[float]] = {}
    for subject in sorted({w.subject for w in data}):
        k, scales = fit([w for w in data if w.subject != subject])
        for way, word in ((FORWARD, "forward"), (BACKWARD, "backward")):
            held = [w for w in data if w.subject == subject and w.way == way]
            if held:
                error = [scales[way] * w.roots[k] - w.speed * way for w in held]
                errors.setdefault((held[0].source, way), []).extend(error)
                size, bias = np.mean(np.abs(error)), np.mean(error)
                print(f"{subject:20} {word:8} {len(held):4}  |error| {size:.3f}  bias {bias:+.3f}")
    for (source, way), error in errors.items():
        word = "forward" if way == FORWARD else "backward"
        print(f"{source:20} {word:8} {len(error):4}  |error| {np.mean(np.abs(error)):.3f}")
    k, scales = fit(data)
    forward, backward = scales[FORWARD], scales[BACKWARD]
    print(f"FORWARD {forward:.2f}  BACKWARD {backward:.2f}  POWER {POWERS[k]:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
