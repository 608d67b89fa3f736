"""Who wears the belt, and what becomes of a cue.

Reaction 0.25 to 0.60 s, 0.13 s more under a second task (every other walk here); a coin motor is
felt 0.05 s after it is switched on; stopping takes 0.46 s (young) to 0.57 s (older), s.d. 0.12 s;
3 % of cues are missed (evaluation.md). Until stopping is over the wearer is taken to go on at full
pace: the worst that a stopping time allows. A cue is one pattern felt; a pattern that is repeated
while the danger lasts is a new cue, missed or not by its own luck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from device.alerts import EVENTS, Level
from device.haptics import PATTERNS

MOTOR_ONSET = 0.05  # s
MISSED = 0.03
LEAST, SPARE = 2.0, 0.5  # s: in time is max(LEAST, stopping distance / speed + SPARE)
REACH = 0.35  # m heels and seat reach behind the belt
HALF_BODY = 0.22  # m, half the width that must pass


@dataclass(frozen=True, slots=True)
class Wearer:
    reaction: float  # s, second task included
    stopping: float  # s

    @property
    def needs(self) -> float:
        """s from a cue's beginning to standing."""
        return MOTOR_ONSET + self.reaction + self.stopping

    @property
    def in_time(self) -> float:
        """s that a warning should leave."""
        return max(LEAST, self.needs + SPARE)


def wearer(rng: np.random.Generator) -> Wearer:
    reaction = rng.uniform(0.25, 0.60) + 0.13 * (rng.random() < 0.5)
    return Wearer(reaction, max(0.2, rng.normal(rng.uniform(0.46, 0.57), 0.12)))


def felt(told: list[tuple[float, Level]], end: float) -> list[float]:
    """When warnings and stops begin to be felt [s], from the rises in level told (t, level).

    Caution is not counted on to stop anybody.
    """
    times: list[float] = []
    for k, (t, level) in enumerate(told):
        if level < Level.WARNING:
            continue
        pattern = PATTERNS[EVENTS["obstacle"].felt[level] or ""]
        until = told[k + 1][0] if k + 1 < len(told) else end
        again = pattern.length + pattern.pause[level]
        times += [*np.arange(t, max(until, t + 1e-3), again)]
    return times


def stops(person: Wearer, cues: list[float], contact: float, rng: np.random.Generator) -> bool:
    """Whether the wearer stands before contact [s]."""
    return any(
        rng.random() >= MISSED and cue + person.needs <= contact for cue in cues if cue < contact
    )
