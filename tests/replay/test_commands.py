"""The commands as a person starts them: what they print, write and leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from device.alerts import EVENTS, Level, State
from device.cli import main
from tests.replay.sets import SetMaker

SERIES = ("step_time", "cadence", "speed", "lean", "sway", "risk")
FALLS = {
    "prediction_sensitivity", "prediction_early", "prediction_specificity",
    "prediction_false_alarms", "detection_sensitivity", "detection_specificity",
    "detection_false_alarms", "backward_prediction_sensitivity",
    "backward_detection_sensitivity", "stumble_sensitivity",
}  # fmt: skip
LEAD = {"lead_time_median", "lead_time_p10", "lead_time_p1"}
STEPS = {
    "sensitivity", "positive_predictive_value", "f1", "offset", "time_error_median",
    "time_error_p95", "report_delay_median", "report_delay_p95", "cadence_error",
}  # fmt: skip
FORWARD = {"forward_right", "forward_unknown", "forward_wrong"}
BOTH = FORWARD | {"backward_right", "backward_unknown", "backward_wrong"}
SPEED = {"error", "error_forward", "error_backward"}
ATTITUDE = {f"{a}_{b}" for a in ("error",) for b in ("mean", "median", "worst")}
# set → subjects that make it quick, kinds and figures it must have
SETS: dict[str, tuple[str, dict[str, set[str]]]] = {
    "kfall": ("SA06", {"falls": FALLS | LEAD}),
    "sisfall": ("SE04", {"walking": {"fall_in_plain_walking", "fall_imminent_in_plain_walking"}}),
    "voisard_gait": ("V01,V02", {"steps": STEPS, "direction": FORWARD}),
    "mobilised_example": ("", {"steps": STEPS}),
    "cmu_pelvis_derived": ("", {"direction": BOTH, "speed": SPEED}),
    "mocap_pelvis_derived": ("BN1_active,BN2_active", {"direction": BOTH, "speed": SPEED}),
    "broad": ("B10,B15", {"attitude": ATTITUDE | {"error_mean_vqf", "ratio_mean_to_vqf"}}),
}


def rearguard(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import sys; from device.cli import main; sys.exit(main())", *words],
        capture_output=True,
        text=True,
        check=False,
    )


def of_one_subject(folder: Path, subject: str, to: Path) -> Path:
    """A set of that subject alone, beside the original."""
    to.mkdir()
    rows = (folder / "index.csv").read_text().splitlines(keepends=True)
    mine = [row for row in rows[1:] if row.split(",")[1] == subject]
    (to / "index.csv").write_text("".join([rows[0], *mine]))
    for file in folder.glob(f"{subject}.npz"):
        (to / file.name).symlink_to(file)
    return to


@pytest.mark.parametrize("name", SETS)
@pytest.mark.usefixtures("one_core")
def test_evaluate_has_every_figure_of_the_set(
    name: str, recordings: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subjects, expected = SETS[name]
    out = tmp_path / "figures.json"
    command = ["evaluate", str(recordings(name)), "--json", str(out)]
    assert main([*command, *(["--subjects", subjects] if subjects else [])]) == 0
    printed = capsys.readouterr().out
    found = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert found["derived"] == ("derived" in name)
    assert ("(derived)" in printed) == found["derived"]
    if subjects:
        assert found["subjects"] == subjects.split(",")
    for kind, names in expected.items():
        assert names <= found["figures"][kind].keys()
        for figure in found["figures"][kind].values():
            assert {"value", "unit", "low", "high", "n", "of"} <= figure.keys()
            assert figure.get("derived", False) == found["derived"]
            if figure["low"] is not None:
                assert figure["low"] <= figure["value"] <= figure["high"]


def test_evaluate_at_20_hz(recordings: Callable[[str], Path], tmp_path: Path) -> None:
    folder = of_one_subject(recordings("sisfall"), "SA01", tmp_path / "one")
    out = tmp_path / "figures.json"
    ran = rearguard("evaluate", folder, "--rate", "20", "--json", out)
    assert ran.returncode == 0, ran.stderr
    assert "averaged to 20 Hz" in ran.stdout
    found = json.loads(out.read_text())
    assert found["rate"] == 20
    assert found["figures"]["falls"].keys() >= FALLS
    assert not found["figures"]["falls"].keys() & LEAD  # its onsets are derived
    assert found["figures"]["falls"]["prediction_sensitivity"]["n"] == 75


def test_replay_writes_the_contract(recordings: Callable[[str], Path], tmp_path: Path) -> None:
    folder = of_one_subject(recordings("kfall"), "SA06", tmp_path / "one")
    out, estimates = tmp_path / "out.jsonl", tmp_path / "new" / "estimates"
    ran = rearguard("replay", folder, "--events", out, "--estimates", estimates)
    assert (ran.returncode, ran.stderr) == (0, "")
    events = [json.loads(line, parse_constant=pytest.fail) for line in out.read_text().splitlines()]
    order = [row.split(",")[0] for row in (folder / "index.csv").read_text().splitlines()[1:]]
    at = [(order.index(event["recording"]), event["sample"]) for event in events]
    assert at == sorted(at)
    for event in events:
        assert event["event"] in EVENTS
        assert Level[event["level"].upper()].word == event["level"]
        assert event["state"] in list(State)
        assert event["t"] == pytest.approx(event["sample"] / 100)
        assert event["recording"] in event["alert_id"]
        assert all(name == "risk" or "_" in name for name in event["measurements"])
    for trial in order:
        with np.load(estimates / f"{trial}.npz", allow_pickle=False) as columns:
            shapes = {name: (columns[name].dtype, columns[name].shape) for name in columns.files}
        n = shapes["step"][1][0]
        assert shapes == {
            "up": (np.float32, (n, 3)), "direction": (np.int8, (n,)), "step": (np.bool_, (n,)),
            **dict.fromkeys(SERIES, (np.float32, (n,))),
        }  # fmt: skip
    assert {file.suffix for file in estimates.iterdir()} == {".npz"}
    assert len(list(estimates.iterdir())) == len(order)


def test_processes_do_not_change_what_is_written(maker: SetMaker, tmp_path: Path) -> None:
    maker.ranger()["range_m"][:] = [0.5, np.nan, 0.5]
    folder = maker.write()
    together = rearguard("replay", folder, "--events", tmp_path / "a.jsonl")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        alone = rearguard("replay", folder, "--events", tmp_path / "b.jsonl")
    finally:
        os.sched_setaffinity(0, before)
    assert together.stdout == alone.stdout
    assert together.stdout.startswith("3 trials, 400 samples")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_a_fault_in_another_process_is_one_line(maker: SetMaker, tmp_path: Path) -> None:
    maker.arrays["B"].pop("gyro_q")
    ran = rearguard("replay", maker.write(), "--events", tmp_path / "out.jsonl")
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "B.npz: has no gyro_q" in ran.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["set"]


def test_ctrl_c_leaves_nothing_half_done(recordings: Callable[[str], Path], tmp_path: Path) -> None:
    out, estimates = tmp_path / "out.jsonl", tmp_path / "estimates"
    # who runs the tests in the background may have the signal ignored
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from device.cli import main; sys.exit(main())"
    )
    words = ["replay", str(recordings("sisfall")), "--events", str(out), "--estimates"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words, str(estimates)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        give_up = time.monotonic() + 60
        while not list(estimates.glob("*.npz")):
            assert running.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to all of its processes
        _, said = running.communicate(timeout=20)
    assert (running.returncode, said) == (130, "")
    assert not out.exists()
    assert [file.name for file in estimates.iterdir() if file.suffix != ".npz"] == []
    for file in estimates.iterdir():
        with np.load(file) as columns:
            assert len(columns["up"]) == len(columns["step"])
    assert [file.name for file in tmp_path.iterdir()] == ["estimates"]
    while living(running.pid):
        assert time.monotonic() < give_up, "a process was left behind"
        time.sleep(0.05)


def living(group: int) -> list[str]:
    """Processes of the group that still run (proc(5): state and pgrp follow the name)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it has just gone
            continue
        if int(pgrp) == group and state != "Z":
            found.append(str(stat))
    return found


