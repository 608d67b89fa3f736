"""What the fall network sees of recordings, by the C core itself, and what is true of it."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.archive import Archive
from device.figures.falls import has_exact_onset
from device.recordings import RecordingSet
from device.replay import Signals, averaged

HERE = Path(__file__).resolve().parent
CORE = HERE.parents[1] / "device" / "core"
CHANNELS = 14  # RG_CHANNELS of fall_features.h
BEFORE_ONSET, BEFORE_IMPACT = 0.2, 1.5  # s: from there an alarm is a hit (device/figures/falls.py)
FALLING = 0.1  # s after an exact onset from which the body is falling
LAST = 0.4  # s before the impact in which it is, where the onset is not exact
MOUNTING = 0.26  # rad, s.d. 15° of how a belt sits in pitch and roll
GAIN = 0.03  # s.d. of how far a sensor is off its scale

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trial:
    source: str  # name of its set
    subject: str
    code: str
    out: bool  # its subject is left out of the fit
    fall: bool
    exact: bool  # its onset is known to a frame
    frames: NDArray[np.float16]  # [F, CHANNELS]
    t: Floats  # [F] s, of the newest sample in each
    onset: float  # s; NaN: not known
    impact: float  # s; NaN: no fall

    @property
    def window(self) -> tuple[float, float]:
        """From when [s] to before when [s] an alarm is a hit."""
        begin = self.onset - BEFORE_ONSET if self.exact else self.impact - BEFORE_IMPACT
        return begin - 1e-4, self.impact - 1e-4

    @property
    def labels(self) -> NDArray[np.int8]:
        """[F] 1 falling, 0 not, -1 not asked (about to fall, or past the impact)."""
        if not self.fall:
            return np.zeros(len(self.t), np.int8)
        begin, end = self.window
        falling = self.onset + FALLING if self.exact else self.impact - LAST
        labels = np.full(len(self.t), -1, np.int8)
        labels[self.t < begin] = 0
        labels[(self.t >= falling) & (self.t < end)] = 1
        return labels


def build(folder: Path) -> Any:
    """The core with frames.c, as a library."""
    sources = [str(c) for c in sorted(CORE.glob("*.c")) if c.name != "_native.c"]
    library = folder / "frames.so"
    command = ["gcc", "-std=c11", "-O2", "-fPIC", "-shared", f"-I{CORE}", "-o", str(library)]
    subprocess.run([*command, *sources, str(HERE / "frames.c"), "-lm"], check=True)
    found = ctypes.CDLL(str(library))
    found.frames.restype = ctypes.c_int64
    return found


def frames(lib: Any, fs: float, acc: Floats, gyro: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """Frames [F, CHANNELS] of one trial, and the sample [F] that ended each."""
    acc, gyro = np.ascontiguousarray(acc, np.float32), np.ascontiguousarray(gyro, np.float32)
    room = int(len(acc) * max(1.0, 50.0 / fs)) + 64
    out, at = np.zeros((room, CHANNELS), np.float32), np.zeros(room, np.int32)
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (acc, gyro)]
    n = lib.frames(
        ctypes.c_int64(len(acc)), ctypes.c_double(fs), *pointers, ctypes.c_int64(room),
        ctypes.c_void_p(out.ctypes.data), ctypes.c_void_p(at.ctypes.data),
    )  # fmt: skip
    if n < 0:
        raise SystemExit(f"the core refuses {fs} samples a second")
    return out[:n], at[:n]


def worn(rng: np.random.Generator) -> Floats:
    """[3,3] a belt tilted at random in pitch and roll."""
    x, y = rng.normal(0, MOUNTING, 2)
    pitch = np.array([[np.cos(x), 0, np.sin(x)], [0, 1, 0], [-np.sin(x), 0, np.cos(x)]])
    roll = np.array([[1, 0, 0], [0, np.cos(y), -np.sin(y)], [0, np.sin(y), np.cos(y)]])
    return (pitch @ roll).astype(np.float32)


def read(
    lib: Any, folder: Path, fold: int | None, rate: float | None, tilt: np.random.Generator | None
) -> Iterator[Trial]:
    """A whole set; every third subject from `fold` on is left out. `rate`: block-averaged to it;
    `tilt`: the belt worn awry and the sensor off its scale."""
    index = RecordingSet(folder)
    subjects = sorted({entry.subject for entry in index.entries})
    left_out = set(subjects[fold::3]) if fold is not None else set()
    for file, entries in index.files.items():
        archive = Archive(folder / file)
        for entry in entries:
            found = archive.trial(entry)
            every = Signals(entry.fs, np.arange(len(found.acc)), found.t, found.acc, found.gyro)
            signals = averaged(every, rate) if rate is not None else every
            acc, gyro = signals.acc, signals.gyro
            if tilt is not None:
                turn = worn(tilt)
                gain = np.float32(1 + tilt.normal(0, GAIN))
                acc, gyro = gain * acc @ turn.T, gyro @ turn.T
            seen, at = frames(lib, signals.fs, acc, gyro)
            yield Trial(
                folder.name, entry.subject, entry.code, entry.subject in left_out, entry.fall,
                has_exact_onset(found), seen.astype(np.float16),
                signals.newest[at].astype(np.float32) / np.float32(entry.fs),
                entry.onset / entry.fs if entry.onset >= 0 else float("nan"),
                entry.impact / entry.fs if entry.impact >= 0 else float("nan"),
            )  # fmt: skip
