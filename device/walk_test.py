"""One trial of the 3-metre backward walk test, guided by buzzes and timed by the belt from "go".

The wearer stands with their back to a wall and walks to it at their own safe pace. Where the wall
is within the rear sensor's reach from the start, it measures the whole way. But 3 m and the room to
stop are more than an HC-SR04 sees: from farther off, the first part is reckoned with the pace of
the rest and with what this wearer's first steps lose in setting off, learnt on a wall before; the
result says so. Steps alone, with no wall in reach before the finish, are some tenths of a second
uncertain: they tell the wearer where the finish is, and give no time.

A time is a screening figure, never a diagnosis; two published cut-offs disagree, and both are told:
V. Carter et al., "The 3-m backward walk and retrospective falls", J. Geriatr. Phys. Ther. 42
(2019): below 3.0 s few, above 4.5 s most had fallen; and a study of 483 people: 5.5 s, area under
the curve 0.655.
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
LOW_S, HIGH_S, OTHER_S = 3.0, 4.5, 5.5  # s, the cut-offs
NEAREST_M = 2.0  # m of wall at the start: from nearer there is nothing to learn
STEADY_S = 2.0  # s of standing before "go"
WALL_S = 1.5  # s of pings that say where the wall is
READY_S, WALK_S = 60.0, 30.0  # s of patience: to stand still, to walk
STOPPED_S = 0.3  # s a warning may come before the finish: nobody has slowed down by then
AFTER_S = 1.0  # s listened on after the finish
DELAY_S = (1.0, 2.5)  # s from standing still to "go": nobody can guess it
MOVED = 0.45  # m/s² off the weight that is setting off
SET_OFF_M = 0.8  # m in which a walk becomes steady
SPAN_M = 0.5  # m of the way that the wall is seen over, for its speed to be that of the whole
GO = "go"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one: a time, or only something learnt, or why neither."""

    time_s: float = math.nan
    distance_m: float = math.nan  # walked, as far as the wall knows
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
            recent = [r for _, r in run.pings[-3:]]
            return self._wall - median(recent) if recent else 0.0
        found = self._unseen(run)
        return found[0] * (now - found[1]) if found else 0.0

    def _unseen(self, run: _Run) -> tuple[float, float] | None:
        """(m/s, s of the start as if there were no setting off), of a start out of reach."""
        if math.isnan(run.onset):
            return None
        pings = self._walking(run)
        speed = -line(pings)[0] if span(pings) >= SPAN_M else self._by_steps(run)
        return (speed, run.onset + self._loss) if speed > 0.05 else None

    def _walking(self, run: _Run) -> list[tuple[float, float]]:
        """The pings of the wall before anybody can have answered the finish or a warning."""
        end = min(run.arrived, run.warned) + STOPPED_S
        return [p for p in run.pings if p[0] < end]

    def _by_steps(self, run: _Run) -> float:
        """m/s, of the wearer's step length at this cadence; NaN while there are too few."""
        begin, end = run.onset + STEADY_AFTER_S, min(run.arrived, run.warned) + STOPPED_S
        pace = interval([t for t in run.contacts if begin < t < end])
        return self._stride.length(60.0 / pace) / pace

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
        if math.isnan(crossed) or run.warned < crossed - STOPPED_S:
            more = LENGTH_M + 1.0 - walked
            return Trial(
                distance_m=walked, steps=steps, learnt=learnt,
                how=f"warned of the wall after {walked:.1f} m: your steps are "
                f"{'learnt' if learnt else 'not learnt'}; stand {max(more, 0.5):.1f} m farther off",
            )  # fmt: skip
        return Trial(crossed - run.go, LENGTH_M, steps, "on the wall all the way", learnt)

    def _from_afar(self, run: _Run, steps: int) -> Trial:
        """The wall was out of reach at the start."""
        found = self._unseen(run)
        if found is None:
            return Trial(how="nobody walked on: try again", steps=steps)
        speed, start = found
        crossed = start + LENGTH_M / speed
        pings = self._walking(run)
        if run.warned < crossed - STOPPED_S:
            short = speed * (crossed - run.warned)
            why = f"warned of the wall before the finish: stand {short + 0.3:.1f} m farther off"
            return Trial(how=why, steps=steps)
        if span(pings) < SPAN_M:
            why = "no wall within reach before the finish: stand nearer, 5 to 6.5 m off"
            return Trial(how=why, steps=steps)
        unseen = min(speed * (pings[0][0] - start), LENGTH_M)
        how = f"{unseen:.1f} m by pace and first steps learnt on a wall, the rest on the wall"
        pace = interval([t for t in run.contacts if pings[0][0] - 1.0 < t < pings[-1][0]])
        learnt = (60.0 / pace, speed * pace, math.nan) if pace > 0.0 else None
        return Trial(crossed - run.go, LENGTH_M, steps, how, learnt)

    def _learn(self, run: _Run) -> tuple[float, float, float] | None:
        """Cadence, step length and what setting off costs, of the steady part before a wall."""
        end = min(run.warned, run.arrived) + STOPPED_S
        steady = [p for p in run.pings if p[1] < self._wall - SET_OFF_M and p[0] < end]
        if len(steady) < SEEN:
            return None
        slope, offset = line(steady)
        pace = interval([t for t in run.contacts if steady[0][0] - 1.0 < t < end])
        if slope > -0.05 or math.isnan(pace):
            return None
        return 60.0 / pace, -slope * pace, (self._wall - offset) / slope - run.onset


def words(time: float) -> str:
    """What a time [s] says as a screening figure, and what it does not."""
    carter = (
        f"below {LOW_S} s: low risk" if time < LOW_S
        else f"above {HIGH_S} s: high risk" if time > HIGH_S
        else f"between {LOW_S} and {HIGH_S} s: neither"
    )  # fmt: skip
    other = "above" if time > OTHER_S else "not above"
    return (
        f"{time:.2f} s; Carter {carter}; n = 483 (area under the curve 0.655): {other} {OTHER_S} s;"
        " a screening figure, no diagnosis"
    )
