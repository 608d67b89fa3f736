"""Chips that exist only as behaviour: what the drivers would meet on the bus and behind the pins.

Written from the same datasheets as the drivers but apart from them, so that a driver's slip shows.
Everything advances lazily to the time it is asked at; nothing here waits or threads.
"""

from __future__ import annotations

import errno
import math
from collections import deque
from collections.abc import Callable
from random import Random
from struct import Struct
from typing import Any

Vector = tuple[float, float, float]

_WORD = Struct("<Bhhh")
_SIX = Struct("<hhhhhh")
_DEPTH = 512  # words: 3 KB of FIFO, tags apart
_LATCHED, _FULL, _OVERRUN = 0x08, 0x20, 0x40  # FIFO_STATUS2
_I2C_M_RD = 0x0001  # flag of a reading message, linux/i2c.h


class Lsm6dsoxChip:
    """An LSM6DSOX on a board worn at the back: its registers, its FIFO and its faults.

    `motion(t)` gives specific force [m/s²] and angular rate [rad/s] in the belt's body axes; it is
    asked at every sample time, in order. `fine` is INTERNAL_FREQ_FINE: this chip's oscillator is
    off by that many steps of 0.15 %.
    """

    def __init__(
        self,
        motion: Callable[[float], tuple[Vector, Vector]],
        seed: int = 0,
        identity: int = 0x6C,
        fine: int = 5,
    ) -> None:
        self.present = True  # False: unplugged, every address is left without an answer
        self.refuse = 0  # transfers still to be left without an answer
        self._motion = motion
        self._random = Random(seed)  # noqa: S311 — repeatable on purpose
        self._identity, self._fine = identity, fine
        # what a part of this kind is off by at room temperature, DS12814, 4.1 (typical)
        self._acc_bias = tuple(self._random.gauss(0.0, 0.1) for _ in range(3))  # m/s²
        self._gyro_bias = tuple(self._random.gauss(0.0, 0.006) for _ in range(3))  # rad/s
        self._now = -math.inf
        self.reset()

    def reset(self) -> None:
        """As after power-up or SW_RESET: asleep, all registers at their defaults."""
        self._registers = bytearray(128)
        self._registers[0x0F] = self._identity
        self._registers[0x12] = 0x04
        self._registers[0x63] = self._fine & 0xFF
        self._fifo: deque[bytes] = deque(maxlen=_DEPTH)
        self._partial = b""  # bytes of the oldest word already read out
        self._overrun = self._latched = False
        self._slot = 0
        self._next = math.inf

    def advance(self, now: float) -> None:
        """Take every sample due by `now` [s]."""
        self._now = now
        while self._next <= now:
            self._sample(self._next)
            self._next += self._period

    def read(self, register: int) -> int:
        """One byte; registers that clear or move on when read do so."""
        if register == 0x3A:
            return len(self._fifo) & 0xFF
        if register == 0x3B:
            full = len(self._fifo) == _DEPTH
            flags = _LATCHED * self._latched | _FULL * full | _OVERRUN * self._overrun
            self._latched = False
            return len(self._fifo) >> 8 | flags
        if 0x78 <= register <= 0x7E:
            return self._pop(register)
        return self._registers[register]

    def write(self, register: int, value: int) -> None:
        if register == 0x12 and value & 0x01:
            self.reset()
            return
        if register == 0x0F or 0x1E <= register <= 0x3F or register >= 0x63:
            return  # read only
        self._registers[register] = value
        if register == 0x0A and value & 0x07 == 0:
            self._fifo.clear()
            self._partial, self._overrun, self._latched = b"", False, False
        if register in (0x10, 0x11):
            self._run()

    def after(self, register: int) -> int:
        """The register a burst goes to next: FIFO output wraps, the rest counts on."""
        return 0x78 if register == 0x7E else (register + 1) & 0x7F

    def _run(self) -> None:
        awake = self._registers[0x10] >> 4 == 4 and self._registers[0x11] >> 4 == 4
        self._period = 64 / (6667.0 * (1 + 0.0015 * self._fine))
        if not awake:
            self._next = math.inf
        elif math.isinf(self._next):
            self._next = self._now + self._period

    def _sample(self, t: float) -> None:
        acc, gyro = self._motion(t)
        noise = self._random.gauss
        # noise densities of DS12814, 4.1 over the half of the rate that passes
        force = [a + b + noise(0.0, 0.015) for a, b in zip(acc, self._acc_bias, strict=True)]
        turn = [g + b + noise(0.0, 0.0007) for g, b in zip(gyro, self._gyro_bias, strict=True)]
        # (right, up, back) as the board sits on the belt
        w = [_steps(v, math.radians(70e-3)) for v in (-turn[1], turn[2], -turn[0])]
        a = [_steps(v, 0.488e-3 * 9.80665) for v in (-force[1], force[2], -force[0])]
        _SIX.pack_into(self._registers, 0x22, *w, *a)
        if self._registers[0x0A] & 0x07 == 0x06 and self._registers[0x09] == 0x44:
            self._slot = (self._slot + 1) % 4
            for sensor, (x, y, z) in ((0x01, w), (0x02, a)):
                if len(self._fifo) == _DEPTH:
                    self._overrun = self._latched = True
                tag = sensor << 3 | self._slot << 1
                tag |= tag.bit_count() & 1  # TAG_PARITY: makes it even
                self._fifo.append(_WORD.pack(tag, x, y, z))

    def _pop(self, register: int) -> int:
        if register == 0x78:
            self._partial = self._fifo.popleft() if self._fifo else bytes(7)
            self._overrun = False
        return self._partial[register - 0x78] if self._partial else 0


def _steps(value: float, scale: float) -> int:
    return max(-32768, min(32767, round(value / scale)))


class SimulatedBus:
    """What smbus2.SMBus offers of one I2C bus, with one chip on it.

    An address without an answer raises OSError, ENXIO, as the kernel does. `catch_up` is called
    before each transfer, so that the chip has lived until now.
    """

    def __init__(self, address: int, chip: Lsm6dsoxChip, catch_up: Callable[[], None]) -> None:
        self._address, self._chip, self._catch_up = address, chip, catch_up

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        self._begin(i2c_addr)
        return self._chip.read(register)

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._begin(i2c_addr)
        self._chip.write(register, value)

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        self._begin(i2c_addr)
        if length > 32:
            raise ValueError("an SMBus block is at most 32 bytes")
        return list(self._burst(register, length))

    def i2c_rdwr(self, *messages: Any) -> None:
        """smbus2.i2c_msg: a write names the register, a read after it fills its buffer."""
        register = 0
        for message in messages:
            self._begin(message.addr)
            if message.flags & _I2C_M_RD:
                for k, byte in enumerate(self._burst(register, message.len)):
                    message.buf[k] = byte
            else:
                register = bytes(message)[0]

    def close(self) -> None:
        """Nothing is held."""

    def _begin(self, address: int) -> None:
        self._catch_up()
        if address != self._address or not self._chip.present:
            raise OSError(errno.ENXIO, "No such device or address")
        if self._chip.refuse > 0:
            self._chip.refuse -= 1
            raise OSError(errno.EREMOTEIO, "Remote I/O error")

    def _burst(self, register: int, length: int) -> bytes:
        data = bytearray(length)
        for k in range(length):
            data[k] = self._chip.read(register)
            register = self._chip.after(register)
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
