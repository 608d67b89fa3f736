"""What the fall network sees of recordings, by the C core itself, and what is true of it."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.buzz import AMPLITUDES, buzz, disturbed
from bench.training import made_movements
from device.archive import Archive
from device.figures.falls import has_exact_onset, is_backward
from device.haptics import PATTERNS
from device.recordings import Recording, RecordingSet
from device.replay import Signals, averaged

HERE = Path(__file__).resolve().parent
CORE = HERE.parents[1] / "device" / "core"
CHANNELS = 13  # RG_CHANNELS of fall_features.h
FRAMES = 50.0  # a second
BEFORE_ONSET, BEFORE_IMPACT = 0.2, 1.5  # s: from there an alarm is a hit (device/figures/falls.py)
# As recorded; on another belt; on another, slower sensor; as `rearguard evaluate --rate 20` has it;
# with the belt's own motor in it.
VARIANTS = ("native", "worn", "slow", "averaged", "buzzed")
MADE = "made up"  # the set of made_movements.py; in every variant the same
SLOW = (20.0, 20.0, 20.0, 25.0, 33.0)  # samples a second, one of them a trial
TILT = {"worn": 0.21, "slow": 0.14}  # rad, s.d. of how the belt sits in pitch and roll
GAIN = {"worn": 0.02, "slow": 0.03}  # s.d. of how far a sensor is off its scale
LATE = 0.025  # s, at most, that a slow sensor's rates lie behind or ahead of its forces
NOISE = {"worn": (0.1, 0.01), "slow": (0.2, 0.03)}  # m/s², rad/s, s.d. of white noise

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trial:
    source: str  # name of its set
    subject: str
    name: str
    code: str
    fall: bool
    backward: bool  # that fall
    exact: bool  # its onset is known to a frame
    onset: float  # s; NaN: not known
    impact: float  # s; NaN: no fall
    seconds: float
    first: int  # its first frame, and the one after its last
    end: int

    @property
    def window(self) -> tuple[float, float]:
        """From when [s] to before when [s] a prediction is a hit."""
        begin = self.onset - BEFORE_ONSET if self.exact else self.impact - BEFORE_IMPACT
        return begin - 1e-4, self.impact - 1e-4


@dataclass(frozen=True)
class Trials:
    """One set in one variant, its frames one trial after another."""

    each: list[Trial]
    frames: NDArray[np.float16]  # [F, CHANNELS]
    t: Floats  # [F] s, of the newest sample in each
    open: NDArray[np.bool_]  # [F] falls.c would let an alarm pass


def build(folder: Path, name: str) -> Any:
    """The core with this room's <name>.c, whose function of that name counts what it made."""
    sources = [str(c) for c in sorted(CORE.glob("*.c")) if c.name != "_native.c"]
    library = folder / f"{name}.so"
    command = ["gcc", "-std=c11", "-O3", "-fPIC", "-shared", f"-I{CORE}", "-o", str(library)]
    subprocess.run([*command, *sources, str(HERE / f"{name}.c"), "-lm"], check=True)
    found = ctypes.CDLL(str(library))
    getattr(found, name).restype = ctypes.c_int64
    return found


def seen(
    lib: Any, fs: float, acc: NDArray[Any], gyro: NDArray[Any]
) -> tuple[Floats, NDArray[np.int32], NDArray[np.uint8]]:
    """Frames [F, CHANNELS] of one trial, the sample [F] that ended each, whether it is open [F]."""
    acc, gyro = np.ascontiguousarray(acc, np.float32), np.ascontiguousarray(gyro, np.float32)
    room = int(len(acc) * max(1.0, FRAMES / fs)) + 64
    out, at = np.zeros((room, CHANNELS), np.float32), np.zeros(room, np.int32)
    opened = np.zeros(room, np.uint8)
    n = lib.frames(
        ctypes.c_int64(len(acc)), ctypes.c_double(fs), _at(acc), _at(gyro), ctypes.c_int64(room),
        _at(out), _at(at), _at(opened),
    )  # fmt: skip
    if n < 0:
        raise SystemExit(f"the core refuses {fs} samples a second")
    return out[:n], at[:n], opened[:n]


