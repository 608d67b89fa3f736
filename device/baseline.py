"""What is usual for this wearer, kept over sessions; and whether they drift from it now.

Robust on purpose (median and median absolute deviation): one odd minute neither makes a baseline
nor hides in it. A session in which the wearer drifted does not teach what is usual.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from device.dose import Window

KEPT = 120  # windows: some 3600 steps, several sessions
LEAST = 8  # windows until it says anything: 240 steps
NOW = 3  # newest windows that are judged together
FAR = 3.0  # robust standard deviations that are a drift, and
MORE = 1.4  # times the usual that it must be as well: small spread makes no drift of a trifle
FLOORS = {"step_time_cv": 0.005, "sway_m_s2": 0.05}  # of the spread: below lies the sensor
WORDS = {"step_time_cv": "step variability", "sway_m_s2": "sway"}


class Baseline:
    """Windows of earlier sessions; until there are enough, this session's first stand in."""

    def __init__(self, windows: Sequence[Window] = ()) -> None:
        self.windows = list(windows)[-KEPT:]

    def usual(self, name: str, today: Sequence[Window] = ()) -> float:
        """Median of one of WORDS; NaN while too little is known."""
        known = self._known(today)
        return median(getattr(w, name) for w in known) if known else math.nan

    def drift(self, today: Sequence[Window]) -> str:
        """In one line how the newest windows of `today` differ from what is usual; empty: not."""
        known = self._known(today)
        if not known or len(today) < NOW:
            return ""
        for name, words in WORDS.items():
            values = [getattr(w, name) for w in known]
            middle = median(values)
            spread = 1.4826 * median(abs(v - middle) for v in values)
            now = median(getattr(w, name) for w in today[-NOW:])
            if now > MORE * middle and now - middle > FAR * max(spread, FLOORS[name]):
                return f"{words} is {now / middle:.1f} times what is usual"
        return ""

    def learn(self, today: Sequence[Window]) -> None:
        """A session without drift has ended."""
        self.windows = [*self.windows, *today][-KEPT:]

    def to_dict(self) -> dict[str, Any]:
        return {"windows": [[round(v, 5) for v in w] for w in self.windows]}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Baseline:
        """The reverse. Raises KeyError, TypeError or ValueError for what is none."""
        return cls([Window(*(float(v) for v in w)) for w in found["windows"]])

    def _known(self, today: Sequence[Window]) -> Sequence[Window]:
        if len(self.windows) >= LEAST:
            return self.windows
        first = [*self.windows, *today[: LEAST - len(self.windows)]]
        return first if len(first) >= LEAST else ()
