"""Two wearers, whole belts in virtual time and the real service: the short way of the programme."""

from __future__ import annotations

from pathlib import Path

from device.cli import broker, programme
from device.cli.demo import _write_config
from device.settings import load


def test_what_the_service_keeps_is_what_was_walked(tmp_path: Path) -> None:
    port = broker.free_port()
    config = _write_config(tmp_path, broker.free_port(), port)
    told: list[str] = []
    truths = programme.play(
        load(config), 1.75e9, told.append, weeks=1, visits=1, trials=1, goal_min=1
    )
    assert told == ["week 1, visit 1: Ada", "week 1, visit 1: Bob"]
    with programme.stored(tmp_path, config, port, 2) as sessions:
        rows = programme.compare(truths, sessions)
    for row, session in zip(rows, reversed(sessions), strict=True):
        assert row["true"], row
        assert row["sessions"] == 1
        assert session["totals"]["dose_s"] >= 60.0
        assert row["wearer"] in programme.report(config, row["wearer"], tmp_path).read_text()
