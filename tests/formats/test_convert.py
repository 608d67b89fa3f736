"""A download in its publisher's format becomes a set that the rest of the project reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from device.archive import Archive
from device.cli import main
from device.formats import FORMATS, facing, load
from device.recordings import Recording, RecordingSet
from device.replay import replay
from tests.formats.published import MAKERS, Body
from tests.replay.sets import SetMaker


def recordings_of(folder: Path) -> dict[str, Recording]:
    found = RecordingSet(folder)
    assert found.faults == []
    return {
        entry.trial: Archive(folder / file).trial(entry)
        for file, entries in found.files.items()
        for entry in entries
    }


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple]:
    done: dict[str, tuple[dict[str, Body], dict[str, Recording]]] = {}

    def convert(name: str) -> tuple[dict[str, Body], dict[str, Recording]]:
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            made = MAKERS[name](folder / "download")
            assert main(["convert", name, str(folder / "download"), str(folder / "set")]) == 0
            assert sorted(p.name for p in folder.iterdir()) == ["download", "set"]
            done[name] = made, recordings_of(folder / "set")
        return done[name]

    return convert


@pytest.mark.parametrize(
    ("name", "trial", "of", "error"),
    [
        ("kfall", "S06T06R01", "S06T06R01", 2e-4),
        ("kfall", "S06T21R02", "S06T21R02", 2e-4),
        ("sisfall", "F01_SA15_R01", "F01_SA15_R01", 0.02),  # half a count
        ("umafall", "U02_forwardFall_1_2016-06-13_20-51-32", "U02_forwardFall", 2e-4),
        ("umafall", "U17_Jogging_1_2016-06-13_20-51-32", "U17_Jogging", 2e-4),
        ("uci455", "101_910_Test_1", "101_910_Test_1", 2e-4),
        ("kiel", "pp001_backwards", "pp001_backwards", 2e-4),
        ("kiel", "pp001_chairrise_fast", "pp001_chairrise_fast", 2e-4),
    ],
)
def test_signals_are_in_the_body_frame_and_si_units(converted, name, trial, of, error):
    made, found = converted(name)
    acc, gyro = made[of]
    recording = found[trial]
    n = min(len(acc), len(recording.acc))
    assert abs(len(acc) - len(recording.acc)) <= 1
    there = np.isfinite(recording.acc[:n]).all(axis=1)
    assert there.sum() > 0.9 * n
    assert np.abs(recording.acc[:n] - acc[:n])[there].max() < error
    assert np.abs(recording.gyro[:n] - gyro[:n])[there].max() < error


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_replayed(converted, name):
    for recording in converted(name)[1].values():
        assert len(replay(recording).estimates["up"]) == len(recording.t)


def test_kfall_has_its_labels_and_its_holes(converted):
    found = converted("kfall")[1]
    fall = found["S06T21R02"].entry
    assert (fall.fall, fall.onset, fall.impact, fall.code) == (True, 200, 250, "F02")
    assert "Backward" in fall.activity
    assert found["S06T20R01"].entry.onset == 199
    walk = found["S06T06R01"]
    assert (walk.entry.direction, walk.entry.code, walk.entry.fs) == ("forward", "D06", 100)
    assert np.flatnonzero(np.isnan(walk.acc[:, 0])).tolist() == [300]


def test_sisfall_has_its_peak_and_the_misnamed_trial(converted):
    found = converted("sisfall")[1]
    fall = found["F01_SA15_R01"].entry
    assert (fall.onset, fall.impact, fall.fs) == (-1, int(0.66 * fall.n), 200)
    assert found["D17_SA15_R01"].entry.subject == "SA15"
    assert found["D01_SA15_R01"].entry.direction == "forward"


def test_umafall_leaves_out_spoiled_rows_and_bridges_no_hole(converted):
    found = converted("umafall")[1]
    walk = found["U02_Walking_1_2016-06-13_20-51-32"]
    hole = np.flatnonzero(np.isnan(walk.acc[:, 0]))
    assert set(range(100, 108)) <= set(hole.tolist()) <= set(range(99, 109))
    assert walk.entry.fs == 20
    fall = found["U02_backwardFall_1_2016-06-13_20-51-32"].entry
    assert fall.fall
    assert fall.impact == -1


def test_uci455_knows_backward_walking(converted):
    made, found = converted("uci455")
    assert len(found) == len(made) - 1  # the failed test is left out
    back = found["101_802_Test_1"]
    assert (back.entry.direction, back.entry.fall, back.entry.fs) == ("backward", False, 25)
    way = back.truth["x_dir"]
    assert (way[110:190] == -1).all()
    assert (way[:80] == 0).all()
    assert np.flatnonzero(np.isnan(back.acc[:, 0])).tolist() == [40, 50]
    assert (found["101_801_Test_1"].truth["x_dir"][110:190] == 1).all()
    assert found["101_901_Test_2"].entry.fall


def test_kiel_has_optical_direction_and_speed(converted):
    found = converted("kiel")[1]
    back = found["pp001_backwards"]
    assert back.entry.direction == "backward"
    assert (back.truth["x_dir"][:300] == 0).all()
    assert (back.truth["x_dir"][500:1900] == -1).all()
    assert back.truth["x_vx"][700:1700].mean() == pytest.approx(-1, abs=0.05)
    assert (found["pp001_walk_fast"].truth["x_dir"][500:1900] == 1).all()


def test_a_worn_sensor_is_found_whichever_way_it_looks():
    for turn in facing.turns():
        worn = facing.Postures()
        worn.upright(np.array([[0.2, -0.1, 9.7]]) @ turn, 1)
        worn.prone(np.array([[-9, 3, 1.0]]) @ turn, 1)
        worn.supine(np.array([[9.5, 2, -1.0]]) @ turn, 1)
        assert np.array_equal(worn.turn(), turn)
    assert len(facing.turns()) == 24
    assert facing.Postures().turn() is None


def test_a_sensor_of_known_frame_is_found_so(recordings):
    """What ABOUT of kfall says: on every subject whose frame was known."""
    folder = recordings("kfall")
    kfall = load("kfall")
    for file, entries in RecordingSet(folder).files.items():
        archive, worn = Archive(folder / file), facing.Postures()
        for entry in entries:
            task = int(entry.trial[4:6])
            if task in kfall.FORWARD | kfall.PRONE | kfall.SUPINE:
                acc = archive.trial(entry).acc
                if task in kfall.FORWARD:
                    worn.upright(acc, 100)
                if task in kfall.PRONE:
                    worn.prone(acc, 100)
                if task in kfall.SUPINE:
                    worn.supine(acc, 100)
        assert np.array_equal(worn.turn(), np.eye(3)), file


def spoilt(path: str, text: str | None) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        file = next(folder.rglob(path))
        file.unlink() if text is None else file.write_text(text)

    return spoil


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("kfall", spoilt("S06T06R01.csv", "A,B\n1,2\n"), "no column FrameCounter"),
        ("kfall", spoilt("S06T06R01.csv", ""), "no column FrameCounter"),
        ("kfall", spoilt("SA06_label.xlsx", "no zip"), "is no spreadsheet"),
        ("kfall", spoilt("S06T20R01.csv", None), ""),
        ("sisfall", spoilt("D01*.txt", "1,2,3;\n"), "rows of 3 numbers, not of 9"),
        ("sisfall", spoilt("D01*.txt", "1,2,x,4,5,6,7,8,9;\n"), "download it again"),
        ("sisfall", spoilt("D01*.txt", ""), "download it again"),
        ("umafall", spoilt("*Walking*.csv", "% nothing\n"), ""),
        ("uci455", spoilt("801*/Test_1/340535.txt", "x\n"), "no header"),
        ("kiel", spoilt("imu_backwards.mat", "x"), "can't be read"),
        ("kiel", spoilt("omc_backwards.mat", "x"), "can't be read"),
    ],
)
def test_a_spoilt_download_is_one_line_and_leaves_nothing(name, spoil, words, tmp_path, capsys):
    MAKERS[name](tmp_path / "download")
    spoil(tmp_path / "download")
    code = main(["convert", name, str(tmp_path / "download"), str(tmp_path / "set")])
    told = capsys.readouterr().err.strip().splitlines()
    if not words:  # a trial less
        assert code == 0
        return
    assert code == 2
    assert len(told) == 1
    assert words in told[0]
    assert ";" in told[0], "no remedy"
    assert [p.name for p in tmp_path.iterdir()] == ["download"]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_none_is_refused(name, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    there = SetMaker(tmp_path / "there").write()
    for source, dest in (("gone", "new"), ("empty", "new"), ("empty", there.name)):
        assert main(["convert", name, str(tmp_path / source), str(tmp_path / dest)]) == 2
        told = capsys.readouterr().err.strip()
        assert len(told.splitlines()) == 1
        assert ";" in told
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "there"]
