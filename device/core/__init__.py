"""The core from Python: one sample at a time for the loop, whole arrays for replay.

Both go through `rg_core_step` in C. Shapes and units are those of rearguard.h.
"""

from __future__ import annotations

from typing import NamedTuple

from device.alerts import Level, State


class Judgement(NamedTuple):
    """One event of the core."""

    t: float  # s, time of the sample that decided it
    sample: int  # its index
    event: str  # a key of alerts.EVENTS, or up_and_walking
    level: Level
    state: State  # raised or cleared
