"""Trials written as a data set of the Brain Imaging Data Structure, modality motion (BIDS 1.9).

One subject, whose name is not written; one run a trial. The channels are those of the belt in its
body frame: x forward (anterior), y left, z up; m/s² with gravity, rad/s, m.
See https://bids-specification.readthedocs.io/en/stable/modality-specific-files/motion.html
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from device.recordings import Recording

VERSION = "1.9.0"
SUBJECT, TASK, SYSTEM = "sub-01", "backwardwalking", "belt"
AXES = "xyz"
CHANNELS = (
    *((f"belt_acc_{axis}", axis, "ACCEL", "m/s^2", "specific force") for axis in AXES),
    *((f"belt_gyro_{axis}", axis, "GYRO", "rad/s", "angular rate") for axis in AXES),
    ("rear_range", "n/a", "MISC", "m", "ultrasonic distance behind, where a ping came; else n/a"),
)
COLUMNS = ("name", "component", "type", "tracked_point", "units", "placement", "reference_frame",
           "description", "sampling_frequency")  # fmt: skip
FRAME = {
    "reference_frame": {
        "Description": "Body frame of the belt at the waist",
        "Levels": {
            "belt": {
                "SpatialAxes": "ALS",
                "RotationRule": "right-hand",
                "RotationOrder": "n/a",
                "Description": "x anterior, y left, z superior; standing still: z = +9.81 m/s^2",
            }
        },
    }
}


def write(folder: Path, recordings: Sequence[Recording], software: str) -> None:
    """The whole data set, into a folder that is not there yet. Raises OSError."""
    place = folder / SUBJECT / "motion"
    place.mkdir(parents=True)
    _json(
        folder / "dataset_description.json",
        {
            "Name": "Rearguard: recordings around events",
            "BIDSVersion": VERSION,
            "DatasetType": "raw",
            "GeneratedBy": [{"Name": "Rearguard", "Version": software}],
        },
    )
    (folder / "README").write_text(
        "Motion at the waist around alerts of a Rearguard belt, as its black box kept it: the\n"
        "minute before each and the seconds after. sub-01 is the wearer, whose name is not kept\n"
        "here. Runs are in order of time; what each was kept for stands in its motion.json.\n",
        encoding="utf-8",
    )
    _table(folder / "participants.tsv", [("participant_id", "species"), (SUBJECT, "homo sapiens")])
    _json(folder / "participants.json", {"species": {"Description": "binomial species name"}})
    for number, recording in enumerate(recordings, 1):
        _run(place, number, recording)


def _run(place: Path, number: int, recording: Recording) -> None:
    name = f"{SUBJECT}_task-{TASK}_tracksys-{SYSTEM}_run-{number:02d}"
    fs = recording.entry.fs
    _json(
        place / f"{name}_motion.json",
        {
            "TaskName": TASK,
            "TaskDescription": f"walking backward; kept for: {recording.entry.activity}",
            "Instructions": "none: everyday use of the belt",
            "SamplingFrequency": fs,
            "SamplingFrequencyEffective": round(_rate(recording), 4),
            "TrackingSystemName": "Rearguard belt",
            "RecordingDuration": round(recording.entry.n / fs, 4),
            "RecordingType": "continuous",
            "SubjectArtefactDescription": "the belt's motor shakes the sensor while it buzzes",
            "MotionChannelCount": len(CHANNELS),
            "TrackedPointsCount": 1,
            "ACCELChannelCount": 3,
            "GYROChannelCount": 3,
            "MISCChannelCount": 1,
            "MissingValues": "n/a",
        },
    )
    rows = [(n, c, kind, "waist", unit, "waist", "belt", what, f"{fs:g}")
            for n, c, kind, unit, what in CHANNELS]  # fmt: skip
    _table(place / f"{name}_channels.tsv", [COLUMNS, *rows])
    _json(place / f"{name}_channels.json", FRAME)
    values = np.column_stack([recording.acc, recording.gyro, _range(recording)])
    with (place / f"{name}_motion.tsv").open("w", encoding="utf-8") as file:
        for row in values:
            file.write("\t".join("n/a" if np.isnan(v) else f"{v:.6g}" for v in row) + "\n")


def _rate(recording: Recording) -> float:
    """Samples a second as they came."""
    span = float(recording.t[-1] - recording.t[0])
    return (len(recording.t) - 1) / span if span > 0 else recording.entry.fs


def _range(recording: Recording) -> Any:
    """[N] the distance that came with each sample, NaN where none did."""
    column = np.full(recording.entry.n, np.nan)
    if recording.pings is not None:
        at = np.clip(np.searchsorted(recording.t, recording.pings["t"]), 0, len(column) - 1)
        heard = recording.pings["echo"] == 0
        column[at[heard]] = recording.pings["range"][heard]
    return column


def _json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _table(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows(rows)
