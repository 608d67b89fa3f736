"""A simulated belt: the real drivers, on a bus and pins behind which a world lives."""

from __future__ import annotations

import math
from typing import Any

from gpiozero.pins.mock import MockPin

from device.calibration import Calibration
from device.clock import Clock
from device.config import Config
from device.sources.belt import BeltSource, assemble
from device.sources.chips import Hcsr04Chip, SimulatedBus
from device.sources.imu_chips import Lsm6dsoxChip, Mpu6050Chip
from device.sources.pins import ButtonPin, EchoPin, MotorPin, SimulatedPins, TriggerPin
from device.sources.scenarios import SCENARIOS
from device.sources.small_chips import Drv2605lChip, Max17048Chip, Mb1242Chip
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
        self.motor, self.gauge = Drv2605lChip(self.world.drive), Max17048Chip()
        self.bus = SimulatedBus(
            {
                address: self.imu,
                Drv2605lChip.ADDRESS: self.motor,
                Max17048Chip.ADDRESS: self.gauge,
            },
            self.catch_up,
        )
        self.rear = Mb1242Chip(self.world.distance)
        self._rear_bus = SimulatedBus({Mb1242Chip.ADDRESS: self.rear}, self.catch_up)
        self._rear_number = config.ranger.bus
        others = {config.motor.buzzer_pin: MockPin, config.imu.power_pin: MockPin}
        self.pins = SimulatedPins(
            others
            | {
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

    def open(self, number: int) -> SimulatedBus:
        """The bus of that number: the rear sensor's, or else the one with all the rest."""
        return self._rear_bus if number == self._rear_number else self.bus

    def catch_up(self) -> None:
        """Whatever should have happened by now has happened."""
        now = self._clock.now()
        self.imu.advance(now)
        self.motor.advance(now)
        self.rear.advance(now)
        self.world.advance(now)
        if not self.world.ranger_plugged:
            self.ranger.fault = "unplugged"
        elif self.ranger.fault == "unplugged":
            self.ranger.fault = ""
        self.rear.plugged = self.world.ranger_plugged


def simulated(
    config: Config, scenario: str, clock: Clock, calibration: Calibration | None = None
) -> tuple[BeltSource, Any]:
    """A belt in one of SCENARIOS, living in the time of `clock`. Raises KeyError for another."""
    bench = Bench(config, SCENARIOS[scenario].script, clock)
    name = "simulated:" + scenario
    return assemble(name, config, bench.open, bench.pins, calibration=calibration)
