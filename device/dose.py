"""What has been walked: seconds backward and forward, steps, distance, lean, sway, steadiness.

A walk is measured from contact to contact, with half a step before its first and half a step after
its last; what the core hears only later (which way it goes) is counted then, from the walk's
beginning. So the totals do not pay for the core's caution, and standing never counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from statistics import median
from typing import Any, NamedTuple, Self

from device.frames import Frame
from device.stride import Stride

BACKWARD, STILL, FORWARD = -1, 0, 1  # rg_direction
LONGEST = 1.5  # s between contacts of one walk: steps.c ends it there
DT_MOST = 0.1  # s a frame stands for at most: a hole in the data is no time walked
WINDOW = 30  # backward steps over which steadiness is taken


class Window(NamedTuple):
    """Steadiness over WINDOW backward steps."""

    step_time_cv: float  # of the step time; a limp (left unlike right) is none
    sway_m_s2: float
    cadence_steps_min: float
    lean_rad: float


@dataclass(slots=True)
class Totals:
    """Sums since a session's start; survives a restart as it is."""

    elapsed_s: float = 0.0
    dose_s: float = 0.0  # walking backward
    forward_s: float = 0.0
    standing_s: float = 0.0
    steps: int = 0  # backward
    distance_m: float = 0.0  # backward
    measured_m: float = 0.0  # of them, by steps whose length a wall has measured
    cues: int = 0  # buzzes of warnings and notices
    lean_sum: float = 0.0  # rad s, while walking backward
    sway_sum: float = 0.0
    posture_s: float = 0.0  # s that went into the two
    cv_sum: float = 0.0  # over windows
    windows: int = 0

    def measurements(self, goal_s: float) -> dict[str, float]:
        """As they stand in a record; what is not known yet is left out."""
        said: dict[str, float] = {
            "elapsed_s": self.elapsed_s, "dose_s": self.dose_s, "forward_s": self.forward_s,
            "standing_s": self.standing_s, "steps": self.steps, "distance_m": self.distance_m,
            "measured_m": self.measured_m, "cues": self.cues, "goal_s": goal_s,
        }  # fmt: skip
        if self.steps and self.dose_s > 0.0:
            said["speed_m_s"] = self.distance_m / self.dose_s
            said["cadence_steps_min"] = 60.0 * self.steps / self.dose_s
            said["step_length_m"] = self.distance_m / self.steps
        if self.posture_s > 0.0:
            said["lean_rad"] = self.lean_sum / self.posture_s
            said["sway_m_s2"] = self.sway_sum / self.posture_s
        if self.windows:
            said["step_time_cv"] = self.cv_sum / self.windows
        return {name: round(value, 4) for name, value in said.items()}

    def to_dict(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 4) for name in _SUMS}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """The reverse. Raises KeyError, TypeError or ValueError for what is none."""
        values = {name: float(found[name]) for name in _SUMS}
        if not all(math.isfinite(value) and abs(value) < 1e6 for value in values.values()):
            raise ValueError("a total is a number")
        whole = {name: int(values[name]) for name in ("steps", "cues", "windows")}
        return cls(**(values | whole))  # type: ignore[arg-type]  # three of them are whole


_SUMS = [field.name for field in fields(Totals)]


class Walking:
    """Follows one wearer frame by frame and adds to `totals`."""

    def __init__(self, stride: Stride, totals: Totals | None = None) -> None:
        self.totals = totals or Totals()
        self.windows: list[Window] = []  # those of this run, in order
        self.still_s = 0.0  # s without a step until now
        self.way = STILL  # of the newest step that is known: BACKWARD, FORWARD; STILL: none walks
        self._stride = stride
        self._t = math.nan  # s, of the newest frame
        self._contact = math.nan  # s, of the newest step; NaN: nobody walks
        self._speed = math.nan
        self._pending: list[float] = []  # s, step times whose direction is not known yet
        self._newest = 0.0  # s, the newest step time that was counted
        self._begun = False  # the walk's first half step has been counted
        self._row: list[float] = []  # s, backward step times without a break
        self._swayed = self._leant = self._posture = 0.0  # over the window under way

    def feed(self, frame: Frame) -> None:
        """One frame, in order of time."""
        dt = min(max(frame.t - self._t, 0.0), DT_MOST) if math.isfinite(self._t) else 0.0
        self._t = frame.t
        totals = self.totals
        totals.elapsed_s += dt
        self.still_s += dt
        if frame.direction == STILL:
            totals.standing_s += dt
        elif frame.direction == BACKWARD and math.isfinite(frame.lean + frame.sway):
            self._posture += dt
            self._leant += frame.lean * dt
            self._swayed += frame.sway * dt
            totals.posture_s += dt
            totals.lean_sum += frame.lean * dt
            totals.sway_sum += frame.sway * dt
        if frame.step:
            self.still_s = 0.0
            self._speed = frame.speed
            self._step(frame.step_time)
        if frame.direction in (BACKWARD, FORWARD):
            self._credit(frame.direction)
        elif frame.direction == STILL or self.still_s > LONGEST:
            self._end()

    def finish(self) -> None:
        """The session ends in mid-step: what has been walked since the newest contact counts."""
        since = min(self._t - self._contact, self._newest)
        if self.way == BACKWARD and since > 0.0:
            self.totals.dose_s += since
        elif self.way == FORWARD and since > 0.0:
            self.totals.forward_s += since

    def _step(self, t: float) -> None:
        interval = t - self._contact
        if not 0.0 < interval <= LONGEST:
            self._end()
        else:
            self._pending.append(interval)
        self._contact = t

    def _credit(self, way: int) -> None:
        """The steps that waited go this way."""
        if way != self.way:
            self._row.clear()
        for interval in self._pending:
            self.way, self._newest = way, interval
            whole = interval if self._begun else 1.5 * interval
            steps = 1 if self._begun else 2  # the contact that began the walk is one as well
            self._begun = True
            if way == FORWARD:
                self.totals.forward_s += whole
                continue
            self.totals.dose_s += whole
            self.totals.steps += steps
            length = self._length(interval)
            self.totals.distance_m += length
            self.totals.measured_m += length if self._stride.known else 0.0
            self._row.append(interval)
        self._pending.clear()
        if len(self._row) >= WINDOW:
            self._close_window()

    def _end(self) -> None:
        """Nobody walks any more."""
        if self.way == BACKWARD:
            self.totals.dose_s += 0.5 * self._newest
        elif self.way == FORWARD:
            self.totals.forward_s += 0.5 * self._newest
        self._row.clear()
        self._pending.clear()
        self._contact, self._begun, self.way = math.nan, False, STILL

    def _length(self, interval: float) -> float:
        length = self._stride.length(60.0 / interval)
        if math.isnan(length):  # not calibrated: as the core's speed has it
            length = -self._speed * interval if math.isfinite(self._speed) else 0.0
        return max(length, 0.0)

    def _close_window(self) -> None:
        row, self._row = self._row, []
        usual = median(row)
        twice = [abs(b - a) for a, b in zip(row, row[2:], strict=False)]
        cv = 1.4826 * median(twice) / math.sqrt(2.0) / usual
        seen = max(self._posture, 1e-6)
        window = Window(cv, self._swayed / seen, 60.0 / usual, self._leant / seen)
        self._swayed = self._leant = self._posture = 0.0
        self.windows.append(window)
        self.totals.cv_sum += cv
        self.totals.windows += 1
