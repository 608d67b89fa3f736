"""Ranger, motor driver, gauge, buses and their threads, on chips that behave like them."""

from __future__ import annotations

import errno
import math
import threading
import time
from pathlib import Path

import pytest

from device.drivers.bus import POWER_CUTS, Bus
from device.drivers.drv2605l import DIAGNOSE_EVERY, Drv2605l
from device.drivers.max17048 import Max17048
from device.drivers.mb1242 import PERIOD_S, Mb1242
from device.drivers.motor import Audible
from device.drivers.pi_power import PiPower
from device.drivers.ranger import Ping
from device.frames import Echo
from device.sources.belt import SILENT_LOOKS, Charge
from device.sources.chips import SimulatedBus
from device.sources.small_chips import Drv2605lChip, Max17048Chip, Mb1242Chip
from device.sources.worker import BusThread
from tests.device.test_haptics import Motor as FakeMotor

# --- MB1242 ---


class Rear:
    def __init__(self, distance: float | None = 2.0) -> None:
        self.now, self.distance = 10.0, distance
        self.chip = Mb1242Chip(lambda t: self.distance)
        wires = SimulatedBus({self.chip.ADDRESS: self.chip}, lambda: self.chip.advance(self.now))
        self.ranger = Mb1242(Bus(lambda: wires), PERIOD_S)

    def run(self, seconds: float) -> list[Ping]:
        found = []
        for _ in range(round(seconds / 0.01)):
            self.now += 0.01
            if ping := self.ranger.poll(self.now):
                found.append(ping)
        return found


@pytest.mark.parametrize("distance", [0.25, 1.0, 3.9])
def test_an_i2cxl_gives_a_distance_ten_times_a_second(distance: float) -> None:
    pings = Rear(distance).run(2.0)
    assert 17 < len(pings) <= 20
    for ping in pings:
        assert ping.echo is Echo.DISTANCE
        assert ping.range == pytest.approx(distance, rel=0.006, abs=0.006)


def test_an_i2cxl_pings_when_the_sound_came_back() -> None:
    rear = Rear(1.717)
    (ping,) = rear.run(0.10)
    assert ping.t == pytest.approx(10.01 + 2 * 1.717 / 343.4, abs=1e-3)


def test_what_an_i2cxl_does_not_see_is_nothing_in_range() -> None:
    for distance in (None, 6.0):
        assert {p.echo for p in Rear(distance).run(1.0)} == {Echo.NOTHING_IN_RANGE}


def test_an_i2cxl_that_fails_says_how_and_comes_back() -> None:
    rear = Rear()
    rear.run(0.5)
    rear.chip.plugged = False
    gone = rear.run(1.0)
    assert {p.echo for p in gone[1:]} == {Echo.NAK}
    assert all(math.isnan(p.range) for p in gone[1:])
    assert len(gone) >= 8, "it is asked again at each ping"
    rear.chip.plugged = True
    rear.run(0.2)
    assert {p.echo for p in rear.run(1.0)} == {Echo.DISTANCE}
    rear.chip.fault = "mute"
    rear.run(0.2)
    assert {p.echo for p in rear.run(1.0)} == {Echo.GLITCH}


def test_one_refusal_while_it_still_ranges_costs_no_ping() -> None:
    rear = Rear()
    rear.chip.RANGING_S = 0.095
    assert {p.echo for p in rear.run(1.0)} == {Echo.DISTANCE}
    assert rear.ranger.errors > 0


def test_an_i2cxl_needs_silence_between_pings() -> None:
    with pytest.raises(ValueError, match=r"needs 0\.1 s between pings, not 0\.06"):
        Mb1242(Bus(lambda: None), 0.06)


# --- DRV2605L ---


class Skin:
    def __init__(self, motor: str = "") -> None:
        self.now, self.felt = 10.0, [0.0]
        self.chip = Drv2605lChip(self.felt.append)
        self.chip.motor = motor
        wires = SimulatedBus({self.chip.ADDRESS: self.chip}, lambda: self.chip.advance(self.now))
        self.driver = Drv2605l(Bus(lambda: wires), lambda job: job())

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.01)):
            self.now += 0.01
            self.driver.work(self.now)


