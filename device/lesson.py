"""A session as the wearer lives it: the plan announced, the coach's words, its file kept.

Joins `Session` (the plan), `Walking` (the dose), `Coach` (manners) and `Baseline` (what is usual).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from device.alerts import EVENTS, Level, Record, State
from device.clock import WallClock
from device.coach import Coach
from device.dose import Totals, Walking
from device.frames import Frame
from device.plan import Plan
from device.policy import Policy
from device.session import Session
from device.wearers import Wearers

Feel = Callable[[str, float], float | None]  # begins a pattern now [s]; when the motor went on
NOTICES = ("posture", "pace")  # events that the coach has a budget for


class Lesson:
    """One session from its start to its end."""

    def __init__(
        self, id_: str, plan: Plan, most_speed: float, glance_s: float, wearers: Wearers,
        policy: Policy, wall: WallClock, feel: Feel, totals: Totals | None = None,
    ) -> None:  # fmt: skip
        self._wearers, self._policy, self._wall, self._feel = wearers, policy, wall, feel
        self.walking = Walking(wearers.current.stride, totals)
        self.session = Session(id_, plan, self.walking, most_speed)
        self.coach = Coach(glance_s, most_speed)
        self._judged = 0  # windows that were held against the baseline
        policy.session = id_

    @classmethod
    def kept(
        cls, found: Mapping[str, Any], plans: Mapping[str, Plan], usual: str, glance_s: float,
        wearers: Wearers, policy: Policy, wall: WallClock, feel: Feel,
    ) -> Lesson:  # fmt: skip
        """The one of a file, paused. Raises KeyError, TypeError or ValueError for what is none."""
        plan = plans.get(found["plan"], plans[usual]).asking(float(found["goal_s"]))
        speed = float(found["most_speed"]) if found["most_speed"] is not None else float("inf")
        lesson = cls(
            str(found["id"]), plan, speed, glance_s, wearers, policy, wall, feel,
            Totals.from_dict(dict(found["totals"])),
        )  # fmt: skip
        lesson.session.resume(dict(found))
        return lesson

    def start(self, now: float, by: str) -> list[Record]:
        """The wearer feels what comes first."""
        self._keep(now)
        phase = self.session.phase
        self._feel(phase, now)
        return [self._say(now, "start", State.RAISED, phase, self.session.measurements(), by)]

    def step(self, now: float, frames: Sequence[Frame], guarding: bool) -> tuple[list[Record], str]:
        """A tick: what is told, and why the session ends (empty: it goes on)."""
        for frame in frames:
            self.walking.feed(frame)
        step = self.session.step(now, guarding)
        if step.ended:
            return self._policy.moment(now, "dose") if step.ended == "dose" else [], step.ended
        if step.announce:
            self._feel(step.announce, now)
        records = [self.progress(now)] if step.tell else []
        if self.session.phase in ("backward", "forward"):
            records += self._coached(now)
        return records, ""

    def progress(self, now: float) -> Record:
        self._keep(now)
        measured = self.session.measurements() | self._usual()
        return self._say(now, "progress", State.RAISED, self.session.phase, measured)

    def end(self, now: float, reason: str, by: str) -> Record:
        """The last word. A session without drift teaches what is usual for this wearer."""
        one = self._wearers.current
        self.walking.finish()
        last = self._say(now, "stop", State.CLEARED, reason, self.session.measurements(), by)
        if not self.session.drifted:
            one.baseline.learn(self.walking.windows)
        one.last_session, self._policy.session = self.session.id, ""
        self._wearers.keep_session(None)
        self._wearers.keep()
        self._wearers.keep_gait()
        return last

    def felt(self) -> None:
        """A warning or a notice was felt."""
        self.session.totals.cues += 1

    def _coached(self, now: float) -> list[Record]:
        coach, policy, records = self.coach, self._policy, list[Record]()
        if coach.rest(now, self._drift()):
            self.session.suggest_rest()
            self._feel("rest", now)
            records += policy.moment(now, "unsteady", f"{self._drifts}: a rest is due")
            records.append(self.progress(now))
        if coach.too_fast(now, -policy.speed):
            limit = f"faster than the {self.session.most_speed:g} m/s of the screening"
            records += policy.moment(now, "pace", limit)
        if coach.glance(now, self.session.totals.dose_s):
            self._feel("glance", now)
        if coach.owed and not policy.is_open(coach.owed):
            coach.owed = ""
        if coach.owed and coach.may_notice(now, coach.owed):
            self._feel(EVENTS["posture"].felt[Level.NOTICE] or "", now)
            self.felt()
        return records

    _drifts = ""  # in one line; empty: not

    def _drift(self) -> str:
        """How the wearer drifts from what is usual, looked at once a window."""
        windows = self.walking.windows
        if len(windows) > self._judged:
            self._judged = len(windows)
            self._drifts = self._wearers.current.baseline.drift(windows)
            self.session.drifted = self.session.drifted or bool(self._drifts)
        return self._drifts

    def _usual(self) -> dict[str, float]:
        """Step variability against this wearer's own; empty while too little is known."""
        windows = self.walking.windows
        usual = self._wearers.current.baseline.usual("step_time_cv", windows)
        if not windows or not usual > 0.0:
            return {}
        return {"step_time_cv_to_usual": round(windows[-1].step_time_cv / usual, 3)}

    def _keep(self, now: float) -> None:
        saved_at = self._wall.at(now)[0]
        self._wearers.keep_session(self.session.to_dict() | {"saved_at": saved_at})

    def _say(
        self, now: float, event: str, state: State, detail: str, measured: dict[str, float],
        by: str = "",
    ) -> Record:  # fmt: skip
        return self._policy.of_session(now, event, state, detail, measured, by)
