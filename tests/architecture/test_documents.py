"""What the documents promise is there: tests that are named exist, commands that are named run."""

from __future__ import annotations

import re

import pytest

from device.remedies import markdown
from tests.conftest import ROOT

HAZARDS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "SAFETY.md").read_text().splitlines()
    if line.startswith("|") and not line.startswith(("| hazard", "|---"))
]


@pytest.mark.parametrize("row", HAZARDS, ids=lambda row: row[0][:40])
def test_a_hazard_says_its_state_and_what_shows_it(row: list[str]) -> None:
    _, who, control, state, shown, remains = row
    assert who
    assert state in ("tested", "part", "open")
    named = re.findall(r"`([\w/.]+)(?:::(\w+))?`", shown)
    assert bool(named) == (state != "open")
    assert control or state == "open"
    assert remains or state == "tested"
    for file, test in named:
        text = (ROOT / file).read_text()
        assert not test or f"def {test}(" in text, f"{file} has no {test}"


@pytest.mark.parametrize("document", ["README.md", "hardware.md", "SAFETY.md", "CHANGELOG.md"])
def test_what_is_linked_is_there(document: str) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / document).read_text()):
        assert (ROOT / target).exists(), f"{document} links to {target}"


def test_the_operations_guide_says_what_the_doctor_says() -> None:
    guide = (ROOT / "deploy" / "README.md").read_text()
    assert guide.endswith("\n\n" + markdown()), "write remedies.markdown() to its end"


def test_the_readme_begins_with_the_two_commands() -> None:
    commands = re.findall(r"^    (\./dev \w+)", (ROOT / "README.md").read_text(), re.M)
    assert commands[:2] == ["./dev demo", "./dev test"]
