"""LSM6DSOX and ISM330DHCX: accelerometer and gyroscope over I2C, through their tagged FIFO.

Registers have the names of ST's LSM6DSOX datasheet (DS12814), whose section 9, "Register
description", has each under its name and address, in order of address; scales are in section 4.1.
"AN" is the application note AN5272. The ISM330DHCX has the same map for all that is used here.

The board sits flat against the back of the belt with its components facing away from the wearer
and its y arrow up, so that seen from the wearer the chip's axes point right, up and backward:

    body x (forward) = -chip z,   body y (left) = -chip x,   body z (up) = chip y
"""

from __future__ import annotations

import math
from struct import Struct
from typing import Any, NamedTuple

from smbus2 import i2c_msg

from device.frames import NAN, Gap

WHO_AM_I = 0x0F
IDENTITIES = {0x6C: "LSM6DSOX", 0x6B: "ISM330DHCX"}

FIFO_CTRL1 = 0x07  # watermark, low byte
FIFO_CTRL2 = 0x08  # watermark, high bit; compression
FIFO_CTRL3 = 0x09  # batch rates: gyroscope in the high nibble, accelerometer in the low
FIFO_CTRL4 = 0x0A  # FIFO mode
CTRL1_XL = 0x10  # accelerometer rate and range
CTRL2_G = 0x11  # gyroscope rate and range
CTRL3_C = 0x12  # block update, address increment, reset
FIFO_STATUS1 = 0x3A  # unread words, low byte
FIFO_STATUS2 = 0x3B  # unread words, high bits; flags
INTERNAL_FREQ_FINE = 0x63  # how far off this chip's oscillator is, steps of 0.15 %
FIFO_DATA_OUT_TAG = 0x78  # the six data bytes follow, and the address wraps back here

BDU, IF_INC, SW_RESET = 0x40, 0x04, 0x01  # in CTRL3_C
ODR_104 = 0x4  # in CTRL1_XL, CTRL2_G and FIFO_CTRL3
FS_XL_16G = 0x1  # ±16 g: falls clip at less
FS_G_2000 = 0x3  # ±2000 dps
BYPASS, CONTINUOUS = 0x0, 0x6  # FIFO modes; bypass empties it
OVER_RUN_LATCHED = 0x08  # in FIFO_STATUS2: words were overwritten since it was last read
TAG_GYROSCOPE, TAG_ACCELEROMETER = 0x01, 0x02  # TAG_SENSOR

WORD = Struct("<Bhhh")  # tag, x, y, z
ACC_SCALE = 0.488e-3 * 9.80665  # m/s² a step at ±16 g
GYRO_SCALE = math.radians(70e-3)  # rad/s a step at ±2000 dps
BASE_RATE, RATE_DIVIDER, FINE_STEP = 6667.0, 64, 0.0015  # rate of this very chip at ODR 104
FIRST_SAMPLES = 3  # not yet settled after power-up, AN; thrown away

RESET_POLLS = 50  # reads of SW_RESET before giving up; the reset takes 50 µs, a read more
ATTEMPTS = 3  # at one drain, before the bus is called broken
RESTART_EVERY = 0.5  # s between attempts to set a lost chip up again
SILENCE = 0.05  # s without a sample, after which the settings are checked
DRIFT_GAIN = 0.02  # share of the timeline's error taken out at each drain: smooths bus jitter

SETTINGS = (
    (FIFO_CTRL4, BYPASS),
    (CTRL3_C, BDU | IF_INC),
    (CTRL1_XL, ODR_104 << 4 | FS_XL_16G << 2),
    (CTRL2_G, ODR_104 << 4 | FS_G_2000 << 2),
    (FIFO_CTRL1, 0),
    (FIFO_CTRL2, 0),
    (FIFO_CTRL3, ODR_104 << 4 | ODR_104),
    (FIFO_CTRL4, CONTINUOUS),
)

Vector = tuple[float, float, float]
_UNKNOWN: Vector = (NAN, NAN, NAN)


class ChipError(Exception):
    """Something answers, but not as this chip must; the text says what."""


class Reading(NamedTuple):
    """One sample, or one gap with its reason (then both vectors are NaN)."""

    t: float  # s, when it was measured
    acc: Vector  # m/s², body axes
    gyro: Vector  # rad/s, body axes
    gap: Gap = Gap.NONE


