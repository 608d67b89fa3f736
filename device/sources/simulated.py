"""A simulated belt: the real drivers, on a bus and pins behind which a world lives."""

from __future__ import annotations

import math

from device.clock import Clock
from device.config import Config
from device.drivers.motor import Motor
from device.sources.belt import BeltSource, assemble
from device.sources.chips import Hcsr04Chip, SimulatedBus
from device.sources.imu_chips import Lsm6dsoxChip, Mpu6050Chip
from device.sources.pins import ButtonPin, EchoPin, MotorPin, SimulatedPins, TriggerPin
from device.sources.scenarios import SCENARIOS
from device.sources.world import Script, World


class Bench:
    """A world with a belt's electronics in it: `bus` and `pins` for drivers, faults to throw."""

    def __init__(self, config: Config, script: Script, clock: Clock, seed: int = 1) -> None:
        """The motion sensor is the one that belongs to [imu] address; at 0 an LSM6DSOX."""
        self._clock = clock
        pitch = math.radians(config.ranger.pitch_deg)
        self.world = World(script, clock.now(), seed, pitch)
        address = config.imu.address or 0x6A
        chip = Mpu6050Chip if address in (0x68, 0x69) else Lsm6dsoxChip
        self.imu: Lsm6dsoxChip | Mpu6050Chip = chip(self.world.imu, seed)
        self.ranger = Hcsr04Chip(self.world.distance)
        self.bus = SimulatedBus({address: self.imu}, self.catch_up)
        self.pins = SimulatedPins(
            {
                config.ranger.trigger_pin: TriggerPin,
                config.ranger.echo_pin: EchoPin,
                config.motor.pin: MotorPin,
                config.button.pin: ButtonPin,
            },
            now=clock.now,
            catch_up=self.catch_up,
            trigger=self.ranger.trigger,
            drive=self.world.drive,
            pressed=self.world.pressed,
        )

    def catch_up(self) -> None:
        """Whatever should have happened by now has happened."""
        now = self._clock.now()
        self.imu.advance(now)
        self.world.advance(now)
        if not self.world.ranger_plugged:
            self.ranger.fault = "unplugged"
        elif self.ranger.fault == "unplugged":
            self.ranger.fault = ""


def simulated(config: Config, scenario: str, clock: Clock) -> tuple[BeltSource, Motor]:
    """A belt in one of SCENARIOS, living in the time of `clock`. Raises KeyError for another."""
    bench = Bench(config, SCENARIOS[scenario].script, clock)
    return assemble("simulated:" + scenario, config, bench.bus, bench.pins)
