"""One fall, from balance lost to an answer. Pure: the time is passed in.

    imminent ──fall──> down ──cancel_s──> long lie ──escalate_s──> said again, until acknowledged
        │                │                    │
        └─10 s: cleared  └──── button or up and walking: cancelled ────┘

An acknowledged fall stays open until the wearer is up: the caregiver knows, the fall is not over.
A belt that restarts in the middle goes on where it was (`resume`).
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

from device.alerts import State

ANSWER_S = 10.0  # s at least to answer in after a restart: until then no press could be felt
WALKED_S = 5.0  # s of walking that end a fall whose lying down a restarted core has not seen
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
        self._walks_since = math.nan  # s; NaN: does not walk
        self._resumed = False

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

    def resume(self, now: float, event: str, age: float, acknowledged_by: str) -> list[Said]:
        """Go on after a restart with a chain that began `age` s ago and had come to `event`.

        Whether a fall followed a balance lost just before it, nobody has seen: it is taken for one.
        """
        self.since, self.acknowledged_by, self._resumed = now - age, acknowledged_by, True
        if event == "fall_imminent":
            return self.fell(now)
        self._stage = Stage.LONG_LIE if event == "long_lie" else Stage.DOWN
        if self._stage is Stage.DOWN:
            self.due = max(self.since + self._cancel_s, now + ANSWER_S)
        elif not acknowledged_by:
            self.due = now + self._escalate_s
        detail = f"the belt restarted; down for {age:.0f} s"
        return [Said(event, State.CONFIRMED, detail=detail)]

    def walks(self, now: float, walking: bool) -> list[Said]:
        """After a restart the core no longer knows of the fall: walking on is seen here."""
        if not (walking and self._resumed):
            self._walks_since = math.nan
        elif math.isnan(self._walks_since):
            self._walks_since = now
        elif now - self._walks_since >= WALKED_S:
            return self.cancel(now, "walking")
        return []

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
            when = "before any fall"
        else:
            when = f"after {now - self.since:.0f} s"
        how = ", who got up and walked on," if by == "walking" else ""
        detail = f"cancelled by the wearer{how} {when}"
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

    def switched_off(self) -> list[Said]:
        """A caregiver knew, and the belt was switched off since: others have taken over."""
        return self._end(
            Said(self.event, State.CLEARED, detail="the belt was off since a caregiver knew of it")
        )

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
