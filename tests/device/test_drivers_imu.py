"""What holds for every motion sensor there is a driver for, on a chip that behaves like one."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.core import Core
from device.drivers.bus import Bus
from device.drivers.imu import ChipError, Reading
from device.drivers.imus import DRIVERS, probe
from device.drivers.lsm6dsox import Lsm6dsox
from device.drivers.mpu6050 import Mpu6050
from device.frames import Frame, Gap
from device.sources.chips import SimulatedBus
from device.sources.imu_chips import Lsm6dsoxChip, Mpu6050Chip

CHIPS = {Lsm6dsox: Lsm6dsoxChip, Mpu6050: Mpu6050Chip}
ALL = [(driver, identity) for driver in DRIVERS for identity in driver.IDENTITIES]
ACC, GYRO = (1.0, -2.0, 9.5), (0.4, -0.3, 0.2)


class Rig:
    """One driver on one chip, in a time that stands where it is put."""

    def __init__(self, driver: Any, identity: int, **chip: Any) -> None:
        self.now = 50.0
        self.asked: list[float] = []  # sample times of the chip
        self.chip = CHIPS[driver](self.motion, identity=identity, **chip)
        self.place = driver.ADDRESSES[1]
        self.bus = SimulatedBus({self.place: self.chip}, lambda: self.chip.advance(self.now))
        self.imu = probe(Bus(lambda: self.bus))

    def motion(self, t: float) -> Any:
        self.asked.append(t)
        return ACC, GYRO

    def read(self, seconds: float) -> list[Reading]:
        self.now += seconds
        return self.imu.read(self.now)

    def run(self, seconds: float, step: float = 0.01) -> list[Reading]:
        return [r for _ in range(round(seconds / step)) for r in self.read(step)]

    def wait(self, seconds: float) -> None:
        self.now += seconds


def rig(driver: Any, **chip: Any) -> Rig:
    return Rig(driver, next(iter(driver.IDENTITIES)), **chip)


@pytest.mark.parametrize("driver", DRIVERS)
def test_nothing_is_missing_while_it_is_set_up_for_the_first_time(driver: Any) -> None:
    r = rig(driver)
    assert gaps(r.run(0.5)) == []
    r.chip.reset()
    assert gaps(r.run(0.5)) != []


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_first_setting_up_that_fails_is_a_gap(driver: Any) -> None:
    r = rig(driver)
    r.chip.present = False
    assert gaps(r.run(0.5)) != []


def gaps(readings: list[Reading]) -> list[Gap]:
    return [r.gap for r in readings if r.gap is not Gap.NONE]


def test_every_driver_has_a_chip_to_be_tested_on() -> None:
    assert set(CHIPS) == set(DRIVERS)


@pytest.mark.parametrize(("driver", "identity"), ALL)
def test_every_identity_is_found_tests_itself_and_reads_true(driver: Any, identity: int) -> None:
    it = Rig(driver, identity)
    assert (type(it.imu), it.imu.name) == (driver, driver.IDENTITIES[identity].name)
    it.run(0.3)
    readings = it.run(1.0)
    assert gaps(readings) == []
    assert len(readings) == pytest.approx(it.imu.rate, abs=2)
    for reading in readings:
        assert reading.acc == pytest.approx(ACC, abs=0.9)  # bias and noise of such a part
        assert reading.gyro == pytest.approx(GYRO, abs=0.1)
    assert it.imu.temperature == pytest.approx(25.0, abs=0.1)
    assert it.imu.self_test(it.wait) == ""
    assert set(gaps(it.run(0.3))) == {Gap.RESET}
    assert gaps(it.run(1.0)) == []
    it.chip.healthy = False
    assert "the self-test moves" in it.imu.self_test(it.wait)


def test_a_part_sold_under_another_name_is_driven_with_a_warning() -> None:
    assert "sold under another name" in Rig(Mpu6050, 0x98).imu.warning
    assert rig(Mpu6050).imu.warning == rig(Lsm6dsox).imu.warning == ""


def test_no_trim_is_told_as_what_it_may_be() -> None:
    it = rig(Mpu6050)
    it.run(0.5)
    it.chip._registers[0x0D:0x11] = bytes(4)
    assert "perhaps a clone" in it.imu.self_test(it.wait)


def test_only_where_it_is_told_to_look() -> None:
    chip = Mpu6050Chip(lambda t: (ACC, GYRO))
    wires = SimulatedBus({0x69: chip}, lambda: chip.advance(1.0))
    bus = Bus(lambda: wires)
    assert probe(bus, 0x69).name == "MPU-6050"
    with pytest.raises(OSError, match="nothing answers at 0x68"):
        probe(bus, 0x68)
    with pytest.raises(OSError, match="0x33: no such chip"):
        probe(bus, 0x33)
    chip._registers[0x75] = 0x55
    with pytest.raises(ChipError, match=r"at 0x69 says 0x55; known: 0x68 \(MPU-6050\)"):
        probe(bus)


@pytest.mark.parametrize("driver", DRIVERS)
@settings(max_examples=12, deadline=None)
@given(waits=st.lists(st.floats(0.0005, 0.80), min_size=2, max_size=20))
def test_a_late_reader_loses_no_sample(driver: Any, waits: list[float]) -> None:
    it = rig(driver)
    it.run(0.3)
    taken, readings = len(it.asked), []
    for wait in waits:
        readings += it.read(wait)
    assert len(readings) == len(it.asked) - taken
    assert gaps(readings) == []
    assert all(b.t > a.t for a, b in itertools.pairwise(readings))


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_overflow_is_a_gap_and_nothing_is_spliced(driver: Any) -> None:
    it = rig(driver)
    it.run(0.5)
    (told,) = it.read(3.0)
    assert told.gap is Gap.OVERFLOW
    after = it.run(1.0)
    fresh = [r for r in after if r.gap is Gap.NONE]
    assert fresh[0].t > told.t
    assert len(fresh) > 70
    assert set(gaps(after)) == {Gap.OVERFLOW}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_reset_behind_its_back_is_found_and_mended(driver: Any) -> None:
    it = rig(driver)
    it.run(0.5)
    it.chip.reset()
    readings = it.run(1.0)
    assert set(gaps(readings)) == {Gap.RESET}
    assert len([r for r in readings if r.gap is Gap.NONE]) > 70


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_sample_that_never_changes_is_no_sample(driver: Any) -> None:
    it = rig(driver)
    it.run(0.5)
    it.chip._random.gauss = lambda mean, sigma: mean
    held = it.run(0.6)
    assert set(gaps(held)) == {Gap.FROZEN}
    assert next(k for k, r in enumerate(held) if r.gap) / it.imu.rate < 0.3
    del it.chip._random.gauss
    it.run(0.5)
    assert gaps(it.run(1.0)) == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_no_body_can_do_is_a_gap(driver: Any) -> None:
    it = rig(driver)
    it.run(0.5)
    it.motion = lambda t: (ACC, (0.0, 50.0, 0.0))
    it.chip._motion = it.motion
    assert set(gaps(it.run(0.2)[2:])) == {Gap.RANGE}
    it.chip._motion = lambda t: ((150.0, 0.0, 0.0), (0.0, 30.0, 0.0))  # a fall
    reading = it.run(0.2)[-1]
    assert reading.acc[0] == pytest.approx(150.0, abs=1.5)
    assert reading.gyro[1] == pytest.approx(30.0, abs=0.2)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_temperature_beyond_what_it_is_made_for_is_a_broken_chip(driver: Any) -> None:
    it = rig(driver)
    it.run(0.5)
    it.chip.celsius = 120.0
    assert Gap.RANGE in gaps(it.run(1.5))
    assert math.isnan(it.imu.temperature)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_bus_that_is_gone_is_a_gap_each_time_and_another_chip_is_not_believed(
    driver: Any,
) -> None:
    it = rig(driver)
    it.run(0.5)
    it.chip.present = False
    readings = it.run(1.0)
    assert {r.gap for r in readings} == {Gap.BUS}
    assert all(math.isnan(v) for r in readings for v in (*r.acc, *r.gyro))
    assert it.imu.fault
    it.chip._identity = 0x33
    it.chip.present = True
    it.chip.reset()
    assert {r.gap for r in it.run(1.0)} == {Gap.BUS}
    assert "says 0x33" in it.imu.fault
    it.chip._identity = next(iter(driver.IDENTITIES))
    it.chip.reset()
    it.run(0.8)
    assert (gaps(it.run(1.0)), it.imu.fault) == ([], "")


@pytest.mark.parametrize("off", [-0.04, 0.04])
def test_a_clone_whose_clock_is_off_keeps_true_times(off: float) -> None:
    it = rig(Mpu6050, off=off)
    it.run(40.0)
    taken = len(it.asked)
    for reading, truth in zip(it.run(10.0), it.asked[taken:], strict=True):
        assert reading.t == pytest.approx(truth, abs=0.6 / it.imu.rate)


def test_a_burst_that_breaks_off_is_never_joined_to_what_follows() -> None:
    """An MPU-6050 has no tags: what has left its FIFO is gone."""
    it = rig(Mpu6050)
    it.run(0.5)
    pops = itertools.count()

    def cut(register: int) -> int:
        if register == 0x74 and next(pops) == 7:
            raise OSError(121, "Remote I/O error")
        return Mpu6050Chip.read(it.chip, register)

    it.chip.read = cut
    after = it.run(1.0)
    assert set(gaps(after)) == {Gap.BUS}
    for reading in after:
        if reading.gap is Gap.NONE:
            assert reading.acc == pytest.approx(ACC, abs=0.9)


def test_a_lost_byte_in_the_fifo_is_found() -> None:
    it = rig(Mpu6050)
    it.run(0.5)
    it.chip._fifo.append(0)
    readings = it.run(1.0)
    assert set(gaps(readings)) == {Gap.BUS}
    assert gaps(readings[-50:]) == []
    for reading in readings:
        if reading.gap is Gap.NONE:
            assert reading.acc == pytest.approx(ACC, abs=0.9)


def test_a_flipped_tag_is_a_gap() -> None:
    it = rig(Lsm6dsox)
    it.run(0.5)
    it.now += 0.05
    it.chip.advance(it.now)
    word = it.chip._fifo[3]
    it.chip._fifo[3] = bytes([word[0] ^ 0x08]) + word[1:]
    readings = it.read(0.001)
    assert gaps(readings) == [Gap.BUS]
    for reading in readings:
        if reading.gap is Gap.NONE:
            assert reading.acc == pytest.approx(ACC, abs=0.5)


# --- warmth ---


@pytest.mark.parametrize(("driver", "identity"), ALL)
def test_each_kelvin_is_told_by_what_the_data_sheet_says_it_moves(
    driver: Any, identity: int
) -> None:
    it = Rig(driver, identity)
    said = [r.drift for r in it.run(2.5)]
    it.chip.celsius = 25.9
    said += [r.drift for r in it.run(2.5)]
    assert not any(said), "the first look is no change, and less than a kelvin is not told"
    it.chip.celsius = 27.5
    told = [r.drift for r in it.run(2.5) if r.drift]
    drift = math.radians(driver.IDENTITIES[identity].drift)
    assert told == [pytest.approx(2.5 * drift, rel=0.01)]
    it.chip.celsius = 25.5
    assert [r.drift for r in it.run(2.5) if r.drift] == [pytest.approx(2.0 * drift, rel=0.01)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_changed_while_no_temperature_was_known_is_told_after(driver: Any) -> None:
    it = rig(driver)
    it.run(1.5)
    it.chip.celsius = 120.0  # no living chip's
    assert not any(r.drift for r in it.run(2.0))
    it.chip.celsius = 35.0
    drift = math.radians(driver.IDENTITIES[it.imu.identity].drift)
    assert sum(r.drift for r in it.run(3.0)) == pytest.approx(10.0 * drift, rel=0.01)


def test_the_bias_of_a_chip_that_warms_up_is_followed_by_the_core() -> None:
    """An MPU-6050 from a cold coat rack: 15 K in a minute, 0.2 °/s with each. Told or not, the zero
    of its accelerometer, 1.5° of tilt, is in it as well.
    """

    def warmed_up(*, told: bool) -> float:
        """°, how far the vertical is off at most."""
        it = rig(Mpu6050)
        begun = it.now
        kelvin = lambda t: 15.0 * min(max(t - begun - 30.0, 0.0) / 60.0, 1.0)  # noqa: E731

        def motion(t: float) -> Any:
            sway = 0.5 * math.cos(6.0 * t)  # so that it is never at rest
            moved = math.radians(0.2) * kelvin(t)
            shaken = (1.5 * math.sin(11.0 * t), math.sin(5.5 * t), 9.81 + 2.0 * math.cos(11.0 * t))
            return shaken, (moved, 0.7 * moved, sway)

        it.chip._motion = motion
        core, off = Core(it.imu.rate), 0.0
        for _ in range(10_000):
            it.chip.celsius = 10.0 + kelvin(it.now)
            for reading in it.read(0.01):
                if told and reading.drift:
                    core.drift(reading.drift)
                frame = Frame(reading.t, 0.0, 0.0, *reading.acc, *reading.gyro)
                core.step(frame)
                if reading.t - begun > 30.0:
                    off = max(off, math.degrees(math.acos(min(1.0, frame.up_z))))
        return off

    assert warmed_up(told=True) < 0.5 * warmed_up(told=False)
