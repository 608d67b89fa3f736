"""A belt that cannot start is felt as not guarding, and says why to whoever tells others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from gpiozero import InputDevice

import device.__main__ as device_main
from device.config import Belt, Config, Motor
from device.haptics import PATTERNS
from device.sources import live as live_module
from device.sources.live import HardwareMissingError, live
from device.sources.scenarios import SCENARIOS
from device.sources.simulated import Bench
from tests.device.virtual import Clock


@pytest.fixture(params=["pwm", "drv2605l"])
def belt(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Config, Bench, list[tuple[float, float]]]:
    """A belt, its electronics, and when its motor is driven with what."""
    clock = Clock()
    config = Config(
        belt=Belt(run_dir=tmp_path, data_dir=tmp_path), motor=Motor(driver=request.param)
    )
    bench = Bench(config, SCENARIOS["clear"].script, clock)
    felt: list[tuple[float, float]] = []
    bench.world.drive = lambda duty: felt.append((clock.t, duty))  # type: ignore[method-assign]
    bench.motor._drive = bench.pins._drive = bench.world.drive
    monkeypatch.setattr(live_module, "open_smbus", bench.open)
    monkeypatch.setattr(live_module, "pins", lambda config: bench.pins)
    monkeypatch.setattr(live_module, "PATIENCE_S", 10.0)
    monkeypatch.setattr(device_main, "MonotonicClock", lambda: clock)
    return config, bench, felt


def no_senses(bench: Bench, config: Config) -> None:
    bench.imu.present = bench.world.ranger_plugged = False


def busy_button(bench: Bench, config: Config) -> None:
    bench.other = InputDevice(config.button.pin, pin_factory=bench.pins)  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", [no_senses, busy_button])
def test_it_is_felt_and_the_reason_is_left_to_be_told(
    belt: tuple[Config, Bench, list[tuple[float, float]]],
    fault: Callable[[Bench, Config], None],
) -> None:
    config, bench, felt = belt
    fault(bench, config)
    with pytest.raises(HardwareMissingError) as error:
        live(config, bench._clock)
    felt.clear()
    device_main._cannot_start(config, error.value.what)
    assert config.cannot_start_file.read_text() == error.value.what + "\n"
    pulses, off = 0, True
    for _, duty in felt:
        pulses += bool(duty) and off
        off = not duty
    assert pulses == len(PATTERNS["not_guarding"].pulses)
    assert felt[-1][0] - felt[0][0] == pytest.approx(PATTERNS["not_guarding"].length, abs=0.3)
    assert felt[-1][1] == 0.0


def test_a_motor_that_is_missing_too_hides_nothing(tmp_path: Path) -> None:
    config = Config(belt=Belt(run_dir=tmp_path, data_dir=tmp_path))
    device_main._cannot_start(config, "no I2C bus")
    assert config.cannot_start_file.read_text() == "no I2C bus\n"
