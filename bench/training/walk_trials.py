"""What the networks of walks see of recordings, by the C core itself, and what is true of them:
which way they go, and where feet touch down.

Each trial is seen as it was recorded and in reverse: a walk whose film runs backward is a walk
backward, but for the heel's knock, which the frames do not hold (walk_frames.h). Time reversed
keeps accelerations as they are and turns rates about. Of recorded walking backward there is none
here; reversed recordings are for the fit alone, never for a figure. Where a foot begins to move, it
touches down in reverse.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.training.fall_trials import tilted
from device.archive import Archive
from device.figures.steps import BOUT, IN_TRIAL, LEFT, RIGHT, runs, true_contacts
from device.recordings import Recording, RecordingSet
from device.replay import Signals, averaged

CHANNELS = 6  # RG_WALK_CHANNELS of walk_frames.h
FRAMES = 25.0  # a second
TURNS = ((0, 1), (3, 4))  # channels: pairs that turn with the belt
SIDEWAYS = [1, 3, 5]  # channels that change sign in a mirror
BACKWARD, FORWARD, NEITHER, UNASKED = 0, 1, 2, -1
U_TURN = 4  # bit of Voisard's x_events
LEG = 10.0  # m, Voisard's way there and the way back
CUT = 10.0  # s of the pieces that begin in mid-walk
SLOW = (20.0, 25.0, 40.0)  # samples a second
STIR = 0.6  # m/s² RMS: the body moves
BEFORE = 8  # frames before the first, of which contacts are still kept: they are told after it
TILT = 0.26  # rad, s.d. of how the belt sits in pitch and roll
GAIN = 0.03  # s.d. of how far a sensor is off its scale

KINDS = {  # by set and code, where the set has codes for them
    "kfall": {
        "walk": ("D06", "D07"), "run": ("D08", "D09"), "stairs": ("D20", "D21"),
        "no walk": ("D02", "D03", "D04", "D13", "D14"),
    },
    "sisfall": {
        "walk": ("D01", "D02"), "run": ("D03", "D04"), "stairs": ("D05", "D06"),
        "no walk": ("D07", "D08", "D15", "D16"),
    },
}  # fmt: skip

Floats = NDArray[np.float32]
Labels = NDArray[np.int8]


@dataclass(frozen=True)
class Trial:
    source: str  # name of its set
    subject: str
    code: str
    kind: str  # walk, run, stairs, no walk
    reversed: bool
    frames: Floats  # [F, CHANNELS]
    labels: Labels  # [F]
    speed: Floats  # [F] m/s, without its sign; NaN: not known
    contacts: NDArray[np.float64]  # where feet touch down, in frames; empty: not known, or none
    known: NDArray[np.bool_]  # [F] contacts would be

    @property
    def group(self) -> str:
        """What is drawn alike: its set, the kind within it, or derived; and whether reversed."""
        name = self.source
        if name.endswith("derived"):
            if self.reversed:
                return "derived reversed"
            backward = (self.labels == BACKWARD).sum() > (self.labels == FORWARD).sum()
            way = "backward" if backward else "forward"
            return f"derived {'run' if self.kind == 'run' else way}"
        if name in KINDS:
            name = f"{name} {self.kind}"
        return f"{name} reversed" if self.reversed else name


def frames(
    lib: Any, fs: float, acc: Floats, gyro: Floats
) -> tuple[Floats, NDArray[np.int32], Floats]:
    """Frames [F, CHANNELS] of one trial, the sample [F] at or after each, and [F, 3] the bounce
    then, the bounce of the last half step [m/s²] and the direction."""
    acc, gyro = np.ascontiguousarray(acc, np.float32), np.ascontiguousarray(gyro, np.float32)
    room = int(len(acc) / fs * FRAMES) + 64
    out, at = np.zeros((room, CHANNELS), np.float32), np.zeros(room, np.int32)
    gait = np.zeros((room, 3), np.float32)
    acc_at, gyro_at, *found = (ctypes.c_void_p(a.ctypes.data) for a in (acc, gyro, out, at, gait))
    n = lib.walk_frames(
        ctypes.c_int64(len(acc)), ctypes.c_double(fs), acc_at, gyro_at, ctypes.c_int64(room), *found
    )
    if n < 0:
        raise SystemExit(f"the core refuses {fs} samples a second")
    return out[:n], at[:n], gait[:n]


def kind(source: str, code: str) -> str | None:
    """None: nothing is learnt of it."""
    if source in KINDS:
        return next((k for k, codes in KINDS[source].items() if code in codes), None)
    return "run" if code in ("run", "dash") else "walk"


def truth(source: str, what: str, recording: Recording) -> tuple[Labels, Floats]:
    """Labels [N] and speed [N] of each sample of a trial."""
    fs, n = recording.entry.fs, len(recording.t)
    labels, speed = np.full(n, UNASKED, np.int8), np.full(n, np.nan, np.float32)
    found = recording.truth
    if what == "no walk":
        labels[:] = NEITHER
    elif "x_dir" in found:
        way = found["x_dir"]
        labels[:] = np.select([way == 1, way == -1], [FORWARD, BACKWARD], NEITHER)
        speed[:] = np.abs(found["x_vx"] if "x_vx" in found else found["x_vel"][:, 0])
        bad = found.get("x_bad", np.zeros(n)) > 0
        labels[bad], speed[bad] = UNASKED, np.nan
    elif source == "voisard_gait":
        contacts = true_contacts(found["x_events"])
        first, last = int(contacts[0]), int(contacts[-1])
        turn = np.flatnonzero(found["x_events"] & U_TURN)
        labels[: max(first - round(0.6 * fs), 0)] = NEITHER
        labels[first:last] = FORWARD
        # The circle of the turn is not in the 20 m: the mean is a little low.
        mean = 2 * LEG / ((last - first - (turn[-1] - turn[0])) / fs)
        begin, end = round(1.5 * fs), round(0.5 * fs)
        speed[first + begin : turn[0] - end] = mean
        speed[turn[-1] + end : last - begin] = mean
    elif "x_events" in found:
        labels[(found["x_events"] & BOUT) > 0] = FORWARD
    else:
        stirs = moving(recording.acc, fs)
        if stirs.any():
            first, last = np.flatnonzero(stirs)[[0, -1]] + [round(0.5 * fs), -round(0.5 * fs)]
            inside = np.arange(n)
            labels[stirs & (inside >= first) & (inside < last)] = FORWARD
    return labels, speed


def moving(acc: Floats, fs: float) -> NDArray[np.bool_]:
    """[N] whether the body moves: |acc| off its mean, over the second around."""
    size = round(fs)
    off = np.linalg.norm(acc, axis=1)
    power = np.convolve((off - off.mean()) ** 2, np.ones(size) / size, "same")
    return power > STIR**2


def reversed_labels(labels: Labels) -> Labels:
    swap = np.array([FORWARD, BACKWARD, NEITHER, UNASKED], np.int8)  # the last for −1
    return swap[labels[::-1]]


def touches(recording: Recording) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Samples at which a foot touches down, and those at which it does in reverse."""
    events = recording.truth.get("x_events")
    none = np.empty(0, np.int64)
    if events is None:
        return none, none
    down = true_contacts(events)
    if not (events & IN_TRIAL).any():  # Mobilise-D: contacts alone, and inside of bouts
        return down[(events[down] & BOUT) > 0], none
    up = [first for foot in (LEFT, RIGHT) for first, _ in runs((events & foot) > 0) if first > 0]
    return down, np.sort(np.array(up, np.int64))


