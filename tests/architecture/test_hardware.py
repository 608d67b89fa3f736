"""hardware.md says what the code does: pins, patterns, drawings."""

from __future__ import annotations

import re

import pytest

from device.cli.feel import drawn
from device.config import Config
from device.haptics import PATTERNS
from tests.conftest import ROOT

TEXT = (ROOT / "hardware.md").read_text()
DRAWING = (ROOT / "deploy" / "pictures" / "wiring.svg").read_text()
HEADER = {  # GPIO → pin of the 40-pin header, which is the same on every Pi that has one
    2: 3, 3: 5, 4: 7, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21,
    25: 22, 11: 23, 8: 24, 7: 26, 0: 27, 1: 28, 5: 29, 6: 31, 12: 32, 13: 33, 19: 35,
    16: 36, 26: 37, 20: 38, 21: 40,
}  # fmt: skip


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    part = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert lines, heading
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines[0].splitlines()]
    return cells[2:]


@pytest.mark.parametrize(
    ("pin", "to"),
    [
        (Config().ranger.trigger_pin, "rear sensor TRIG"),
        (Config().ranger.echo_pin, "rear sensor ECHO"),
        (Config().motor.pin, "gate of the motor's transistor"),
        (Config().button.pin, "button"),
    ],
)
def test_pins_are_those_of_the_default_configuration(pin: int, to: str) -> None:
    (found,) = (row for row in rows("Wiring") if row[1].startswith(to))
    assert found[0] == f"GPIO {pin} (pin {HEADER[pin]})"
    assert f">GPIO {pin}<" in DRAWING
    assert re.search(rf'class="used"[^>]*/><text[^>]*>{HEADER[pin]}</text>', DRAWING)


def test_every_pin_named_is_where_the_header_has_it() -> None:
    named = re.findall(r"GPIO (\d+)(?: / GPIO (\d+))? \(pins? (\d+)(?:, (\d+))?\)", TEXT)
    assert len(named) >= 5
    for one, two, pin_one, pin_two in named:
        assert HEADER[int(one)] == int(pin_one)
        assert not two or HEADER[int(two)] == int(pin_two)


def test_what_is_felt_is_what_the_belt_plays() -> None:
    by_urgency = sorted(PATTERNS.items(), key=lambda item: item[1].priority, reverse=True)
    assert rows("What is felt, and what lights") == [
        [f"`{name}`", f"`{drawn(pattern)}`", pattern.means] for name, pattern in by_urgency
    ]
