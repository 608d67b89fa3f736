"""Steps: how often the wall clock was set while the service ran. Pure: it is handed the time."""

from __future__ import annotations

import math

from service.moment import Moment

STEP_S = 0.5  # s that the two clocks part between two looks; steering moves it 15 µs in 30 ms


class Steps:
    """Compares the wall clock with the monotonic one at each look."""

    def __init__(self) -> None:
        self.count = 0
        self._apart = math.nan  # s, between the two at the last look

    def see(self, now: Moment) -> None:
        apart = now.wall - now.t
        self.count += abs(apart - self._apart) > STEP_S  # never at the first
        self._apart = apart
