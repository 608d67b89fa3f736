"""Whether the belt's own motor disturbs its judgement: recordings with and without buzzes in them.

Every trial is judged as it is and again with a pattern of `device/haptics.py` played over and over
in it (one drawn for each trial, seeded): a coin motor that turns at 205 Hz, as sampled at the
recording's rate without any filter before it, so that it appears where the alias of its speed lies,
near 5 Hz at 100 and at 200 Hz, in the midst of gait. It speeds up and runs down as such a motor
does, and so sweeps through all other frequencies as well.

How strong: a 10 mm coin motor of 3 V is rated at about 1.3 g on a test mass of 100 g, that is 1.3 N
(Precision Microdrives 310-103). A belt with its box and cells weighs 300 g and more, and the body
takes its share: 0.45 g is the most a sensor in that box can feel. The belt's chips low-pass at half
their rate of about 100 Hz, which leaves a quarter of 205 Hz if it is of the first order: 0.1 g is
what reaches the judges there; 0.2 and 0.45 g are for sensors without such a filter.

`./dev bench buzz [--every N] [--sets FOLDER] [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.archive import Archive
from device.figures import falls
from device.figures.falls import Alarms
from device.haptics import PATTERNS
from device.recordings import Recording, RecordingSet
from device.replay import replay

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = ("kfall", "sisfall")
AMPLITUDES = (0.1, 0.2, 0.45)  # g
GOAL = 0.005  # share that may be lost
SPEED = (195.0, 215.0)  # Hz at full duty: 205 less and more what motors differ
STARTS, STOPS = 0.05, 0.06  # s, time constants of speeding up and running down
ARM = 0.15  # rad/s of rotation for each g: a motor 5 cm from the sensor in a box of 300 g
PAUSE = (0.2, 1.0)  # s between two plays of the pattern
LONG, RATE = 60.0, 1000  # s of it, steps a second
G = 9.81
FIGURES = {
    "prediction_sensitivity": "predicted",
    "prediction_specificity": "no false prediction",
    "detection_sensitivity": "detected",
    "detection_specificity": "no false detection",
    "stumble_sensitivity": "stumbles told",
}


@cache
def turning(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A pattern played over and over: the motor's turns and its speed, a thousand times a second,
    both in units of full speed (turns for a motor of 1 Hz; 0 to 1)."""
    rng = np.random.default_rng(len(name))
    pattern, n = PATTERNS[name], round(LONG * RATE)
    speed, turns, begun = 0.0, 0.0, 0.5
    found = np.zeros((2, n))
    for k in range(n):
        t = k / RATE
        if t >= begun + pattern.length:
            begun = t + rng.uniform(*PAUSE)
        duty = pattern.duty_at(t - begun) if t >= begun else 0.0
        speed += (duty - speed) / RATE / (STARTS if duty > speed else STOPS)
        turns += speed / RATE
        found[:, k] = turns, speed
    return found[0], found[1]


