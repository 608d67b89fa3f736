"""Recording sets: a folder with `index.csv` and one `.npz` a subject, read and checked.

Nothing here guesses: what does not fit the format is `Malformed`, in one line that names the file
and the trial and says what to do.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# of index.csv; `note` and whatever else stands there is for people
COLUMNS = (
    "trial", "subject", "code", "activity", "fall", "onset", "impact", "fs", "n", "direction",
    "file",
)  # fmt: skip
DIRECTIONS = ("", "forward", "backward", "other")
LOWEST_FS, HIGHEST_FS = 20.0, 400.0  # 1/s, what the core takes
_NAME = re.compile(r"(?!\.)[^/\\\x00-\x1f\x7f]{1,120}")  # a trial's id and a file become file names


class Malformed(ValueError):  # noqa: N818  a state of what was read, told as it is
    """A recording set, a file of it or a trial is not as the format says: `where: what; remedy`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the index."""

    trial: str
    subject: str
    code: str
    activity: str
    fall: bool
    onset: int  # sample in the trial, -1 none
    impact: int
    fs: float  # samples a second
    n: int  # samples
    direction: str  # forward, backward, other or empty
    file: str


@dataclass(frozen=True, slots=True)
class Start:
    """How the belt's core stood where a recording of its black box begins.

    In the file: `core_state` uint8 [K, size] (core.Core.save), `core_sample` int64 [K] samples
    judged until then, `x_t` float64 [T] s, monotonic, `x_drift` float32 [T] rad/s by which warmth
    may have moved the gyroscope's zero, and `range_sample` int64 [M], the sample in the trial that
    each ping came with.
    """

    state: bytes
    sample: int  # the core's number of the recording's first sample
    t: NDArray[np.float64]  # [N] s, monotonic, when each sample was measured
    drift: NDArray[np.float32]  # [N] rad/s, what the core was told of warmth before each sample
    with_sample: NDArray[np.int64]  # [M] sample that each ping came with


@dataclass(frozen=True, slots=True)
class Recording:
    """One trial. Body frame, SI units; a row that is all NaN is a gap."""

    entry: Entry
    t: NDArray[np.float64]  # [N] s from the trial's start
    acc: NDArray[np.float32]  # [N,3] m/s²
    gyro: NDArray[np.float32]  # [N,3] rad/s
    truth: dict[str, NDArray[Any]]  # the arrays named x_…, N rows each
    pings: NDArray[Any] | None  # [M] of dtype PING; None: there was no ranger
    start: Start | None = None  # of the black box only


class RecordingSet:
    """A folder's index.

    `files` holds each file's entries in the order of the index; `faults` the rows that can't be
    used. Raises Malformed when the folder or its index is of no use at all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.resolve().name
        self.files: dict[str, list[Entry]] = {}
        self.faults: list[Malformed] = []
        seen: set[str] = set()
        for line, row in _rows(folder):
            try:
                entry = _entry(row)
                if entry.trial in seen:
                    raise ValueError("is there twice; give every trial an id of its own")
            except ValueError as error:
                where = f"{folder / 'index.csv'}: line {line}: trial {row.get('trial')!r}"
                self.faults.append(Malformed(f"{where}: {error}"))
                continue
            seen.add(entry.trial)
            self.files.setdefault(entry.file, []).append(entry)
        if not self.files and not self.faults:
            raise Malformed(f"{folder / 'index.csv'}: lists no trial; a set has at least one")

    @property
    def entries(self) -> list[Entry]:
        """Every usable trial, file by file."""
        return [entry for entries in self.files.values() for entry in entries]

    def find(self, trial: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.trial == trial), None)


def _rows(folder: Path) -> list[tuple[int, Mapping[str, str]]]:
    """The index's rows with their line numbers. Raises Malformed."""
    index = folder / "index.csv"
    if not folder.exists():
        raise Malformed(f"{folder}: there is no such folder; give the folder of a recording set")
    if not folder.is_dir():
        raise Malformed(f"{folder}: is a file; give the folder of a recording set")
    if not index.is_file():
        raise Malformed(f"{folder}: has no index.csv; give the folder of a recording set")
    try:
        with index.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="")
            if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
                raise Malformed(f"{index}: has no column {', '.join(missing)}; add it")
            return [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Malformed(f"{index}: can't be read ({error}); write it as UTF-8 CSV") from error


def _entry(row: Mapping[str, str]) -> Entry:
    """Raises ValueError, in words for who mends the index."""
    if lacking := [name for name in COLUMNS if row[name] is None]:
        raise ValueError(f"the row ends before {lacking[0]}; fill every column")
    for name in ("trial", "file"):
        if not _NAME.fullmatch(row[name]):
            raise ValueError(f"{name} {row[name]!r} can't be a file's name; choose another")
    if row["direction"] not in DIRECTIONS:
        raise ValueError(
            f"direction {row['direction']!r} is none of forward, backward, other; mend it"
        )
    if row["fall"] not in ("0", "1"):
        raise ValueError(f"fall {row['fall']!r} is neither 0 nor 1; mend it")
    fs = _parse(row, "fs", float)
    n, onset, impact = (int(_parse(row, name, int)) for name in ("n", "onset", "impact"))
    if not LOWEST_FS <= fs <= HIGHEST_FS:
        raise ValueError(f"fs {fs:g} lies outside {LOWEST_FS:g} to {HIGHEST_FS:g}; resample it")
    if n < 1:
        raise ValueError("is empty (n < 1); leave it out or record it again")
    for name, sample in (("onset", onset), ("impact", impact)):
        if not -1 <= sample < n:
            raise ValueError(f"{name} {sample} lies outside its {n} samples; -1 means none")
    return Entry(
        trial=row["trial"],
        subject=row["subject"],
        code=row["code"],
        activity=row["activity"],
        fall=row["fall"] == "1",
        onset=onset,
        impact=impact,
        fs=fs,
        n=n,
        direction=row["direction"],
        file=row["file"],
    )


def _parse(row: Mapping[str, str], name: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(row[name])
    except ValueError:
        raise ValueError(f"{name} {row[name]!r} is no number; mend it") from None
