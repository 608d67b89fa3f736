"""A trend and how sure it is: a straight line through points that scatter, some of them wild.

The slope is the median of the slopes between all pairs of points (Theil 1950); its 95 % interval
comes from Kendall's rank statistic with nothing assumed of the scatter but that it is independent
(Sen PK, J Am Stat Assoc 1968;63:1379-89). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

LEAST = 6  # points; with fewer, a rank interval of 95 % is all slopes or more
MOST = 120  # points; the newest are taken (7140 pairs)
_Z = 1.96  # of a two-sided 95 %


@dataclass(frozen=True, slots=True)
class Trend:
    """Change a unit of time, with its 95 % interval; NaN when there are too few points."""

    slope: float
    low: float
    high: float
    points: int

    @property
    def clear(self) -> int:
        """1: it rises, -1: it falls, 0: no clear change, for the interval holds 0 or is unknown."""
        return (self.low > 0) - (self.high < 0)

    @property
    def known(self) -> bool:
        return self.points >= LEAST and not math.isnan(self.slope)


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """The trend of (time, value) pairs; what is not finite is left out."""
    good = sorted(p for p in points if math.isfinite(p[0]) and math.isfinite(p[1]))[-MOST:]
    slopes = sorted((v - u) / (t - s) for (s, u), (t, v) in combinations(good, 2) if t > s)
    if len(good) < LEAST or not slopes:
        return Trend(math.nan, math.nan, math.nan, len(good))
    # Ties in time make fewer pairs and a smaller variance of the statistic.
    n = len(good)
    times = [t for t, _ in good]
    ties = [times.count(t) for t in set(times)]
    variance = (n * (n - 1) * (2 * n + 5) - sum(c * (c - 1) * (2 * c + 5) for c in ties)) / 18
    reach = _Z * math.sqrt(variance)
    low = math.floor((len(slopes) - reach) / 2) - 1  # one further out: small numbers are coarse
    high = math.ceil((len(slopes) + reach) / 2) + 1
    if low < -1 or high > len(slopes):
        return Trend(median(slopes), -math.inf, math.inf, n)
    return Trend(median(slopes), slopes[max(low, 0)], slopes[min(high, len(slopes) - 1)], n)
