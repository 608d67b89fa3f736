"""How long this wearer's backward steps are: learnt on a wall, told by cadence.

The rear ranger against a wall knows how far some steps went. Between the cadences it was learnt at,
the length follows the steps of this wearer; beside them it grows with cadence, as the walk ratio
(step length over cadence) stays about constant within a person (N. Sekiya and H. Nagasaki,
"Reproducibility of the walking patterns of normal young adults: test-retest reliability of the
walk ratio", Gait & Posture 7, 1998; of forward walking: backward it is an assumption).
"""

from __future__ import annotations

import math
from itertools import combinations
from statistics import mean, median, stdev
from typing import Any

KEPT = 12  # points; the oldest go
RECENT = 4  # newest points that say how long steps are now: those of one walk test
SPREAD = 6.0  # steps/min between the points, from which their own slope is believed
STEEPEST = 3.0  # times the walk ratio: beyond lies noise, and below one times it as well
LEAST_M, MOST_M = 0.1, 1.2  # of a step
FEW = 0.08  # share by which the cadence of a few steps is off their usual by chance
VARIES = 0.025  # s.d. of a wearer's usual step from one walk to the next, a share of it
SEEN = 0.035  # s.d. of what one walk to a wall says of it, a share of it


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

    def length(self, cadence: float) -> float:
        """m of a step at `cadence` [steps/min]; NaN while nothing was learnt."""
        if not self.points:
            return math.nan
        usual, long = (median(axis) for axis in zip(*self.points[-RECENT:], strict=True))
        slope = long / usual
        at = [c for c, _ in self.points]
        if max(at) - min(at) >= SPREAD:  # Theil and Sen: the median of all slopes
            slopes = [
                (b[1] - a[1]) / (b[0] - a[0])
                for a, b in combinations(self.points, 2)
                if abs(b[0] - a[0]) > 1.0
            ]
            slope = min(max(median(slopes), slope), STEEPEST * slope)  # noise flattens
        length: float = long + slope * (cadence - usual)
        return min(max(length, LEAST_M), MOST_M)

    def usually(self, cadence: float) -> float:
        """The same for a few steps: unless their cadence is beyond chance, they are as usual."""
        if not self.points:
            return math.nan
        usual = median(c for c, _ in self.points[-RECENT:])
        return self.length(usual if abs(cadence - usual) < FEW * usual else cadence)

    def doubt(self, walks: int = 0) -> float:
        """S.d. of the length of a wearer's steps, a share of it, after so many walks to a wall (0:
        those learnt). VARIES and SEEN are set by hand: simulated wearers vary less."""
        recent = [m for _, m in self.points[-RECENT:]]
        scatter = stdev(recent) / mean(recent) if len(recent) > 2 else 0.0
        return math.hypot(VARIES, max(SEEN, scatter) / math.sqrt(walks or max(1, len(recent))))

    def to_list(self) -> list[list[float]]:
        return [[round(c, 2), round(m, 4)] for c, m in self.points]

    @classmethod
    def from_list(cls, found: Any) -> Stride:
        """The reverse. Raises TypeError or ValueError for what is none."""
        return cls([(float(c), float(m)) for c, m in found])


def _believable(cadence: float, length: float) -> bool:
    return 30.0 <= cadence <= 200.0 and LEAST_M <= length <= MOST_M
