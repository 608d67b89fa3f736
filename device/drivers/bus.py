"""One I2C bus that can be opened anew, and the switch that takes its sensors' power away.

A transfer that hangs ends with the adapter's time-out, for a thread in the kernel cannot be called
back. A bus that fails is opened anew at each attempt to set its sensor up again; when that has not
helped for some attempts and there is a switch, the sensors are without power until the next one: a
chip that holds SDA low lets go of it only so. Not for ever: other things hang on that power too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from fcntl import ioctl
from typing import Any

from gpiozero import OutputDevice
from smbus2 import SMBus

I2C_RETRIES, I2C_TIMEOUT = 0x0701, 0x0702  # linux/i2c-dev.h
TIMEOUT_10MS = 5  # of 10 ms: twice what the longest burst takes at 100 kHz (imu.BURST)
POWER_CUTS = (4, 8, 16)  # attempts in vain after which the power is off until the next one


def open_smbus(number: int) -> Any:
    """/dev/i2c-`number`, its time-out bounded. Raises OSError."""
    bus = SMBus(number)
    fd: Any = bus.fd
    ioctl(fd, I2C_TIMEOUT, TIMEOUT_10MS)
    ioctl(fd, I2C_RETRIES, 0)
    return bus


class PowerSwitch:
    """A pin that keeps the sensors' power on while it is high (hardware.md)."""

    def __init__(self, pins: Any, pin: int) -> None:
        self._output = OutputDevice(pin, initial_value=True, pin_factory=pins)

    def set(self, on: bool) -> bool:
        """Whether that is a change."""
        changed = bool(self._output.value) != on
        self._output.value = on
        return changed

    def close(self) -> None:
        self._output.close()


class Bus:
    """What the drivers use of smbus2.SMBus, on a bus that can be opened anew.

    While it cannot be opened, every transfer raises what `opener` does: OSError.
    """

    def __init__(self, opener: Callable[[], Any], power: PowerSwitch | None = None) -> None:
        self._opener, self._power = opener, power
        self._bus: Any = None
        self._tries = 0  # attempts in vain
        self.reopened = 0  # times
        with contextlib.suppress(OSError):  # told by the first transfer
            self._bus = opener()

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        value: int = self.open().read_byte_data(i2c_addr, register)
        return value

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self.open().write_byte_data(i2c_addr, register, value)

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        data: list[int] = self.open().read_i2c_block_data(i2c_addr, register, length)
        return data

    def i2c_rdwr(self, *messages: Any) -> None:
        self.open().i2c_rdwr(*messages)

    def open(self) -> Any:
        """The bus itself. Raises OSError while there is none."""
        if self._bus is None:
            self._bus = self._opener()
        return self._bus

    def recover(self) -> bool:
        """An attempt to set the sensor up has failed: try harder. Never raises.

        Whether the power was switched: then another attempt is worth while soon.
        """
        self._tries += 1
        switched = bool(self._power and self._power.set(self._tries not in POWER_CUTS))
        self._shut()
        with contextlib.suppress(OSError):
            self._bus = self._opener()
            self.reopened += 1
        return switched

    def recovered(self) -> None:
        self._tries = 0

    def close(self) -> None:
        self._shut()
        if self._power:
            self._power.close()

    def _shut(self) -> None:
        if self._bus is not None:
            with contextlib.suppress(OSError):
                self._bus.close()
            self._bus = None
