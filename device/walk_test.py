"""One trial of the 3-metre backward walk test, guided by buzzes and timed by the belt from "go".

The wearer stands with their back to a wall and walks to it at their own safe pace. Where the wall
is within the rear sensor's reach from the start, it measures the whole way. But 3 m and the room to
stop are more than an HC-SR04 sees. What the wall does not measure is reckoned, and the result says
so, with the range that it is true within:

- the wall comes into reach on the way: the first part by the pace of the rest and what this
  wearer's first steps lose in setting off, learnt on a wall before;
- the wall is lost on the way: the rest by steps calibrated on the part that was seen;
- no wall at all: no time. Steps as they were on a wall before tell the wearer when to stop; but
  from one walk to the next they differ by more than a time may be off.

A time is a screening figure, never a diagnosis: cut_offs.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median

from device.dose import STILL
from device.frames import Echo, Frame
from device.stride import Stride
from device.trace import SEEN, STEADY_AFTER_S, crossing, follows, interval, line, onset, span, where

LENGTH_M = 3.0
NEAREST_M = 2.0  # m of wall at the start: from nearer there is nothing to learn
STEADY_S = 2.0  # s of standing before "go"
WALL_S = 1.5  # s of pings that say where the wall is
READY_S, WALK_S = 60.0, 30.0  # s of patience: to stand still, to walk
STOPPED_S = 0.3  # s a warning may come before the finish: nobody has slowed down by then
LAST_S = 0.2  # s after that, in which a step ends as it was begun
AFTER_S = 1.0  # s listened on after the finish
DELAY_S = (1.0, 2.5)  # s from standing still to "go": nobody can guess it
MOVED = 0.45  # m/s² off the weight that is setting off
SET_OFF_M = 0.8  # m in which a walk becomes steady
SPAN_M = 0.4  # m of the way that the wall is seen over, for its speed to be that of the whole
LOST_S = 0.5  # s without a ping of a wall that was seen: it is out of reach
TIMED_S = 0.03  # s, s.d. of a moment that the wall gives, or the body in setting off
LOSES_S = 0.04  # s, s.d. of what setting off costs, from one walk to the next
PACE = 0.015  # s.d. of the pace of a part of the way beside another part, a share of it
LENGTH = 0.043  # s.d. of a few steps' length beside that of others, a share; set by hand
BEST_M = 6.0  # m from a wall: up to 1.2 m/s it is seen in time, and not warned of too early
GO = "go"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one: a time, or only something learnt, or why neither."""

    time_s: float = math.nan
    off_s: float = math.nan  # the time is true within this, 19 times in 20
    distance_m: float = math.nan  # walked, as far as it is known
    wall_m: float = math.nan  # of them, what the wall measured
    steps: int = 0
    how: str = ""  # how the distance was known, or what was wrong
    learnt: tuple[float, float, float] | None = None  # steps/min, m a step, s lost in setting off
    # (NaN: not seen)


@dataclass(slots=True)
class _Run:
    """What was heard since "go"."""

    go: float  # s
    onset: float = math.nan  # s, when the body set off
    shaking: list[tuple[float, float]] = field(default_factory=list)  # s, m/s² off the weight
    pings: list[tuple[float, float]] = field(default_factory=list)  # s, m
    contacts: list[float] = field(default_factory=list)  # s
    warned: float = math.inf  # s, of the first warning
    arrived: float = math.inf  # s, when the finish was felt


