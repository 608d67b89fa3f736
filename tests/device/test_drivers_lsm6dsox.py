"""What is the LSM6DSOX's own: tags, slots, its rate. The rest is in test_drivers_imu.py."""

from __future__ import annotations

import math
from typing import Any

import pytest

from device.drivers.bus import Bus
from device.drivers.imu import ChipError, Reading
from device.drivers.lsm6dsox import Lsm6dsox
from device.frames import Gap
from device.sources.chips import Chip, SimulatedBus
from device.sources.imu_chips import Lsm6dsoxChip

ADDRESS = 0x6A
ACC, GYRO = (1.0, -2.0, 9.5), (0.4, -0.3, 0.2)


class Rig:
    """One driver on one chip, in a time that stands where it is put."""

    def __init__(self, chip: Lsm6dsoxChip | None = None, bus: type[SimulatedBus] = SimulatedBus):
        self.now = 50.0
        self.asked: list[float] = []  # sample times of the chip
        self.chip = chip or Lsm6dsoxChip(self.motion)
        self.bus = bus({ADDRESS: self.chip}, lambda: self.chip.advance(self.now))
        self.imu = Lsm6dsox(Bus(lambda: self.bus), ADDRESS)

    def motion(self, t: float) -> Any:
        self.asked.append(t)
        return ACC, GYRO

    def read(self, seconds: float) -> list[Reading]:
        self.now += seconds
        return self.imu.read(self.now)

    def run(self, seconds: float, step: float = 0.01) -> list[Reading]:
        return [r for _ in range(round(seconds / step)) for r in self.read(step)]


def gaps(readings: list[Reading]) -> list[Gap]:
    return [r.gap for r in readings if r.gap is not Gap.NONE]


def test_samples_come_in_body_axes_and_si_units() -> None:
    readings = Rig().run(3.0)
    assert len(readings) > 290
    for reading in readings:
        assert reading.acc == pytest.approx(ACC, abs=0.5)  # bias and noise of such a part
        assert reading.gyro == pytest.approx(GYRO, abs=0.04)


def test_nobody_at_the_address() -> None:
    chip = Lsm6dsoxChip(lambda t: (ACC, GYRO))
    chip.present = False
    with pytest.raises(OSError, match="No such device"):
        Rig(chip)


def test_a_setting_that_does_not_stick_is_told() -> None:
    class Deaf(Lsm6dsoxChip):
        def write(self, register: int, value: int) -> None:
            if register != 0x11:
                super().write(register, value)

    with pytest.raises(ChipError, match="register 0x11 keeps 0x00"):
        Rig(Deaf(lambda t: (ACC, GYRO)))


@pytest.mark.parametrize("fine", [-20, 0, 7])
def test_the_rate_is_that_of_this_very_chip(fine: int) -> None:
    rig = Rig(Lsm6dsoxChip(lambda t: (ACC, GYRO), fine=fine))
    begun = rig.run(1.0)
    count = len(begun) + len(rig.run(60.0))
    assert rig.imu.rate == pytest.approx(count / 61.0, rel=0.002)


def test_times_are_true_to_half_a_period() -> None:
    rig = Rig()
    rig.run(1.0)
    taken = len(rig.asked)
    for reading, truth in zip(rig.run(20.0), rig.asked[taken:], strict=True):
        assert reading.t == pytest.approx(truth, abs=0.5 / rig.imu.rate)


@pytest.mark.parametrize("fine", [-8, 8])
def test_times_stay_true_when_the_chip_drifts(fine: int) -> None:
    """It tells its rate at 25 °C; worn under a coat it is 1.2 % off that."""

    class Warm(Lsm6dsoxChip):
        def read(self, register: int) -> int:
            return 0 if register == 0x63 else super().read(register)

    rig = Rig(Warm(lambda t: (ACC, GYRO), fine=fine))
    for _ in range(12_000):
        readings = rig.read(0.01)
        assert all(rig.now - 0.02 < r.t <= rig.now for r in readings)


def test_what_the_chip_says_before_it_has_settled_is_thrown_away() -> None:
    class Waking(Rig):
        def motion(self, t: float) -> Any:
            self.asked.append(t)
            return ((90.0, 0.0, 0.0), GYRO) if len(self.asked) <= 3 else (ACC, GYRO)

    readings = Waking().run(0.5)
    assert len(readings) > 40
    assert max(r.acc[0] for r in readings) < 5.0


def test_one_refused_transfer_is_repeated_and_loses_nothing() -> None:
    rig = Rig()
    rig.run(1.0)
    taken, readings = len(rig.asked), []
    for _ in range(20):
        rig.chip.refuse = 1
        readings += rig.read(0.01)
    assert (len(readings), gaps(readings)) == (len(rig.asked) - taken, [])
    assert rig.imu.errors == 20


def test_a_bus_that_is_gone_is_a_bounded_effort_and_a_gap_each_time() -> None:
    class Counted(SimulatedBus):
        transfers = 0

        def _begin(self, address: int) -> Chip:
            self.transfers += 1
            return super()._begin(address)

    rig = Rig(bus=Counted)
    rig.run(1.0)
    rig.chip.present = False
    assert isinstance(rig.bus, Counted)
    first = rig.bus.transfers
    for _ in range(300):
        before = rig.bus.transfers
        (reading,) = rig.read(0.01)
        assert reading.gap is Gap.BUS
        assert all(math.isnan(v) for v in (*reading.acc, *reading.gyro))
        assert rig.bus.transfers - before <= 4
    assert rig.bus.transfers - first <= 12  # 3 s: a try each half second, the rest of the time none
    rig.chip.present = True
    rig.chip.reset()  # it lost its power
    back = rig.run(1.0)
    assert gaps(back)[-1] is Gap.BUS
    assert len(gaps(back)) < 60  # at most half a second until it is set up again
    assert back[-1].acc == pytest.approx(ACC, abs=0.5)


def test_a_chip_that_stops_sampling_is_no_data() -> None:
    rig = Rig()
    rig.run(1.0)
    rig.chip._next = math.inf
    assert Gap.NO_DATA in gaps(rig.run(0.2))


@pytest.mark.parametrize("words", [1, 2, 3])
def test_lost_words_are_a_gap_where_they_are_missing(words: int) -> None:
    rig = Rig()
    rig.run(1.0)
    rig.now += 0.05
    rig.chip.advance(rig.now)
    for _ in range(words):
        rig.chip.read(0x78)  # somebody else took it
    readings = rig.read(0.05)
    assert gaps(readings) == [Gap.BUS]
    assert readings[0].gap is Gap.BUS
    assert gaps(rig.run(0.5)) == []


def test_half_a_slot_waits_for_its_other_half() -> None:
    class Short(SimulatedBus):
        """Tells one word fewer than there are: the chip was read between the two."""

        def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
            low, high = super().read_i2c_block_data(i2c_addr, register, length)
            return [max(0, low - 1), high]

    rig = Rig(bus=Short)
    rig.run(0.2)
    taken = len(rig.asked)
    readings = rig.run(2.0)
    assert gaps(readings) == []
    assert len(readings) == pytest.approx(len(rig.asked) - taken, abs=1)
    for reading in readings:
        assert reading.acc == pytest.approx(ACC, abs=0.5)
        assert reading.gyro == pytest.approx(GYRO, abs=0.04)
