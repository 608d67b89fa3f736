"""UMAFall (Casilari, Santoyo-Ramón, Cano-García 2017, doi 10.1016/j.procs.2017.06.110)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.formats import G, Read, Trial, grouped, parts, text
from device.formats.facing import Postures

ABOUT = """\
SOURCE holds UMAFall_Subject_01_ADL_Walking_1_2017-….csv and so on. The unit at the waist is taken
(its number from the header, else 2); g and °/s (the header). Its rows come about 20 a second with
times in ms, some with numbers a spreadsheet has spoiled: those are dropped, the rest is set on a
grid of 20 Hz along straight lines, holes over 0.25 s are gaps. Which way the unit looks is not
published: told from falls forward and backward, a subject at a time, as most others' for whoever
did not fall. No onset or impact is published."""

FS = 20.0
HOLE = 0.25  # s between rows that is not filled: over two rows lost
ACC, GYRO = 0, 1  # the column "Sensor Type"
WAIST = 2  # number of the unit at the waist, where the header does not say
FORWARD = ("Walking", "Jogging")
SHORTEST = 1.0  # s
_FILE = re.compile(r"UMAFall_Subject_(\d+)_(ADL|Fall)_(.+)_(\d+)_(\d{4}-.+)\.csv", re.IGNORECASE)
_UNIT = re.compile(r"(\d)\s*;\s*WAIST", re.IGNORECASE)


def find(source: Path) -> dict[str, list[Path]]:
    files = []
    for path in source.rglob("*.csv"):
        if found := _FILE.fullmatch(path.name):
            files.append((f"U{int(found[1]):02d}", path))
    return grouped(source, files, "UMAFall trial (UMAFall_Subject_01_ADL_….csv)")


def read(subject: str, files: list[Path]) -> Read:
    trials, left_out, worn = [], [], Postures()
    for path in files:
        found = parts(_FILE, path.name)
        activity, fall = found[3], found[2].lower() == "fall"
        signals = _on_grid(text(path).splitlines())
        if signals is None:
            left_out.append(f"{path}: has no {SHORTEST:g} s of the unit at the waist")
            continue
        acc, gyro = signals
        trial = Trial(
            f"{subject}_{activity}_{found[4]}_{found[5]}", activity, activity, FS, acc, gyro, fall
        )
        if activity in FORWARD:
            trial.direction = "forward"
            worn.upright(acc, FS)
        if fall:  # begun standing
            worn.upright(acc, FS)
        if fall and activity.lower().startswith("forward"):
            worn.prone(acc, FS)
        if fall and activity.lower().startswith("backward"):
            worn.supine(acc, FS)
        trials.append(trial)
    return Read(trials, left_out, worn.turn())


def _on_grid(lines: list[str]) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """acc m/s² and gyro rad/s of the waist's unit, [N,3] each at FS; None: hardly anything."""
    unit = WAIST
    rows: dict[int, list[list[float]]] = {ACC: [], GYRO: []}
    for line in lines:
        if line.lstrip().startswith("%"):
            if found := _UNIT.search(line):
                unit = int(found[1])
            continue
        cells = line.split(";")
        try:
            at, _, x, y, z, kind, number = (float(cell) for cell in cells[:7])
        except ValueError:
            continue  # spoiled
        if number == unit and kind in rows:
            rows[int(kind)].append([at / 1000, x, y, z])
    acc, gyro = (np.array(rows[kind]).reshape(-1, 4) for kind in (ACC, GYRO))
    if min(len(acc), len(gyro)) < SHORTEST * FS / 2:
        return None
    low = max(float(acc[:, 0].min()), float(gyro[:, 0].min()))
    high = min(float(acc[:, 0].max()), float(gyro[:, 0].max()))
    if high - low < SHORTEST:
        return None
    t: NDArray[Any] = np.arange(low, high, 1 / FS)
    a, g = _between(acc, t) * G, np.radians(_between(gyro, t))
    gap = np.isnan(a).any(axis=1) | np.isnan(g).any(axis=1)
    a[gap] = g[gap] = np.nan
    return a, g


def _between(rows: NDArray[Any], t: NDArray[Any]) -> NDArray[Any]:
    """Rows of time and three values, at the times t on straight lines; NaN in a hole."""
    at, first = np.unique(rows[:, 0], return_index=True)
    values = rows[first, 1:]
    after = np.clip(np.searchsorted(at, t), 1, len(at) - 1)
    found = np.stack([np.interp(t, at, values[:, k]) for k in range(3)], axis=1)
    found[at[after] - at[after - 1] > HOLE] = np.nan
    return found
