"""Fits three constants of device/core/speed.c to walks whose speed is known.

    python -m bench.training.walking_speed RECORDINGS

RECORDINGS is the folder of the recording sets. Nothing is drawn at random. What is printed: the
error for each subject with the constants fitted to all the others, then the constants of all. LEAST
was chosen by hand, of five values the one with which no figure of `rearguard evaluate` got worse.

Truth: the two motion-capture sets (derived) give the velocity itself, in windows of 1.5 s up to
1.6 m/s. Voisard's walks give a mean a trial: twice 10 m over the time from the first to the last
contact without the U-turn, one window a trial; the circle of the turn is not counted, so it is a
little low. Every subject weighs the same. The styles of the Bandai-Namco set count as subjects,
though few actors played them: for those the held-out error flatters.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from device.core import Core

SOURCE = Path(__file__).resolve().parents[2] / "device" / "core" / "speed.c"
SETS = ("cmu_pelvis_derived", "mocap_pelvis_derived", "voisard_gait")
WINDOW = 1.5  # s
FASTEST = 1.6  # m/s, evaluation.md
U_TURN = 4  # bit of x_events
LEG = 10.0  # m, each way


class Walk(NamedTuple):
    subject: str
    speed: float  # m/s, true, backward negative
    log_bounce: float  # mean of log(bounce / 1 m/s²), of LEAST where there was less
    below: float  # mean of log(bounce / LEAST) where there was less, else 0


def constants() -> dict[str, float]:
    found = re.findall(r"float (FORWARD|BACKWARD|POWER|LEAST) = ([0-9.]+)f", SOURCE.read_text())
    return {name: float(value) for name, value in found}


def bounced(speed: NDArray[np.float32], now: dict[str, float]) -> tuple[float, float]:
    """What speed.c was given, from what it made of it: `log_bounce` and `below` of a Walk."""
    scale = np.where(speed > 0, now["FORWARD"], now["BACKWARD"])
    least = np.log(now["LEAST"])
    above = np.log(np.abs(speed) / scale) - now["POWER"] * least
    below = np.minimum(above, 0.0)
    return float(np.mean(least + np.maximum(above, 0.0) / now["POWER"])), float(below.mean())


def spans(data: dict[str, Any], rows: slice, fs: float) -> Iterator[tuple[slice, float]]:
    """(samples within the trial, true speed) of each piece with a known speed."""
    if "x_vel" in data:
        v = data["x_vel"][rows, 0].astype(float)
        bad = data["x_bad"][rows] > 0 if "x_bad" in data else np.zeros(len(v), bool)
        step = round(WINDOW * fs)
        for i in range(0, len(v) - step + 1, step):
            span = slice(i, i + step)
            if 0.1 < abs(v[span].mean()) <= FASTEST and not bad[span].any():
                yield span, float(v[span].mean())
        return
    events = data["x_events"][rows].astype(int)
    ends = [np.flatnonzero((events[:-1] & foot > 0) & (events[1:] & foot == 0)) for foot in (1, 2)]
    contacts, turn = np.sort(np.concatenate(ends)), np.flatnonzero(events & U_TURN)
    seconds = (contacts[-1] - contacts[0] - (turn[-1] - turn[0])) / fs
    yield slice(int(contacts[0]), int(turn[0])), 2 * LEG / seconds


def walks(folder: Path) -> Iterator[Walk]:
    now = constants()
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as loaded:
            data = dict(loaded)
        fs = float(np.atleast_1d(data["fs"])[0])
        for start, n in zip(data["start"], data["n"], strict=True):
            rows = slice(int(start), int(start + n))
            acc, gyro = (data[k + "_q"][rows] * data[k + "_scale"] for k in ("acc", "gyro"))
            out, _ = Core(fs).run(np.arange(n) / fs, acc, gyro, columns=("speed",))
            for span, speed in spans(data, rows, fs):
                said = out["speed"][span]
                right = said * speed > 0  # unknown, still and wrong directions teach nothing
                if right.mean() > 0.5:
                    yield Walk(file.stem, speed, *bounced(said[right], now))


def design(data: list[Walk]) -> NDArray[np.float64]:
    return np.array([[w.speed > 0, w.speed < 0, w.log_bounce] for w in data], float)


def fit(data: list[Walk]) -> NDArray[np.float64]:
    """log FORWARD, log BACKWARD, POWER: least squares of the speed's relative error, each window
    weighted by its speed, so that it is nearly the error in m/s that is made small."""
    names = [w.subject for w in data]
    weight = np.array([abs(w.speed) / names.count(w.subject) ** 0.5 for w in data])
    truth = np.log([abs(w.speed) for w in data]) - [w.below for w in data]
    found = np.linalg.lstsq(design(data) * weight[:, None], truth * weight, rcond=None)[0]
    return np.asarray(found, float)


def main(recordings: Path) -> None:
    data = [w for name in SETS for w in walks(recordings / name)]
    for subject in sorted({w.subject for w in data}):
        beta = fit([w for w in data if w.subject != subject])
        for way, word in ((1, "forward"), (-1, "backward")):
            held = [w for w in data if w.subject == subject and w.speed * way > 0]
            if held:
                found = np.exp(design(held) @ beta + [w.below for w in held])
                error = found - [abs(w.speed) for w in held]
                bias, size = error.mean(), np.abs(error).mean()
                print(f"{subject:20} {word:8} {len(held):4}  |error| {size:.3f}  bias {bias:+.3f}")
    forward, backward, power = fit(data)
    print(f"FORWARD {np.exp(forward):.2f}  BACKWARD {np.exp(backward):.2f}  POWER {power:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
