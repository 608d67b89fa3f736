"""Further chips that exist only as behaviour, as `chips.py` has it: ranger, motor driver, gauge."""

from __future__ import annotations

import math
from collections.abc import Callable


class Mb1242Chip:
    """A MaxBotix I2CXL: one command, then deaf while it ranges, then two bytes.

    `distance(t)` gives the way to what echoes [m], or None when nothing does. `fault`: "" or
    "mute" (its answer is all ones).
    """

    ADDRESS = 0x70
    RANGING_S = 0.070
    SPEED_OF_SOUND = 344.9 / 343.4  # it does not know that the room is at 22.5 °C

    def __init__(self, distance: Callable[[float], float | None]) -> None:
        self.plugged = True
        self.refuse = 0
        self.fault = ""
        self._distance = distance
        self._now = self._deaf_until = -math.inf
        self._cm = 0

    @property
    def present(self) -> bool:
        return self.plugged and self._now >= self._deaf_until

    def advance(self, now: float) -> None:
        self._now = now

    def select(self, register: int) -> None:
        if register == 0x51:
            distance = self._distance(self._now)
            metres = 7.65 if distance is None else distance / self.SPEED_OF_SOUND
            self._cm = round(100 * min(7.65, max(0.20, metres)))
            self._deaf_until = self._now + self.RANGING_S

    def read(self, register: int) -> int:
        if self.fault == "mute":
            return 0xFF
        return self._cm >> 8 if register == 0 else self._cm & 0xFF

    def write(self, register: int, value: int) -> None:
        """Its other commands are not used."""

    def after(self, register: int) -> int:
        return register + 1


class Drv2605lChip:
    """A DRV2605L with a motor: `motor` is "", "open" or "shorted". `drive(duty)` hears of it."""

    ADDRESS = 0x5A
    FULL = 137  # OD_CLAMP at 3 V

    def __init__(self, drive: Callable[[float], None]) -> None:
        self.present = True
        self.refuse = 0
        self.motor = ""
        self._drive = drive
        self._now = -math.inf
        self.reset()

    def reset(self) -> None:
        """As after power-up: standby, the motor off."""
        self._registers = bytearray(64)
        self._registers[0x00], self._registers[0x01] = 0xE0, 0x40
        self._registers[0x1A], self._registers[0x1D] = 0x36, 0xA0
        self._until = math.inf  # s, when what GO began ends by itself
        self._drive(0.0)

    def advance(self, now: float) -> None:
        self._now = now
        if now >= self._until:
            self._until = math.inf
            self._registers[0x0C] = 0
            if self._registers[0x01] == 0x06:
                self._registers[0x00] |= 0x08 if self.motor else 0x00
            self._drive(0.0)

    def select(self, register: int) -> None:
        """It only names a register."""

    def read(self, register: int) -> int:
        value = self._registers[register]
        if register == 0x00:
            self._registers[0x00] = 0xE0  # its flags clear when read
        return value

    def write(self, register: int, value: int) -> None:
        if register == 0x00:
            return
        self._registers[register] = value
        if (register == 0x01 and value != 0x06) or (register == 0x0C and value == 0):
            self._registers[0x0C] = 0
            self._until = math.inf
            self._drive(0.0)
        elif register == 0x0C:
            self._go()

    def after(self, register: int) -> int:
        return register + 1

    def _go(self) -> None:
        if self._registers[0x01] == 0x06:
            self._until = self._now + 0.3
        elif self._registers[0x01] == 0x00 and self._registers[0x04] == 118:
            self._until = self._now + 10.0
            if self.motor == "shorted":
                self._registers[0x00] |= 0x01
            if not self.motor:
                self._drive(self._registers[0x17] / self.FULL)


class Max17048Chip:
    """A MAX17048 on a cell of `share` (0..1) and `volts`."""

    ADDRESS = 0x36

    def __init__(self, share: float = 0.8) -> None:
        self.present = True
        self.refuse = 0
        self.share, self.volts = share, 3.9

    def select(self, register: int) -> None:
        """It only names a register."""

    def read(self, register: int) -> int:
        words = {
            0x02: round(self.volts / 78.125e-6),
            0x04: round(self.share * 100 * 256),
            0x08: 0x0012,
        }
        word = words.get(register & ~1, 0)
        return word & 0xFF if register & 1 else word >> 8

    def write(self, register: int, value: int) -> None:
        """Nothing is set."""

    def after(self, register: int) -> int:
        return register + 1
