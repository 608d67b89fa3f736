"""Faults that no row of the table has: at the start, of the clock, of the disk."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from device import journal
from device.frames import Guard
from device.recorder import Origin, Recorder
from device.sources import live as live_module
from device.sources.live import HardwareMissingError, live
from device.sources.scenarios import SCENARIOS
from device.sources.simulated import Bench
from tests.device.virtual import Clock
from tests.faults.play import Outcome
from tests.faults.rig import CONFIG, Rig


class LgpioError(Exception):
    """lgpio's own error is none of gpiozero's."""


def _refused(it: Outcome, bench: Bench, words: str) -> Outcome:
    """The device says what is wrong in one line, and starts nothing."""
    clock = bench._clock
    began = clock.now()
    with (
        patch.dict(sys.modules, {"lgpio": SimpleNamespace(error=LgpioError)}),
        patch.object(live_module, "open_smbus", bench.open),
        patch.object(live_module, "pins", lambda config: bench.pins),
        patch.object(live_module, "PATIENCE_S", 10.0),
    ):
        try:
            live(CONFIG, clock)
        except HardwareMissingError as error:
            it.told, it.stage = f"{error}; exit code 2", "not_guarding"
            it.detected_s = round(clock.now() - began, 2)
    if words not in it.told or "\n" in it.told:
        it.wrong = f"not told {words!r}"
    return it


def gpio_busy(folder: Path) -> Outcome:
    """Another program holds the button's pin."""
    bench = Bench(CONFIG, SCENARIOS["clear"].script, Clock())
    pin = bench.pins.pin

    def claim(name: int) -> object:
        if name == CONFIG.button.pin:
            raise LgpioError("GPIO busy")
        return pin(name)

    bench.pins.pin = claim
    it = Outcome("the button's GPIO busy at the start", "-")
    return _refused(it, bench, "a pin cannot be used")


def no_senses(folder: Path) -> Outcome:
    """A stranger in the motion sensor's place, and the rear sensor unplugged."""
    bench = Bench(CONFIG, SCENARIOS["clear"].script, Clock())
    bench.imu._registers[0x0F] = 0x11
    bench.world.ranger_plugged = False
    it = Outcome("neither motion nor rear sensor at the start", "-")
    return _refused(it, bench, "says 0x11; known:")


class Wall:
    """A wall clock that is put an hour back, and later right."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.off, self.trusted = clock, 0.0, True

    def at(self, t: float) -> tuple[float, bool]:
        return 1.7e9 + t + self.off, self.trusted


def clock_step(folder: Path) -> Outcome:
    """An hour back in mid-walk: decisions, order and identities do not care."""
    it, rig = Outcome("clock step of an hour", "-"), Rig(folder)
    wall = Wall(rig.clock)
    recorder = Recorder(folder / "journal", Origin("belt", "run", "rig"), rig.clock, wall,
                        queue_size=64, limit_bytes=1 << 20)  # fmt: skip
    rig.loop.lanes._recorder = recorder
    rig.run(3.0)
    for wall.off, wall.trusted in ((0.0, True), (-3600.0, False), (0.0, True)):
        rig.parts.imu.present = False
        rig.run(0.5)
        rig.parts.imu.present = True
        rig.parts.imu.reset()
        rig.run(3.0)
    it.stage = rig.health.guard.name.lower()
    recorder.close()
    rig.close()
    told = [e.record for e in journal.read(folder / "journal", journal.Cursor(), 99) if e.record]
    times = [record["t"] for record in told]
    ids = [int(record["id"].rpartition(":")[2]) for record in told]
    flags = {record["clock_synchronised"] for record in told}
    it.told = f"{len(told)} records in order, those of the step marked as not synchronised"
    if times != sorted(times) or ids != sorted(ids) or flags != {True, False}:
        it.wrong = f"times {times}, ids {ids}, synchronised {flags}"
    elif it.stage != "full":
        it.wrong = f"the stage was {it.stage}"
    return it


def journal_full(folder: Path) -> Outcome:
    """Nobody takes the records away: the oldest go, and that is told."""
    it = Outcome("journal full", "journal")
    rig = Rig(folder, replace(CONFIG, loop=replace(CONFIG.loop, journal_mb=0.01)))
    recorder = Recorder(folder / "journal", Origin("belt", "run", "rig"), rig.clock,
                        Wall(rig.clock), queue_size=64, limit_bytes=10_000)  # fmt: skip
    rig.loop.lanes._recorder = recorder
    rig.control.alive = False  # no service: nothing is consumed
    rig.run(3.0)
    for _ in range(14):
        rig.parts.imu.present = False
        rig.run(0.5)
        rig.parts.imu.present = True
        rig.parts.imu.reset()
        rig.run(1.8)
    it.stage = rig.health.guard.name.lower()
    recorder.close()
    rig.close()
    told = [e.record for e in journal.read(folder / "journal", journal.Cursor(), 999) if e.record]
    lost = [record for record in told if record["event"] == "storage_fault"]
    if not lost:
        it.wrong = f"nothing was told; {len(told)} records are kept"
        return it
    it.told = f"storage_fault ({lost[0]['detail']})"
    if Guard.FULL.name.lower() != it.stage:
        it.wrong = f"the stage was {it.stage}"
    return it


OTHERS: dict[str, Callable[[Path], Outcome]] = {
    "GPIO busy": gpio_busy,
    "no senses": no_senses,
    "clock step": clock_step,
    "journal full": journal_full,
}
