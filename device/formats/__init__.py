"""Readers of published recordings: what their publishers' files hold, as trials.

One module a format. `find(source)` says which files belong to which subject, `read(subject, files)`
makes trials of one subject's; both raise Malformed. `ABOUT` is what a person must know who wants to
convert, and how sure this project is of what it believes about the format.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from device.recordings import Malformed

G = 9.80665  # m/s² in a g
# name → what it is, in one line; the module is device.formats.<name>
FORMATS: dict[str, str] = {
    "kfall": "KFall: falls and daily activities, low back, 100 Hz",
    "sisfall": "SisFall: falls and daily activities, waist, 200 Hz",
    "umafall": "UMAFall: falls and daily activities, the waist's unit, 20 Hz",
    "kiel": "Kiel validation data: walking, also backward, pelvis, with optical truth",
    "uci455": "UCI 455, Özdemir and Barshan: falls, daily activities, walking backward, waist",
}


@dataclass(slots=True)
class Trial:
    """One trial as a reader gives it, in SI units.

    A row that is all NaN is a gap. `truth` holds arrays x_… of N rows.
    """

    trial: str
    code: str
    activity: str
    fs: float  # 1/s
    acc: NDArray[np.floating[Any]]  # [N,3] m/s²
    gyro: NDArray[np.floating[Any]]  # [N,3] rad/s
    fall: bool = False
    onset: int = -1
    impact: int = -1
    direction: str = ""  # forward, backward, other or empty
    note: str = ""
    truth: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Read:
    """What became of one subject's files."""

    trials: list[Trial]  # in the sensor's own axes
    left_out: list[str]  # one line each: file: why
    turn: NDArray[np.float64] | None  # to the body's axes [3,3]; None: the trials do not show it


class Format(Protocol):
    """A module of this package."""

    ABOUT: str

    def find(self, source: Path) -> dict[str, list[Path]]: ...

    def read(self, subject: str, files: list[Path]) -> Read: ...


def load(name: str) -> Format:
    """The reader of a format of FORMATS."""
    return cast(Format, importlib.import_module(f"device.formats.{name}"))


def grouped(source: Path, files: Iterable[tuple[str, Path]], what: str) -> dict[str, list[Path]]:
    """Subject → its files, both sorted. Raises Malformed when there is none; `what` was sought."""
    found: dict[str, list[Path]] = {}
    for subject, path in files:
        found.setdefault(subject, []).append(path)
    if not found:
        raise Malformed(
            f"{source}: holds no {what}; give the folder into which the download was unpacked"
        )
    return {subject: sorted(found[subject]) for subject in sorted(found)}


def turned(trial: Trial, turn: NDArray[np.float64]) -> Trial:
    """In the body frame (x forward, y left, z up)."""
    trial.acc, trial.gyro = trial.acc @ turn.T, trial.gyro @ turn.T
    return trial


def table(path: Path, rows: list[str], columns: int, separator: str) -> NDArray[np.float64]:
    """Numbers, [rows, columns]. Raises Malformed with the first line that is not so."""
    if not rows:
        raise Malformed(f"{path}: is empty; download it again")
    try:
        values = np.loadtxt(rows, delimiter=separator, ndmin=2, dtype=np.float64)
    except ValueError as error:
        raise Malformed(f"{path}: {_first(error)}; download it again") from error
    if values.shape[1] != columns:
        raise Malformed(
            f"{path}: {values.shape[0]} rows of {values.shape[1]} numbers, not of {columns}; "
            "download it again"
        )
    return values


def averaged(values: NDArray[Any], over: int) -> NDArray[Any]:
    """Moving average of [N] over that many samples, centred; the ends are held."""
    over = max(over, 1)
    padded = np.pad(values, (over // 2, over - 1 - over // 2), mode="edge")
    return np.convolve(padded, np.ones(over) / over, "valid")


def parts(pattern: re.Pattern[str], name: str) -> re.Match[str]:
    """Of a name that `find` has found."""
    found = pattern.fullmatch(name)
    if found is None:
        raise ValueError(f"{name} is not as {pattern.pattern}")
    return found


def text(path: Path) -> str:
    """A file's text. Raises Malformed."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise Malformed(f"{path}: can't be read ({error.strerror}); unpack it again") from error


def _first(error: Exception) -> str:
    return str(error).split(";")[0].strip()
