"""`python -m tests.virtual_pi.player SCENE CONFIG LOG`: plays what is soldered to the virtual Pi.

The chips, the world and the wearer are those of `device/sources`, as the fault tests have them;
they hang on the kernel's bus and pins here, and live in real time: whatever is asked of them, they
have lived until that moment. The wearer stands until standard input has a line, or has ended.
"""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from device.clock import MonotonicClock
from device.config import Config
from device.settings import load
from device.sources.scenarios import SCENARIOS
from device.sources.simulated import Bench
from device.sources.world import World
from tests.virtual_pi.rig import Level, Rig, Transfer
from tests.virtual_pi.scenes import RESTLESS, SCENES, Scene

TURN_S = 0.005  # s at most between looks at the button and at the pulses of the motor
PULSE_S = 0.012  # s without an edge, after which the motor's pin is not pulsing (it has 200 Hz)
RISE_S = 0.001  # s from now to the rise of an echo, so that the kernel never makes it late
STANDING_S = 0.05  # s of standing between looks for the word to go


class Pulses:
    """The duty [0..1] of a pin that pulses, from its edges."""

    def __init__(self) -> None:
        self._high, self._rise, self._fall, self._edge = False, 0.0, 0.0, 0.0
        self.duty = 0.0
        self.since = 0.0  # s, first rise after a rest

    def edge(self, high: bool, t: float) -> None:
        if high:
            if self.duty and self._fall > self._rise:
                self.duty = (self._fall - self._rise) / (t - self._rise)
            elif not self.duty:
                self.duty, self.since = 1.0, t  # until it falls again
            self._rise = t
        else:
            self._fall = t
        self._high, self._edge = high, t

    def settle(self, now: float) -> None:
        if now - self._edge > PULSE_S:
            self.duty = float(self._high)


class Player:
    def __init__(self, scene: Scene, config: Config, rig: Rig, log: Any) -> None:
        self._clock, self._config, self._rig, self._log = MonotonicClock(), config, rig, log
        self._going = False
        self._scene = scene
        self._duty = 0.0
        self._pulses = Pulses()
        self._pressed = False
        self.bench = Bench(config, self._script, self._clock)
        self._recorded: Any = None
        if scene.recording:
            from tests.virtual_pi.recorded import Recorded

            self._recorded = Recorded(*scene.recording)
            self.bench.imu._motion = self._recorded.motion
        rig.edge(config.button.pin, True)  # its pull-up
        rig.edge(config.ranger.echo_pin, False)

    def play(self) -> None:
        """For ever, or until standard input is closed."""
        while True:
            for event in self._rig.events(TURN_S):
                if isinstance(event, Level):
                    self._level(event)
                else:
                    self._transfer(event)
                self._motor(self._clock.now())
            now = self._clock.now()
            self.bench.catch_up()
            self._pulses.settle(now)
            self._motor(now)
            if (pressed := self.bench.world.pressed(now)) != self._pressed:
                self._pressed = pressed
                self._rig.edge(self._config.button.pin, not pressed)
            if not self._going and select.select([sys.stdin], [], [], 0)[0]:
                self._going = True
                self.tell("going")

    def tell(self, what: str, **more: Any) -> None:
        self._log.write(json.dumps({"t": self._clock.now(), "what": what, **more}) + "\n")
        self._log.flush()

    def _script(self, world: World) -> Generator[None, float, None]:
        while not self._going:
            yield from world.wearer.stand(STANDING_S)
        for fault in self._scene.faults:
            world.after(fault.after, lambda fault=fault: self._throw(fault))
        if self._recorded:
            self._recorded.begun = self._clock.now()
            world.after(self._recorded.impact_s, lambda: self.tell("impact"))
        yield from SCENARIOS[self._scene.scenario].script(world)

    def _throw(self, fault: Any) -> None:
        fault.act(self.bench)
        self.tell(fault.name)

    def _transfer(self, transfer: Transfer) -> None:
        bus = self.bench.open(transfer.bus)
        if bus.stuck:
            return  # nobody answers: the kernel's own time-out ends it
        try:
            bus.i2c_rdwr(*transfer.parts)
        except OSError as error:
            self._rig.answer(transfer, error.errno)
        else:
            self._rig.answer(transfer)

    def _level(self, level: Level) -> None:
        if level.line == self._config.motor.pin:
            self._pulses.edge(level.high, level.t)
        elif level.line == self._config.ranger.trigger_pin and not level.high:
            self.bench.catch_up()
            edges = self.bench.ranger.trigger(level.t)
            if edges:
                late = max(0.0, self._clock.now() + RISE_S - edges[0][0])
                for t, high in edges:
                    self._rig.edge(self._config.ranger.echo_pin, high, t + late)

    def _motor(self, now: float) -> None:
        """The wearer feels it, and what starts and ends is kept."""
        world, pin = self.bench.world, self._config.motor.driver == "pwm"
        if pin and abs(self._pulses.duty - world._duty) > 0.05:
            world.drive(self._pulses.duty)
        if world._duty != self._duty:
            if not self._duty or not world._duty:
                wearer = world.wearer
                since = self._pulses.since if pin and world._duty else now
                self.tell("motor", since=since, on=world._duty > 0, touches=wearer.touches)
            self._duty = world._duty


def main() -> None:
    name, config, log = sys.argv[1:]
    with Path(log).open("w") as out:
        Player((SCENES | {"restless": RESTLESS})[name], load(Path(config)), Rig(), out).play()


if __name__ == "__main__":
    main()
