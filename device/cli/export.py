"""`rearguard export`: what is kept of one wearer, in forms that others read.

The history's tables are written by the service's code, in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from device.archive import Archive
from device.cli import Fault
from device.cli.report import history
from device.formats import bids
from device.recordings import Malformed, Recording, RecordingSet
from device.settings import ConfigError, load


def add(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = """FOLDER gets
  tables/      sessions, walk tests, alerts and screenings of the last 12 months, as CSV
  bids/        the motion around alerts, as a BIDS data set (modality motion), without the name
  recordings/  the same as the black box wrote it: `rearguard replay` and `plot` take it"""
    history(parser)
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FOLDER", help="must not be there yet"
    )


def execute(args: argparse.Namespace) -> int:
    if args.out.exists():
        raise Fault(f"{args.out} is there already; choose another place or take it away")
    try:
        config = load(args.config)
    except ConfigError as error:
        raise Fault(str(error)) from error
    part = args.out.with_name(f".{args.out.name}.{os.getpid()}.part")
    try:
        (part / "tables").mkdir(parents=True, mode=0o700)
        part.chmod(0o700)  # it is about somebody's health
        words = ["tables", "--config", str(args.config), "--wearer", args.wearer]
        command = [sys.executable, "-m", "service.offline", *words, "--out", str(part / "tables")]
        if code := subprocess.run(command, check=False).returncode:  # noqa: S603  our own
            return code
        kept = list(_recordings(config.recordings_dir, args.wearer, part / "recordings"))
        if kept:
            bids.write(part / "bids", kept, version("rearguard"))
        part.rename(args.out)
    except OSError as error:
        raise Fault(f"{args.out} can't be written ({error.strerror}); choose another") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    sys.stdout.write(f"{args.out}: tables and {len(kept)} recordings\n")
    return 0


def _recordings(folder: Path, wearer: str, copies: Path) -> Iterator[Recording]:
    """The wearer's recordings, oldest first, each copied as it is; what is damaged is told."""
    if not folder.is_dir():
        return
    for place in sorted(folder.glob("[!.]*"), key=lambda place: place.stat().st_mtime):
        try:
            recordings = RecordingSet(place)
            found = [
                Archive(place / entry.file).trial(entry)
                for entry in recordings.entries
                if entry.subject == wearer
            ]
        except Malformed as malformed:
            sys.stderr.write(f"rearguard: left out: {malformed}\n")
            continue
        if found:
            shutil.copytree(place, copies / place.name)
            yield from found
