"""How long this wearer's backward steps are: learnt on a wall, told by cadence.

The rear ranger against a wall knows how far some steps went. Between the cadences it was learnt at,
the length follows the steps of this wearer; beside them it grows with cadence, as the walk ratio
(step length over cadence) stays about constant within a person (N. Sekiya and H. Nagasaki,
"Reproducibility of the walking patterns of normal young adults: test-retest reliability of the
walk ratio", Gait & Posture 7, 1998; of forward walking: backward it is an assumption). Before a
wall there are few steps, and their cadence is off the usual one by chance: so much of a difference
from it changes no length.
"""

from __future__ import annotations

import math
from itertools import combinations
from statistics import median
from typing import Any

KEPT = 12  # points; the oldest go
RECENT = 4  # newest points that say how long steps are now: those of one walk test
SPREAD = 6.0  # steps/min between the points, from which their own slope is believed
FEW = 0.08  # share by which the cadence of few steps is off their usual by chance
STEEPEST = 3.0  # times the walk ratio: beyond lies noise, and below one times it as well
LEAST_M, MOST_M = 0.1, 1.2  # of a step


class Stride:
    """Step length by cadence; `known` once a wall has been walked to."""

    def __init__(self, points: list[tuple[float, float]] | None = None) -> None:
        """`points`: (cadence [steps/min], step length [m]), oldest first."""
        self.points = [p for p in points or [] if _believable(*p)][-KEPT:]

    @property
    def known(self) -> bool:
        return bool(self.points)

    def learn(self, cadence: float, length: float) -> bool:
        """Some steps on a wall; False, and nothing learnt, when they cannot be steps."""
        if not _believable(cadence, length):
            return False
        self.points = [*self.points, (cadence, length)][-KEPT:]
        return True

    @property
    def usual_m(self) -> float:
        """m of this wearer's steps as they were lately; NaN while nothing was learnt."""
        return median(m for _, m in self.points[-RECENT:]) if self.points else math.nan

    def length(self, cadence: float) -> float:
        """m of a step at `cadence` [steps/min]; NaN while nothing was learnt."""
        if not self.points:
            return math.nan
        usual, long = (median(axis) for axis in zip(*self.points[-RECENT:], strict=True))
        slope, off = long / usual, cadence - usual
        at = [c for c, _ in self.points]
        if max(at) - min(at) < SPREAD:
            off -= min(max(off, -FEW * usual), FEW * usual)  # so much may be chance
        else:  # Theil and Sen: the median of all slopes
            slopes = [
                (b[1] - a[1]) / (b[0] - a[0])
                for a, b in combinations(self.points, 2)
                if abs(b[0] - a[0]) > 1.0
            ]
            slope = min(max(median(slopes), slope), STEEPEST * slope)  # noise flattens
        length: float = long + slope * off
        return min(max(length, LEAST_M), MOST_M)

    def to_list(self) -> list[list[float]]:
        return [[round(c, 2), round(m, 4)] for c, m in self.points]

    @classmethod
    def from_list(cls, found: Any) -> Stride:
        """The reverse. Raises TypeError or ValueError for what is none."""
        return cls([(float(c), float(m)) for c, m in found])


def _believable(cadence: float, length: float) -> bool:
    return 30.0 <= cadence <= 200.0 and LEAST_M <= length <= MOST_M
