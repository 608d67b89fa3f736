"""What does not fit the format costs one line with file, trial and remedy, and exit code 2."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.archive import KEYS, Archive
from device.cli import main
from device.recordings import Malformed, RecordingSet
from tests.replay.sets import SetMaker

Spoil = Callable[[SetMaker], Any]


def array(key: str, value: Any) -> Spoil:
    return lambda maker: maker.arrays["A"].update({key: value})


def change(key: str, index: Any, value: Any) -> Spoil:
    def spoil(maker: SetMaker) -> None:
        maker.arrays["A"][key] = np.array(maker.arrays["A"][key], copy=True)
        maker.arrays["A"][key][index] = value

    return spoil


def acceleration(index: Any, value: float) -> Spoil:
    def spoil(maker: SetMaker) -> None:
        acc = maker.arrays["A"]["acc_q"].astype(np.float32)
        acc[index] = value
        maker.arrays["A"]["acc_q"] = acc

    return spoil


def cell(column: str, value: Any, row: int = 0) -> Spoil:
    return lambda maker: maker.rows[row].update({column: value})


def empty_trial(maker: SetMaker) -> None:
    maker.rows[0]["n"] = maker.arrays["A"]["n"][0] = 0


def ping(key: str, value: Any) -> Spoil:
    return lambda maker: maker.ranger().update({key: np.array(value)})


def no_range_status(maker: SetMaker) -> None:
    del maker.ranger()["range_status"]


def renamed(maker: SetMaker) -> None:
    maker.arrays["A"]["trial"] = np.array(["other", "a2"])


# how A is spoiled → what is said of it, and how many of the three trials are still done
CASES: dict[str, tuple[Spoil, str, int]] = {
    **{
        f"no {key}": (lambda maker, key=key: maker.arrays["A"].pop(key), rf"has no {key};.*a1", 1)
        for key in KEYS
    },
    "acc of two columns": (array("acc_q", np.zeros((280, 2))), r"acc_q is .*\(280, 2\).*a1", 1),
    "acc flat": (array("acc_q", np.zeros(280)), r"acc_q is .*a1", 1),
    "acc of words": (array("acc_q", np.full((280, 3), "x")), r"acc_q is .*a1", 1),
    "gyro shorter": (array("gyro_q", np.zeros((9, 3))), r"280 rows and gyro_q 9.*a1", 1),
    "n shorter": (array("n", np.array([1])), r"n is .*\(1,\).*a1", 1),
    "starts broken": (array("start", np.array([0.5, 1.5])), r"start is float64.*a1", 1),
    "objects": (array("code", np.array([{}, {}], object)), r"no whole .npz.*a1 and 1 more", 1),
    "x of other length": (array("x_label", np.zeros(7)), r"x_label is .*280 samples.*a1", 1),
    "events that are no bits": (array("x_events", np.zeros(280)), r"x_events is float64.*a1", 1),
    "quaternions of three": (array("x_quat", np.zeros((280, 3))), r"x_quat is .*280.*a1", 1),
    "fs too low": (array("fs", np.float64(19)), r"fs is 19;.*20 and 400.*a1", 1),
    "fs NaN": (array("fs", np.float64("nan")), r"fs is nan;.*a1", 1),
    "scale infinite": (array("acc_scale", np.float64("inf")), r"acc_scale is inf;.*a1", 1),
    "scale NaN": (array("gyro_scale", np.float64("nan")), r"gyro_scale is nan;.*a1", 1),
    "scale zero": (array("acc_scale", np.float64(0)), r"acc_scale is 0;.*a1", 1),
    "two scales": (array("acc_scale", np.ones(2)), r"acc_scale is .*\(2,\).*a1", 1),
    "trial twice in the file": (array("trial", np.array(["a1", "a1"])), r"twice;.*a1", 1),
    "row partly NaN": (acceleration((5, 1), np.nan), r"trial a1: row 5 is partly NaN", 2),
    "row infinite": (acceleration((130, 0), np.inf), r"trial a2: row 10 is partly NaN or inf", 2),
    "only acc is NaN": (acceleration(7, np.nan), r"trial a1: row 7 is partly NaN", 2),
    "past the end": (change("start", 1, 200), r"trial a2: takes rows 200 to 360 of 280", 2),
    "before the start": (change("start", 0, -1), r"trial a1: takes rows -1", 2),
    "another n": (cell("n", 119), r"trial a1: has n 120 here and 119 in index.csv", 2),
    "another fs": (cell("fs", 50), r"trial a1: has fs 100 here and 50 in index.csv", 2),
    "another fall": (change("fall", 0, 1), r"trial a1: has fall 1 here and 0 in index", 2),
    "another impact": (cell("impact", 3), r"trial a1: has impact -1 here and 3 in index", 2),
    "not in the file": (renamed, r"trial a1: is in index.csv but not in this file", 2),
    "empty": (empty_trial, r"index.csv: line 2: trial 'a1': is empty", 2),
    "n is a word": (cell("n", "many"), r"line 2: trial 'a1': n 'many' is no number", 2),
    "fs is a word": (cell("fs", ""), r"line 2: trial 'a1': fs '' is no number", 2),
    "fs too high": (cell("fs", 1000), r"line 2: trial 'a1': fs 1000 lies outside", 2),
    "fs is nan": (cell("fs", "nan"), r"line 2: trial 'a1': fs nan lies outside", 2),
    "onset outside": (cell("onset", 120), r"trial 'a1': onset 120 lies outside its 120", 2),
    "impact outside": (cell("impact", -2), r"trial 'a1': impact -2 lies outside", 2),
    "fall 2": (cell("fall", 2), r"trial 'a1': fall '2' is neither", 2),
    "no such direction": (cell("direction", "up"), r"trial 'a1': direction 'up'", 2),
    "trial twice": (cell("trial", "a1", 1), r"line 3: trial 'a1': is there twice", 2),
    "trial is a path": (cell("trial", "../a1"), r"trial '\.\./a1': trial .*file's name", 2),
    "file is a path": (cell("file", "/etc/passwd"), r"trial 'a1': file '/etc/passwd' can't", 2),
    "file not there": (cell("file", "C.npz"), r"C.npz: is named in index.csv but not there.*a1", 2),
    "no range_status": (no_range_status, r"has range_m but no range_status;.*a1", 1),
    "range lengths": (ping("range_t", [0.0]), r"range_t is .*unlike range_m \(3,\).*a1", 1),
    "range of no trial": (ping("range_trial", [0, 0, 2]), r"range_trial names a trial.*a1", 1),
    "range status 6": (ping("range_status", [0, 1, 6]), r"range_status holds.*a1", 1),
    "range NaN": (ping("range_m", [2, np.nan, np.nan]), r"range_m and range_status disa.*a1", 1),
    "range of nothing": (ping("range_m", [2, 2, 2.0]), r"range_m and range_status disa.*a1", 1),
    "range negative": (ping("range_m", [-1, np.nan, 2]), r"range_m and range_status disa.*a1", 1),
    "range time NaN": (ping("range_t", [0, 0.1, np.nan]), r"range_t is not finite.*a1", 1),
    "range back in time": (ping("range_t", [0.1, 0, 0]), r"trial a1: its range_t goes back", 2),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("one_core")
def test_one_line_and_the_others_are_done(
    case: str, maker: SetMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, said, done = CASES[case]
    spoil(maker)
    command = ["replay", str(maker.write()), "--events", str(tmp_path / "out.jsonl")]
    estimates = tmp_path / "estimates"

    assert main([*command, "--estimates", str(estimates)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert re.search(said, lines[0]), lines[0]
    assert ";" in lines[0], "there is no remedy"
    assert not (tmp_path / "out.jsonl").exists()

    assert main([*command, "--estimates", str(estimates), "--keep-going"]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{done} trials")
    assert re.search(said, printed.err.splitlines()[0])
    assert "told above" in printed.err.splitlines()[-1]
    assert (tmp_path / "out.jsonl").exists()
    assert len(list(estimates.iterdir())) == done
    assert (estimates / "b1.npz").exists()


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-400])


def cut_within(file: Path) -> None:
    """The directory at the end is whole, what it points to is not."""
    whole = bytearray(file.read_bytes())
    whole[600:1200] = bytes(600)
    file.write_bytes(whole)


def as_npy(file: Path) -> None:
    with file.open("wb") as out:
        np.save(out, np.zeros(3))


@pytest.mark.parametrize(
    "spoil",
    [
        cut_short,
        cut_within,
        as_npy,
        lambda file: file.write_text("acc_x,acc_y\n1,2\n"),
        lambda file: file.write_bytes(b""),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["cut short", "cut within", "npy", "text", "nothing", "folder"],
)
@pytest.mark.usefixtures("one_core")
def test_a_file_that_is_no_archive(
    spoil: Callable[[Path], Any],
    maker: SetMaker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = maker.write()
    spoil(folder / "A.npz")
    command = ["replay", str(folder), "--events", str(tmp_path / "out.jsonl"), "--keep-going"]
    assert main(command) == 2
    printed = capsys.readouterr()
    assert re.fullmatch(r"rearguard: .*A\.npz: is .*;.*\(trial a1 and 1 more\)",
                        printed.err.splitlines()[0])  # fmt: skip
    assert printed.out.startswith("1 trials")


@given(
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    kept=st.floats(0.0, 1.0),
)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_damage_is_malformed_or_harmless(
    maker: SetMaker, damage: list[tuple[float, int]], kept: float
) -> None:
    if not (maker.folder / "whole").exists():
        (maker.write() / "A.npz").rename(maker.folder / "whole")
    damaged = bytearray((maker.folder / "whole").read_bytes())
    for where, value in damage:
        damaged[int(where * len(damaged))] = value
    (maker.folder / "A.npz").write_bytes(damaged[: max(1, int(kept * len(damaged)))])
    for row in RecordingSet(maker.folder).files["A.npz"]:
        try:
            found = Archive(maker.folder / "A.npz").trial(row)
        except Malformed as fault:
            assert "A.npz" in str(fault)
        else:
            assert found.acc.shape == found.gyro.shape == (row.n, 3)


@pytest.mark.parametrize("command", ["replay", "evaluate", "plot"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: folder / "not there", "there is no such folder"),
        (lambda folder: folder / "A.npz", "is a file; give the folder"),
        (lambda folder: (folder / "index.csv").unlink() or folder, "has no index.csv"),
        (lambda folder: ((folder / "index.csv").write_text(""), folder)[1], "no column"),
        (lambda folder: ((folder / "index.csv").write_text("trial,fs\na,1\n"), folder)[1],
         "has no column subject"),
        (lambda folder: ((folder / "index.csv").write_bytes(b"\xff\xfe\x00"), folder)[1],
         "can't be read"),
    ],
    ids=["nowhere", "file", "no index", "empty index", "columns missing", "not text"],
)  # fmt: skip
def test_what_is_no_set(
    command: str,
    spoil: Callable[[Path], Path],
    said: str,
    maker: SetMaker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = spoil(maker.write())
    rest = {"replay": ["--events", str(tmp_path / "out")], "plot": ["a1"]}.get(command, [])
    assert main([command, str(folder), *rest]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


@pytest.mark.usefixtures("one_core")
def test_a_row_all_nan_is_a_gap_and_no_fault(maker: SetMaker, tmp_path: Path) -> None:
    arrays = maker.arrays["A"]
    arrays["acc_q"] = arrays["acc_q"].astype(np.float32)
    arrays["acc_q"][50] = arrays["gyro_q"][50] = np.nan
    out = tmp_path / "out.jsonl"
    assert main(["replay", str(maker.write()), "--events", str(out)]) == 0
    assert all(json.loads(line)["event"] != "imu_fault" for line in out.read_text().splitlines())


@pytest.mark.usefixtures("one_core")
def test_where_it_cannot_write(
    maker: SetMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(maker.write())
    assert main(["replay", folder, "--events", str(tmp_path / "no" / "out.jsonl")]) == 2
    assert "can't be written" in capsys.readouterr().err
    here = tmp_path / "file"
    here.touch()
    events = str(tmp_path / "out.jsonl")
    assert main(["replay", folder, "--events", events, "--estimates", str(here)]) == 2
    assert "can't be a folder" in capsys.readouterr().err
    (tmp_path / "estimates" / "a2.npz").mkdir(parents=True)
    assert (
        main(["replay", folder, "--events", events, "--estimates", str(tmp_path / "estimates")])
        == 2
    )
    assert "a2.npz can't be written" in capsys.readouterr().err
    assert not Path(events).exists()
    assert list(tmp_path.rglob("*.part")) == []
