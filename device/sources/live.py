"""The real belt: the kernel's I2C bus and the Pi's own pins."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from typing import Any

from gpiozero.exc import GPIOZeroError

from device.calibration import Calibration
from device.clock import Clock
from device.config import Config
from device.drivers.bus import Bus, PowerSwitch, open_smbus
from device.drivers.drv2605l import Drv2605l
from device.drivers.motor import Motor
from device.frames import HEARD
from device.remedies import REMEDIES
from device.sources.belt import BeltSource, assemble, quiet
from device.sources.worker import BusThread

POWER_UP_TRIES = 5  # transfers that a chip whose power has just come may leave unanswered
HEAR_S, TICK_S = 0.5, 0.01  # s a rear sensor is listened to at the start, and between looks
PATIENCE_S = 0.004  # s the loop waits for a bus at each tick; an ordinary read takes 2 at 100 kHz


class HardwareMissingError(Exception):
    """What is not there and what to do about it, in one line."""

    def __init__(self, what: str, remedy: str) -> None:
        """`remedy`: a key of REMEDIES."""
        super().__init__(f"{what}: {REMEDIES[remedy].remedy}")
        self.what = what


class _NoBusError(OSError):
    """A bus of this number cannot be opened."""


def live(
    config: Config, clock: Clock, calibration: Calibration | None = None
) -> tuple[BeltSource, Any]:
    """The belt this runs on, with what it needs to guard at all: motor, button, and one of the two
    sensors. Raises HardwareMissingError.
    """
    thread = partial(BusThread, patience=PATIENCE_S)
    factory = pins(config)
    try:
        source, motor = assemble(
            "live", config, bus, factory, thread, calibration=calibration, taken=pin_errors()
        )
    except pin_errors() as error:
        raise HardwareMissingError(f"a pin cannot be used ({error})", "no_pins") from error
    if not source.imu and not _looks_back(source, clock):
        why = ", ".join(source.absent())
        source.close()
        motor.close()
        raise HardwareMissingError(f"{why}, and nothing is heard from behind", "no_senses")
    return source, motor


def _looks_back(source: BeltSource, clock: Clock) -> bool:
    """Whether the rear sensor hears anything, be it only that nothing echoes."""
    end = clock.now() + HEAR_S
    while clock.now() < end:
        clock.sleep_until(clock.now() + TICK_S)
        if any(frame.ping_echo in HEARD for frame in source.read(clock.now())):
            return True
    return False


def motor(config: Config) -> Any:
    """The belt's motor alone. Raises HardwareMissingError."""
    try:
        if config.motor.driver == "pwm":
            return Motor(pins(config), config.motor.pin)
        bus(config.imu.bus).close()
        pin = config.imu.power_pin
        switch = PowerSwitch(pins(config), pin) if pin >= 0 else None
        driver = Drv2605l(Bus(lambda: bus(config.imu.bus), switch), lambda job: job())
        for attempt in range(1 if switch is None else POWER_UP_TRIES):
            driver.work(float(attempt))
            if not driver.fault:
                break
    except _NoBusError as error:
        raise HardwareMissingError(str(error.strerror), "no_bus") from error
    except pin_errors() as error:
        raise HardwareMissingError(f"a pin cannot be used ({error})", "no_pins") from error

    if driver.fault:
        raise HardwareMissingError(driver.fault, "motor_driver")
    return driver


def motor_off(config: Config) -> None:
    """Motor and buzzer off, whatever a dead device has left. Raises HardwareMissingError."""
    try:
        quiet(config, bus, lambda: pins(config))
    except _NoBusError as error:
        raise HardwareMissingError(str(error.strerror), "no_bus") from error
    except OSError as error:
        raise HardwareMissingError(
            f"the motor's driver does not answer ({error.strerror or error})", "motor_driver"
        ) from error
    except pin_errors() as error:
        raise HardwareMissingError(f"a pin cannot be used ({error})", "no_pins") from error


def bus(number: int) -> Any:
    """The kernel's bus of that number. Raises OSError."""
    try:
        return open_smbus(number)
    except OSError as error:
        raise _NoBusError(
            error.errno, f"no I2C bus /dev/i2c-{number} ({error.strerror})"
        ) from error


def pin_errors() -> tuple[type[Exception], ...]:
    """What a pin that cannot be had raises; lgpio's own error is none of gpiozero's."""
    lgpio = sys.modules.get("lgpio")
    return (GPIOZeroError, lgpio.error) if lgpio else (GPIOZeroError,)


def pins(config: Config) -> Any:
    """gpiozero's lgpio back end, by name: what it would choose by itself depends on the machine.

    lgpio keeps a notification file in LG_WD, by default the working directory (gpiozero #1106), and
    cannot do without: a folder for all where no device has made its own yet, or it is another's.
    """
    own = config.belt.run_dir
    os.environ.setdefault("LG_WD", str(own) if os.access(own, os.W_OK) else tempfile.gettempdir())
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 — only on a Pi
    except ImportError as error:
        raise HardwareMissingError(
            "the pins cannot be reached (lgpio is not installed)", "no_pins"
        ) from error
    try:
        return LGPIOFactory()
    except Exception as error:  # lgpio.error derives from Exception itself
        raise HardwareMissingError(f"the pins cannot be reached ({error})", "no_pins") from error
