"""One fall, from balance lost to an answer. Pure: the time is passed in.

    imminent ──fall──> down ──cancel_s──> long lie ──escalate_s──> said again, until acknowledged
        │                │                    │
        └─10 s: cleared  └──── button or up and walking: cancelled ────┘

An acknowledged fall stays open until the wearer is up: the caregiver knows, the fall is not over.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

from device.alerts import State

IMMINENT_S = 10.0  # s after which a balance lost without a fall is over; falls last about 1 s


class Stage(IntEnum):
    IMMINENT = 0
    DOWN = 1
    LONG_LIE = 2
    OVER = 3


_NAMES = {Stage.IMMINENT: "fall_imminent", Stage.DOWN: "fall", Stage.LONG_LIE: "long_lie"}


class Said(NamedTuple):
    """One thing to tell."""

    event: str
    state: State
    by: str = ""
    detail: str = ""


class FallChain:
    """An episode with one `alert_id`: begins imminent or down, told on until it is over."""

    def __init__(self, alert_id: str, cancel_s: float, escalate_s: float) -> None:
        self.alert_id = alert_id
        self.acknowledged_by = ""
        self.due = math.inf  # s, when `expire` has something to say
        self._cancel_s, self._escalate_s = cancel_s, escalate_s
        self._stage: Stage | None = None  # None: not begun
        self.since = math.nan  # s, when balance was lost; once down, when that began

    @property
    def over(self) -> bool:
        return self._stage is Stage.OVER

    @property
    def event(self) -> str:
        """What was last raised in it; empty when it is over."""
        return "" if self._stage in (None, Stage.OVER) else _NAMES[self._stage]

    def imminent(self, now: float) -> list[Said]:
        """Balance is being lost; while it is already known, the time to wait for a fall is new."""
        if self._stage is Stage.IMMINENT:
            self.due = now + IMMINENT_S
        return self._reach(Stage.IMMINENT, now, now + IMMINENT_S)

    def fell(self, now: float) -> list[Said]:
        return self._reach(Stage.DOWN, now, now + self._cancel_s)

    def expire(self, now: float) -> list[Said]:
        """What the passing of time brings; nothing before `due`."""
        if now < self.due:
            return []
        if self._stage is Stage.IMMINENT:
            return self._end(Said("fall_imminent", State.CLEARED, detail="no fall followed"))
        repeat = math.inf if self.acknowledged_by else now + self._escalate_s
        if self._stage is Stage.DOWN:
            return self._reach(Stage.LONG_LIE, now, repeat)
        self.due = repeat
        return [Said("long_lie", State.CONFIRMED, detail=f"down for {now - self.since:.0f} s")]

    def cancel(self, now: float, by: str) -> list[Said]:
        """The wearer is well: `by` is button or walking."""
        if self._stage is Stage.IMMINENT:
            detail = "before any fall"
        else:
            detail = f"after {now - self.since:.0f} s"
        return self._end(Said("fall_cancelled", State.CANCELLED, by, detail))

    def acknowledge(self, by: str) -> list[Said]:
        """A caregiver knows: the repeats end. The first one who says so is kept."""
        if self.acknowledged_by:
            return []
        self.acknowledged_by = by
        if self._stage is Stage.LONG_LIE:
            self.due = math.inf
        return [Said(self.event, State.ACKNOWLEDGED, by)]

    def supersede(self) -> list[Said]:
        """A new fall begins an episode of its own."""
        return self._end(Said(self.event, State.CLEARED, detail="another fall followed"))

    def _reach(self, stage: Stage, now: float, due: float) -> list[Said]:
        if self._stage is not None and stage <= self._stage:
            return []
        if stage is not Stage.LONG_LIE:
            self.since = now  # a long lie goes on counting from the fall
        self._stage, self.due = stage, due
        return [Said(_NAMES[stage], State.RAISED)]

    def _end(self, last: Said) -> list[Said]:
        self._stage, self.due = Stage.OVER, math.inf
        return [last]
