"""MPU-6050 and its kin (6500, 9250, and what is sold under those names): over I2C, by its FIFO.

Registers have the names of InvenSense's "MPU-6000 and MPU-6050 Register Map and Descriptions"
(RM-MPU-6000A-00), whose section 3 lists them and section 4 describes them, in order of address;
those of the MPU-6500 are in RM-MPU-6500A-00, section 3 as well. Scales are in the product
specifications, tables "Gyroscope specifications" and "Accelerometer specifications".

The FIFO has no tags: six words a sample, in the order of the registers, high byte first. So a burst
that breaks off leaves it misaligned, and it is emptied: the samples in it are a gap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from struct import Struct
from typing import NamedTuple

from device.drivers.imu import G, Imu, Lost, Steps
from device.frames import Gap

SELF_TEST_X_GYRO = 0x00  # MPU-6500: three bytes, factory trim
SELF_TEST_X = 0x0D  # MPU-6050: four bytes; MPU-6500: three bytes, SELF_TEST_X_ACCEL
SMPLRT_DIV = 0x19  # 1 kHz / (1 + this)
CONFIG = 0x1A  # low-pass
GYRO_CONFIG = 0x1B  # self-test in the high three bits, range
ACCEL_CONFIG = 0x1C  # likewise
ACCEL_CONFIG2 = 0x1D  # MPU-6500: low-pass of the accelerometer; ICM-20689: size of the FIFO too
FIFO_EN = 0x23  # what goes into the FIFO
INT_ENABLE = 0x38
INT_STATUS = 0x3A  # cleared when read
ACCEL_XOUT_H = 0x3B  # six bytes; TEMP_OUT and GYRO_XOUT follow
TEMP_OUT_H = 0x41
GYRO_XOUT_H = 0x43
USER_CTRL = 0x6A
PWR_MGMT_1 = 0x6B
PWR_MGMT_2 = 0x6C
FIFO_COUNTH = 0x72  # two bytes
FIFO_R_W = 0x74

CLKSEL_PLL, DEVICE_RESET = 0x01, 0x80  # in PWR_MGMT_1; asleep (0x40) after power-up
DLPF_44_HZ = 0x03  # in CONFIG and ACCEL_CONFIG2; with it the inner rate is 1 kHz
FS_2000_DPS, FS_16G = 0x18, 0x18
FS_250_DPS, FS_8G, FS_2G = 0x00, 0x10, 0x00
ALL_AXES = 0xE0  # self-test bits
GYRO_AND_ACCEL = 0x78  # in FIFO_EN
FIFO_OFLOW = 0x10  # in INT_ENABLE and INT_STATUS
FIFO_ENABLE, FIFO_RESET = 0x40, 0x04  # in USER_CTRL

SAMPLE = Struct(">hhhhhh")
AXES = Struct(">hhh")
DIVIDER = 9  # 100 samples a second
ST_WAIT, ST_SAMPLES = 0.05, 50  # s until the output is stable, and how many are averaged


class Chip(NamedTuple):
    name: str
    fifo: int  # bytes
    per_degree: float  # steps of TEMP_OUT a kelvin
    at_zero: float  # °C at which TEMP_OUT is zero
    drift: float  # °/s a kelvin: the product specifications' "ZRO variation over temperature"
    warning: str = ""

    @property
    def late(self) -> bool:
        """Of the MPU-6500's generation: its own low-pass and another self-test."""
        return self.fifo == 512


_OTHER = "sold under another name: it is driven as what it says it is; run its self-test"

# MPU-6050: ±20 °/s over -40 to 85 °C (PS-MPU-6000A-00, section 6.1), that is in 62.5 K either way.
# Later ones: ±0.24 °/s a kelvin (PS-MPU-6500A-01, section 3.1); of its kin no better is believed.
EARLY_DRIFT, LATE_DRIFT = 20.0 / 62.5, 0.24

CHIPS = {
    0x68: Chip("MPU-6050", 1024, 340.0, 36.53, EARLY_DRIFT),  # MPU-6000 and MPU-9150 as well
    0x70: Chip("MPU-6500", 512, 333.87, 21.0, LATE_DRIFT),
    0x71: Chip("MPU-9250", 512, 333.87, 21.0, LATE_DRIFT),
    0x73: Chip("MPU-9255", 512, 333.87, 21.0, LATE_DRIFT),
    0x74: Chip("MPU-6515", 512, 333.87, 21.0, LATE_DRIFT),
    0x78: Chip("MPU-6880", 512, 333.87, 21.0, LATE_DRIFT),
    0x98: Chip("ICM-20689", 512, 326.8, 25.0, LATE_DRIFT, _OTHER),  # 13 of 20 "MPU-6050" bought
    0x72: Chip("MPU-6050 clone 0x72", 512, 333.87, 21.0, LATE_DRIFT, "in no data sheet; " + _OTHER),
}


