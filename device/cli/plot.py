"""`rearguard plot`: one trial on one page: signals, vertical, judgements and truth."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import sys
from pathlib import Path

from device.archive import Archive
from device.cli import Fault
from device.cli.outputs import whole
from device.cli.walk import open_set
from device.recordings import Malformed, RecordingSet
from device.replay import replay


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "set", type=Path, metavar="SET", help="folder with index.csv and .npz files"
    )
    parser.add_argument("trial", metavar="TRIAL", help="id of one of its trials")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.png", help="default: <trial>.png in this folder"
    )


def execute(args: argparse.Namespace) -> int:
    if importlib.util.find_spec("matplotlib") is None:
        raise Fault("matplotlib is not installed; pip install 'rearguard[plot]'")
    recordings = open_set(args.set)
    entry = recordings.find(args.trial)
    if entry is None:
        raise Fault(f"no trial {args.trial!r} in {args.set}; {_near(recordings, args.trial)}")
    try:
        recording = Archive(recordings.folder / entry.file).trial(entry)
    except Malformed as malformed:
        raise Fault(str(malformed)) from malformed
    from device.figures.picture import draw  # noqa: PLC0415  matplotlib takes a second to load

    out = args.out or Path(f"{entry.trial}.png")
    with whole(out, "wb") as file:
        draw(recording, replay(recording), recordings.name, file)
    sys.stdout.write(f"{out}\n")
    return 0


def _near(recordings: RecordingSet, trial: str) -> str:
    known = [entry.trial for entry in recordings.entries]
    near = difflib.get_close_matches(trial, known, 5, 0.5)
    return f"did you mean {', '.join(near)}?" if near else f"its first is {known[0]}"
