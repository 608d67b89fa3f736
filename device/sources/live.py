"""The real belt: the kernel's I2C bus and the Pi's own pins."""

from __future__ import annotations

import os
from typing import Any

from gpiozero.exc import GPIOZeroError
from smbus2 import SMBus

from device.clock import Clock
from device.config import Config
from device.drivers.imu import ChipError
from device.drivers.motor import Motor
from device.sources.belt import BeltSource, assemble


class HardwareMissingError(Exception):
    """What is not there and what to do about it, in one line."""


def live(config: Config, clock: Clock) -> tuple[BeltSource, Motor]:
    """The belt this runs on. Raises HardwareMissingError.

    `clock` is not needed: real hardware lives in real time.
    """
    bus = _bus(config)
    pins = _pins(config)
    try:
        return assemble("live", config, bus, pins)
    except OSError as error:
        raise HardwareMissingError(
            f"no motion sensor on I2C bus {config.imu.bus} ({error.strerror or error}): "
            f"check its wiring, then `i2cdetect -y {config.imu.bus}`"
        ) from error
    except ChipError as error:
        raise HardwareMissingError(f"{error}: set [imu] address, or change the board") from error
    except GPIOZeroError as error:
        raise HardwareMissingError(f"a pin cannot be used: {error}: check the pins set") from error


def motor(config: Config) -> Motor:
    """The belt's motor alone. Raises HardwareMissingError."""
    try:
        return Motor(_pins(config), config.motor.pin)
    except GPIOZeroError as error:
        raise HardwareMissingError(f"a pin cannot be used: {error}: check the pins set") from error


def _bus(config: Config) -> Any:
    try:
        return SMBus(config.imu.bus)
    except OSError as error:
        raise HardwareMissingError(
            f"no I2C bus /dev/i2c-{config.imu.bus} ({error.strerror or error}): "
            "`sudo raspi-config nonint do_i2c 0`, or set [imu] bus"
        ) from error


def _pins(config: Config) -> Any:
    """gpiozero's lgpio back end, by name: what it would choose by itself depends on the machine.

    lgpio keeps a notification file in LG_WD, by default the working directory (gpiozero #1106).
    """
    os.environ.setdefault("LG_WD", str(config.belt.run_dir))
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 — only on a Pi
    except ImportError as error:
        raise HardwareMissingError(
            "the pins cannot be reached: lgpio is not installed; `sudo apt install python3-lgpio`"
        ) from error
    try:
        return LGPIOFactory()
    except Exception as error:  # lgpio.error derives from Exception itself
        raise HardwareMissingError(
            f"the pins cannot be reached ({error}): add this user to the group gpio"
        ) from error