class Mpu6050(Imu):
    """0.8 s of FIFO at 100 samples a second in an MPU-6050, 0.4 s in the later ones.

    The rate is that of the chip's own oscillator, which tells nobody how far it is off.
    """

    ADDRESSES = (0x68, 0x69)  # AD0 low or high
    WHO_AM_I = 0x75
    IDENTITIES = CHIPS
    ACC_SCALE = G / 2048  # at ±16 g
    GYRO_SCALE = math.radians(1 / 16.4)  # at ±2000 dps
    RESET_S = 0.1
    TAGGED = False
    FIRST_SAMPLES = 8  # the gyroscope needs 60 to 80 ms to start
    rate = 1000.0 / (1 + DIVIDER)

    def _reset(self) -> None:
        self._chip = CHIPS[self.identity]
        self._set(PWR_MGMT_1, DEVICE_RESET)

    def _settings(self) -> Sequence[tuple[int, int]]:
        return (
            (USER_CTRL, 0),
            (PWR_MGMT_1, CLKSEL_PLL),
            (PWR_MGMT_2, 0),
            (CONFIG, DLPF_44_HZ),
            (SMPLRT_DIV, DIVIDER),
            (GYRO_CONFIG, FS_2000_DPS),
            (ACCEL_CONFIG, FS_16G),
            *(((ACCEL_CONFIG2, DLPF_44_HZ),) if self._chip.late else ()),
            (INT_ENABLE, FIFO_OFLOW),
            (FIFO_EN, GYRO_AND_ACCEL),
        )

    def _start(self) -> None:
        self._set(USER_CTRL, FIFO_RESET)  # the bit clears itself
        self._set(USER_CTRL, FIFO_ENABLE)
        self._require(USER_CTRL, FIFO_ENABLE)
        self._get(INT_STATUS)

    def _drain(self) -> list[Steps | None]:
        if self._get(INT_STATUS) & FIFO_OFLOW:  # reading it clears it
            raise Lost(Gap.OVERFLOW)
        count = self._count()
        if count % SAMPLE.size:  # just being written, or misaligned: then it still is
            count = self._count()
        if count > self._chip.fifo - SAMPLE.size:
            raise Lost(Gap.OVERFLOW)
        whole, rest = divmod(count, SAMPLE.size)
        if rest:
            raise Lost(Gap.BUS)
        if not whole:
            return []
        return list(SAMPLE.iter_unpack(self._burst(FIFO_R_W, SAMPLE.size, whole)))

    def _count(self) -> int:
        return int.from_bytes(self._block(FIFO_COUNTH, 2), "big")

    def _celsius(self) -> float:
        steps = int.from_bytes(self._block(TEMP_OUT_H, 2), "big", signed=True)
        return self._chip.at_zero + steps / self._chip.per_degree

    def _self_test(self, wait: Callable[[float], None]) -> str:
        """What the test adds to each axis, against the trim the factory wrote for it.

        MPU-6050: RM-MPU-6000A-00, sections 4.1 to 4.5; within 14 % (product specification).
        MPU-6500: AN-MPU-6500A-02: gyroscope at least half of it, accelerometer half to one and a
        half.
        """
        late = self._chip.late
        self._set(USER_CTRL, 0)
        acc_range = FS_2G if late else FS_8G
        self._set(GYRO_CONFIG, FS_250_DPS)
        self._set(ACCEL_CONFIG, acc_range)
        wait(ST_WAIT)
        without = self._mean(ACCEL_XOUT_H, wait) + self._mean(GYRO_XOUT_H, wait)
        self._set(GYRO_CONFIG, ALL_AXES | FS_250_DPS)
        self._set(ACCEL_CONFIG, ALL_AXES | acc_range)
        wait(ST_WAIT)
        with_it = self._mean(ACCEL_XOUT_H, wait) + self._mean(GYRO_XOUT_H, wait)
        if late:
            trims = _late_trims(self._block(SELF_TEST_X, 3) + self._block(SELF_TEST_X_GYRO, 3))
        else:
            trims = _trims(self._block(SELF_TEST_X, 4))
        for k, (a, b, trim) in enumerate(zip(without, with_it, trims, strict=True)):
            axis = ("accelerometer", "gyroscope")[k // 3] + " " + "xyz"[k % 3]
            if trim == 0:
                return f"{axis}: the factory has left no trim to compare with: perhaps a clone"
            share = (b - a) / trim
            low, high = (0.5, 1.5 if k < 3 else math.inf) if late else (0.86, 1.14)
            if not low <= share <= high:
                return f"{axis}: the self-test moves it by {share:.2f} of its trim"
        return ""

    def _mean(self, register: int, wait: Callable[[float], None]) -> list[float]:
        total = [0, 0, 0]
        for _ in range(ST_SAMPLES):
            wait(1e-3 * (1 + DIVIDER))
            for k, value in enumerate(AXES.unpack(self._block(register, AXES.size))):
                total[k] += value
        return [value / ST_SAMPLES for value in total]


def _trims(codes: bytes) -> list[float]:
    """MPU-6050: steps the self-test must add at ±8 g and ±250 dps, accelerometer first."""
    x, y, z, a = codes
    accel = [x >> 3 & 0x1C | a >> 4 & 3, y >> 3 & 0x1C | a >> 2 & 3, z >> 3 & 0x1C | a & 3]
    found = [4096 * 0.34 * (0.92 / 0.34) ** ((c - 1) / 30) if c else 0.0 for c in accel]
    for sign, code in ((1, x & 0x1F), (-1, y & 0x1F), (1, z & 0x1F)):
        found.append(sign * 25 * 131.0 * 1.046 ** (code - 1) if code else 0.0)
    return found


def _late_trims(codes: bytes) -> list[float]:
    """MPU-6500: likewise at ±2 g and ±250 dps."""
    return [2620 * 1.01 ** (code - 1) if code else 0.0 for code in codes]