class Lsm6dsox:
    """Reads every sample the chip took, however late the reader comes (up to 2.4 s of FIFO).

    `bus` is an smbus2.SMBus. Raises OSError when it does not answer at the start, ChipError when
    it is another chip; after that whatever goes wrong is a gap in `read`, and set up anew.
    """

    def __init__(self, bus: Any, address: int) -> None:
        self._bus, self._address = bus, address
        self.rate = BASE_RATE / RATE_DIVIDER  # samples a second
        self.errors = 0  # bus errors met, the recovered ones too
        self._restart()

    def read(self, now: float) -> list[Reading]:
        """Every sample since the last call, oldest first; empty when none is due yet.

        At most ATTEMPTS short transfers when the bus fails; `now` [s] is the time of this call.
        """
        if self._lost is not Gap.NONE:
            return [self._recover(now)]
        for _ in range(ATTEMPTS):
            try:
                words, overrun = self._drain()
            except OSError:
                self.errors += 1
                continue
            if overrun:
                return self._lose(now, Gap.OVERFLOW)
            return self._pair(words, now) if words else self._silent(now)
        return self._lose(now, Gap.BUS)

    def close(self) -> None:
        self._bus.close()

    # the chip

    def _restart(self) -> None:
        self._lost = Gap.NONE  # why the chip must be set up again
        self._restart_at = -math.inf
        self._half: dict[int, Vector] = {}  # words of the time slot not yet complete
        self._slot = -1  # TAG_CNT of that slot
        self._skip = FIRST_SAMPLES
        self._last = -math.inf  # s, newest sample's time
        self._heard = math.inf  # s, when words last came, or the first look for them
        found = self._get(WHO_AM_I)
        if found not in IDENTITIES:
            raise ChipError(
                f"WHO_AM_I at 0x{self._address:02x} says 0x{found:02x}, "
                f"not {' or '.join(f'0x{k:02x} ({v})' for k, v in IDENTITIES.items())}"
            )
        self._set(CTRL3_C, SW_RESET)
        if not any(self._get(CTRL3_C) & SW_RESET == 0 for _ in range(RESET_POLLS)):
            raise ChipError("the motion sensor does not come out of its reset")
        for register, value in SETTINGS:
            self._set(register, value)
            if (kept := self._get(register)) != value:
                raise ChipError(f"register 0x{register:02x} keeps 0x{kept:02x}, not 0x{value:02x}")
        fine = (self._get(INTERNAL_FREQ_FINE) ^ 0x80) - 0x80  # two's complement
        self.rate = BASE_RATE * (1.0 + FINE_STEP * fine) / RATE_DIVIDER

    def _drain(self) -> tuple[list[tuple[int, int, int, int]], bool]:
        """All words in the FIFO, and whether older ones were overwritten (then none)."""
        low, high = self._bus.read_i2c_block_data(self._address, FIFO_STATUS1, 2)
        if high & OVER_RUN_LATCHED:
            return [], True
        if not (count := (high & 0x03) << 8 | low):
            return [], False
        data = i2c_msg.read(self._address, count * WORD.size)
        self._bus.i2c_rdwr(i2c_msg.write(self._address, [FIFO_DATA_OUT_TAG]), data)
        return list(WORD.iter_unpack(bytes(data))), False

    def _get(self, register: int) -> int:
        value: int = self._bus.read_byte_data(self._address, register)
        return value

    def _set(self, register: int, value: int) -> None:
        self._bus.write_byte_data(self._address, register, value)

    # what goes wrong

    def _lose(self, now: float, why: Gap) -> list[Reading]:
        """Nothing read so far is carried over: what follows is a new stretch of samples."""
        self._lost, self._restart_at = why, now
        return [Reading(now, _UNKNOWN, _UNKNOWN, why)]

    def _recover(self, now: float) -> Reading:
        why = self._lost
        if now >= self._restart_at:
            try:
                self._restart()
            except (OSError, ChipError):
                self.errors += 1
                self._lost, self._restart_at = Gap.BUS, now + RESTART_EVERY
        return Reading(now, _UNKNOWN, _UNKNOWN, why)

    def _silent(self, now: float) -> list[Reading]:
        """No word in the FIFO: early, or a chip that was reset behind our back (then it sleeps)."""
        self._heard = min(self._heard, now)
        if now - self._heard < SILENCE:
            return []
        try:
            kept = all(self._get(register) == value for register, value in SETTINGS[1:])
        except OSError:
            self.errors += 1
            return self._lose(now, Gap.BUS)
        return self._lose(now, Gap.NO_DATA if kept else Gap.RESET)

    # from words to samples

    def _pair(self, words: list[tuple[int, int, int, int]], now: float) -> list[Reading]:
        """Words of one time slot (TAG_CNT) belong together; a slot missing is a gap."""
        self._heard = now
        samples: list[tuple[Vector, Vector] | None] = []
        for tag, x, y, z in words:
            slot, sensor = tag >> 1 & 0x03, tag >> 3
            if slot != self._slot:
                broken = self._slot >= 0 and (self._half or slot != (self._slot + 1) % 4)
                if broken and samples[-1:] != [None]:
                    samples.append(None)
                self._slot, self._half = slot, {}
            if sensor == TAG_GYROSCOPE:
                self._half[sensor] = (-z * GYRO_SCALE, -x * GYRO_SCALE, y * GYRO_SCALE)
            elif sensor == TAG_ACCELEROMETER:
                self._half[sensor] = (-z * ACC_SCALE, -x * ACC_SCALE, y * ACC_SCALE)
            if len(self._half) == 2:
                samples.append((self._half[TAG_ACCELEROMETER], self._half[TAG_GYROSCOPE]))
                self._half = {}
        settled = samples[self._skip :]
        self._skip = max(0, self._skip - len(samples))
        return [
            Reading(t, *sample) if sample else Reading(t, _UNKNOWN, _UNKNOWN, Gap.BUS)
            for t, sample in zip(self._times(len(settled), now), settled, strict=True)
        ]

    def _times(self, count: int, now: float) -> list[float]:
        """When `count` samples ending about now were measured: counted at the chip's own rate.

        The newest lies half a period back on average; never later than now.
        """
        if not count:
            return []
        expected = now - 0.5 / self.rate
        last = self._last if self._last > -math.inf else expected - count / self.rate
        newest = last + count / self.rate
        newest = min(now, newest + DRIFT_GAIN * (expected - newest))
        self._last = newest
        return [newest - (count - 1 - k) * (newest - last) / count for k in range(count)]
