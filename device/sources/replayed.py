"""Frames from one trial of a recording set, as they would have come from a belt."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from device.frames import Frame, Gap

Pings = Iterable[tuple[float, float, int]]  # time [s], range [m], echo (frames.Echo), by time


class ReplayedSource:
    """One trial: t [n] in s from its start, acc [n,3] in m/s² and gyro [n,3] in rad/s, body axes.

    A row with anything not finite is a gap. `start` [s] is where on the reader's clock the trial
    begins; after its end every tick is a gap. Raises ValueError when the shapes do not fit.
    """

    def __init__(
        self,
        name: str,
        t: npt.NDArray[np.float64],
        acc: npt.NDArray[np.float32],
        gyro: npt.NDArray[np.float32],
        pings: Pings = (),
        start: float = 0.0,
        fs: float = 100.0,
    ) -> None:
        if t.ndim != 1 or acc.shape != (len(t), 3) or gyro.shape != (len(t), 3):
            raise ValueError(f"{name}: t [n], acc [n,3], gyro [n,3] do not fit each other")
        self.name, self.fs = "replayed:" + name, fs
        self._rows = zip((t + start).tolist(), acc.tolist(), gyro.tolist(), strict=True)
        self._pings = ((start + when, distance, echo) for when, distance, echo in pings)
        self._row, self._ping = next(self._rows, None), next(self._pings, None)

    def read(self, now: float) -> list[Frame]:
        """Every sample up to `now` [s]; a ping comes with the first frame not older than it.

        Empty when none is due yet.
        """
        frames = []
        while self._row and self._row[0] <= now:
            t, acc, gyro = self._row
            frame = Frame(t, now, 0.0, *acc, *gyro)
            if not math.isfinite(sum(acc) + sum(gyro)):
                frame.gap = Gap.NO_DATA
            self._attach(frame)
            frames.append(frame)
            self._row = next(self._rows, None)
        if not frames and not self._row:
            frames = [Frame(now, now, gap=Gap.NO_DATA)]
            self._attach(frames[0])
        return frames

    def faults(self) -> dict[str, str]:
        return {}

    def parts(self) -> str:
        return "a recording"

    def close(self) -> None:
        """Nothing is held."""

    def _attach(self, frame: Frame) -> None:
        """At most one a frame; a crowd of pings waits for the next ones."""
        if self._ping and self._ping[0] <= frame.t:
            frame.ping_t, frame.ping_range, frame.ping_echo = self._ping
            self._ping = next(self._pings, None)
