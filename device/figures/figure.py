"""One figure: a number with its count and its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Z95 = 1.959963984540054  # normal quantile of a two-sided 95 % interval
RESAMPLES = 1000
SEED = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` None: nothing to measure. `low`, `high` None: no interval can be given."""

    value: float | None
    unit: str  # share, s, steps/min, m/s, deg, 1/h, ratio
    n: int  # what it was counted or averaged over
    of: str  # … and what those are
    low: float | None = None
    high: float | None = None
    hits: int | None = None  # of n, in a share; events, in a rate
    hours: float | None = None  # of a rate
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what does not apply is left out, what is unknown is null."""
        found: dict[str, Any] = {
            "value": _finite(self.value),
            "unit": self.unit,
            "low": _finite(self.low),
            "high": _finite(self.high),
            "n": self.n,
            "of": self.of,
        }
        rest = {"hits": self.hits, "hours": self.hours, "note": self.note or None}
        return found | {name: value for name, value in rest.items() if value is not None}


def share(hits: int, n: int, of: str, note: str = "") -> Figure:
    """A proportion of independent trials with Wilson's interval."""
    if n == 0:
        return Figure(None, "share", 0, of, hits=0, note=note)
    low, high = wilson(hits, n)
    return Figure(hits / n, "share", n, of, low, high, hits=hits, note=note)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of hits out of n > 0 (J. Am. Stat. Assoc. 22, 1927)."""
    p, z2 = hits / n, Z95**2
    middle = p + z2 / (2 * n)
    half = Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = (middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)
    return max(0.0, min(low, p)), min(1.0, max(high, p))  # p itself, where rounding misses it


def over_subjects(
    observations: Iterable[tuple[str, T]],
    statistic: Callable[[list[T]], float],
    unit: str,
    n: int,
    of: str,
    note: str = "",
) -> Figure:
    """A statistic of (subject, observation) pairs, its interval bootstrapped over the subjects.

    Percentile bootstrap, seeded. With fewer than two subjects there is no interval.
    """
    groups: dict[str, list[T]] = {}
    for subject, observation in observations:
        groups.setdefault(subject, []).append(observation)
    if not groups or n == 0:
        return Figure(None, unit, 0, of, note=note)
    people = list(groups.values())
    value = statistic([observation for group in people for observation in group])
    low = high = None
    if len(people) > 1:
        draws = np.random.default_rng(SEED).integers(len(people), size=(RESAMPLES, len(people)))
        found = [statistic([o for k in draw for o in people[k]]) for draw in draws]
        finite = np.array(found)[np.isfinite(found)]
        if len(finite):
            low, high = (float(q) for q in np.percentile(finite, [2.5, 97.5]))
    return Figure(_finite(value), unit, n, of, low, high, note=note)


def an_hour(events: Sequence[tuple[str, int, float]], of: str, note: str = "") -> Figure:
    """Events an hour, from (subject, events, hours) of each trial.

    Bootstrapped over subjects; where there was none at all that says nothing, and the upper end
    is Poisson's exact one.
    """
    hits = sum(count for _, count, _ in events)
    hours = sum(time for _, _, time in events)
    if hours <= 0:
        return Figure(None, "1/h", 0, of, hits=0, hours=0.0, note=note)
    pairs = [(subject, np.array([count, time])) for subject, count, time in events]
    figure = over_subjects(pairs, _ratio, "1/h", len(events), of)
    low, high = (figure.low, figure.high) if hits else (0.0, -math.log(0.025) / hours)
    return Figure(hits / hours, "1/h", len(events), of, low, high, hits, hours, note)


def _ratio(pairs: list[NDArray[Any]]) -> float:
    total = np.sum(pairs, axis=0)
    return float(total[0] / total[1]) if total[1] else math.nan


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
