"""The configuration: what is written is what holds, and nothing wrong passes silently."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from device.config import Config
from device.settings import ConfigError, example, load
from tests.conftest import ROOT


def write(folder: Path, text: str) -> Path:
    file = folder / "rearguard.toml"
    file.write_text(text)
    return file


def test_the_example_is_every_default(tmp_path: Path) -> None:
    assert load(write(tmp_path, example())) == load(write(tmp_path, ""))
    assert (ROOT / "deploy" / "rearguard.toml").read_text() == example()


def test_every_key_is_documented_and_its_default_possible() -> None:
    for section in dataclasses.fields(Config):
        table = getattr(Config(), section.name)
        for key in dataclasses.fields(table):
            assert key.metadata["doc"].endswith(".")
            value = getattr(table, key.name)
            if key.metadata["low"] is not None:
                assert key.metadata["low"] <= value <= key.metadata["high"]


def test_values_are_taken(tmp_path: Path) -> None:
    config = load(
        write(tmp_path, '[belt]\nname = "anna"\nrun_dir = "run"\n[wearer]\nreaction_s = 1\n')
    )
    assert config.belt.name == "anna"
    assert config.belt.run_dir == tmp_path / "run"
    assert config.wearer.reaction_s == 1.0
    assert config.ring_file == tmp_path / "run" / "frames"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[belt]\n\nnam = 'x'\n", 3, "unknown key belt.nam"),
        ("\n[bolt]\n", 2, "unknown section"),
        ("belt = 3\n", 1, "unknown section"),
        ("[loop]\nrate_hz = 5\n", 2, "choose 20 to 400"),
        ("[loop]\nrate_hz = nan\n", 2, "choose 20 to 400"),
        ("[loop]\nrate_hz = '100'\n", 2, "must be a number"),
        ("[loop]\nqueue = 20.5\n", 2, "whole number"),
        ("[loop]\nqueue = true\n", 2, "whole number"),
        ("[ranger]\n# a comment\ndriver = 'srf02'\n", 3, "choose hcsr04"),
        ("[belt]\nname = 'Not Good/'\n", 2, "must match"),
        ("[belt]\nrun_dir = 3\n", 2, "path in quotes"),
        ("[motor]\npin = 23\n", 2, "share GPIO 23"),
        ("[http]\ncertificate_file = 'c.pem'\n", 1, "http.key_file go together"),
        ("[mqtt]\ncertificate_file = 'c'\nkey_file = 'k'\n", 2, "mqtt.ca_file"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}:{line}: ")
    assert said in message
    assert "\n" not in message


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="not TOML"):
        load(write(tmp_path, "[belt\n"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "binary")
