"""`rearguard convert`: published recordings, as they are downloaded, into a recording set."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from device.cli import Fault
from device.cli.walk import open_set, progress
from device.formats import FORMATS, Trial, load, turned
from device.formats.writing import write_index, write_subject
from device.recordings import Malformed

SHOWN = 3  # lines of what was left out, of each subject


def add(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = f"{parser.description}; `rearguard evaluate DEST` then has the figures"
    parser.add_argument(
        "format",
        choices=FORMATS,
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)}: described below",
    )
    parser.add_argument(
        "source", type=Path, metavar="SOURCE", help="folder into which the download was unpacked"
    )
    parser.add_argument(
        "dest",
        type=Path,
        metavar="DEST",
        help="folder of the recording set; must not be there yet",
    )
    parser.epilog = "\n\n".join(
        f"{name}: {does}\n" + "\n".join(f"  {line}" for line in load(name).ABOUT.splitlines())
        for name, does in FORMATS.items()
    )


def execute(args: argparse.Namespace) -> int:
    if not args.source.is_dir():
        raise Fault(f"{args.source}: there is no such folder; give where the download was unpacked")
    if args.dest.exists():
        raise Fault(f"{args.dest}: is there already; choose another place or take it away")
    part = args.dest.with_name(f".{args.dest.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        rows = _converted(args.format, args.source, part)
        write_index(part, rows)
        open_set(part)
        part.rename(args.dest)
    except Malformed as malformed:
        raise Fault(str(malformed)) from malformed
    except OSError as error:
        raise Fault(f"{args.dest} can't be written ({error.strerror}); choose another") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    falls = sum(row["fall"] for row in rows)
    subjects = len({row["subject"] for row in rows})
    samples = sum(row["n"] for row in rows)
    sys.stdout.write(
        f"{args.dest}: {len(rows):,} trials ({falls:,} falls), {subjects} subjects, "
        f"{samples:,} samples\n"
    )
    return 0


def _converted(name: str, source: Path, folder: Path) -> list[dict[str, Any]]:
    """Every subject's file, written; returns the index. Raises Malformed."""
    reader = load(name)
    found = reader.find(source)
    rows: list[dict[str, Any]] = []
    worn: Counter[bytes] = Counter()  # turns from the sensor's axes to the body's, as bytes
    unknown: list[tuple[str, list[Trial]]] = []  # subjects whose trials do not show theirs
    with progress(name, sum(map(len, found.values())), "files") as advance:
        for subject, files in found.items():
            read = reader.read(subject, files)
            _say(subject, read.left_out)
            if read.turn is None:
                unknown.append((subject, read.trials))
            elif read.trials:
                worn[read.turn.tobytes()] += 1
                rows += write_subject(folder, subject, [turned(t, read.turn) for t in read.trials])
            advance(len(files))
    for subject, trials in unknown:
        if trials and worn:
            usual = np.frombuffer(worn.most_common(1)[0][0]).reshape(3, 3)
            for trial in trials:
                trial.note = f"{trial.note} worn as most others".strip()
            rows += write_subject(folder, subject, [turned(t, usual) for t in trials])
    if not rows:
        raise Malformed(
            f"{source}: nothing could be used: no trial, or none that shows which way the sensor "
            "looked; is the download whole?"
        )
    return rows


def _say(subject: str, left_out: Sequence[str]) -> None:
    for line in left_out[:SHOWN]:
        sys.stderr.write(f"left out: {line}\n")
    if len(left_out) > SHOWN:
        sys.stderr.write(f"left out: {len(left_out) - SHOWN} more of {subject}\n")
