"""The doctor on simulated chips and pins: a healthy belt is found so, every fault by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from gpiozero import InputDevice

from device.calibration import Calibration
from device.cli.doctor import parts
from device.config import Config, Imu, Ranger
from device.doctor import machine
from device.doctor.finding import Finding, Report
from device.doctor.hands import NoPinsError
from device.doctor.unproven import CHECKLIST
from device.drivers.pi_power import PiPower
from device.frames import Guard
from device.health import table
from device.remedies import REMEDIES, markdown
from device.sources.imu_chips import Mpu6050Chip
from tests.conftest import ROOT
from tests.device.patient import DRV, PWM, Patient

MPU = replace(DRV, imu=Imu(address=0x68))
MB1242 = replace(DRV, ranger=Ranger(driver="mb1242", period_s=0.1))


ELSE = ("rights", "calibration")  # examined apart


def examine(patient: Patient) -> Report:
    return Report("test", [f for f in parts(patient.hands) if f.part not in ELSE])


def obliging(patient: Patient) -> None:
    """A person who does what the doctor asks, beside a belt that is well."""

    def hand() -> bool:
        patient.put_behind(0.5)
        return True

    patient.answers = {"Hold": hand, "A": lambda: True, "Press": patient.hold_button}


@pytest.mark.parametrize("config", [DRV, PWM, MPU, MB1242], ids=["drv", "pwm", "mpu", "mb1242"])
def test_a_healthy_belt_is_found_so(config: Config, tmp_path: Path) -> None:
    patient = Patient(tmp_path, config)
    obliging(patient)
    report = examine(patient)
    assert [f for f in report.findings if f.verdict != "well"] == []
    assert report.guard is Guard.FULL
    assert {"motion sensor", "samples", "gravity", "self-test", "battery", "rear sensor",
            "a hand behind", "motor", "button"} <= {f.part for f in report.findings}  # fmt: skip
    assert patient.parts.world._duty == 0.0, "the motor is left off"


def test_the_power_that_a_pin_switches_is_on_meanwhile_and_off_after(tmp_path: Path) -> None:
    patient = Patient(tmp_path, replace(DRV, imu=Imu(power_pin=5)))
    obliging(patient)
    switch, catch_up = patient.parts.pins.pin(5), patient.parts.bus._catch_up

    def fed() -> None:
        patient.parts.imu.present = patient.parts.motor.present = bool(switch.state)
        catch_up()

    patient.parts.bus._catch_up = fed
    assert [f for f in examine(patient).findings if f.fault] == []
    assert switch.function == "input"


def test_with_nobody_to_ask_it_says_what_it_does_not_know(tmp_path: Path) -> None:
    report = examine(Patient(tmp_path, PWM))
    unknown = {f.part: f.said for f in report.findings if f.unknown}
    assert set(unknown) == {"a hand behind", "motor", "button"}
    assert "a transistor cannot tell" in unknown["motor"]
    assert report.guard is Guard.FULL


def test_a_belt_that_is_moved_is_not_judged_by_its_self_test(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    dice = Random(3)
    patient.parts.imu._motion = lambda t: (
        (0.0, 0.0, 9.81 + dice.uniform(-2, 2)),
        (0.1, dice.gauss(0, 1), 0.2),
    )
    assert {f.part for f in examine(patient).findings if f.unknown} >= {"gravity", "self-test"}


def imu(**state: object) -> Callable[[Patient], None]:
    def throw(patient: Patient) -> None:
        for name, value in state.items():
            setattr(patient.parts.imu, name, value)

    return throw


def identity(value: int, register: int) -> Callable[[Patient], None]:
    def throw(patient: Patient) -> None:
        patient.parts.imu._identity = value
        patient.parts.imu._registers[register] = value

    return throw


def clone(patient: Patient) -> None:
    chip = Mpu6050Chip(patient.parts.world.imu, 1, identity=0x98)
    patient.parts.bus.chips[0x68] = patient.parts.imu = chip


def slow_clock(patient: Patient) -> None:
    patient.parts.imu._off = 0.09


def feather(patient: Patient) -> None:
    patient.parts.imu._motion = lambda t: ((0.0, 0.0, 8.9), (0.0, 0.0, 0.0))


def frozen(patient: Patient) -> None:
    chip = patient.parts.imu
    patient.parts.imu._motion = lambda t: ((0.0, 0.0, 9.81), (0.0, 0.0, 0.0))
    chip._random.gauss = lambda mean, sd: 0.0  # type: ignore[method-assign]


def no_bus(patient: Patient) -> None:
    def refuse(number: int) -> object:
        raise OSError(2, f"no I2C bus /dev/i2c-{number}")

    patient.open = refuse


def stuck(patient: Patient) -> None:
    patient.parts.bus.stuck = True


def no_pins(patient: Patient) -> None:
    def refuse() -> object:
        raise NoPinsError("lgpio is not installed")

    patient.open_pins = refuse


def taken_pin(number: int) -> Callable[[Patient], None]:
    def throw(patient: Patient) -> None:
        patient.other = InputDevice(number, pin_factory=patient.parts.pins)  # type: ignore[attr-defined]

    return throw


def ranger(fault: str) -> Callable[[Patient], None]:
    def throw(patient: Patient) -> None:
        patient.parts.world.ranger_plugged = fault != "unplugged"
        patient.parts.ranger.fault = fault

    return throw


def behind(distance: float) -> Callable[[Patient], None]:
    return lambda patient: patient.put_behind(distance)


def cross_talk(patient: Patient) -> None:
    dice = Random(5)
    patient.parts.ranger._distance = lambda t: dice.uniform(0.3, 3.9)


def unseen_hand(patient: Patient) -> None:
    patient.answers["Hold"] = lambda: True


def motor(fault: str) -> Callable[[Patient], None]:
    def throw(patient: Patient) -> None:
        patient.parts.motor.motor = fault

    return throw


def no_driver(patient: Patient) -> None:
    patient.parts.motor.present = False


def unfelt(patient: Patient) -> None:
    patient.answers["A"] = lambda: False


def held(patient: Patient) -> None:
    patient.hold_button()


def dead_button(patient: Patient) -> None:
    patient.answers["Press"] = lambda: True


def gauge(share: float) -> Callable[[Patient], None]:
    def throw(patient: Patient) -> None:
        patient.parts.gauge.share = share

    return throw


def no_gauge(patient: Patient) -> None:
    patient.parts.gauge.present = False


@dataclass(frozen=True)
class Ill:
    what: str
    throw: Callable[[Patient], None]
    fault: str  # that is found
    left: Guard = Guard.FULL
    config: Config = DRV


NONE, NO_REAR, NO_IMU = Guard.NOT_GUARDING, Guard.NO_REAR, Guard.NO_IMU
ILLS = (
    Ill("no such bus", no_bus, "no_bus", NONE),
    Ill("the same, the motor on a pin", no_bus, "no_bus", NO_IMU, PWM),
    Ill("SDA held low", stuck, "bus_stuck", NONE),
    Ill("motion sensor unplugged", imu(present=False), "imu_missing", NO_IMU),
    Ill("an unknown chip", identity(0x55, 0x0F), "imu_stranger", NO_IMU),
    Ill("a clone", clone, "identity", config=MPU),
    Ill("its self-test moves nothing", imu(healthy=False), "imu_self_test", NO_IMU),
    Ill("the same of an MPU", imu(healthy=False), "imu_self_test", NO_IMU, MPU),
    Ill("it refuses at the start", imu(refuse=10**9), "imu_missing", NO_IMU),
    Ill("frozen", frozen, "imu", NO_IMU),
    Ill("too hot to be true", imu(celsius=120.0), "imu", NO_IMU),
    Ill("its clock is off", slow_clock, "imu_rate", config=MPU),
    Ill("too light", feather, "imu_scale"),
    Ill("no pins", no_pins, "no_pins", NONE),
    Ill("the button's pin is taken", taken_pin(17), "no_pins", NONE),
    Ill("the rear sensor's pin is taken", taken_pin(24), "no_pins", NO_REAR),
    Ill("rear sensor unplugged", ranger("unplugged"), "ranger_silent", NO_REAR),
    Ill("its line never falls", ranger("stuck"), "ranger_stuck", NO_REAR),
    Ill("its pulses are too short", ranger("glitch"), "ranger_glitch", NO_REAR),
    Ill("the I2C one unplugged", ranger("unplugged"), "ranger_nak", NO_REAR, MB1242),
    Ill("covered", behind(0.06), "ranger_covered", NO_REAR),
    Ill("cross-talk", cross_talk, "ranger_wild"),
    Ill("a hand is not seen", unseen_hand, "ranger_deaf", NO_REAR),
    Ill("none is set", obliging, "no_ranger", NO_REAR, replace(DRV, ranger=Ranger("none"))),
    Ill("motor open", motor("open"), "motor_open", NONE),
    Ill("motor shorted", motor("shorted"), "motor_shorted", NONE),
    Ill("the motor's driver gone", no_driver, "motor_driver", NONE),
    Ill("the motor not felt", unfelt, "motor_unfelt", NONE),
    Ill("button stuck", held, "button"),
    Ill("button dead", dead_button, "button_dead"),
    Ill("battery low", gauge(0.1), "battery"),
    Ill("battery's gauge gone", no_gauge, "battery"),
)


@pytest.mark.parametrize("ill", ILLS, ids=lambda ill: ill.what)
def test_a_fault_is_found_by_its_name(ill: Ill, tmp_path: Path) -> None:
    patient = Patient(tmp_path, ill.config)
    ill.throw(patient)
    report = examine(patient)
    assert ill.fault in {f.fault for f in report.findings}, report.findings
    assert report.guard is ill.left, report.findings
    assert patient.parts.world._duty == 0.0


def test_every_fault_the_doctor_can_find_here_is_thrown() -> None:
    """Read from its own source, so that a new one without a test fails."""
    named = {
        word
        for file in ("buses.py", "pins.py")
        for word in re.findall(r'"(\w+)"', (ROOT / "device/doctor" / file).read_text())
        if word in REMEDIES and word not in ("motor", "button", "battery")  # parts as well
    }
    assert named <= {ill.fault for ill in ILLS}


def test_without_sense_of_motion_and_without_eyes_it_does_not_guard() -> None:
    blind = Finding("rear sensor", "", "ranger_silent", Guard.NO_REAR)
    numb = Finding("self-test", "", "imu_self_test", Guard.NO_IMU)
    assert Report("test", [blind]).guard is Guard.NO_REAR
    assert Report("test", [blind, numb]).guard is Guard.NOT_GUARDING


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        ("0", ""),
        ("50005", "supply"),
        ("50000", "supply"),
        ("e0008", "throttling"),
        ("x", "throttling"),
    ],
)
def test_the_supply_is_told_now_and_since_the_start(flags: str, fault: str, tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    patient.flags.write_text(flags + "\n")
    assert [f.fault for f in machine.power(PiPower(tmp_path))] == [fault]


def test_a_calibration_is_told_with_what_is_wrong_with_it() -> None:
    assert machine.calibrated(Calibration()).unknown
    assert machine.calibrated(Calibration(made="2026-01-01")).verdict == "well"
    assert machine.calibrated(Calibration(doubt="of belt 'b'")).fault == "calibration"


def test_clock_and_disk(tmp_path: Path) -> None:
    assert machine.clock(True).verdict == "well"
    assert machine.clock(False).fault == "clock"
    assert machine.disk(tmp_path).fault in ("", "disk_full")
    assert list(tmp_path.iterdir()) == []
    assert machine.disk(tmp_path / "nowhere").fault == "disk_refuses"


def test_a_nearly_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LITTLE_MB", 1e12)
    assert machine.disk(tmp_path).fault == "disk_full"


def test_rights_are_tried_and_a_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.rights().fault in ("", "rights")
    refuse = "real_time; import os, resource as r; r.setrlimit(r.RLIMIT_MEMLOCK, (0, 0)); "
    refuse += "os.geteuid() or os.setuid(65534); "
    monkeypatch.setattr(machine, "_RIGHTS", machine._RIGHTS.replace("real_time; ", refuse, 1))
    found = machine.rights()
    assert found.fault == "rights"
    assert "memory is not locked" in found.said


def test_every_row_of_health_and_every_finding_has_its_remedy() -> None:
    assert set(table(Config(), 104.0)) <= set(REMEDIES)
    for remedy in REMEDIES.values():
        assert all(remedy)
        assert all("\n" not in text and "|" not in text for text in remedy)
    assert len(markdown().splitlines()) == len(REMEDIES) + 2


def test_the_checklist_is_the_one_in_hardware_md() -> None:
    text = (ROOT / "hardware.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for item in CHECKLIST:
        assert f"| {item.what} | {item.how} |" in rows
    listed = text.split("## Unproven on real hardware")[1]
    assert len(re.findall(r"^\| (?!what)", listed, re.M)) == len(CHECKLIST)
