"""Live, simulated and replayed yield the same Frames; scenarios bring what they promise."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from gpiozero import InputDevice, OutputDevice

from device.alerts import EVENTS, Level, State
from device.calibration import Calibration
from device.config import Battery, Config, Imu, Ranger
from device.config import Motor as MotorConfig
from device.core import Core
from device.drivers.bus import open_smbus
from device.drivers.motor import Motor
from device.frames import Echo, Frame, Gap
from device.haptics import Haptics
from device.sources import Source
from device.sources import live as live_module
from device.sources.belt import BeltSource, assemble
from device.sources.chips import SimulatedBus
from device.sources.imu_chips import Mpu6050Chip
from device.sources.live import HardwareMissingError, live
from device.sources.replayed import ReplayedSource
from device.sources.scenarios import SCENARIOS
from device.sources.simulated import Bench, simulated
from device.sources.worker import Inline
from tests.device.virtual import Clock

MEASURED = ("t", "ax", "ay", "az", "gx", "gy", "gz", "ping_t", "ping_range", "battery")


def frames(source: Source, clock: Clock, seconds: float, tick: float = 0.01) -> list[Frame]:
    found = []
    for _ in range(round(seconds / tick)):
        clock.sleep_until(clock.t + tick)
        found += source.read(clock.now())
    return found


def bench(scenario: str = "clear", config: Config | None = None) -> tuple[Clock, Bench, Source]:
    clock, config = Clock(), config or Config()
    electronics = Bench(config, SCENARIOS[scenario].script, clock)
    return clock, electronics, assemble("bench", config, electronics.open, electronics.pins)[0]


# --- simulated ---


@pytest.mark.parametrize("tick", [0.005, 0.01, 0.05])
def test_frames_are_in_order_and_carry_at_most_what_was_measured(tick: float) -> None:
    clock = Clock()
    source, _ = simulated(Config(), "chair", clock)
    found = frames(source, clock, 12.0, tick)
    assert source.name == "simulated:chair"
    assert all(b.t > a.t for a, b in itertools.pairwise(found))
    assert all(frame.t <= clock.now() for frame in found)
    assert all(f.gap == Gap.NONE for f in found)
    assert len(found) == pytest.approx(12.0 * source.fs, abs=6)
    pings = [f for f in found if f.ping_echo >= 0]
    # a ping that nothing answers is over when the sensor says so, 38 ms on: the next is soon back
    assert all(b.ping_t - a.ping_t > 0.002 for a, b in itertools.pairwise(pings))
    assert 12.0 / 0.12 < len(pings) <= 12.0 / 0.04
    assert {f.ping_echo for f in pings} == {Echo.DISTANCE, Echo.NOTHING_IN_RANGE}
    assert all(math.isnan(f.ping_range) == (f.ping_echo != Echo.DISTANCE) for f in pings)
    assert all(math.isnan(f.battery) for f in found)


def test_two_runs_are_the_same_frame_by_frame() -> None:
    runs = []
    for _ in range(2):
        clock = Clock()
        source, _ = simulated(Config(), "person", clock)
        runs.append([f.pack() for f in frames(source, clock, 10.0)])
    assert runs[0] == runs[1]


def test_ticks_that_jitter_find_no_gap_where_nothing_is_missing() -> None:
    clock = Clock()
    source, _ = simulated(Config(), "clear", clock)
    ticks = (0.007 + k % 7 * 1e-3 for k in range(2000))
    found = [f for tick in ticks for f in frames(source, clock, tick, tick)]
    assert all(f.gap == Gap.NONE for f in found)
    steps = [b.t - a.t for a, b in itertools.pairwise(found[50:])]
    assert 0.5 / source.fs < min(steps) < max(steps) < 1.5 / source.fs


def test_a_late_tick_brings_every_sample() -> None:
    clock, _, source = bench()
    frames(source, clock, 1.0)
    (*late, last) = frames(source, clock, 1.2, 0.4)
    assert len(late) + 1 == pytest.approx(1.2 * source.fs, abs=1)
    assert all(f.gap == Gap.NONE for f in (*late, last))


def test_measured_distances_are_those_of_the_world() -> None:
    clock, electronics, source = bench("chair")
    near = []
    for frame in frames(source, clock, 11.0):
        if frame.ping_echo == Echo.DISTANCE:
            near.append(frame.ping_range)
    world = electronics.world
    truth = world.wearer.x - world.scene.targets[0].x
    assert near[-1] == pytest.approx(truth, abs=0.12)  # one period of walking, 0.4 % of warmth
    assert near[0] > 3.0


def test_a_tick_costs_far_less_than_its_time() -> None:
    clock, _, source = bench("chair")
    costs = []
    for _ in range(1000):
        clock.sleep_until(clock.t + 0.01)
        begun = time.perf_counter()
        source.read(clock.now())
        costs.append(time.perf_counter() - begun)
    assert sorted(costs)[500] < 2e-3


def test_faults_of_the_parts_are_named_in_the_frames() -> None:
    clock, electronics, source = bench()
    frames(source, clock, 1.0)
    electronics.imu.present = False
    assert {f.gap for f in frames(source, clock, 1.0)} == {Gap.BUS}
    electronics.imu.present = True
    assert frames(source, clock, 2.0)[-1].gap == Gap.NONE
    for fault, echo in (
        ("unplugged", Echo.NO_PULSE),
        ("stuck", Echo.STUCK),
        ("glitch", Echo.GLITCH),
    ):
        electronics.world.plug_ranger(fault != "unplugged")
        electronics.ranger.fault = fault
        frames(source, clock, 0.2)
        assert {f.ping_echo for f in frames(source, clock, 1.0)} - {-1} == {echo}
        if fault == "stuck":
            break  # the line stays high; there is no way back but power


def test_a_pressed_button_is_in_every_frame_while_it_is_held() -> None:
    clock = Clock()
    source, _ = simulated(Config(), "fall-cancelled", clock)
    found = frames(source, clock, 25.0)
    held = [f.t for f in found if f.button]
    assert 0.25 < held[-1] - held[0] < 0.35
    assert all(f.button for f in found if held[0] <= f.t <= held[-1])


def test_without_a_ranger_there_are_no_pings() -> None:
    clock, _, source = bench(config=Config(ranger=Ranger(driver="none")))
    assert {f.ping_echo for f in frames(source, clock, 1.0)} == {-1}


def test_a_bus_that_stalls_is_a_gap_each_tick_and_nothing_late_is_spliced() -> None:
    class Stalling(Inline):
        """Answers late: a job begun in a stall ends after it."""

        stalled, late = False, None

        def ask(self, job):
            if self.stalled:
                self.late = self.late or job
                return None
            job, self.late = self.late or job, None
            return job()

    clock, worker = Clock(), Stalling()
    electronics = Bench(Config(), SCENARIOS["clear"].script, clock)
    source, _ = assemble("x", Config(), electronics.open, electronics.pins, lambda name: worker)
    found = frames(source, clock, 1.0)
    worker.stalled = True
    stalled = frames(source, clock, 0.5)
    assert {f.gap for f in stalled} == {Gap.BUS}
    assert 40 <= len(stalled) <= 45, "told within 0.07 s"
    assert any(f.ping_echo >= 0 for f in stalled), "the rear sensor goes on"
    worker.stalled = False
    after = frames(source, clock, 0.5)
    assert {f.gap for f in after[2:]} == {Gap.NONE}
    times = [f.t for f in (*found, *stalled, *after)]
    assert all(b > a for a, b in itertools.pairwise(times))


@pytest.mark.parametrize("address", [0x69, 0x6B])
def test_the_whole_belt_on_the_other_parts(address: int) -> None:
    config = Config(
        imu=Imu(address=address, power_pin=5),
        ranger=Ranger(driver="mb1242", period_s=0.1),
        motor=MotorConfig(driver="drv2605l", buzzer_pin=6),
        battery=Battery(gauge="max17048"),
    )
    clock, electronics, source = bench("chair", config)
    found = frames(source, clock, 12.0)
    samples = [f for f in found[20:] if f.gap == Gap.NONE]
    assert len(samples) == pytest.approx(12.0 * source.fs, abs=40)
    near = [f for f in samples if f.ping_echo == Echo.DISTANCE]
    world = electronics.world
    assert near[-1].ping_range == pytest.approx(world.wearer.x - world.scene.targets[0].x, abs=0.15)
    assert samples[-1].battery == pytest.approx(0.8, abs=0.01)
    assert not any(source.faults().values())
    electronics.motor.motor = "open"
    frames(source, clock, 62.0, 0.2)
    assert source.faults()["motor"].startswith("open")
    source.close()


def test_closing_leaves_the_motor_off_and_the_pins_free() -> None:
    clock = Clock()
    electronics = Bench(Config(), SCENARIOS["clear"].script, clock)
    for _ in range(2):
        source, motor = assemble("bench", Config(), electronics.open, electronics.pins)
        motor.set(1.0)
        source.close()
        motor.close()
        assert electronics.world._duty == 0.0


def test_an_unknown_scenario_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        simulated(Config(), "picnic", Clock())


# --- live ---


def test_live_is_the_same_but_for_the_bus_and_the_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, config = Clock(), Config()
    electronics = Bench(config, SCENARIOS["clear"].script, clock)
    monkeypatch.setattr(live_module, "open_smbus", electronics.open)
    monkeypatch.setattr(live_module, "pins", lambda config: electronics.pins)
    monkeypatch.setattr(live_module, "PATIENCE_S", 10.0)  # the bus is quick, the machine may not be
    real, motor = live(config, clock)
    assert (real.name, type(real), type(motor)) == ("live", BeltSource, Motor)
    found = frames(real, clock, 3.0)
    other = Clock()
    expected = frames(simulated(config, "clear", other)[0], other, 3.0)
    assert [f.pack() for f in found] == [f.pack() for f in expected]


def test_no_pins_is_one_line_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "open_smbus", lambda bus: SimulatedBus({}, lambda: None))
    monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", None)
    monkeypatch.setenv("LG_WD", os.environ.get("LG_WD", "/tmp"))  # noqa: S108
    with pytest.raises(HardwareMissingError, match="lgpio is not installed"):
        live(Config(), Clock())


@pytest.fixture
def on_the_pi(monkeypatch: pytest.MonkeyPatch) -> tuple[Clock, Bench]:
    """The electronics that `live` finds."""
    clock = Clock()
    electronics = Bench(Config(), SCENARIOS["clear"].script, clock)
    monkeypatch.setattr(live_module, "open_smbus", lambda number: electronics.open(number))  # noqa: PLW0108
    monkeypatch.setattr(live_module, "pins", lambda config: electronics.pins)
    monkeypatch.setattr(live_module, "PATIENCE_S", 10.0)
    return clock, electronics


@pytest.mark.parametrize("fault", ["absent", "stranger", "no bus"])
def test_without_a_motion_sensor_it_looks_back_and_takes_the_one_that_comes(
    on_the_pi: tuple[Clock, Bench], fault: str
) -> None:
    clock, electronics = on_the_pi
    electronics.imu.present = fault == "stranger"
    electronics.imu._registers[0x0F] = 0x70
    if fault == "no bus":
        electronics.open = lambda number: open_smbus(20)  # type: ignore[method-assign]
    source, _ = live(Config(), clock, Calibration(chip="LSM6DSOX", made="2026-01-01"))
    found = frames(source, clock, 3.0)
    assert {f.gap for f in found} == {Gap.NO_DATA}
    assert any(f.ping_echo >= 0 for f in found)
    (why,) = source.absent()
    assert {
        "absent": "nothing answers at 0x68",
        "stranger": "WHO_AM_I at 0x6a says 0x70",
        "no bus": "no I2C bus /dev/i2c-1",
    }[fault] in why
    assert why in source.parts()
    assert source.calibration.made
    if fault == "no bus":
        del electronics.open  # type: ignore[method-assign]
    chips = electronics.bus.chips
    del chips[0x6A]
    chips[0x69] = electronics.imu = Mpu6050Chip(electronics.world.imu, 1)
    after = frames(source, clock, 10.0)
    assert {f.gap for f in after[-500:]} == {Gap.NONE}
    assert (source.fs, source.absent(), source.faults()["identity"]) == (100.0, [], "")
    assert "MPU-6050 is fitted" in source.faults()["calibration"]
    source.close()


@pytest.mark.parametrize("fault", ["unplugged", "its pin is taken", "none is set"])
def test_with_neither_sensor_it_says_so_in_one_line_with_a_remedy(
    on_the_pi: tuple[Clock, Bench], fault: str
) -> None:
    clock, electronics = on_the_pi
    electronics.imu.present = False
    electronics.world.ranger_plugged = fault != "unplugged"
    if fault == "its pin is taken":
        electronics.other = InputDevice(24, pin_factory=electronics.pins)  # type: ignore[attr-defined]
    driver = "none" if fault == "none is set" else "hcsr04"
    with pytest.raises(HardwareMissingError) as caught:
        live(Config(ranger=Ranger(driver=driver)), clock)
    text = str(caught.value)
    assert text.startswith("no motion sensor (nothing answers at 0x68")
    assert "rearguard doctor" in text
    assert "\n" not in text
    assert ("pin 24" in text.lower() or "GPIO24" in text) == (fault == "its pin is taken")
    motor = OutputDevice(18, pin_factory=electronics.pins)  # all pins are given back
    motor.close()


def test_it_imports_where_there_is_no_hardware() -> None:
    code = (
        "import device.sources.live, device.sources.simulated, sys; print('lgpio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# --- replayed ---


def test_replayed_frames_are_the_recording() -> None:
    clock = Clock()
    t = np.arange(200) / 50.0
    acc = np.random.default_rng(1).normal(0, 5, (200, 3)).astype(np.float32)
    gyro = np.random.default_rng(2).normal(0, 1, (200, 3)).astype(np.float32)
    acc[20] = gyro[20] = np.nan
    pings = [(0.1, 2.5, 0), (0.11, math.nan, 1), (3.0, math.nan, 2)]
    source = ReplayedSource("trial", t, acc, gyro, pings, start=clock.now() + 0.02, fs=50.0)
    found = [f for f in frames(source, clock, 5.0) if not math.isnan(f.ax) or f.ping_echo >= 0]
    samples = [f for f in found if f.gap == Gap.NONE]
    assert source.name == "replayed:trial"
    assert [(f.ax, f.ay, f.az) for f in samples] == [
        tuple(row) for k, row in enumerate(acc.tolist()) if k != 20
    ]
    assert [f.ping_echo for f in found if f.ping_echo >= 0] == [0, 1, 2]
    for frame, (when, _, _) in zip([f for f in found if f.ping_echo >= 0], pings, strict=True):
        assert 0 <= frame.t - (1000.02 + when) < 0.05


def test_a_recording_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        ReplayedSource("x", np.zeros(3), np.zeros((3, 3), "f4"), np.zeros((2, 3), "f4"))


def test_all_sources_fill_the_same_fields() -> None:
    clock = Clock()
    belt = frames(simulated(Config(), "chair", clock)[0], clock, 0.1)[0]
    rows = np.ones((1, 3), np.float32)
    told = ReplayedSource("x", np.zeros(1), rows, rows, start=clock.now()).read(clock.now())[0]
    for name in MEASURED:
        assert type(getattr(belt, name)) is type(getattr(told, name)) is float, name
    blank = dataclasses.asdict(Frame())
    judged = list(blank)[list(blank).index("motor") + 2 :]
    for frame in (belt, told):
        assert all(
            getattr(frame, name) == blank[name] or math.isnan(blank[name]) for name in judged
        )


# --- scenarios, judged by the core and felt by the wearer ---

PROMISED = {
    "clear": None,
    "chair": ("obstacle", Level.WARNING),
    **dict.fromkeys(
        ("wall", "post", "cloth", "oblique-wall", "doorway-edge", "standing-person", "person"),
        ("obstacle", Level.WARNING),
    ),
    "low-box": ("stumble", Level.WARNING),
    "stumble": ("stumble", Level.WARNING),
    "fall-cancelled": ("fall", Level.DANGER),
    "fall": ("fall", Level.DANGER),
    "unplugged": ("rear_blind", Level.FAULT),
    "session": None,
}


def play(name: str, seconds: float) -> tuple[list[SimpleNamespace], Bench]:
    """What the core says of a scenario, its cues felt by the wearer; t from the beginning."""
    clock = Clock()
    electronics = Bench(Config(), SCENARIOS[name].script, clock)
    source, motor = assemble(name, Config(), electronics.open, electronics.pins)
    core, haptics = Core(source.fs, has_ranger=1.0), Haptics(motor, 1.0)
    said, going_on = [], {}
    for frame in (f for _ in range(round(seconds * 100)) for f in frames(source, clock, 0.01)):
        if frame.ping_echo >= 0:
            core.ping(frame.ping_t, frame.ping_range, frame.ping_echo)
        for j in core.step(frame):
            said.append(
                SimpleNamespace(t=j.t - 1000.0, event=j.event, level=j.level, state=j.state)
            )
            pattern = EVENTS[j.event].felt.get(j.level) if j.event in EVENTS else None
            going_on.pop(j.event, None)
            if pattern and j.state is State.RAISED:
                haptics.feel(pattern, clock.now())
                going_on[j.event] = (pattern, j.level)
        haptics.update(clock.now(), going_on.values())
    return said, electronics


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_shows_its_event_in_time_and_no_other_danger(name: str) -> None:
    said, electronics = play(name, 20.0)
    assert set(PROMISED) == set(SCENARIOS)
    raised = [j for j in said if j.state is State.RAISED]
    if (promised := PROMISED[name]) is None:
        assert raised == []
        return
    event, level = promised
    first = [j.t for j in raised if j.event == event and j.level >= level]
    assert first, raised
    assert first[0] < 15.0
    if name == "low-box":
        assert not [j for j in raised if j.event == "obstacle"], "nothing sees it"
    dangers = {j.event for j in raised if j.level is Level.DANGER}
    assert dangers <= ({"fall", "fall_imminent"} if event == "fall" else set())
    if event == "obstacle":
        assert not electronics.world.wearer.touches  # the wearer stopped in time