def test_a_pulse_is_felt_at_once_at_its_strength_and_ends() -> None:
    skin = Skin()
    skin.run(1.0)
    assert skin.driver.fault == ""
    for duty in (1.0, 0.5):
        skin.driver.set(duty)
        assert skin.felt[-1] == pytest.approx(duty, abs=0.01)
        skin.driver.off()
        assert skin.felt[-1] == 0.0
    with pytest.raises(ValueError, match="duty is 0 to 1"):
        skin.driver.set(1.1)


def test_a_bus_that_dies_in_a_pulse_cannot_leave_the_motor_on() -> None:
    skin = Skin()
    skin.run(1.0)
    skin.driver.set(1.0)
    skin.chip.present = False
    skin.driver.off()
    skin.run(0.1)
    assert "does not answer" in skin.driver.fault
    skin.chip.advance(skin.now + 10.0)
    assert skin.felt[-1] == 0.0
    skin.chip.present = True
    skin.run(2.0)
    assert skin.driver.fault == ""
    skin.driver.set(1.0)
    assert skin.felt[-1] == 1.0


@pytest.mark.parametrize("motor", ["open", "shorted"])
def test_a_motor_that_is_gone_is_found_by_diagnosis(motor: str) -> None:
    skin = Skin()
    skin.run(1.0)
    skin.chip.motor = motor
    skin.run(DIAGNOSE_EVERY + 1.0)
    assert skin.driver.fault.startswith("open")
    skin.driver.set(1.0)
    skin.driver.off()
    assert skin.driver.fault.startswith(motor)
    skin.chip.motor = ""
    skin.run(7.0)
    assert skin.driver.fault == ""


def test_a_pulse_breaks_off_a_diagnosis() -> None:
    skin = Skin()
    skin.run(0.05)
    skin.driver.set(1.0)
    assert skin.felt[-1] == 1.0
    skin.driver.off()
    skin.run(1.0)
    assert skin.driver.fault == ""


def test_another_chip_at_its_address_is_no_motor() -> None:
    skin = Skin()
    skin.chip._registers[0] = 0x20
    skin.run(0.1)
    assert "DEVICE_ID 1 is no DRV2605L" in skin.driver.fault


def test_a_closed_motor_sleeps() -> None:
    skin = Skin()
    skin.run(1.0)
    skin.driver.set(1.0)
    skin.driver.close()
    assert (skin.felt[-1], skin.chip.read(0x01)) == (0.0, 0x40)


def test_a_buzzer_sounds_with_the_motor() -> None:
    from gpiozero.pins.mock import MockFactory

    pins, motor = MockFactory(), FakeMotor()
    both = Audible(motor, pins, 22)
    both.set(0.6)
    assert (both.duty, pins.pin(22).state) == (0.6, 1)
    both.off()
    assert (both.duty, pins.pin(22).state) == (0.0, 0)


# --- battery and supply ---


def gauge(chip: Max17048Chip) -> Max17048:
    wires = SimulatedBus({chip.ADDRESS: chip}, lambda: None)
    return Max17048(Bus(lambda: wires))


def test_a_cell_is_read_and_nonsense_is_not() -> None:
    chip = Max17048Chip(0.42)
    charge = gauge(chip).read()
    assert (charge.share, charge.voltage) == (pytest.approx(0.42, abs=1e-3), pytest.approx(3.9))
    chip.share = 1.02
    assert gauge(chip).read().share == 1.0
    chip.volts = 5.1
    with pytest.raises(ValueError, match=r"5\.10 V and 102%: no cell is so"):
        gauge(chip).read()


