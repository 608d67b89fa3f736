"""What the doctor examines a belt with: its buses, its pins, time, and perhaps a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from device.clock import Clock
from device.config import Config
from device.drivers.bus import PowerSwitch
from device.drivers.pi_power import PiPower

POWER_UP_S = 0.1  # s until the slowest part on the bus answers


class NoPinsError(Exception):
    """The pins cannot be reached at all, and why."""


@dataclass(frozen=True, slots=True)
class Hands:
    """`open_bus` raises OSError, `open_pins` NoPinsError, a pin that is not free one of `taken`."""

    config: Config
    clock: Clock
    open_bus: Callable[[int], Any]
    open_pins: Callable[[], Any]
    supply: PiPower
    taken: Callable[[], tuple[type[Exception], ...]]
    ask: Callable[[str], bool | None]  # a yes or no; None: there is nobody to ask

    @contextmanager
    def powered(self) -> Iterator[None]:
        """With the sensors' power on, where a pin switches it ([imu] power_pin)."""
        pin = self.config.imu.power_pin
        with ExitStack() as held:
            if pin >= 0:
                # a pin that cannot be had is told by who examines the pins
                with suppress(NoPinsError, *self.taken()):
                    held.callback(PowerSwitch(self.open_pins(), pin).close)
                    self.wait(POWER_UP_S)
            yield

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now() + seconds)

    def ticks(self, seconds: float, period: float = 0.01) -> Iterator[float]:
        """The time [s] at each tick of so many seconds; deadlines that have passed are skipped."""
        now = self.clock.now()
        end = now + seconds
        deadline = now
        while deadline < end:
            self.clock.sleep_until(deadline)
            now = self.clock.now()
            yield now
            deadline = max(deadline + period, now)
