"""What the log odds must exceed for an alarm: chosen on people the network did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.training.fall_trials import Trial, Trials

# An hour of trials without a fall: predicted, detected. Fewer predicted ones cost lead time.
FALSE_ALARMS = (1.0, 0.2)


@dataclass(frozen=True)
class Highest:
    """One trial without a fall."""

    hours: float
    falling: float  # the highest odds at which falls.c would have let an alarm pass
    fallen: float


def highest(trial: Trial, trials: Trials, odds: NDArray[np.float32]) -> Highest:
    """odds [2, F] of the trial."""
    opened = trials.open[trial.first : trial.end]
    return Highest(
        trial.seconds / 3600,
        float(odds[0, opened].max(initial=-np.inf)),
        float(odds[1].max(initial=-np.inf)),
    )


def limits(seen: Sequence[Highest]) -> tuple[float, float]:
    """Of falling and of fallen: the lowest with no more false alarms than wanted."""
    hours = sum(one.hours for one in seen)
    found = []
    for every, rate in zip(
        ([one.falling for one in seen], [one.fallen for one in seen]), FALSE_ALARMS, strict=True
    ):
        allowed = int(rate * hours)
        found.append(float(np.sort(every)[-allowed - 1]))
    return found[0], found[1]
