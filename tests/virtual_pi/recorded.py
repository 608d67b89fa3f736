"""A recording as the motion that a sensor feels."""

from __future__ import annotations

import math
from typing import Any

from device.archive import Archive
from device.recordings import RecordingSet
from tests.conftest import DATA


class Recorded:
    """Recorded motion; before it begins as in its first sample, after it as in its last."""

    def __init__(self, name: str, trial: str) -> None:
        recordings = RecordingSet(DATA / name)
        entry = next(entry for entry in recordings.entries if entry.trial == trial)
        it = Archive(recordings.folder / entry.file).trial(entry)
        self._rows = [
            (tuple(a), tuple(g)) for a, g in zip(it.acc.tolist(), it.gyro.tolist(), strict=True)
        ]
        self._fs = entry.fs
        self.begun = math.inf  # s
        self.impact_s = entry.impact / entry.fs

    def motion(self, t: float) -> Any:
        row = math.floor(max(0.0, t - self.begun) * self._fs)
        return self._rows[min(row, len(self._rows) - 1)]