def _at(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def tilted(rng: np.random.Generator, spread: float) -> Floats:
    """[3,3] a belt tilted at random in pitch and roll."""
    x, y = rng.normal(0, spread, 2)
    pitch = np.array([[np.cos(x), 0, np.sin(x)], [0, 1, 0], [-np.sin(x), 0, np.cos(x)]])
    roll = np.array([[1, 0, 0], [0, np.cos(y), -np.sin(y)], [0, np.sin(y), np.cos(y)]])
    return (pitch @ roll).astype(np.float32)


def measured(recording: Recording, variant: str, rng: np.random.Generator) -> Signals:
    """The trial as the sensor of this variant would have measured it."""
    fs = recording.entry.fs
    if variant == "buzzed":
        pattern = list(PATTERNS)[int(rng.integers(len(PATTERNS)))]
        pull = buzz(pattern, len(recording.acc), fs, rng)
        recording = disturbed(recording, pull, rng.uniform(0, AMPLITUDES[-1]))
    acc, gyro = recording.acc, recording.gyro
    every = Signals(fs, np.arange(len(acc)), recording.t, acc, gyro)
    if variant == "averaged":
        return averaged(every, 20.0)
    if variant in ("native", "buzzed"):
        return every
    if variant == "slow":
        every = slowed(every, rng)
    turn = tilted(rng, TILT[variant])
    scale = 1 + rng.normal(0, GAIN[variant], 2).astype(np.float32)
    noise = [rng.normal(0, s, (len(every.acc), 3)).astype(np.float32) for s in NOISE[variant]]
    acc = scale[0] * every.acc @ turn.T + noise[0]
    gyro = scale[1] * every.gyro @ turn.T + noise[1]
    return Signals(every.fs, every.newest, every.t, acc, gyro)


def slowed(every: Signals, rng: np.random.Generator) -> Signals:
    """By taking single samples or means of blocks, from any sample on; rates a little shifted."""
    late = int(rng.integers(-round(LATE * every.fs), round(LATE * every.fs) + 1))
    gyro = np.roll(every.gyro, late, 0)
    rate, phase = float(rng.choice(SLOW)), int(rng.integers(0, int(every.fs / 20)))
    newest = every.newest[phase:]
    shifted = Signals(every.fs, newest, every.t[phase:], every.acc[phase:], gyro[phase:])
    means = averaged(shifted, rate)
    at = means.newest  # counts within `shifted`
    if rng.random() < 0.5:
        means = Signals(rate, at, means.t, shifted.acc[at], shifted.gyro[at])
    return Signals(rate, newest[at], means.t, means.acc, means.gyro)


def read(lib: Any, folder: Path, variant: str) -> Trials:
    """A whole set. Seeded by its and the variant's name."""
    rng = np.random.default_rng(list(f"{folder.name} {variant}".encode()))
    index = RecordingSet(folder)
    each, frames, times, opens, first = list[Trial](), [], [], [], 0
    for file, entries in index.files.items():
        archive = Archive(folder / file)
        for entry in entries:
            found = archive.trial(entry)
            signals = measured(found, variant, rng)
            out, at, opened = seen(lib, signals.fs, signals.acc, signals.gyro)
            frames.append(out.astype(np.float16))
            times.append((signals.newest[at] / entry.fs).astype(np.float32))
            opens.append(opened.astype(bool))
            each.append(Trial(
                folder.name, entry.subject, entry.trial, entry.code, entry.fall,
                entry.fall and is_backward(entry.activity),
                has_exact_onset(found),
                entry.onset / entry.fs if entry.onset >= 0 else float("nan"),
                entry.impact / entry.fs if entry.impact >= 0 else float("nan"),
                entry.n / entry.fs, first, first + len(out),
            ))  # fmt: skip
            first += len(out)
    return Trials(each, np.concatenate(frames), np.concatenate(times), np.concatenate(opens))


def made(lib: Any) -> Trials:
    """The movements of made_movements.py, as one more set without falls."""
    each, frames, times, opens, first = list[Trial](), [], [], [], 0
    for k, (acc, gyro) in enumerate(made_movements.movements(seed=1)):
        out, at, opened = seen(lib, made_movements.FS, acc, gyro)
        frames.append(out.astype(np.float16))
        times.append((at / made_movements.FS).astype(np.float32))
        opens.append(opened.astype(bool))
        nothing = float("nan")
        each.append(Trial(
            MADE, "nobody", str(k), "", False, False, False, nothing, nothing,
            made_movements.SECONDS, first, first + len(out),
        ))  # fmt: skip
        first += len(out)
    return Trials(each, np.concatenate(frames), np.concatenate(times), np.concatenate(opens))


def key() -> str:
    """Of all that decides what frames are."""
    here = [HERE / "frames.c", HERE / "made_movements.py", Path(__file__)]
    files = [*sorted(CORE.glob("*.[ch]")), *here]
    sums = hashlib.sha256()
    for file in files:
        if file.name not in ("fall_weights.h", "_native.c"):
            sums.update(file.read_bytes())
    return sums.hexdigest()[:12]


def recorded(folders: Sequence[Path], cache: Path, jobs: int) -> Iterator[tuple[str, str, Trials]]:
    """(set, variant, trials) of every set in every variant; from `cache` where it has them."""
    cache.mkdir(parents=True, exist_ok=True)
    made_by = key()
    wanted = [(f, v, cache / f"{f.name}-{v}-{made_by}.npz") for f in folders for v in VARIANTS]
    missing = [one for one in wanted if not one[2].exists()]
    if missing:
        with ProcessPoolExecutor(jobs) as pool:
            list(pool.map(_prepare, *zip(*missing, strict=True)))
    for folder, variant, kept in wanted:
        yield folder.name, variant, _kept(kept)
    with tempfile.TemporaryDirectory() as scratch:
        nobody = made(build(Path(scratch), "frames"))
    for variant in VARIANTS:
        yield MADE, variant, nobody


def _prepare(folder: Path, variant: str, kept: Path) -> None:
    print(f"frames of {folder.name}, {variant}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        _keep(kept, read(build(Path(scratch), "frames"), folder, variant))


def _keep(path: Path, trials: Trials) -> None:
    names = list(Trial.__dataclass_fields__)
    columns = {f"trial_{n}": np.array([getattr(t, n) for t in trials.each]) for n in names}
    np.savez(path, frames=trials.frames, t=trials.t, open=trials.open, **columns)  # type: ignore[arg-type]


def _kept(path: Path) -> Trials:
    with np.load(path) as file:
        columns = [file[f"trial_{n}"].tolist() for n in Trial.__dataclass_fields__]
        each = [Trial(*row) for row in zip(*columns, strict=True)]
        return Trials(each, file["frames"], file["t"], file["open"])