@pytest.mark.usefixtures("one_core")
def test_subjects_and_rates_that_are_not_there(
    maker: SetMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(maker.write())
    for words, said in (
        (["--subjects", "C"], "no subject 'C' in this set; it has A, B"),
        (["--rate", "10"], "choose one from 20 to 400"),
        (["--rate", "nan"], "choose one from 20 to 400"),
        (["--rate", "200"], "A.npz: trial a1: its 120 samples at 100"),
    ):
        assert main(["evaluate", folder, *words]) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert said in line


def test_plot_draws_a_page(
    maker: SetMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = maker.write()
    monkeypatch.chdir(tmp_path)
    assert main(["plot", str(folder), "a1"]) == 0
    png = (tmp_path / "a1.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) > 20_000


@pytest.mark.parametrize(
    ("name", "trial"),
    [("sisfall", "F05_SA01_R01"), ("voisard_gait", "1-1"),
     ("cmu_pelvis_derived", "Female1_B05_WalkBackwards")],
)  # fmt: skip
def test_plot_of_real_trials(
    name: str, trial: str, recordings: Callable[[str], Path], tmp_path: Path
) -> None:
    assert main(["plot", str(recordings(name)), trial, "--out", str(tmp_path / "it.png")]) == 0
    assert (tmp_path / "it.png").stat().st_size > 20_000


def test_plot_of_a_trial_that_is_not_there(
    maker: SetMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", str(maker.write()), "a3"]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "no trial 'a3'" in line
    assert "did you mean a2, a1?" in line or "did you mean a1, a2?" in line