def test_low_is_told_with_hysteresis(tmp_path: Path) -> None:
    chip = Max17048Chip(0.16)
    charge = Charge(gauge(chip), 0.15, PiPower(tmp_path))
    said = []
    for chip.share in (0.16, 0.149, 0.155, 0.199, 0.21, 0.16):
        charge.look()
        said.append(charge.faults["battery"])
    assert said == ["", "15% left", "16% left", "20% left", "", ""]
    chip.present = False
    for _ in range(SILENT_LOOKS):
        assert charge.faults["battery"] == ""
        charge.look()
    assert "the gauge does not answer" in charge.faults["battery"]
    assert math.isnan(charge.share)


def test_the_supply_is_the_firmwares_word(tmp_path: Path) -> None:
    folder = tmp_path / "devices/platform/soc/soc:firmware"
    folder.mkdir(parents=True)
    flags = folder / "get_throttled"
    flags.write_text("50005\n")
    power = PiPower(tmp_path)
    assert power.read() == power.ever() == ["under-voltage", "throttled"]
    flags.write_text("0\n")
    assert power.read() == power.ever() == []
    charge = Charge(None, 0.15, power)
    for said, under in (("50005\n", 1), ("50000\n", 0), ("50005\n", 1)):
        flags.write_text(said)
        charge.look()
        assert charge.under_voltage == under
    flags.unlink()
    charge.look()
    assert "cannot be read" in charge.faults["throttling"]
    assert charge.under_voltage == -1, "what cannot be read is not known"
    nowhere = PiPower(tmp_path / "elsewhere")
    assert nowhere.read() == []
    charge = Charge(None, 0.15, nowhere)
    charge.look()
    assert charge.under_voltage == -1


# --- buses ---


class Switch:
    def __init__(self) -> None:
        self.states: list[bool] = []

    def set(self, on: bool) -> None:
        self.states.append(on)

    def close(self) -> None:
        return


def test_a_bus_is_opened_anew_and_its_power_switched_only_when_that_did_not_help() -> None:
    opened, switch = [], Switch()
    bus = Bus(lambda: opened.append(SimulatedBus({}, lambda: None)) or opened[-1], switch)
    for _ in range(100):
        bus.recover()
    assert len(opened) == 101
    off = [k + 1 for k, on in enumerate(switch.states) if not on]
    assert off == list(POWER_CUTS), "else what hangs on it as well would never come to rest"
    bus.recovered()
    for _ in range(POWER_CUTS[0]):
        assert switch.states[-1]
        bus.recover()
    assert not switch.states[-1]


def test_a_bus_that_cannot_be_opened_is_an_error_of_each_transfer_until_it_can() -> None:
    there = [False]

    def opener() -> SimulatedBus:
        if not there[0]:
            raise OSError(errno.ENOENT, "No such file or directory")
        return SimulatedBus({0x36: Max17048Chip()}, lambda: None)

    bus = Bus(opener)
    for _ in range(2):
        with pytest.raises(OSError, match="No such file"):
            bus.read_byte_data(0x36, 8)
        bus.recover()
    there[0] = True
    assert bus.read_byte_data(0x36, 9) == 0x12


def test_a_stalled_bus_holds_the_asking_one_no_longer_than_it_says() -> None:
    thread: BusThread[str] = BusThread("bus", patience=0.01)
    stalled = threading.Event()
    begun = time.monotonic()
    assert thread.ask(lambda: str(stalled.wait(10.0))) is None
    assert thread.ask(lambda: "never begun") is None
    held = time.monotonic() - begun
    stalled.set()
    while (answer := thread.ask(lambda: "never begun")) is None:
        pass
    assert answer == "True", "the late answer is the first one's"
    while (answer := thread.ask(lambda: "begun")) is None:
        pass
    assert answer == "begun"
    assert held < 1.0, "a hundred times its patience, for a loaded machine"
    thread.close()


def test_what_fails_on_the_thread_is_raised_where_it_was_asked_and_the_thread_lives() -> None:
    thread: BusThread[str] = BusThread("bus", patience=5.0)
    with pytest.raises(ZeroDivisionError):
        thread.ask(lambda: str(1 / 0))
    done = []
    thread.post(lambda: done.append("posted"))
    assert thread.ask(lambda: "asked") == "asked"
    assert done == ["posted"]
    thread.close()
