"""What leaves the belt with its wearer: tables, motion as BIDS wants it, recordings."""

from __future__ import annotations

import csv
import json
import math
import shutil
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from device import blackbox
from device.alerts import Record
from device.cli import main
from device.core import Core
from device.frames import Frame
from device.recordings import RecordingSet
from service.store import Store
from tests.conftest import missing
from tests.service.belt import configure, free_port
from tests.service.walked import record, walk

FS = 100.0


def keep(folder: Path, wearer: str, name: str, samples: int = 300) -> None:
    """A recording as the black box writes it, with a gap and pings that came back or did not."""
    rng = np.random.default_rng(len(name))
    frames = []
    for k in range(samples):
        frame = Frame(t=k / FS, ax=float(rng.normal()), ay=0.0, az=9.81, gx=0.1, gy=0.0, gz=0.0)
        if k % 6 == 0:
            frame.ping_t, frame.ping_echo = frame.t, k % 4 // 2
            frame.ping_range = math.nan if frame.ping_echo else 2.5
        if k == 50:
            frame.ax = frame.ay = frame.az = frame.gx = frame.gy = frame.gz = math.nan
        frames.append(frame)
    (folder / name).mkdir(parents=True)
    first = Record("alert", "fall", "danger", alert_id=name, wearer=wearer, detail="a fall")
    state = Core(FS).save()
    blackbox._write_set(folder / name, "belt", name, first, frames, state, 0, FS)


@pytest.fixture
def belt(tmp_path: Path) -> Path:
    """A configuration whose belt has walks of two wearers and recordings of both."""
    store = Store(tmp_path / "data" / "store.sqlite")
    at = datetime.now().astimezone() - timedelta(days=3)
    store.take(walk("w1", at, borg=3, reason="=cmd()"))
    store.take({**r, "wearer": "bert"} for r in walk("w2", at))
    store.take(
        [record("walk_test", at, 70, measurements={"time_s": 4.2, "distance_m": 3.0, "trial": 1})]
    )
    store.close()
    for wearer, name in (("anna", "a-1"), ("bert", "b-1"), ("anna", "a-2")):
        keep(tmp_path / "data" / "recordings", wearer, name)
    return configure(tmp_path, mqtt_port=free_port())


def export(config: Path, out: Path, wearer: str = "anna") -> int:
    return main(["export", "--config", str(config), "--wearer", wearer, "--out", str(out)])


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def test_tables_and_recordings_are_those_of_this_wearer(belt: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(belt, out) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    [session] = rows(out / "tables" / "sessions.csv")
    assert (session["session"], float(session["dose_s"]), session["borg_cr10"]) == (
        "w1",
        900,
        "3.0",
    )
    assert session["ended"] == "'=cmd()", "no formula for a spreadsheet"
    [test] = rows(out / "tables" / "walk_tests.csv")
    assert test["time_s"] == "4.2"
    kept = sorted((out / "recordings").iterdir())
    assert [place.name for place in kept] == ["a-1", "a-2"]
    assert all(RecordingSet(place).entries for place in kept), "they can be replayed"
    told = "".join(p.read_text(errors="replace") for p in (out / "bids").rglob("*") if p.is_file())
    assert "anna" not in told, "the data set is without the name"


def test_the_motion_is_what_was_recorded(belt: Path, tmp_path: Path) -> None:
    assert export(belt, tmp_path / "out") == 0
    place = tmp_path / "out" / "bids" / "sub-01" / "motion"
    name = "sub-01_task-backwardwalking_tracksys-belt_run-01"
    columns = [row["name"] for row in rows(place / f"{name}_channels.tsv", "\t")]
    lines = [line.split("\t") for line in (place / f"{name}_motion.tsv").read_text().splitlines()]
    assert len(lines) == 300
    sample = dict(zip(columns, lines[0], strict=True))
    assert float(sample["belt_acc_z"]) == pytest.approx(9.81)
    assert float(sample["rear_range"]) == 2.5
    assert set(lines[50]) == {"n/a"}, "a gap is a gap"
    heard = [k for k, line in enumerate(lines) if line[columns.index("rear_range")] != "n/a"]
    assert heard == [k for k in range(0, 300, 6) if k % 4 // 2 == 0], "failures are no distance"
    sidecar = json.loads((place / f"{name}_motion.json").read_text())
    assert sidecar["SamplingFrequency"] == FS


def test_the_bids_validator_finds_no_error(belt: Path, tmp_path: Path) -> None:
    program = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
    if program is None:
        missing("bids-validator-deno", "./dev setup")
    assert export(belt, tmp_path / "out") == 0
    verdict = subprocess.run(
        [str(program), "--format", "json", str(tmp_path / "out" / "bids")],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    issues = json.loads(verdict.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    assert verdict.returncode == 0
    (tmp_path / "out" / "bids" / "sub-01" / "motion" / "stray.txt").write_text("x")
    broken = subprocess.run(
        [str(program), str(tmp_path / "out" / "bids")], capture_output=True, check=False
    )
    assert broken.returncode != 0, "the validator does judge"


def test_what_cannot_be_is_said_in_one_line(
    belt: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert export(belt, tmp_path / "out", "cleo") == 2
    assert "known: anna, bert" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob(".out*")) == [], "nothing half done stays"
    (tmp_path / "out").mkdir()
    assert export(belt, tmp_path / "out") == 2
    assert "is there already" in capfd.readouterr().err


def test_a_damaged_recording_is_left_out_and_told(
    belt: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data" / "recordings" / "a-1" / "belt.npz").write_bytes(b"PK\x03\x04 no archive")
    assert export(belt, tmp_path / "out") == 0
    told = capfd.readouterr()
    assert "left out" in told.err
    assert "tables and 1 recordings" in told.out


def test_without_recordings_there_is_no_empty_data_set(belt: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "data" / "recordings")
    assert export(belt, tmp_path / "out") == 0
    assert not (tmp_path / "out" / "bids").exists()
    assert rows(tmp_path / "out" / "tables" / "sessions.csv")