class WalkTest:
    """Feed it every tick. `start_loss`: s this wearer loses in setting off; NaN: not learnt."""

    def __init__(
        self, now: float, stride: Stride, start_loss: float, random: Random,
        feel: Callable[[str, float], float | None],
    ) -> None:  # fmt: skip
        self._stride, self._loss, self._random, self._feel = stride, start_loss, random, feel
        self._until = now + READY_S
        self._still_since = math.inf
        self._heard: list[tuple[float, float]] = []  # s, m (infinity: nothing in range), standing
        self._weight = 9.81  # m/s², standing
        self._go_at = math.inf
        self._wall = math.nan  # m from the start; infinity: beyond reach
        self._run: _Run | None = None

    @property
    def running(self) -> bool:
        return self._run is not None

    def step(self, now: float, frames: Sequence[Frame], warning: bool) -> Trial | None:
        """A tick; `warning`: an obstacle is told now. The trial when it is over."""
        for frame in frames:
            if self._run:
                self._follow(self._run, frame)
            else:
                self._settle(now, frame)
        if self._run:
            return self._walk(now, self._run, warning)
        return self._ready(now)

    # --- before "go" ---

    def _settle(self, now: float, frame: Frame) -> None:
        if frame.direction != STILL:
            self._still_since, self._go_at = math.inf, math.inf
            self._heard.clear()
            return
        self._still_since = min(self._still_since, frame.t)
        if math.isfinite(weight := math.hypot(frame.ax, frame.ay, frame.az)):
            self._weight += 0.02 * (weight - self._weight)
        if frame.ping_echo == Echo.DISTANCE:
            self._heard.append((frame.ping_t, frame.ping_range))
        elif frame.ping_echo == Echo.NOTHING_IN_RANGE:
            self._heard.append((frame.ping_t, math.inf))
        self._heard = [h for h in self._heard if h[0] > now - WALL_S]

    def _ready(self, now: float) -> Trial | None:
        if now - self._still_since >= STEADY_S and math.isinf(self._go_at):
            self._wall = where(self._heard)
            if self._wall < NEAREST_M:
                return Trial(how=f"the wall is {self._wall:.1f} m behind: stand 3 to 4 m from it")
            if math.isinf(self._wall) and math.isnan(self._loss):
                return Trial(
                    how="no wall is seen, and steps were not learnt yet: stand 3 to 4 m from a wall"
                )
            if math.isfinite(self._wall) or math.isinf(self._wall):
                self._go_at = now + self._random.uniform(*DELAY_S)
        if now >= self._go_at and (begun := self._feel(GO, now)) is not None:
            self._run = _Run(begun)
        if now >= self._until:
            unclear = math.isnan(self._wall) and now - self._still_since >= STEADY_S
            why = "what is behind is no plain wall" if unclear else "nobody stood still"
            return Trial(how=f"{why}: stand still with your back straight to a wall")
        return None

    # --- after it ---

    def _follow(self, run: _Run, frame: Frame) -> None:
        off = math.hypot(frame.ax, frame.ay, frame.az) - self._weight
        if math.isfinite(off):
            run.shaking.append((frame.t, off))
            if math.isnan(run.onset) and abs(off) > MOVED:
                run.onset = frame.t
        if frame.ping_echo == Echo.DISTANCE and follows(run.pings, frame):
            run.pings.append((frame.ping_t, frame.ping_range))
        if frame.step:
            run.contacts.append(frame.step_time)

    def _walk(self, now: float, run: _Run, warning: bool) -> Trial | None:
        if warning:
            run.warned = min(run.warned, now)
        if math.isinf(run.arrived):
            if self._walked(run, now) >= LENGTH_M:
                run.arrived = now
                self._feel(GO, now)
            elif now - run.warned > AFTER_S + 1.0 or now - run.go > WALK_S:
                return self._judge(run)
        elif now - run.arrived > AFTER_S:
            return self._judge(run)
        return None

    def _walked(self, run: _Run, now: float) -> float:
        """m walked by now, as far as it is known while walking."""
        if math.isfinite(self._wall):
            if not run.pings:
                return 0.0
            at, seen = self._seen(run)
            return seen + (self._lost_speed(run, now) or 0.0) * (now - at)
        if found := self._unseen(run):
            return found[0] * (now - found[1])
        return self._stride.usual_m * len(run.contacts)

    def _seen(self, run: _Run) -> tuple[float, float]:
        """(s, m walked by then), as the newest pings of a wall have it."""
        newest = run.pings[-3:]
        return median(t for t, _ in newest), self._wall - median(r for _, r in newest)

    def _lost_speed(self, run: _Run, now: float) -> float | None:
        """m/s since a wall that was seen is out of reach; None: it is not."""
        last = run.pings[-1][0]
        learnt = self._learn(run)
        if now - last < LOST_S or learnt is None:
            return None
        pace = self._pace(run, last - STEADY_AFTER_S, now)
        return learnt[1] / pace if pace > 0.0 else learnt[0] * learnt[1] / 60.0

    def _unseen(self, run: _Run) -> tuple[float, float] | None:
        """(m/s, s of the start as if there were no setting off), of a start out of reach."""
        pings = self._walking(run)
        if math.isnan(run.onset) or span(pings) < SPAN_M:
            return None
        speed = -line(pings)[0]
        return (speed, run.onset + self._loss) if speed > 0.05 else None

    def _walking(self, run: _Run) -> list[tuple[float, float]]:
        """The pings of the wall before anybody can have answered the finish or a warning."""
        end = min(run.arrived, run.warned) + STOPPED_S
        return [p for p in run.pings if p[0] < end]

    def _pace(self, run: _Run, begin: float, end: float) -> float:
        """s a step, of the steady ones from `begin` to `end` [s]; NaN while there are too few."""
        steps = [t for t in run.contacts if begin < t < end]
        late = len(steps) > 3 and steps[0] == run.contacts[0]  # the first hardly throws the body up
        return interval(steps[late:])

    # --- the result ---

    def _judge(self, run: _Run) -> Trial:
        steps = len(run.contacts)
        if math.isnan(run.onset) or steps < 3:
            return Trial(how="nobody walked: walk backward when you feel the long buzz")
        run.onset = onset(run.shaking, run.onset, min(run.arrived, run.warned))
        if math.isinf(self._wall):
            return self._from_afar(run, steps)
        walked = self._wall - min(r for _, r in run.pings) if run.pings else 0.0
        learnt = self._learn(run)
        crossed = crossing(run.pings, self._wall - LENGTH_M)
        if math.isnan(crossed) and math.isinf(run.warned) and (found := self._outlived(run)):
            return found
        if math.isnan(crossed) or run.warned < crossed - STOPPED_S:
            what = (
                f"learnt; stand {BEST_M:.0f} m from it" if learnt else "not learnt; again, from 4 m"
            )
            return Trial(
                distance_m=walked, wall_m=walked, steps=steps, learnt=learnt,
                how=f"warned of the wall after {walked:.1f} m: your steps are {what}",
            )  # fmt: skip
        return self._timed(run, crossed, LENGTH_M, 0.0, "on the wall all the way", learnt)

    def _outlived(self, run: _Run) -> Trial | None:
        """The wall was lost on the way, and the walk went on."""
        lost = math.isfinite(run.arrived) and len(run.pings) > 0
        speed = self._lost_speed(run, run.arrived) if lost else None
        if speed is None:
            return None
        at, seen = self._seen(run)
        lasts = (LENGTH_M - seen) / speed
        how = f"{seen:.1f} m on the wall, the rest by steps calibrated on it"
        return self._timed(run, at + lasts, seen, LENGTH * lasts, how, self._learn(run))

    def _from_afar(self, run: _Run, steps: int) -> Trial:
        """The wall was out of reach at the start."""
        found = self._unseen(run)
        if found is None:
            why = "no wall came within reach in time"
            return Trial(how=f"{why}: stand {BEST_M:.0f} m from one, your back to it", steps=steps)
        speed, start = found
        crossed = start + LENGTH_M / speed
        if run.warned < crossed - STOPPED_S:
            short = speed * (crossed - run.warned)
            why = f"warned of the wall before the finish: stand {short + 0.3:.1f} m farther off"
            return Trial(how=why, steps=steps)
        pings = self._walking(run)
        unseen = min(speed * (pings[0][0] - start), LENGTH_M)
        how = f"{unseen:.1f} m by pace and first steps learnt on a wall, the rest on the wall"
        pace = self._pace(run, pings[0][0] - 1.0, pings[-1][0])
        learnt = (60.0 / pace, speed * pace, math.nan) if pace > 0.0 else None
        doubt = math.hypot(LOSES_S, PACE * unseen / speed)
        return self._timed(run, crossed, LENGTH_M - unseen, doubt, how, learnt)

    def _timed(
        self, run: _Run, crossed: float, wall: float, doubt: float, how: str,
        learnt: tuple[float, float, float] | None = None,
    ) -> Trial:  # fmt: skip
        """The finish was `crossed` [s]; `doubt`: s.d. [s] of what the wall did not measure."""
        off = 2.0 * math.hypot(TIMED_S, doubt)
        steps = len(run.contacts)
        return Trial(crossed - run.go, off, LENGTH_M, wall, steps, how, learnt)

    def _learn(self, run: _Run) -> tuple[float, float, float] | None:
        """Cadence, step length and what setting off costs, of the steady part before a wall."""
        end = min(run.warned, run.arrived) + STOPPED_S
        steady = [p for p in run.pings if p[1] < self._wall - SET_OFF_M and p[0] < end]
        if len(steady) < SEEN:
            return None
        slope, offset = line(steady)
        pace = self._pace(run, steady[0][0] - 1.0, end + LAST_S)
        if slope > -0.05 or math.isnan(pace):
            return None
        return 60.0 / pace, -slope * pace, (self._wall - offset) / slope - run.onset
