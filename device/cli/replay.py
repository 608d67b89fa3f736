"""`rearguard replay`: core and policy over every trial of a recording set."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from device.alerts import Record
from device.cli.outputs import folder, whole
from device.cli.walk import Walk, open_set
from device.recordings import Recording
from device.replay import ESTIMATES, line_of, replay


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "set", type=Path, metavar="SET", help="folder with index.csv and .npz files"
    )
    parser.add_argument(
        "--events", type=Path, metavar="OUT.jsonl", required=True, help="one event a line"
    )
    parser.add_argument(
        "--estimates", type=Path, metavar="DIR", help="<trial>.npz each, one row a sample"
    )
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="do the other trials when one is malformed; the exit code is 2 all the same",
    )


def execute(args: argparse.Namespace) -> int:
    recordings = open_set(args.set)
    estimates = folder(args.estimates) if args.estimates else None
    walk = Walk(recordings, partial(_replayed, estimates), keep_going=args.keep_going)
    trials = samples = events = 0
    with whole(args.events) as file:
        for recording, n, records in walk:
            for record in records:
                file.write(json.dumps(line_of(record, recording), allow_nan=False) + "\n")
            trials, samples, events = trials + 1, samples + n, events + len(records)
    sys.stdout.write(f"{trials:,} trials, {samples:,} samples, {events:,} events\n")
    walk.settle()
    return 0


def _replayed(estimates: Path | None, recording: Recording) -> tuple[str, int, list[Record]]:
    judged = replay(recording)
    if estimates:
        columns: dict[str, Any] = {name: judged.estimates[name] for name in ESTIMATES}
        with whole(estimates / f"{recording.entry.trial}.npz", "wb") as file:
            np.savez(file, **columns)
    return recording.entry.trial, recording.entry.n, judged.records
