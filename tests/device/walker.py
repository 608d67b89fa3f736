"""A simulated wearer before the real drivers, core, policy and practice; truth at hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device.alerts import Record, State
from device.config import Config, Wearer
from device.core import Core
from device.frames import Guard
from device.haptics import Haptics
from device.policy import Policy
from device.sources.belt import assemble
from device.sources.simulated import Bench
from device.sources.targets import wall
from device.sources.wearer import Act
from device.sources.world import World
from tests.device.virtual import Clock, practice

TICK = 0.01


class Walker:
    """One belt on one simulated body; `records` is what practice told."""

    def __init__(self, folder: Path, script: Callable[[World], Act], seed: int = 1) -> None:
        config = Config()
        self.clock = Clock()
        self.bench = Bench(config, script, self.clock, seed)
        self.source, motor = assemble("walker", config, self.bench.open, self.bench.pins)
        self.core = Core(self.source.fs, has_ranger=1.0)
        self.policy = Policy(Wearer(), "belt", "run1", "simulated:test")
        self.haptics = Haptics(motor, 1.0)
        self.practice = practice(self.policy, self.haptics, folder)
        self.records: list[Record] = []
        self.sample = -1

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = self.clock.t + seconds
        while self.clock.t < end and not until():
            self.clock.t += TICK
            now = self.clock.t
            frames = self.source.read(now)
            for frame in frames:
                self.sample += 1
                if frame.ping_echo >= 0:
                    self.core.ping(frame.ping_t, frame.ping_range, frame.ping_echo)
                judged = self.core.step(frame)
                for record in self.policy.judge(now, self.sample, judged, frame):
                    if record.event == "obstacle" and record.state == State.RAISED:
                        self.haptics.feel("stop" if record.level == "stop" else "approach", now)
            self.records += self.practice.step(now, frames, Guard.FULL)
            self.haptics.update(now, self.policy.felt(), self.policy.time_left)

    def ask(self, command: str, **arguments: Any) -> Record:
        """The result of a command; what else it brought is in `records`."""
        request = {"command": command, "request": "r", "by": "http", **arguments}
        *told, result = self.practice.command(self.clock.t, request, "")
        self.records += told
        return result


class Trial:
    """One walk test: the wearer stands `off` [m] from a wall and goes at `speed` [m/s] at "go"."""

    def __init__(self, folder: Path, speed: float, off: float, seed: int, walker: Any = None):
        self.start = self.went = math.nan
        self.walker = Walker(folder, self.script, seed)
        self.speed, self.off = speed, off
        if walker is not None:  # the same person as before
            self.walker.practice._wearers.current.stride = walker.practice._wearers.current.stride
            loss = walker.practice._wearers.current.start_loss
            self.walker.practice._wearers.current.start_loss = loss

    def script(self, world: World) -> Act:
        wearer = world.wearer
        yield from wearer.stand(0.1)
        world.scene.targets = [wall(wearer.x - self.off)]
        yield from wearer.wait_for_buzz(0.25, 70.0)
        self.start = wearer.x
        wearer._phase += world.random.choice((0.0, math.pi))  # either leg goes first
        yield from wearer.stand(world.random.uniform(0.15, 0.35))
        yield from wearer.walk(-self.speed, 30.0)
        yield from wearer.stop()
        while True:
            yield from wearer.stand(60.0)

    def walk(self) -> Record:
        """The record of the trial. `truth` is then what a referee's watch would have shown."""
        it = self.walker
        it.run(3.0)
        assert it.ask("walk_test").state == "confirmed"
        felt = it.practice._trials._feel
        go: list[float] = []

        def note(name: str, now: float) -> float | None:
            begun = felt(name, now)
            if begun is not None:
                go.append(begun)
            return begun

        assert it.practice._trials._test is not None
        it.practice._trials._test._feel = note
        self.truth = math.nan

        def over() -> bool:
            if go and math.isnan(self.truth) and it.bench.world.wearer.x <= self.start - 3.0:
                self.truth = it.clock.t - go[0]
            return not it.practice._trials.under_way

        it.run(80.0, over)
        return it.records[-1]
