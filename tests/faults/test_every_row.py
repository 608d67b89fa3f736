"""A fault for every row of the health table: told in time, felt, and over when it is over."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from device.alerts import EVENTS, Level
from device.config import Config
from device.drivers.bus import POWER_CUTS
from device.frames import Guard
from device.haptics import PATTERNS
from device.health import table
from device.loop import REACHED
from device.supervisor import Supervisor
from tests.faults.others import OTHERS
from tests.faults.play import play
from tests.faults.rig import Rig
from tests.faults.table import FAULTS, Fault, change_family, ranger, unplug

# those that take long to be told are left to `./dev test --faults`
EVERYDAY = [fault for fault in FAULTS if fault.within + fault.back < 20.0]


@pytest.mark.parametrize("fault", EVERYDAY, ids=lambda fault: fault.name)
def test_a_fault_is_told_felt_and_over(fault: Fault, tmp_path: Path) -> None:
    outcome = play(fault, tmp_path)
    assert outcome.wrong == "", outcome


@pytest.mark.parametrize("name", OTHERS)
def test_what_no_row_has_is_told_as_well(name: str, tmp_path: Path) -> None:
    outcome = OTHERS[name](tmp_path)
    assert outcome.wrong == "", outcome


def test_every_row_has_a_fault() -> None:
    assert set(table(Config(), 104.0)) == {fault.row for fault in FAULTS}


def test_every_event_of_the_table_says_what_is_felt_and_what_helps() -> None:
    for name, row in table(Config(), 104.0).items():
        if row.event:
            said = EVENTS[row.event]
            assert Level.FAULT in said.felt, name
            assert said.wearer, name
            assert said.helper, name


def test_the_stages_are_felt_apart() -> None:
    felt = {*REACHED.values(), "not_guarding", "fault"}
    assert set(REACHED) == set(Guard) - {Guard.NOT_GUARDING}
    assert len({PATTERNS[name].pulses for name in felt}) == len(felt) == 5


class Watching(Supervisor):
    """What the supervisor is told of life, before it spares what it has just heard."""

    def __init__(self) -> None:
        super().__init__()
        self.signs: list[float] = []  # s

    def alive(self, now: float) -> None:
        self.signs.append(now)


def test_without_a_motion_sensor_from_the_start_it_still_looks_back(tmp_path: Path) -> None:
    """And what it hears from behind is life enough for who watches it."""
    rig = Rig(tmp_path, scenario="chair", before=unplug)
    rig.loop.supervisor = watching = Watching()
    began = rig.clock.now()
    assert rig.run(15.0, lambda: rig.told("obstacle", "raised", 0.0) is not None)
    assert rig.health.guard is Guard.NO_IMU
    signs = [began, *watching.signs]
    assert max(b - a for a, b in itertools.pairwise(signs)) < 0.25
    ranger("unplugged")(rig)
    rig.run(0.2)
    before = len(watching.signs)
    rig.run(3.0)
    assert rig.health.guard is Guard.NOT_GUARDING
    assert len(watching.signs) == before
    rig.close()


def test_a_power_switch_that_does_not_help_leaves_the_rest_in_peace(tmp_path: Path) -> None:
    """The motor's driver hangs on the switch as well: each cut is a `motor_fault`."""
    rig = Rig(tmp_path)
    rig.run(4.0)
    switch, catch_up = rig.parts.pins.pin(5), rig.parts.bus._catch_up

    def powered() -> None:
        if bool(switch.state) != rig.parts.motor.present:
            rig.parts.motor.present = bool(switch.state)
            rig.parts.motor.reset()
        catch_up()

    rig.parts.bus._catch_up = powered
    unplug(rig)
    rig.run(12.0)
    cuts = [r for r in rig.journal.records if (r.event, r.state) == ("motor_fault", "raised")]
    assert 1 <= len(cuts) <= len(POWER_CUTS)
    first = len(rig.ring.frames)
    rig.run(20.0)
    assert {frame.guard for frame in rig.ring.frames[first:]} == {Guard.NO_IMU}
    rig.close()


def test_a_motion_sensor_that_comes_late_is_judged_at_its_own_rate(tmp_path: Path) -> None:
    rig = Rig(tmp_path, before=unplug)
    rig.run(1.0)
    assert rig.loop.core.fs == pytest.approx(104.2, abs=0.1), "what is recommended is expected"
    change_family(rig)
    rig.run(10.0)
    assert rig.loop.core.fs == rig.source.fs == rig.ring.fs == 100.0
    assert rig.health.guard is Guard.FULL
    rig.close()
