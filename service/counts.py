"""Counts of what has come since the service started: samples, gaps, pings, lateness."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter

from device.frames import Echo, Frame, Gap

LATENESS_EDGES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # s
VERY_LATE = 0.02  # s: two ticks, from which on a decision is felt later


class Counts:
    """Written by the watch, one frame at a time; read from anywhere."""

    def __init__(self) -> None:
        self.frames = 0
        self.lost = 0  # frames overwritten before we came to read them
        self.gaps: Counter[str] = Counter()  # frames without a sample, by why (Gap)
        self.pings: Counter[str] = Counter()  # by what they brought (Echo)
        self.battery = 0  # frames with the battery's charge
        self.late = [0] * (len(LATENESS_EDGES) + 1)  # frames by lateness, each up to its edge
        self.lateness_sum = 0.0  # s

    @property
    def very_late(self) -> int:
        """Frames of a loop more than VERY_LATE behind."""
        return sum(self.late[bisect_left(LATENESS_EDGES, VERY_LATE) + 1 :])

    def note(self, frame: Frame) -> None:
        self.frames += 1
        if frame.gap != Gap.NONE:
            self.gaps[Gap(frame.gap).name.lower() if frame.gap in _GAPS else "unknown"] += 1
        self.battery += math.isfinite(frame.battery)
        if frame.ping_echo in _ECHOES:
            self.pings[Echo(frame.ping_echo).name.lower()] += 1
        if frame.lateness >= 0.0:  # so put, a NaN is left out
            self.late[bisect_left(LATENESS_EDGES, frame.lateness)] += 1
            self.lateness_sum += frame.lateness


_GAPS, _ECHOES = frozenset(Gap), frozenset(Echo)