def buzz(name: str, n: int, fs: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """The motor's pull a sample [n, 2] in the plane it turns in, in units of its greatest."""
    turns, speed = turning(name)
    t = rng.uniform(0, LONG) + np.arange(n) / fs
    laps, t = np.divmod(t, LONG)
    grid = np.arange(len(turns)) / RATE
    angle = 2 * np.pi * rng.uniform(*SPEED) * (np.interp(t, grid, turns) + laps * turns[-1])
    strength: NDArray[np.float64] = np.interp(t, grid, speed) ** 2
    return strength[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


@dataclass(frozen=True)
class Pair:
    """One trial, as it is and with a buzz of each strength."""

    set: str
    pattern: str
    plain: Alarms
    buzzed: dict[float, Alarms]


def disturbed(recording: Recording, pull: NDArray[np.float64], g: float) -> Recording:
    """The motor lies flat against the back: it pulls to the left and up, and twists the box."""
    acc, gyro = recording.acc.copy(), recording.gyro.copy()
    acc[:, 1:] += (G * g * pull).astype(np.float32)
    gyro[:, [0, 2]] += (ARM * g * pull).astype(np.float32)
    return replace(recording, acc=acc, gyro=gyro)


def pairs(folder: Path, every: int, seed: int = 1) -> Iterator[Pair]:
    """Each `every`-th trial of a set, and all with a stumble in them."""
    names = list(PATTERNS)
    recordings = RecordingSet(folder)
    for done, (file, entries) in enumerate(recordings.files.items(), 1):
        archive = Archive(folder / file)
        chosen = [
            (k, entry)
            for k, entry in enumerate(entries)
            if k % every == done % every or "stumble" in entry.activity.lower()
        ]
        for k, entry in chosen:
            rng = np.random.default_rng([seed, done, k])
            recording, pattern = archive.trial(entry), names[int(rng.integers(len(names)))]
            pull = buzz(pattern, entry.n, entry.fs, rng)
            alarms = {
                g: falls.observe(again, replay(again))
                for g in AMPLITUDES
                if (again := disturbed(recording, pull, g))
            }
            yield Pair(
                recordings.name, pattern, falls.observe(recording, replay(recording)), alarms
            )
        print(f"\r{recordings.name} {done}/{len(recordings.files)}", end="", file=sys.stderr)
    print(file=sys.stderr)


def right(alarms: Alarms, figure: str) -> bool | None:
    """Whether a trial counts as right in a figure; None: it is not of that figure."""
    stumble = "stumble" in alarms.activity.lower()
    if figure.startswith("prediction"):
        judged = alarms.predicted is not None if alarms.fall else "fall_imminent" in alarms.raised
    elif figure.startswith("detection"):
        judged = alarms.detected if alarms.fall else "fall" in alarms.raised
    else:
        fell = {"fall_imminent", "fall"} & alarms.raised.keys()
        return ("stumble" in alarms.raised and not fell) if stumble else None
    if figure.endswith("sensitivity"):
        return judged if alarms.fall else None
    return None if alarms.fall else not judged


def figures(found: list[Pair]) -> dict[str, dict[str, float]]:
    """Set, figure and strength → trials, right without and with, points lost, and both ways."""
    table = {}
    for name in SETS:
        of_set = [pair for pair in found if pair.set == name]
        for figure in FIGURES:
            for g in AMPLITUDES:
                was = [(right(p.plain, figure), right(p.buzzed[g], figure)) for p in of_set]
                was = [pair for pair in was if pair[0] is not None]
                if was:
                    lost = sum(a and not b for a, b in was)
                    gained = sum(b and not a for a, b in was)
                    table[f"{name}_{figure}_{g:g}g"] = {
                        "trials": len(was),
                        "without": sum(bool(a) for a, _ in was),
                        "with": sum(bool(b) for _, b in was),
                        "lost": lost,
                        "gained": gained,
                        "points_lost": 100 * (lost - gained) / len(was),
                    }
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, default=BESIDE, metavar="FOLDER")
    parser.add_argument("--every", type=int, default=3, help="each so many trials (3)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found: list[Pair] = []
    for name in SETS:
        if not (options.sets / name / "index.csv").exists():
            sys.exit(f"buzz: {options.sets / name} is no recording set; give --sets FOLDER")
        found += pairs(options.sets / name, options.every)
    table = figures(found)
    over = []
    print(f"{'':44s} trials  without   with    lost gained  points lost")
    for key, row in table.items():
        worse = row["points_lost"] > 100 * GOAL
        over += [key] * worse
        print(
            f"{key:44s} {row['trials']:6.0f} {row['without']:8.0f} {row['with']:6.0f} "
            f"{row['lost']:7.0f} {row['gained']:6.0f} {row['points_lost']:8.2f}{' over' * worse}"
        )
    for g in AMPLITUDES:
        raised = [(p, event) for p in found for event in p.buzzed[g].raised]
        fresh = [(p, event) for p, event in raised if event not in p.plain.raised]
        counts = {
            event: sum(e == event for _, e in fresh) for event in sorted({e for _, e in fresh})
        }
        print(f"at {g:g} g, trials in which an event is new: {counts}")
    if options.json:
        options.json.write_text(json.dumps({"figures": table, "over": over}) + "\n")
    print(f"buzz: {len(found)} trials, {len(over)} of {len(table)} figures lose over 0.5 points")
    sys.exit(bool(over))


if __name__ == "__main__":
    main()