def has_contacts(recording: Recording, what: str, back: bool) -> NDArray[np.bool_]:
    """[N] samples in which a contact would be known."""
    events = recording.truth.get("x_events")
    n = len(recording.t)
    if events is None:
        return np.full(n, what == "no walk")
    return np.full(n, True) if (events & IN_TRIAL).any() else ((events & BOUT) > 0) & (not back)


def placed(contacts: NDArray[Any], at: NDArray[Any], fs: float) -> NDArray[np.float64]:
    """Where contacts [s] lie, in frames; `at` is the sample at or after each frame."""
    first = (at[0] - 1) / fs if len(at) else 0.0  # s: the first frame is the sample before
    where = FRAMES * (np.asarray(contacts, np.float64) - first)
    return where[(where >= -BEFORE) & (where < len(at))]


def read(lib: Any, folder: Path, rng: np.random.Generator) -> Iterator[Trial]:
    """A whole set: every trial from its beginning, and pieces that begin anywhere, with the belt
    awry, the sensor off its scale and sometimes slow; all of it forward in time and in reverse."""
    index = RecordingSet(folder)
    for file, entries in index.files.items():
        archive = Archive(folder / file)
        for entry in entries:
            what = kind(folder.name, entry.code)
            if what is None:
                continue
            recording = archive.trial(entry)
            labels, speed = truth(folder.name, what, recording)
            down, up = (recording.t[k] for k in touches(recording))
            every = Signals(
                entry.fs, np.arange(len(labels)), recording.t, recording.acc, recording.gyro
            )
            for back in (False, True):
                has = has_contacts(recording, what, back)
                for signals in seen(every, rng):
                    acc, gyro, rows = signals.acc, signals.gyro, signals.newest
                    told, fast, known = labels[rows], speed[rows], has[rows]
                    contacts = down - signals.t[0]
                    if back:
                        acc, gyro = acc[::-1], -gyro[::-1]
                        told, fast, known = reversed_labels(told), fast[::-1], known[::-1]
                        # The newest sample of a block was its oldest.
                        last = signals.t[-1] - (1 / signals.fs - 1 / entry.fs)
                        contacts = (last - up)[::-1]
                    got, at, _ = frames(lib, signals.fs, acc, gyro)
                    where = placed(contacts, at, signals.fs)
                    yield Trial(
                        folder.name, entry.subject, entry.code, what, back, got, told[at], fast[at],
                        where, known[at],
                    )  # fmt: skip


