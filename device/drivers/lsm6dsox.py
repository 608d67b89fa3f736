"""LSM6DSOX and ISM330DHCX: accelerometer and gyroscope over I2C, through their tagged FIFO.

Registers have the names of ST's LSM6DSOX datasheet (DS12814), whose section 9, "Register
description", has each under its name and address, in order of address; scales and the limits of
the self-test are in section 4.1. "AN" is the application note AN5272. The ISM330DHCX has the same
map for all that is used here; that its self-test has the same limits is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from struct import Struct
from typing import NamedTuple

from device.drivers.imu import ChipError, G, Imu, Lost, Steps
from device.frames import Gap

FIFO_CTRL1 = 0x07  # watermark, low byte
FIFO_CTRL2 = 0x08  # watermark, high bit; compression
FIFO_CTRL3 = 0x09  # batch rates: gyroscope in the high nibble, accelerometer in the low
FIFO_CTRL4 = 0x0A  # FIFO mode
CTRL1_XL = 0x10  # accelerometer rate and range
CTRL2_G = 0x11  # gyroscope rate and range
CTRL3_C = 0x12  # block update, address increment, reset
CTRL4_C = 0x13  # low-pass of the gyroscope on or off
CTRL5_C = 0x14  # self-test
CTRL6_C = 0x15  # which low-pass; high-performance mode of the accelerometer
CTRL7_G = 0x16  # the same of the gyroscope; its high-pass
CTRL8_XL = 0x17  # further filters of the accelerometer
OUT_TEMP_L = 0x20  # two bytes
OUTX_L_G, OUTX_L_A = 0x22, 0x28  # six bytes each
FIFO_STATUS1 = 0x3A  # unread words, low byte
FIFO_STATUS2 = 0x3B  # unread words, high bits; flags
INTERNAL_FREQ_FINE = 0x63  # how far off this chip's oscillator is, steps of 0.15 %
FIFO_DATA_OUT_TAG = 0x78  # the six data bytes follow, and the address wraps back here

BDU, IF_INC, SW_RESET = 0x40, 0x04, 0x01  # in CTRL3_C
ODR_52, ODR_104, ODR_208 = 0x3, 0x4, 0x5  # in CTRL1_XL, CTRL2_G and FIFO_CTRL3
FS_XL_16G, FS_XL_4G = 0x1, 0x2  # ±16 g: falls clip at less
FS_G_2000 = 0x3  # ±2000 dps
ST_G, ST_XL = 0x04, 0x01  # in CTRL5_C: the positive self-tests
BYPASS, CONTINUOUS = 0x0, 0x6  # FIFO modes; bypass empties it
OVER_RUN_LATCHED = 0x08  # in FIFO_STATUS2: words were overwritten since it was last read
TAG_GYROSCOPE, TAG_ACCELEROMETER = 0x01, 0x02  # TAG_SENSOR

WORD = Struct("<Bhhh")  # tag, x, y, z
AXES = Struct("<hhh")
BASE_RATE, RATE_DIVIDER, FINE_STEP = 6667.0, 64, 0.0015  # rate of this very chip at ODR 104
RESET_POLLS = 50  # reads of SW_RESET before giving up; the reset takes 50 µs, a read more
ST_WAIT, ST_SAMPLES = 0.1, 5  # s until the output is stable, and how many are averaged, AN

SETTINGS = (
    (FIFO_CTRL4, BYPASS),
    (CTRL3_C, BDU | IF_INC),
    (CTRL5_C, 0),
    # neither high-pass nor a second low-pass: what is left is the one that goes with the rate
    *((register, 0) for register in (CTRL4_C, CTRL6_C, CTRL7_G, CTRL8_XL)),
    (CTRL1_XL, ODR_104 << 4 | FS_XL_16G << 2),  # low-pass at half the rate
    (CTRL2_G, ODR_104 << 4 | FS_G_2000 << 2),
    (FIFO_CTRL1, 0),
    (FIFO_CTRL2, 0),
    (FIFO_CTRL3, ODR_104 << 4 | ODR_104),
    (FIFO_CTRL4, CONTINUOUS),
)


class SelfTest(NamedTuple):
    """What the chip pushes, and by how much it must move."""

    name: str
    control: int  # register of rate and range
    setting: int
    bit: int  # in CTRL5_C
    output: int  # register of the first axis
    scale: float  # unit a step
    unit: str
    low: int
    high: int


ST_ACCELEROMETER = SelfTest(
    "accelerometer", CTRL1_XL, ODR_52 << 4 | FS_XL_4G << 2, ST_XL, OUTX_L_A, 0.122, "mg", 50, 1700
)
ST_GYROSCOPE = SelfTest(
    "gyroscope", CTRL2_G, ODR_208 << 4 | FS_G_2000 << 2, ST_G, OUTX_L_G, 70e-3, "dps", 150, 700
)


class Chip(NamedTuple):
    name: str
    drift: float = 0.010  # °/s a kelvin, DS12814, 4.1, typical; an ISM330DHCX's is no worse
    warning: str = ""


CHIPS = {0x6C: Chip("LSM6DSOX"), 0x6B: Chip("ISM330DHCX")}


class Lsm6dsox(Imu):
    """Up to 2.4 s of FIFO at 104 samples a second."""

    ADDRESSES = (0x6A, 0x6B)  # SA0 low or high
    WHO_AM_I = 0x0F
    IDENTITIES = CHIPS
    ACC_SCALE = 0.488e-3 * G
    GYRO_SCALE = math.radians(70e-3)
    RESET_S = 0.0
    TAGGED = True
    FIRST_SAMPLES = 3  # AN
    rate = BASE_RATE / RATE_DIVIDER

    def _reset(self) -> None:
        self._set(CTRL3_C, SW_RESET)
        if not any(self._get(CTRL3_C) & SW_RESET == 0 for _ in range(RESET_POLLS)):
            raise ChipError("the motion sensor does not come out of its reset")

    def _settings(self) -> tuple[tuple[int, int], ...]:
        return SETTINGS

    def _start(self) -> None:
        self._half: dict[int, tuple[int, int, int]] = {}  # words of the slot not yet complete
        self._slot = -1  # TAG_CNT of that slot
        fine = (self._get(INTERNAL_FREQ_FINE) ^ 0x80) - 0x80  # two's complement
        self.rate = BASE_RATE * (1.0 + FINE_STEP * fine) / RATE_DIVIDER

    def _drain(self) -> list[Steps | None]:
        low, high = self._block(FIFO_STATUS1, 2)
        if high & OVER_RUN_LATCHED:
            raise Lost(Gap.OVERFLOW)
        if not (count := (high & 0x03) << 8 | low):
            return []
        return self._pair(self._burst(FIFO_DATA_OUT_TAG, WORD.size, count))

    def _pair(self, data: bytes) -> list[Steps | None]:
        """Words of one time slot (TAG_CNT) belong together; a slot missing, or a tag whose parity
        is wrong, is a gap.
        """
        samples: list[Steps | None] = []
        for tag, x, y, z in WORD.iter_unpack(data):
            slot, sensor = tag >> 1 & 0x03, tag >> 3
            spoiled = tag.bit_count() % 2 == 1
            if spoiled or slot != self._slot:
                broken = self._slot >= 0 and (self._half or slot != (self._slot + 1) % 4)
                if (spoiled or broken) and samples[-1:] != [None]:
                    samples.append(None)
                self._slot, self._half = -1 if spoiled else slot, {}
            if not spoiled:
                self._half[sensor] = (x, y, z)
            if len(self._half) == 2:
                acc, gyro = self._half.get(TAG_ACCELEROMETER), self._half.get(TAG_GYROSCOPE)
                samples.append((*acc, *gyro) if acc and gyro else None)
                self._half = {}
        return samples

    def _celsius(self) -> float:
        return 25.0 + int.from_bytes(self._block(OUT_TEMP_L, 2), "little", signed=True) / 256

    def _self_test(self, wait: Callable[[float], None]) -> str:
        """AN, section 10: what the test adds to each axis, the chip lying still."""
        self._set(FIFO_CTRL4, BYPASS)
        for test in (ST_ACCELEROMETER, ST_GYROSCOPE):
            self._set(test.control, test.setting)
            self._set(CTRL5_C, 0)
            wait(ST_WAIT)
            without = self._mean(test.output, wait)
            self._set(CTRL5_C, test.bit)
            wait(ST_WAIT)
            moved = [
                abs(b - a) * test.scale
                for a, b in zip(without, self._mean(test.output, wait), strict=True)
            ]
            self._set(CTRL5_C, 0)
            if not all(test.low <= axis <= test.high for axis in moved):
                shown = ", ".join(f"{axis:.0f}" for axis in moved)
                return (
                    f"{test.name}: the self-test moves its axes by {shown} {test.unit}, "
                    f"not {test.low} to {test.high}"
                )
        return ""

    def _mean(self, register: int, wait: Callable[[float], None]) -> list[float]:
        total = [0, 0, 0]
        for _ in range(ST_SAMPLES):
            wait(1 / 52)
            for k, value in enumerate(AXES.unpack(self._block(register, AXES.size))):
                total[k] += value
        return [value / ST_SAMPLES for value in total]
