"""The walk test as it is told: trials in sets of three, what they teach, how well they repeat."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from statistics import mean, stdev

from device.alerts import Level, Record, State
from device.cut_offs import words
from device.frames import Frame
from device.policy import Policy
from device.walk_test import Trial, WalkTest
from device.wearers import Wearers

SET = 3  # trials of one test
SET_S = 3600.0  # s within which they belong together


class Trials:
    """One trial a command; `stride` and the loss in setting off are learnt on the way."""

    def __init__(
        self, wearers: Wearers, policy: Policy, feel: Callable[[str, float], float | None],
        random: Random,
    ) -> None:  # fmt: skip
        self._wearers, self._policy, self._feel, self._random = wearers, policy, feel, random
        self._test: WalkTest | None = None
        self._by = ""
        self._times: list[tuple[float, float]] = []  # s when, s walked: the set under way
        self._of = ""  # whose they are

    @property
    def under_way(self) -> bool:
        return self._test is not None

    def begin(self, now: float, by: str) -> None:
        one = self._wearers.current
        loss = math.nan if one.start_loss is None else one.start_loss
        self._by = by
        self._test = WalkTest(now, one.stride, loss, self._random, self._feel)

    def break_off(self, now: float, why: str) -> list[Record]:
        if self._test is None:
            return []
        self._test = None
        return [self._say(now, State.CANCELLED, why, {})]

    def step(self, now: float, frames: Sequence[Frame], guarding: bool) -> list[Record]:
        """A tick; the record of a trial that is over."""
        if self._test is None:
            return []
        if not guarding:
            return self.break_off(now, "the belt does not guard fully: mend that first")
        warning = self._policy.level_of("obstacle") >= Level.WARNING
        trial = self._test.step(now, frames, warning)
        if trial is None:
            return []
        self._test = None
        self._learn(trial)
        return [self._told(now, trial)]

    def _learn(self, trial: Trial) -> None:
        if trial.learnt is None:
            return
        cadence, length, loss = trial.learnt
        one = self._wearers.current
        if one.stride.learn(cadence, length):
            if math.isfinite(loss):
                known = loss if one.start_loss is None else one.start_loss
                one.start_loss = (known + loss) / 2.0
            self._wearers.keep_gait()

    def _told(self, now: float, trial: Trial) -> Record:
        measured = {
            "steps": float(trial.steps), "distance_m": trial.distance_m,
            "on_wall_m": trial.wall_m, "uncertain_s": trial.off_s,
        }  # fmt: skip
        measured = {name: round(v, 3) for name, v in measured.items() if math.isfinite(v)}
        if math.isnan(trial.time_s):
            return self._say(now, State.CANCELLED, trial.how, measured)
        self._count(now, trial.time_s)
        times = [walked for _, walked in self._times]
        measured |= {"time_s": round(trial.time_s, 3), "trial": float(len(times))}
        said = f"{words(trial.time_s, trial.off_s)}; {trial.how}"
        if len(times) == SET:
            measured |= {"mean_s": round(mean(times), 3), "sd_s": round(stdev(times), 3)}
            said += f"; three trials: {mean(times):.2f} ± {stdev(times):.2f} s"
        return self._say(now, State.CONFIRMED, said, measured)

    def _count(self, now: float, time_s: float) -> None:
        """A set ends with its third trial, with an hour, and with its wearer."""
        name = self._wearers.current.name
        old = self._times and now - self._times[0][0] > SET_S
        if len(self._times) >= SET or old or name != self._of:
            self._times.clear()
        self._of = name
        self._times.append((now, time_s))

    def _say(self, now: float, state: State, detail: str, measured: dict[str, float]) -> Record:
        return self._policy.of_session(now, "walk_test", state, detail, measured, self._by)
