"""A session under way: where in its plan it is, whether it pauses, and when it ends. Pure.

phase after phase of the plan ──> the goal is reached: `dose`
    │  ▲
    ▼  │ walking on
   paused: standing or sitting still, walking about, or the belt does not guard
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from device.dose import BACKWARD, FORWARD, Totals, Walking
from device.plan import Plan

PAUSE_S = 10.0  # s still, where walking is due, that are a pause
ASTRAY_S = 15.0  # s walking forward, where backward is due: a phone call, a way back
LEFT_S = 900.0  # s of pause after which nobody comes back to it
TELL_S = 10.0  # s between records of progress
SUGGESTED_REST_S = 60.0  # s


class Step(NamedTuple):
    """What a moment of the session brings."""

    tell: bool = False  # a record of progress is due
    announce: str = ""  # the phase to be felt
    ended: str = ""  # why it ends; empty: it goes on


class Session:
    """`totals` are kept by `Walking`; this follows them."""

    def __init__(self, id_: str, plan: Plan, walking: Walking, most_speed: float) -> None:
        """`most_speed`: m/s backward that this wearer is limited to."""
        self.id, self.plan, self.walking, self.most_speed = id_, plan, walking, most_speed
        self.drifted = False  # a rest was suggested: it teaches no baseline
        self._number = 0  # of the phase
        self._done = 0.0  # s of the phase that are done
        self._since = 0.0  # s for which the same has been due
        self._rest = 0.0  # s left of a rest that was suggested
        self._paused = False
        self._paused_s = self._astray_s = 0.0
        self._dose = walking.totals.dose_s
        self._t: float | None = None  # s, of the last step
        self._told = float("-inf")

    @property
    def totals(self) -> Totals:
        return self.walking.totals

    @property
    def doing(self) -> str:
        """What is due by the plan: backward, forward or rest."""
        return "rest" if self._rest > 0.0 else self.plan.phase(self._number).do

    @property
    def phase(self) -> str:
        """As records say it."""
        return "paused" if self._paused else self.doing

    def measurements(self) -> dict[str, float]:
        return self.totals.measurements(self.plan.goal_s)

    def suggest_rest(self) -> None:
        """The wearer drifts: a rest comes in between; the phase goes on after it."""
        self._rest = SUGGESTED_REST_S

    def step(self, now: float, guarding: bool) -> Step:
        """A tick; `guarding`: the belt guards fully."""
        dt = now - self._t if self._t is not None else 0.0
        self._t = now
        dosed = self.totals.dose_s - self._dose
        self._dose = self.totals.dose_s
        before, doing = self.phase, self.doing
        if self.totals.dose_s >= self.plan.goal_s:
            return Step(ended="dose")
        self._pause(dt, guarding)
        if self._paused:
            self._paused_s += dt
            if self._paused_s >= LEFT_S:
                return Step(ended="left")
        else:
            self._paused_s = 0.0
            self._go_on(dt, dosed)
        self._since = 0.0 if self.doing != doing else self._since + dt
        tell = self.phase != before or now - self._told >= TELL_S
        if tell:
            self._told = now
        return Step(tell, self.doing if self.doing != doing else "")

    def _pause(self, dt: float, guarding: bool) -> None:
        walking, doing = self.walking, self.doing
        astray = doing == "backward" and walking.way == FORWARD
        self._astray_s = self._astray_s + dt if astray else 0.0
        if not guarding or self._astray_s >= ASTRAY_S:
            self._paused = True
        elif doing == "rest":
            self._paused = False
        elif self._paused:
            wanted = (BACKWARD,) if doing == "backward" else (BACKWARD, FORWARD)
            self._paused = walking.way not in wanted
        else:
            self._paused = min(walking.still_s, self._since) >= PAUSE_S

    def _go_on(self, dt: float, dosed: float) -> None:
        if self._rest > 0.0:
            self._rest = max(0.0, self._rest - dt)
            return
        phase = self.plan.phase(self._number)
        self._done += dosed if phase.do == "backward" else dt
        if self._done >= phase.seconds:
            self._number += 1
            self._done = 0.0

    # --- kept over a restart ---

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "plan": self.plan.name,
            "goal_s": self.plan.goal_s,
            "most_speed": self.most_speed if math.isfinite(self.most_speed) else None,
            "number": self._number,
            "done": round(self._done, 3),
            "drifted": self.drifted,
            "totals": self.totals.to_dict(),
        }

    def resume(self, found: dict[str, Any]) -> None:
        """Go on in the plan where `to_dict` was; paused until somebody walks."""
        self._number, self._done = int(found["number"]), float(found["done"])
        self.drifted = bool(found["drifted"])
        self._paused = True
