"""Chips that exist only as behaviour: the bus they sit on, and the ranger behind its pins.

Written from the same datasheets as the drivers but apart from them, so that a driver's slip shows.
Everything advances lazily to the time it is asked at; nothing here waits or threads.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

_I2C_M_RD = 0x0001  # flag of a reading message, linux/i2c.h


class Chip(Protocol):
    """A chip on the bus: registers, and its ways to fail."""

    refuse: int  # transfers still to be left without an answer

    @property
    def present(self) -> bool:
        """Whether it answers at all: it is plugged in, and listens."""

    def select(self, register: int) -> None:
        """A transfer that only names a register; some chips take it for a command."""

    def read(self, register: int) -> int:
        """One byte; registers that clear or move on when read do so."""

    def write(self, register: int, value: int) -> None: ...

    def after(self, register: int) -> int:
        """The register a burst goes to next."""


class SimulatedBus:
    """What smbus2.SMBus offers of one I2C bus, with the chips on it by their addresses.

    An address without an answer raises OSError, ENXIO, as the kernel does. `catch_up` is called
    before each transfer, so that the chips have lived until now. `stuck` holds SDA low: every
    transfer ends as the kernel's time-out does.
    """

    def __init__(self, chips: Mapping[int, Chip], catch_up: Callable[[], None]) -> None:
        self.stuck = False
        self.chips = dict(chips)
        self._catch_up = catch_up

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        return self._begin(i2c_addr).read(register)

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._begin(i2c_addr).write(register, value)

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        chip = self._begin(i2c_addr)
        if length > 32:
            raise ValueError("an SMBus block is at most 32 bytes")
        return list(_burst(chip, register, length))

    def i2c_rdwr(self, *messages: Any) -> None:
        """smbus2.i2c_msg: a write names the register (and gives it what follows), a read after it
        fills its buffer.
        """
        register = 0
        for message in messages:
            chip = self._begin(message.addr)
            if message.flags & _I2C_M_RD:
                for k, byte in enumerate(_burst(chip, register, message.len)):
                    message.buf[k] = byte
            else:
                register, *values = bytes(message)
                if not values:
                    chip.select(register)
                for value in values:
                    chip.write(register, value)
                    register = chip.after(register)

    def close(self) -> None:
        """Nothing is held."""

    def _begin(self, address: int) -> Chip:
        self._catch_up()
        chip = self.chips.get(address)
        if self.stuck:
            raise OSError(errno.ETIMEDOUT, "Connection timed out")
        if chip is None or not chip.present:
            raise OSError(errno.ENXIO, "No such device or address")
        if chip.refuse > 0:
            chip.refuse -= 1
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        return chip


def _burst(chip: Chip, register: int, length: int) -> bytes:
    data = bytearray(length)
    for k in range(length):
        data[k] = chip.read(register)
        register = chip.after(register)
    return bytes(data)


class Hcsr04Chip:
    """An HC-SR04: a trigger in, the edges of one echo pulse out.

    `distance(t)` gives the way to what echoes [m], or None when nothing does. `fault` is one of
    the ways such a sensor fails: "unplugged", "stuck" (echo never falls), "glitch".
    """

    SPEED_OF_SOUND = 344.9  # m/s: the room is at 22.5 °C, which the driver does not know
    BURST = 0.45e-3  # s from trigger to rise
    TIME_OUT = 0.038  # s of pulse when nothing echoes

    def __init__(self, distance: Callable[[float], float | None]) -> None:
        self.fault = ""
        self._distance = distance
        self._busy_until = -math.inf

    def trigger(self, t: float) -> list[tuple[float, bool]]:
        """Edges (time [s], level) that follow a trigger at `t`; none while it is still busy."""
        if t < self._busy_until or self.fault == "unplugged":
            return []
        rise = t + self.BURST
        if self.fault == "stuck":
            return [(rise, True)]
        distance = self._distance(t)
        width = self.TIME_OUT if distance is None else 2 * distance / self.SPEED_OF_SOUND
        if self.fault == "glitch":
            width = 30e-6
        self._busy_until = rise + width
        return [(rise, True), (rise + width, False)]
