"""KFall (Yu, Jang, Xiong 2021, doi 10.3389/fnagi.2021.692865): CSV files and spreadsheets."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.formats import G, Read, Trial, grouped, parts, table, text
from device.formats.facing import Postures
from device.recordings import Malformed

ABOUT = """\
From sites.google.com/view/kfalldataset. SOURCE holds sensor_data…/SA06/S06T01R01.csv and
label_data…/SA06_label.xlsx, wherever below it; needs openpyxl (pip install 'rearguard[convert]').
g and °/s at 100 Hz (the data set's page); labels count frames as FrameCounter does, in the order
onset, impact (page, and equal to labels that other people have converted). Which way the sensor
looks is told from falls onto belly and back, a subject at a time (exact on 22 of 22 subjects whose
frame was known). Acceleration is taken as specific force; were it the opposite, left and right
would be mirrored."""

FS = 100.0
LONGEST = 600.0  # s; the longest trial is 30 s
COLUMNS = ("AccX", "AccY", "AccZ", "GyrX", "GyrY", "GyrZ")
FIRST_FALL = 20  # task of F01
ADL = (
    "Stand for 30 s",
    "Stand, slowly bend, tie shoe lace, get up",
    "Pick up object from floor",
    "Gently jump (reach)",
    "Stand, sit to ground, wait, get up normal",
    "Walk normally with turn (4 m)",
    "Walk quickly with turn (4 m)",
    "Jog normally with turn (4 m)",
    "Jog quickly with turn (4 m)",
    "Stumble while walking",
    "Sit on chair 30 s",
    "Sit on sofa (reclined) 30 s",
    "Sit down/get up chair normally",
    "Sit down/get up chair quickly",
    "Sit, try to get up, collapse into chair",
    "Stand, sit on sofa, get up normally",
    "Lie on bed 30 s",
    "Sit, lie down normally, get up",
    "Sit, lie down quickly, get up quickly",
)
STAIRS = {35: ("D20", "Stairs up and down normally"), 36: ("D21", "Stairs up and down quickly")}
FALLS = (
    "Forward fall when trying to sit down",
    "Backward fall when trying to sit down",
    "Lateral fall when trying to sit down",
    "Forward fall when trying to get up",
    "Lateral fall when trying to get up",
    "Forward fall while sitting, caused by fainting",
    "Lateral fall while sitting, caused by fainting",
    "Backward fall while sitting, caused by fainting",
    "Vertical (forward) fall while walking, caused by fainting",
    "Fall while walking, hands on a table dampen it, caused by fainting",
    "Forward fall while walking, caused by a trip",
    "Forward fall while jogging, caused by a trip",
    "Forward fall while walking, caused by a slip",
    "Lateral fall while walking, caused by a slip",
    "Backward fall while walking, caused by a slip",
)
PRONE, SUPINE = {20, 23, 25, 30, 31, 32}, {21, 27, 34}  # tasks that end on belly, on back
FORWARD = {6, 7, 8, 9}  # walking and jogging; turns are in it
_FILE = re.compile(r"SA?(\d+)T(\d+)R(\d+)\.csv", re.IGNORECASE)
_LABELS = re.compile(r"SA?(\d+)_label\.xlsx", re.IGNORECASE)


def find(source: Path) -> dict[str, list[Path]]:
    """Sensor files and the labels of each subject."""
    files = []
    for path in source.rglob("*"):
        if found := _FILE.fullmatch(path.name) or _LABELS.fullmatch(path.name):
            files.append((f"SA{int(found[1]):02d}", path))
    return grouped(source, files, "KFall sensor file (S06T01R01.csv)")


def read(subject: str, files: list[Path]) -> Read:
    sheets = [path for path in files if _LABELS.fullmatch(path.name)]
    sensors = [path for path in files if _FILE.fullmatch(path.name)]
    labels = _labels(sheets[0]) if sheets else {}
    trials, left_out, worn = [], [], Postures()
    for path in sensors:
        found = parts(_FILE, path.name)
        task, repeat = int(found[2]), int(found[3])
        code, activity = _task(path, task)
        first, acc, gyro = _signals(path)
        trial = Trial(path.stem, code, activity, FS, acc, gyro, fall=code[0] == "F")
        if trial.fall and (task, repeat) not in labels:
            left_out.append(f"{path}: is a fall without a label in {subject}_label.xlsx")
            continue
        if trial.fall:
            trial.onset, trial.impact = (frame - first for frame in labels[task, repeat])
            if not 0 <= trial.onset <= trial.impact < len(acc):
                left_out.append(f"{path}: its labels lie outside its {len(acc)} frames")
                continue
        if task in FORWARD:
            trial.direction = "forward"
            worn.upright(acc, FS)
        if task in PRONE:
            worn.prone(acc, FS)
        if task in SUPINE:
            worn.supine(acc, FS)
        trials.append(trial)
    return Read(trials, left_out, worn.turn())


def _task(path: Path, task: int) -> tuple[str, str]:
    """Code and activity. Raises Malformed."""
    if task in STAIRS:
        return STAIRS[task]
    if 1 <= task <= len(ADL):
        return f"D{task:02d}", ADL[task - 1]
    fall = task - FIRST_FALL
    if 0 <= fall < len(FALLS):
        return f"F{fall + 1:02d}", FALLS[fall]
    raise Malformed(f"{path}: task {task} is none of KFall's 1 to 36; take the file away")


def _signals(path: Path) -> tuple[int, NDArray[Any], NDArray[Any]]:
    """Number of the first frame, acc [N,3] m/s², gyro [N,3] rad/s. Raises Malformed."""
    lines = text(path).splitlines()
    header = [name.strip() for name in next(csv.reader(lines[:1]), [])]
    needed = ("FrameCounter", *COLUMNS)
    if missing := [name for name in needed if name not in header]:
        raise Malformed(f"{path}: has no column {', '.join(missing)}; is it of KFall?")
    values = table(path, [line for line in lines[1:] if line.strip()], len(header), ",")
    frame, *axes = (values[:, header.index(name)] for name in needed)
    at = (frame - frame[0]).astype(np.int64)
    if (np.diff(at) < 1).any() or at[-1] > LONGEST * FS:
        raise Malformed(f"{path}: its frames are not counted upward; download it again")
    six = np.full((int(at[-1]) + 1, 6), np.nan)  # frames that are not there are gaps
    six[at] = np.stack(axes, axis=1)
    return int(frame[0]), six[:, :3] * G, np.radians(six[:, 3:])


def _labels(path: Path) -> dict[tuple[int, int], tuple[int, int]]:
    """(task, trial) → frames of onset and impact. Merged cells hold for the rows below as well."""
    try:
        import openpyxl  # noqa: PLC0415  an extra
    except ImportError as error:
        raise Malformed(
            f"{path}: reading it needs openpyxl; pip install 'rearguard[convert]'"
        ) from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = list(book.worksheets[0].iter_rows(values_only=True))
        book.close()
    except Exception as error:
        raise Malformed(f"{path}: is no spreadsheet ({error}); download it again") from error
    header = [str(cell or "").strip().lower() for cell in rows[0]] if rows else []
    wanted = ("task code", "trial id", "fall_onset_frame", "fall_impact_frame")
    at = [next((k for k, name in enumerate(header) if name.startswith(w)), None) for w in wanted]
    if None in at:
        raise Malformed(f"{path}: has no column {wanted[at.index(None)]!r}; is it of KFall?")
    labels, task = {}, 0
    for number, row in enumerate(rows[1:], 2):
        code, trial, onset, impact = (row[k] for k in at if k is not None)
        if code is not None:
            found = re.search(r"\((\d+)\)", str(code))
            task = int(found[1]) if found else 0
        if trial is None:
            continue
        try:
            repeat = int(str(trial).lstrip("Rr"))
            labels[task, repeat] = int(onset), int(impact)
        except (TypeError, ValueError):
            raise Malformed(
                f"{path}: row {number}: {trial!r}, {onset!r}, {impact!r} are no numbers; mend them"
            ) from None
    return labels
