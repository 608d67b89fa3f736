"""MAX17048: how full a lithium cell is, over I2C.

Registers have the names of Maxim's datasheet 19-6171, section "Register summary": words of two
bytes, high byte first. A gauge that has lost its power says nonsense for a second, and one without
a cell says whatever floats: what no cell can be is no reading.
"""

from __future__ import annotations

from typing import NamedTuple

from device.drivers.bus import Bus

ADDRESS = 0x36
VCELL = 0x02  # 78.125 µV a step
SOC = 0x04  # 1/256 % a step
VERSION = 0x08

VOLTAGES = (2.5, 4.5)  # V; a protected cell is never outside
MOST = 1.1  # the model may say a little more than full


class Charge(NamedTuple):
    share: float  # 0..1
    voltage: float  # V


class Max17048:
    def __init__(self, bus: Bus) -> None:
        """`bus` is a bus.Bus."""
        self._bus = bus

    def read(self) -> Charge:
        """Raises OSError when it does not answer, ValueError when what it says cannot be."""
        if (version := self._word(VERSION)) & 0xFFF0 != 0x0010:
            raise ValueError(f"the gauge's VERSION is 0x{version:04x}, not 0x001_")
        voltage = self._word(VCELL) * 78.125e-6
        share = self._word(SOC) / 256 / 100
        if not VOLTAGES[0] <= voltage <= VOLTAGES[1] or share > MOST:
            raise ValueError(f"the gauge says {voltage:.2f} V and {share:.0%}: no cell is so")
        return Charge(min(1.0, share), voltage)

    def _word(self, register: int) -> int:
        return int.from_bytes(bytes(self._bus.read_i2c_block_data(ADDRESS, register, 2)), "big")
