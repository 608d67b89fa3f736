"""A fault for every row of the health table: told in time, felt, and over when it is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.alerts import EVENTS, Level
from device.config import Config
from device.frames import Guard
from device.haptics import PATTERNS
from device.health import table
from device.loop import REACHED
from tests.faults.others import OTHERS
from tests.faults.play import play
from tests.faults.table import FAULTS, Fault

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
