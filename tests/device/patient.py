"""A belt in virtual time for doctor and calibration: simulated chips and pins, somebody to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpiozero.exc import GPIOZeroError

from device.config import Battery, Config, Motor
from device.doctor.hands import Hands
from device.drivers.pi_power import PiPower
from device.sources.simulated import Bench
from device.sources.wearer import Act
from device.sources.world import Script, World
from tests.device.virtual import Clock

DRV = Config(motor=Motor(driver="drv2605l"), battery=Battery(gauge="max17048"))
PWM = replace(DRV, motor=Motor())


def still(world: World) -> Act:
    while True:
        yield from world.wearer.stand(60.0)


class Patient:
    """`answers`: what the person says, by the first word of the question; nobody: None."""

    def __init__(
        self, folder: Path, config: Config = DRV, script: Script = still, seed: int = 1
    ) -> None:
        self.config, self.clock = config, Clock()
        self.parts = Bench(config, script, self.clock, seed)
        self.flags = folder / "devices/platform/soc/soc:firmware/get_throttled"
        self.flags.parent.mkdir(parents=True)
        self.flags.write_text("0\n")
        self.folder = folder
        self.answers: dict[str, Callable[[], bool | None]] = {}
        self.open: Callable[[int], Any] = self.parts.open
        self.open_pins: Callable[[], Any] = lambda: self.parts.pins

    @property
    def hands(self) -> Hands:
        def ask(question: str) -> bool | None:
            return self.answers.get(question.split(maxsplit=1)[0], lambda: None)()

        return Hands(
            self.config, self.clock, self.open, self.open_pins,
            PiPower(self.folder), lambda: (GPIOZeroError,), ask,
        )  # fmt: skip

    def put_behind(self, distance: float | None) -> None:
        """Something `distance` [m] behind the rear sensor, whatever it is; None: open space."""
        self.parts.ranger._distance = self.parts.rear._distance = lambda t: distance

    def hold_button(self, down: bool = True) -> bool:
        self.parts.world.wearer.button = down
        return True
