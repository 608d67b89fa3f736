"""Motion sensors that exist only as behaviour, as `chips.py` has it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from random import Random
from struct import Struct

Vector = tuple[float, float, float]
Motion = Callable[[float], tuple[Vector, Vector]]

_WORD = Struct("<Bhhh")
_SIX = Struct("<hhhhhh")
_LOW_FIRST = Struct("<h")
_HIGH_FIRST = Struct(">hhhhhh")
_DEPTH = 512  # words: 3 KB of FIFO, tags apart
_LATCHED, _FULL, _OVERRUN = 0x08, 0x20, 0x40  # FIFO_STATUS2


class Lsm6dsoxChip:
    """An LSM6DSOX on a board worn at the back: its registers, its FIFO and its faults.

    `motion(t)` gives specific force [m/s²] and angular rate [rad/s] in the belt's body axes; it is
    asked at every sample time, in order. `fine` is INTERNAL_FREQ_FINE: this chip's oscillator is
    off by that many steps of 0.15 %.
    """

    def __init__(
        self,
        motion: Motion,
        seed: int = 0,
        identity: int = 0x6C,
        fine: int = 5,
    ) -> None:
        self.present = True  # False: unplugged, every address is left without an answer
        self.refuse = 0  # transfers still to be left without an answer
        self._motion = motion
        self._random = Random(seed)  # noqa: S311 — repeatable on purpose
        self._identity, self._fine = identity, fine
        self.celsius = 25.0
        self.healthy = True  # False: its self-test moves nothing
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

    def select(self, register: int) -> None:
        """It only names a register."""

    def after(self, register: int) -> int:
        """The register a burst goes to next: FIFO output wraps, the rest counts on."""
        return 0x78 if register == 0x7E else (register + 1) & 0x7F

    def _run(self) -> None:
        odr = max(self._registers[0x10] >> 4, self._registers[0x11] >> 4)
        if odr:
            self._period = 2.0 ** (10 - odr) / (6667.0 * (1 + 0.0015 * self._fine))
        if not odr:
            self._next = math.inf
        elif math.isinf(self._next):
            self._next = self._now + self._period

    def _sample(self, t: float) -> None:
        acc, gyro = self._motion(t)
        noise = self._random.gauss
        # noise densities of DS12814, 4.1 over the half of the rate that passes
        force = [a + b + noise(0.0, 0.015) for a, b in zip(acc, self._acc_bias, strict=True)]
        turn = [g + b + noise(0.0, 0.0007) for g, b in zip(gyro, self._gyro_bias, strict=True)]
        mg = (0.061, 0.488, 0.122, 0.244)[self._registers[0x10] >> 2 & 3]
        if self._registers[0x14] & 0x03 == 0x01 and self.healthy:  # ST_XL
            force = [f + 0.3 * 9.80665 for f in force]
        if self._registers[0x14] >> 2 & 0x03 == 0x01 and self.healthy:  # ST_G
            turn = [w + math.radians(400.0) for w in turn]
        # (right, up, back) as the board sits on the belt
        w = [_steps(v, math.radians(70e-3)) for v in (-turn[1], turn[2], -turn[0])]
        a = [_steps(v, mg * 1e-3 * 9.80665) for v in (-force[1], force[2], -force[0])]
        _SIX.pack_into(self._registers, 0x22, *w, *a)
        _LOW_FIRST.pack_into(self._registers, 0x20, round((self.celsius - 25.0) * 256))
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


class Mpu6050Chip:
    """An MPU-6050, or one of its kin by `identity`: registers, FIFO and faults.

    `motion` as for Lsm6dsoxChip. `off`: share by which its oscillator is slow. `late`: of the
    MPU-6500's generation, awake after power-up and with half the FIFO.
    """

    RESET_S = 0.05  # s it takes; what is written meanwhile is lost

    def __init__(
        self, motion: Motion, seed: int = 0, identity: int = 0x68, off: float = 0.0
    ) -> None:
        self.present = True
        self.refuse = 0
        self.healthy = True  # False: its self-test moves nothing
        self.celsius = 25.0
        self.late = identity != 0x68
        self._motion = motion
        self._random = Random(seed)  # noqa: S311 — repeatable on purpose
        self._identity, self._off = identity, off
        self._acc_bias = tuple(self._random.gauss(0.0, 0.25) for _ in range(3))  # m/s²
        self._gyro_bias = tuple(self._random.gauss(0.0, 0.03) for _ in range(3))  # rad/s
        self._now = self._deaf_until = -math.inf
        self.reset()

    def reset(self) -> None:
        """As after power-up: an MPU-6050 sleeps, the later ones do not; no FIFO."""
        self._registers = bytearray(128)
        self._registers[0x75] = self._identity
        self._registers[0x6B] = 0x01 if self.late else 0x40
        trim = (0x50, 0x50, 0x50) if self.late else (0x8A, 0x8B, 0x8C, 0x2A)
        self._registers[0x0D : 0x0D + len(trim)] = bytes(trim)
        if self.late:
            self._registers[0x00:0x03] = bytes((0x40, 0x41, 0x42))
        self._fifo: deque[int] = deque(maxlen=512 if self.late else 1024)
        self._next = math.inf
        self._run()

    def advance(self, now: float) -> None:
        """Take every sample due by `now` [s]."""
        self._now = now
        while self._next <= now:
            self._sample(self._next)
            self._next += self._period

    def read(self, register: int) -> int:
        """One byte; INT_STATUS clears, FIFO_R_W moves on."""
        if register == 0x3A:
            value, self._registers[0x3A] = self._registers[0x3A], 0
            return value
        if register == 0x72:
            return len(self._fifo) >> 8
        if register == 0x73:
            return len(self._fifo) & 0xFF
        if register == 0x74:
            return self._fifo.popleft() if self._fifo else 0
        return self._registers[register]

    def write(self, register: int, value: int) -> None:
        if self._now < self._deaf_until:
            return
        if register == 0x6B and value & 0x80:
            self.reset()
            self._deaf_until = self._now + self.RESET_S
            return
        if register == 0x3A or 0x3B <= register <= 0x60 or register >= 0x72:
            return  # read only
        if register == 0x6A and value & 0x04:
            self._fifo.clear()
            value &= ~0x04
        self._registers[register] = value
        if register in (0x19, 0x6B):
            self._run()

    def select(self, register: int) -> None:
        """It only names a register."""

    def after(self, register: int) -> int:
        """The register a burst goes to next: FIFO_R_W stays, the rest counts on."""
        return register if register == 0x74 else (register + 1) & 0x7F

    def _run(self) -> None:
        self._period = 1e-3 * (1 + self._registers[0x19]) * (1 + self._off)
        if self._registers[0x6B] & 0x40:
            self._next = math.inf
        elif math.isinf(self._next) and self._now > -math.inf:
            self._next = self._now + self._period

    def _sample(self, t: float) -> None:
        acc, gyro = self._motion(t)
        noise = self._random.gauss
        # noise of the product specification: 400 ug and 0.005 dps a root of Hz
        force = [a + b + noise(0.0, 0.026) for a, b in zip(acc, self._acc_bias, strict=True)]
        turn = [g + b + noise(0.0, 0.0006) for g, b in zip(gyro, self._gyro_bias, strict=True)]
        per_g = 16384 >> (self._registers[0x1C] >> 3 & 3)
        per_dps = 131.0 / 2 ** (self._registers[0x1B] >> 3 & 3)
        # (right, up, back) as the board sits on the belt
        w = [math.degrees(v) * per_dps for v in (-turn[1], turn[2], -turn[0])]
        a = [v / 9.80665 * per_g for v in (-force[1], force[2], -force[0])]
        if self.healthy and self._registers[0x1B] & 0xE0 == 0xE0:
            w = [v + moved for v, moved in zip(w, self._moved()[3:], strict=True)]
        if self.healthy and self._registers[0x1C] & 0xE0 == 0xE0:
            a = [v + moved for v, moved in zip(a, self._moved()[:3], strict=True)]
        data = _HIGH_FIRST.pack(*(_steps(v, 1.0) for v in a + w))
        self._registers[0x3B:0x41], self._registers[0x43:0x49] = data[:6], data[6:]
        scale, zero = (333.87, 21.0) if self.late else (340.0, 36.53)
        if self._identity == 0x98:
            scale, zero = 326.8, 25.0
        raw = round((self.celsius - zero) * scale)
        self._registers[0x41:0x43] = raw.to_bytes(2, "big", signed=True)
        self._registers[0x3A] |= 0x01
        if self._registers[0x23] == 0x78 and self._registers[0x6A] & 0x40:
            if len(self._fifo) + len(data) > (self._fifo.maxlen or 0):
                self._registers[0x3A] |= 0x10
            self._fifo.extend(data)

    def _moved(self) -> list[float]:
        """Steps its self-test moves each axis by: what its trim says, to some per cent."""
        if self.late:
            return [1.05 * 2620 * 1.01 ** (0x50 - 1)] * 3 + [
                0.95 * 2620 * 1.01 ** (code - 1) for code in (0x40, 0x41, 0x42)
            ]
        # 0x8A, 0x8B, 0x8C, 0x2A: accelerometer codes 18, 18, 18, gyroscope codes 10, 11, 12
        acc = 4096 * 0.34 * (0.92 / 0.34) ** (17 / 30)
        gyro = [sign * 3275 * 1.046**power for sign, power in ((1, 9), (-1, 10), (1, 11))]
        return [1.05 * acc] * 3 + [0.95 * g for g in gyro]


def _steps(value: float, scale: float) -> int:
    return max(-32768, min(32767, round(value / scale)))