def folded(
    trials: Sequence[Trial], sets: Sequence[str], folds: int
) -> Iterator[set[tuple[str, str]]]:
    """Whom each fold leaves out, by set and subject: every so many-th in alphabetical order."""
    subjects = {name: sorted({t.subject for t in trials if t.source == name}) for name in sets}
    for fold in range(folds):
        yield {(name, subject) for name in sets for subject in subjects[name][fold::folds]}


def provenance(trials: Sequence[Trial], out: set[tuple[str, str]], more: str) -> Iterator[str]:
    """What a header of weights says of itself."""
    for name in dict.fromkeys(t.source for t in trials):
        yield f"{name}: {len({t.subject for t in trials if t.source == name})} subjects"
    yield f"left out: {', '.join(sorted(subject for _, subject in out)) or 'nobody'}"
    yield f"{more}; what it reaches: device/core/README.md"


def seen(every: Signals, rng: np.random.Generator) -> Iterator[Signals]:
    """The whole trial, and, of one that is long enough, pieces of it, tilted and slow."""
    yield every
    size, n = round(CUT * every.fs), len(every.t)
    begin = int(rng.integers(size // 5, size))
    while n - begin > size // 3:
        rows = slice(begin, begin + size)
        turn, gain = tilted(rng, TILT), np.float32(1 + rng.normal(0, GAIN))
        piece = Signals(
            every.fs,
            every.newest[rows],
            every.t[rows],
            gain * every.acc[rows] @ turn.T,
            every.gyro[rows] @ turn.T,
        )
        if rng.random() < 0.4:
            piece = slowed(piece, float(rng.choice(SLOW)))
        yield piece
        begin += size + int(rng.integers(0, size))


def slowed(piece: Signals, rate: float) -> Signals:
    """Block-averaged; `newest` still counts in the whole trial."""
    local = Signals(piece.fs, np.arange(len(piece.t)), piece.t, piece.acc, piece.gyro)
    slow = averaged(local, rate)
    return Signals(rate, piece.newest[slow.newest], slow.t, slow.acc, slow.gyro)
