"""One recording through the core and the policy: what the belt would have judged and told.

The same code as on the belt; nothing here knows the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.alerts import Record
from device.config import Wearer
from device.core import Core, Judgement
from device.frames import Frame, Gap
from device.policy import Policy
from device.recordings import Recording, Start

# The columns of the estimates contract, in its order.
ESTIMATES = (
    "up", "direction", "step", "step_time", "cadence", "speed", "lean", "sway", "risk",
)  # fmt: skip
_FRAMED = (
    "direction",
    "step",
    "step_time",
    "cadence",
    "speed",
    "lean",
    "sway",
    "risk",
    "distance",
    "closing",
    "ttc",
)  # fmt: skip  columns that a frame holds under the same name


@dataclass(frozen=True, slots=True)
class Signals:
    """What the core is fed: [N] rows, each with the newest sample of the recording in it."""

    fs: float
    newest: NDArray[np.int64]  # [N] index in the recording
    t: NDArray[np.float64]  # [N] s, of that newest sample
    acc: NDArray[np.float32]  # [N,3] m/s²
    gyro: NDArray[np.float32]  # [N,3] rad/s


@dataclass(frozen=True, slots=True)
class Judged:
    """A recording's signals, estimates (one row for each of theirs) and records.

    A record's `sample` counts in the recording, whatever the rate of the signals.
    """

    signals: Signals
    estimates: dict[str, NDArray[Any]]
    records: list[Record]


def replay(recording: Recording, rate: float | None = None) -> Judged:
    """Core and policy over one recording, at its own rate or, block-averaged, at `rate` [1/s].

    Causal: nothing depends on a later sample. Raises ValueError for a rate above its own.
    """
    signals = Signals(
        recording.entry.fs,
        np.arange(len(recording.t)),
        recording.t,
        recording.acc,
        recording.gyro,
    )
    if rate is not None:
        signals = averaged(signals, rate)
    core = Core(signals.fs, has_ranger=float(recording.pings is not None))
    if recording.start and rate is None:
        estimates, judgements = resumed(core, recording, recording.start)
    else:
        estimates, judgements = core.run(signals.t, signals.acc, signals.gyro, recording.pings)
    policy = Policy(Wearer(), "replay", recording.entry.trial, f"replayed:{recording.entry.trial}")
    records = decide(policy, signals, estimates, judgements)
    for record in records:
        record.sample = int(signals.newest[record.sample])
    return Judged(signals, estimates, records)


def resumed(
    core: Core, recording: Recording, start: Start
) -> tuple[dict[str, NDArray[Any]], list[Judgement]]:
    """A recording of the black box, judged as it was on the belt: `core` goes on from `start`.

    Times and samples of what is returned count from the recording's first sample. Raises
    ValueError for a state of another build of the core.
    """
    core.restore(start.state)
    pings = recording.pings if recording.pings is not None else ()
    told: list[tuple[int, Callable[[], None]]] = [
        (k, partial(core.ping, start.t[0] + ping["t"], ping["range"], ping["echo"]))
        for k, ping in zip(start.with_sample.tolist(), pings, strict=True)
    ]
    told += [(k, partial(core.drift, start.drift[k])) for k in np.flatnonzero(start.drift).tolist()]
    pieces, judgements = list[dict[str, NDArray[Any]]](), list[Judgement]()
    done = 0
    for end, tell in [*sorted(told, key=itemgetter(0)), (len(start.t), lambda: None)]:
        rows = slice(done, end)
        piece, found = core.run(start.t[rows], recording.acc[rows], recording.gyro[rows])
        pieces.append(piece)
        judgements += found
        done = end
        tell()
    estimates = {name: np.concatenate([p[name] for p in pieces]) for name in pieces[0]}
    estimates["step_time"] -= np.float32(start.t[0])
    return estimates, [
        j._replace(t=j.t - float(start.t[0]), sample=j.sample - start.sample) for j in judgements
    ]


def averaged(signals: Signals, rate: float) -> Signals:
    """Means of consecutive blocks, `rate` a second, each at the time of its newest sample.

    A block with a gap in it is a gap; what does not fill a block at the end is left out.
    """
    if not 0 < rate <= signals.fs:
        raise ValueError(f"{rate:g} samples a second can't be had from {signals.fs:g}")
    n = len(signals.t)
    ends = np.ceil(np.arange(1, int(n * rate / signals.fs) + 1) * (signals.fs / rate) - 1e-6)
    newest = ends[ends <= n].astype(np.int64) - 1
    if len(newest) == 0:
        raise ValueError(f"{n} samples are too few for one at {rate:g} a second")
    starts = np.concatenate([[0], newest[:-1] + 1])
    counts = (newest - starts + 1)[:, None].astype(np.float32)
    acc, gyro = (
        np.add.reduceat(a[: newest[-1] + 1], starts, axis=0) / counts
        for a in (signals.acc, signals.gyro)
    )
    return Signals(rate, newest, signals.t[newest], acc, gyro)


def decide(
    policy: Policy,
    signals: Signals,
    estimates: dict[str, NDArray[Any]],
    judgements: Sequence[Judgement],
) -> list[Record]:
    """The policy, called at each sample with a judgement and at the first after each of its times.

    That is every sample at which it has something to say. A record's `t` is that sample's.
    """
    t, records = signals.t, list[Record]()
    done = -1
    ahead = list(judgements)[::-1]
    while True:
        due = policy.due()
        sample = max(int(np.searchsorted(t, due)), done + 1) if math.isfinite(due) else len(t)
        if ahead:
            sample = min(sample, ahead[-1].sample)
        if sample >= len(t):
            return records
        now = []
        while ahead and ahead[-1].sample == sample:
            now.append(ahead.pop())
        records += policy.judge(float(t[sample]), sample, now, frame_at(signals, estimates, sample))
        done = sample


def frame_at(signals: Signals, estimates: dict[str, NDArray[Any]], sample: int) -> Frame:
    """The frame that the loop would hold at this sample, as far as a recording knows it."""
    acc, gyro = signals.acc[sample].tolist(), signals.gyro[sample].tolist()
    up = estimates["up"][sample].tolist()
    return Frame(
        t=float(signals.t[sample]),
        tick=float(signals.t[sample]),
        ax=acc[0],
        ay=acc[1],
        az=acc[2],
        gx=gyro[0],
        gy=gyro[1],
        gz=gyro[2],
        gap=Gap.NO_DATA if math.isnan(acc[0]) else Gap.NONE,
        up_x=up[0],
        up_y=up[1],
        up_z=up[2],
        **{name: estimates[name][sample].item() for name in _FRAMED},
    )


def line_of(record: Record, recording: str) -> dict[str, Any]:
    """One line of `--events`."""
    return {
        "recording": recording,
        "t": round(record.t, 6),
        "sample": record.sample,
        "event": record.event,
        "level": record.level,
        "state": record.state,
        "alert_id": record.alert_id,
        **({"by": record.by} if record.by else {}),
        "measurements": record.measurements,
    }
