"""Examines what sits on the I2C buses: who answers, the motion sensor, the battery's gauge."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator
from statistics import fmean, pstdev
from typing import Any

from smbus2 import i2c_msg

from device.doctor.finding import Finding
from device.doctor.hands import Hands
from device.drivers import drv2605l, max17048, mb1242
from device.drivers.bus import Bus
from device.drivers.imu import ChipError, G, Imu, Reading
from device.drivers.imus import DRIVERS, probe
from device.drivers.max17048 import Max17048
from device.frames import Gap, Guard

ADDRESSES = range(0x08, 0x78)  # those the I2C specification leaves to chips
KNOWN = {place: "motion sensor" for driver in DRIVERS for place in driver.ADDRESSES} | {
    drv2605l.ADDRESS: "DRV2605L",
    max17048.ADDRESS: "MAX17048",
    mb1242.ADDRESS: "I2C rear sensor",
}
SETTLE_S, WATCH_S = 0.5, 2.5  # s before samples count, and of those that do
RATE_WITHIN = 0.06  # share; drivers/imu.py follows a clone's oscillator that is 5 % off
STILL_ACC, STILL_RATE = 0.3, 0.25  # m/s² s.d. of the norm, rad/s mean turn: lying, or held still
SCALE_WITHIN = 0.5  # m/s² off 1 g: what five standard errors of the worst chip leave
MOST_GAPS = 0.5  # share of gaps from which there is no motion sensor to speak of
NONE, NO_IMU = Guard.NOT_GUARDING, Guard.NO_IMU


def examine(hands: Hands) -> Iterator[Finding]:
    """The main bus and all on it, and the rear sensor's own where there is one."""
    config = hands.config
    if config.ranger.driver == "mb1242":
        yield _scanned(hands, config.ranger.bus, {mb1242.ADDRESS}, Guard.NO_REAR)[0]
    left = NONE if config.motor.driver == "drv2605l" else NO_IMU
    finding, bus = _scanned(hands, config.imu.bus, _expected(hands), left)
    yield finding
    if bus is None:
        return
    try:
        yield from _imu(hands, bus)
        yield _gauge(hands, bus)
    finally:
        bus.close()


def _expected(hands: Hands) -> set[int]:
    wanted = set()
    if hands.config.motor.driver == "drv2605l":
        wanted.add(drv2605l.ADDRESS)
    if hands.config.battery.gauge == "max17048":
        wanted.add(max17048.ADDRESS)
    return wanted


def _scanned(
    hands: Hands, number: int, wanted: set[int], left: Guard
) -> tuple[Finding, Bus | None]:
    """Who answers on a bus, and the bus, unless it is of no use."""
    part = f"I2C bus {number}"
    try:
        hands.open_bus(number).close()
    except OSError as error:
        return Finding(part, error.strerror or str(error), "no_bus", left), None
    bus = Bus(lambda: hands.open_bus(number))
    try:
        found = [address for address in ADDRESSES if _answers(bus, address)]
    except OSError:
        bus.close()
        return Finding(part, "every transfer times out", "bus_stuck", left), None
    said = [f"0x{a:02x} {KNOWN.get(a, '(nothing of this belt)')}" for a in found]
    missing = [f"0x{a:02x} {KNOWN[a]} is missing" for a in sorted(wanted - set(found))]
    return Finding(part, ", ".join(said + missing) or "nothing answers"), bus


def _answers(bus: Any, address: int) -> bool:
    """Whether a chip is there: a read of one byte, which moves nothing. Raises OSError when the
    bus itself is stuck.
    """
    try:
        bus.i2c_rdwr(i2c_msg.read(address, 1))
    except OSError as error:
        if error.errno == errno.ETIMEDOUT:
            raise
        return False
    return True


def _imu(hands: Hands, bus: Bus) -> Iterator[Finding]:
    try:
        imu = probe(bus, hands.config.imu.address)
    except ChipError as error:
        yield Finding("motion sensor", str(error), "imu_stranger", NO_IMU)
        return
    except OSError as error:
        yield Finding("motion sensor", error.strerror or str(error), "imu_missing", NO_IMU)
        return
    yield Finding("motion sensor", imu.name)
    if imu.warning:
        yield Finding("identity", imu.warning, "identity")
    for now in hands.ticks(SETTLE_S):
        imu.read(now)
    readings: list[Reading] = []
    for now in hands.ticks(WATCH_S):
        readings += imu.read(now)
    yield _samples(imu, readings)
    still = _still([r for r in readings if r.gap is Gap.NONE])
    yield from _scale([r for r in readings if r.gap is Gap.NONE], still)
    yield _self_test(hands, imu, still)


def _samples(imu: Imu, readings: list[Reading]) -> Finding:
    gaps = [r.gap for r in readings if r.gap is not Gap.NONE]
    good = len(readings) - len(gaps)
    rate = good / WATCH_S
    warm = "" if math.isnan(imu.temperature) else f", {imu.temperature:.1f} °C"
    said = f"{rate:.1f} a second ({imu.rate:.1f} by its own word){warm}"
    if gaps:
        why = ", ".join(sorted({gap.name.lower() for gap in gaps}))
        left = NO_IMU if len(gaps) > MOST_GAPS * len(readings) else Guard.FULL
        return Finding(
            "samples", f"{said}; {len(gaps)} gaps: {why} {imu.fault}".strip(), "imu", left
        )
    if not good:
        return Finding("samples", "none came", "imu", NO_IMU)
    if abs(rate / imu.rate - 1) > RATE_WITHIN:
        return Finding("samples", said, "imu_rate")
    return Finding("samples", f"{said}, no gap")


def _still(good: list[Reading]) -> bool:
    if len(good) < 2:
        return False
    spread = pstdev(math.hypot(*r.acc) for r in good)
    return spread < STILL_ACC and fmean(math.hypot(*r.gyro) for r in good) < STILL_RATE


def _scale(good: list[Reading], still: bool) -> Iterator[Finding]:
    if not good:
        return
    norm = fmean(math.hypot(*r.acc) for r in good)
    said = f"{norm:.2f} m/s² at rest"
    if not still:
        yield Finding("gravity", "it was moved: lay the belt down for this", unknown=True)
    elif abs(norm - G) > SCALE_WITHIN:
        yield Finding("gravity", said, "imu_scale")
    else:
        yield Finding("gravity", said)


def _self_test(hands: Hands, imu: Imu, still: bool) -> Finding:
    if not still:
        return Finding("self-test", "not made: it needs the belt lying still", unknown=True)
    try:
        wrong = imu.self_test(hands.wait)
    except OSError as error:
        return Finding("self-test", error.strerror or str(error), "imu", NO_IMU)
    if wrong:  # of a clone nobody knows what its test ought to move
        return Finding("self-test", wrong, "imu_self_test", Guard.FULL if imu.warning else NO_IMU)
    return Finding("self-test", "every axis moves as it must")


def _gauge(hands: Hands, bus: Bus) -> Finding:
    if hands.config.battery.gauge == "none":
        return Finding("battery", "no gauge is set: how full it is, nobody knows", unknown=True)
    try:
        charge = Max17048(bus).read()
    except (OSError, ValueError) as error:
        return Finding("battery", str(error), "battery")
    said = f"{charge.share:.0%}, {charge.voltage:.2f} V"
    low = charge.share <= hands.config.battery.low_share
    return Finding("battery", said, "battery" if low else "")
