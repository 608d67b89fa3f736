"""`rearguard feel`: every pattern with its meaning, drawn, on the motor, or by the device."""

from __future__ import annotations

import threading

import pytest

from device import cli
from device.cli import feel
from device.control import ControlServer
from device.haptics import FAMILIES, PATTERNS, Haptics
from tests.device.virtual import Clock


class Motor:
    """The pin: keeps when it was set to what."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.duty = clock, 0.0
        self.told: list[tuple[float, float]] = []

    def set(self, duty: float) -> None:
        self.duty = duty
        self.told.append((self.clock.t, duty))

    def off(self) -> None:
        self.set(0.0)

    def close(self) -> None:
        self.off()


def test_all_patterns_are_drawn_with_their_meaning_the_most_urgent_first(capsys):
    assert cli.main(["feel"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in lines[1 : 1 + len(FAMILIES)]] == list(FAMILIES.values())
    del lines[: 1 + len(FAMILIES)]
    assert [line.split()[0] for line in lines[::2]] == feel.BY_URGENCY
    assert feel.BY_URGENCY[0] == "stop"
    for name, says in zip(feel.BY_URGENCY, lines[1::2], strict=True):
        assert PATTERNS[name].means in says


@pytest.mark.parametrize("name", PATTERNS)
def test_a_drawing_is_as_long_as_the_pattern(name):
    assert len(feel.drawn(PATTERNS[name])) * feel.BLOCK == pytest.approx(
        PATTERNS[name].length, abs=feel.BLOCK * len(PATTERNS[name].pulses)
    )


def test_no_two_patterns_are_drawn_alike():
    assert len({feel.drawn(pattern) for pattern in PATTERNS.values()}) == len(PATTERNS)


@pytest.mark.parametrize("name", PATTERNS)
def test_on_the_motor_a_pattern_is_played_whole_and_ends_off(name):
    clock = Clock()
    motor = Motor(clock)
    feel.on_motor(Haptics(motor, 0.5), clock, name)
    assert motor.duty == 0.0
    begun = [t for t, duty in motor.told if duty]
    assert len(begun) == len(PATTERNS[name].pulses)
    assert clock.t >= 1000.0 + PATTERNS[name].length + feel.APART


def test_a_running_device_plays_it(tmp_path, monkeypatch, capsys):
    config = tmp_path / "belt.toml"
    config.write_text(f'[belt]\nrun_dir = "{tmp_path}"\ndata_dir = "{tmp_path}"\n')
    server = ControlServer(feel.load(config).socket_file)
    monkeypatch.setattr(feel, "MonotonicClock", Clock)
    asked: list[dict[str, str]] = []
    done = threading.Event()

    def device() -> None:
        while not done.wait(0.01):
            asked.extend(server.poll())

    thread = threading.Thread(target=device)
    thread.start()
    try:
        assert cli.main(["feel", "stop", "approach", "--config", str(config)]) == 0
    finally:
        done.set()
        thread.join()
        server.close()
    assert [(a["command"], a["pattern"]) for a in asked] == [("play", "stop"), ("play", "approach")]


def test_without_a_motor_it_is_drawn_and_said(tmp_path, capsys):
    config = tmp_path / "belt.toml"
    config.write_text(f'[belt]\nrun_dir = "{tmp_path}"\ndata_dir = "{tmp_path}"\n')
    assert cli.main(["feel", "stop", "--config", str(config)]) == 0
    told = capsys.readouterr()
    assert "█" in told.out
    assert told.err.startswith("drawn, not played: ")


@pytest.mark.parametrize("words", [["fly"], ["stop", "--config", "nowhere.toml"]])
def test_what_cannot_be_felt_is_one_line(words, capsys):
    assert cli.main(["feel", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
