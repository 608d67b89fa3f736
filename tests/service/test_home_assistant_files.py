"""The files of deploy/home-assistant name what the belt really announces."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from device.alerts import EVENTS
from service.discovery import announcement
from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "home-assistant"
BLUEPRINTS = sorted((FOLDER / "blueprints" / "automation" / "rearguard").glob("*.yaml"))


class _Loader(yaml.SafeLoader):
    """With Home Assistant's `!input`."""


_Loader.add_constructor("!input", lambda loader, node: f"input {node.value}")


def _slug(name: str) -> str:
    """As Home Assistant makes ids of names."""
    return re.sub(r"\W+", "_", name.lower())


def read(text: str) -> Any:
    return yaml.load(text, _Loader)  # noqa: S506 — a SafeLoader


def test_the_dashboard_shows_entities_that_the_belt_announces() -> None:
    told = announcement("belt", "1")
    device = _slug(told["device"]["name"])
    ids = {
        f"{row['platform']}.{device}_{_slug(row['name'])}" for row in told["components"].values()
    }
    text = (FOLDER / "dashboard.yaml").read_text()
    assert set(re.findall(r"\w+\.rearguard_belt_\w+", text)) == ids, "shown and announced differ"
    assert read(text)["views"]


@pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda file: file.stem)
def test_a_blueprint_uses_each_of_its_inputs(file: Any) -> None:
    text = file.read_text()
    inputs = read(text)["blueprint"]["input"]
    assert set(re.findall(r"!input (\w+)", text)) == set(inputs)


def test_the_events_that_phones_are_told_of_are_real() -> None:
    text = BLUEPRINTS[0].read_text()
    words = re.findall(
        r"'(\w+)': '[A-Z]",
        text[text.index("set words") : text.index("%}", text.index("set words"))],
    )
    assert len(words) > 8
    assert set(words) <= set(EVENTS)
