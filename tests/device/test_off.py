"""What is done for a device that has died: the motor off, and the wearer told."""

from __future__ import annotations

import signal
import threading

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from device import cli
from device.cli import not_guarding
from device.config import Config, Motor
from device.drivers.drv2605l import GO, MODE, Drv2605l
from device.haptics import PATTERNS, Haptics
from device.sources.belt import quiet
from device.sources.chips import SimulatedBus
from device.sources.live import HardwareMissingError
from device.sources.small_chips import Drv2605lChip
from tests.device.test_feel import Motor as Recorded
from tests.device.virtual import Clock


def test_pins_that_were_left_high_are_low() -> None:
    pins = MockFactory(pin_class=MockPWMPin)
    for number in (18, 25):
        pin = pins.pin(number)
        pin.function = "output"
        pin.state = 1
    quiet(Config(motor=Motor(buzzer_pin=25)), pytest.fail, lambda: pins)
    assert [pins.pin(number).state for number in (18, 25)] == [0, 0]


class Wires(SimulatedBus):
    def close(self) -> None:
        self.closed = True


def test_a_pulse_that_was_left_running_ends_and_the_chip_sleeps() -> None:
    driven: list[float] = []
    chip = Drv2605lChip(driven.append)
    wires = Wires({chip.ADDRESS: chip}, lambda: chip.advance(1.0))
    dead = Drv2605l(wires, lambda job: job())
    dead.work(0.0)
    dead.work(3.0)
    dead.set(1.0)
    assert driven[-1] == 1.0
    quiet(Config(motor=Motor(driver="drv2605l")), lambda number: wires, pytest.fail)
    assert driven[-1] == 0.0
    assert wires.read_byte_data(chip.ADDRESS, GO) == 0
    assert wires.read_byte_data(chip.ADDRESS, MODE) & 0x40
    assert wires.closed


def test_what_cannot_be_switched_off_is_one_line(tmp_path, capsys) -> None:
    config = tmp_path / "belt.toml"
    config.write_text('[motor]\ndriver = "drv2605l"\n[imu]\nbus = 19\n')
    assert cli.main(["motor-off", "--config", str(config)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no I2C bus /dev/i2c-19" in line
    assert cli.main(["motor-off", "--config", str(tmp_path / "none")]) == 2


def test_for_a_minute_the_wearer_feels_that_nothing_guards() -> None:
    clock, stopping = Clock(), threading.Event()
    motor = Recorded(clock)
    begun = clock.now()
    not_guarding.repeat(Haptics(motor, 1.0), clock, begun + not_guarding.SECONDS, stopping)
    assert clock.now() - begun == pytest.approx(not_guarding.SECONDS, abs=0.1)
    pattern = PATTERNS["not_guarding"]
    rises = [t for (t, duty), (_, before) in zip(motor.told[1:], motor.told, strict=False)
             if duty > 0 and before == 0]  # fmt: skip
    times = not_guarding.SECONDS / (pattern.length + not_guarding.EVERY)
    assert len(rises) + 1 == pytest.approx(times * len(pattern.pulses), abs=len(pattern.pulses))
    assert motor.duty == 0.0


@pytest.fixture
def handlers():
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_a_motor_that_is_missing_makes_the_minute_no_shorter(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """Else the units would start one another as fast as they can."""

    def none(config: Config) -> None:
        raise HardwareMissingError("no motor", "motor_driver")

    config = tmp_path / "belt.toml"
    config.write_text("")
    waited: list[float] = []
    monkeypatch.setattr(not_guarding, "motor", none)
    monkeypatch.setattr(threading.Event, "wait", lambda self, s: waited.append(s))
    assert cli.main(["not-guarding", "--config", str(config)]) == 1
    assert waited == [pytest.approx(not_guarding.SECONDS, abs=1.0)]
    assert "the wearer cannot be told: no motor" in capsys.readouterr().err
