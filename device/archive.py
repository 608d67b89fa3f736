"""One subject's file of a recording set: an .npz, read and checked before anything believes it.

Pickled objects are never loaded.
"""

from __future__ import annotations

import lzma
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.core import PING
from device.recordings import HIGHEST_FS, LOWEST_FS, Entry, Malformed, Recording, Start

KEYS = (
    "acc_q", "gyro_q", "acc_scale", "gyro_scale", "fs", "start", "n", "trial", "code", "fall",
    "onset", "impact",
)  # fmt: skip
TRUTH = {  # arrays whose meaning is known: kinds of number, shape of a row
    "x_quat": ("f", (4,)),
    "x_vel": ("f", (3,)),
    "x_vx": ("f", ()),
    "x_events": ("iu", ()),
    "x_dir": ("iu", ()),
    "x_label": ("iu", ()),
    "x_bad": ("iub", ()),
    "x_movement": ("iub", ()),
}
STATE_KEYS = ("core_state", "core_sample", "x_t", "range_sample")  # of the black box, see Start
RANGE_KEYS = ("range_m", "range_t", "range_trial", "range_status")
# What numpy and zipfile raise on damaged bytes (RuntimeError: said to be encrypted).
_UNREADABLE = (
    OSError, ValueError, EOFError, RuntimeError, MemoryError, AttributeError, TypeError,
    struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip


class Archive:
    """One subject's file, in memory while this object lives.

    Raises Malformed when the file as a whole can't be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrays = _load(path)
        arrays = self._arrays
        if missing := [key for key in KEYS if key not in arrays]:
            raise self._fault(f"has no {', '.join(missing)}; write every array of the format")
        for key in ("acc_q", "gyro_q"):
            array = arrays[key]
            if array.ndim != 2 or array.shape[1] != 3 or array.dtype.kind not in "iuf":
                raise self._fault(
                    f"{key} is {array.dtype} {array.shape}, not numbers of shape [samples, 3]; "
                    "store one row a sample"
                )
        self._rows = len(arrays["acc_q"])
        if len(arrays["gyro_q"]) != self._rows:
            raise self._fault(
                f"acc_q has {self._rows} rows and gyro_q {len(arrays['gyro_q'])}; "
                "store both for every sample"
            )
        self._fs = self._number("fs", LOWEST_FS, HIGHEST_FS)
        self._scales = {key: self._scale(key) for key in ("acc_scale", "gyro_scale")}
        self._trials = self._table()
        self._truth = [key for key in arrays if key.startswith("x_")]
        for key in self._truth:
            array = arrays[key]
            kinds, row = TRUTH.get(key, ("iufb", array.shape[1:]))
            if array.shape != (self._rows, *row) or array.dtype.kind not in kinds:
                raise self._fault(
                    f"{key} is {array.dtype} {array.shape}, not what the format has for each of "
                    f"{self._rows} samples; mend or drop it"
                )
        self._ranges = self._range_arrays()

    def trial(self, entry: Entry) -> Recording:
        """The recording of one entry. Raises Malformed."""
        k = self._trials.get(entry.trial)
        if k is None:
            raise self._fault("is in index.csv but not in this file; mend the index", entry.trial)
        arrays = self._arrays
        start, n = int(arrays["start"][k]), int(arrays["n"][k])
        if n < 1:
            raise self._fault("is empty; leave it out or record it again", entry.trial)
        if start < 0 or start + n > self._rows:
            raise self._fault(
                f"takes rows {start} to {start + n} of {self._rows}; mend start and n", entry.trial
            )
        for key, indexed in (("n", entry.n), ("fall", entry.fall), ("onset", entry.onset),
                             ("impact", entry.impact)):  # fmt: skip
            if int(arrays[key][k]) != indexed:
                raise self._fault(
                    f"has {key} {arrays[key][k]} here and {int(indexed)} in index.csv; "
                    "make them agree",
                    entry.trial,
                )
        if not math.isclose(entry.fs, self._fs, rel_tol=1e-3):
            raise self._fault(
                f"has fs {self._fs:g} here and {entry.fs:g} in index.csv; make them agree",
                entry.trial,
            )
        rows = slice(start, start + n)
        acc, gyro = (
            np.ascontiguousarray(
                arrays[f"{name}_q"][rows] * self._scales[f"{name}_scale"], np.float32
            )
            for name in ("acc", "gyro")
        )
        self._check_rows(acc, gyro, entry.trial)
        return Recording(
            entry=entry,
            t=np.arange(n) / self._fs,
            acc=acc,
            gyro=gyro,
            truth={key: arrays[key][rows] for key in self._truth},
            pings=self._pings(k, entry.trial),
            start=self._start(k, rows),
        )

    def _fault(self, what: str, trial: str = "") -> Malformed:
        return Malformed(f"{self._path}: {f'trial {trial}: ' if trial else ''}{what}")

    def _number(self, key: str, low: float, high: float) -> float:
        array = self._arrays[key]
        if array.size != 1 or array.dtype.kind not in "iuf":
            raise self._fault(f"{key} is {array.dtype} {array.shape}; store one number")
        value = float(array.reshape(-1)[0])
        if not low <= value <= high:  # also what is NaN
            raise self._fault(f"{key} is {value:g}; it must lie between {low:g} and {high:g}")
        return value

    def _scale(self, key: str) -> float:
        value = self._number(key, -math.inf, math.inf)
        if not math.isfinite(value) or value <= 0:
            raise self._fault(f"{key} is {value:g}; store a positive number")
        return value

    def _table(self) -> dict[str, int]:
        """Trial id → its position k, from the arrays of one element a trial."""
        names = self._arrays["trial"]
        for key in ("trial", "start", "n", "code", "fall", "onset", "impact"):
            array = self._arrays[key]
            kinds = "U" if key in ("trial", "code") else "iub"
            if array.ndim != 1 or array.shape != names.shape or array.dtype.kind not in kinds:
                raise self._fault(
                    f"{key} is {array.dtype} {array.shape}, not one "
                    f"{'text' if kinds == 'U' else 'whole number'} for each of "
                    f"{names.size} trials; mend it"
                )
        table = {str(name): k for k, name in enumerate(names)}
        if len(table) != len(names):
            raise self._fault("holds a trial id twice; give every trial an id of its own")
        return table

    def _check_rows(self, acc: NDArray[Any], gyro: NDArray[Any], trial: str) -> None:
        values = np.concatenate([acc, gyro], axis=1)
        bad = ~np.isfinite(values).all(axis=1)
        if not bad.any():
            return
        bad &= ~np.isnan(values).all(axis=1)
        if bad.any():
            raise self._fault(
                f"row {int(np.argmax(bad))} is partly NaN or infinite ({int(bad.sum())} such rows);"
                " make the whole row NaN where a sample is missing",
                trial,
            )

    def _range_arrays(self) -> tuple[NDArray[Any], ...] | None:
        arrays = self._arrays
        there = [key for key in RANGE_KEYS if key in arrays]
        if not there:
            return None
        if missing := [key for key in RANGE_KEYS if key not in arrays]:
            raise self._fault(f"has {there[0]} but no {', '.join(missing)}; store all four or none")
        found = tuple(arrays[key] for key in RANGE_KEYS)
        for key, array in zip(RANGE_KEYS, found, strict=True):
            kinds = "iu" if key in ("range_trial", "range_status") else "iuf"
            if array.ndim != 1 or array.shape != found[0].shape or array.dtype.kind not in kinds:
                raise self._fault(
                    f"{key} is {array.dtype} {array.shape}, unlike range_m {found[0].shape}; "
                    "store one number a ping"
                )
        distance, t, trial, status = found
        if ((trial < 0) | (trial >= len(self._trials))).any():
            raise self._fault("range_trial names a trial that is not here; mend it")
        if ((status < 0) | (status > 5)).any():
            raise self._fault("range_status holds a number that is none of 0 to 5; mend it")
        if not np.isfinite(t).all() or (t < 0).any():
            raise self._fault("range_t is not finite or negative; it counts from the trial's start")
        seen = status == 0
        if (seen != np.isfinite(distance)).any() or (distance[seen] < 0).any():
            raise self._fault(
                "range_m and range_status disagree; store a distance where the status is 0, "
                "else NaN"
            )
        return found

    def _pings(self, k: int, trial: str) -> NDArray[Any] | None:
        if self._ranges is None:
            return None
        distance, t, owner, status = self._ranges
        mine = owner == k
        pings = np.empty(int(mine.sum()), PING)
        pings["t"], pings["range"], pings["echo"] = t[mine], distance[mine], status[mine]
        if (np.diff(pings["t"]) < 0).any():
            raise self._fault("its range_t goes back in time; store pings in order", trial)
        return pings

    def _start(self, k: int, rows: slice) -> Start | None:
        arrays = self._arrays
        if "core_state" not in arrays:
            return None
        missing = [key for key in (*STATE_KEYS, *RANGE_KEYS) if key not in arrays]
        state, sample = arrays["core_state"], arrays.get("core_sample")
        trials = len(self._trials)
        if missing or state.shape[:1] != (trials,) or state.dtype != np.uint8 or sample is None:
            raise self._fault(
                f"has a core_state that can't be used (missing: {', '.join(missing) or 'nothing'}; "
                f"{state.dtype} {state.shape}); drop core_state to judge it from the beginning"
            )
        with_sample = arrays["range_sample"][arrays["range_trial"] == k]
        t = arrays["x_t"]
        drift = arrays.get("x_drift", np.zeros(len(t), np.float32))  # early ones were told nothing
        return Start(state[k].tobytes(), int(sample[k]), t[rows], drift[rows], with_sample)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of an .npz. Raises Malformed."""
    if not path.is_file():
        raise Malformed(f"{path}: is named in index.csv but not there; put it back")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Malformed(
            f"{path}: is no whole .npz archive ({reason[:120]}); get it again from its source"
        ) from error
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise Malformed(f"{path}: holds more than arrays; get it again from its source")
    return arrays
