"""`rearguard evaluate`: the figures of a recording set."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from device.cli import Fault
from device.cli.outputs import whole
from device.cli.walk import Walk, open_set
from device.figures.figure import Figure
from device.figures.report import Report, observe, report
from device.recordings import HIGHEST_FS, LOWEST_FS, RecordingSet

WIDE = 118  # columns, where the output is no terminal


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "set", type=Path, metavar="SET", help="folder with index.csv and .npz files"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--subjects", metavar="A,B,…", help="only these: figures of who was not used for tuning"
    )
    parser.add_argument(
        "--rate",
        type=float,
        metavar="HZ",
        help="average blocks of samples, without look-ahead, to this many a second",
    )


def execute(args: argparse.Namespace) -> int:
    if args.rate is not None and not LOWEST_FS <= args.rate <= HIGHEST_FS:
        raise Fault(f"--rate {args.rate:g}: choose one from {LOWEST_FS:g} to {HIGHEST_FS:g}")
    recordings = open_set(args.set)
    if args.subjects:
        _only(recordings, args.subjects.split(","))
    observations = list(Walk(recordings, partial(observe, args.rate)))
    found = report(recordings.name, args.rate, observations)
    _print(found)
    if args.json:
        with whole(args.json) as file:
            file.write(json.dumps(found.to_dict(), indent=1, allow_nan=False) + "\n")
    return 0


def _only(recordings: RecordingSet, subjects: list[str]) -> None:
    known = {entry.subject for entry in recordings.entries}
    if strangers := [subject for subject in subjects if subject not in known]:
        raise Fault(f"no subject {strangers[0]!r} in this set; it has {', '.join(sorted(known))}")
    for file, entries in list(recordings.files.items()):
        recordings.files[file] = [entry for entry in entries if entry.subject in subjects]
        if not recordings.files[file]:
            del recordings.files[file]


def _print(found: Report) -> None:
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    at = f", averaged to {found.rate:g} Hz" if found.rate else ""
    console.print(
        Text(
            f"{found.name}: {found.trials:,} trials, {found.samples:,} samples, "
            f"{len(found.subjects)} subjects{at}"
        )
    )
    console.print(Text(" ".join(found.subjects), style="dim"))
    if not found.figures:
        console.print("nothing in this set says what was true: there is nothing to compare with")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("of")
    for kind, figures in found.figures.items():
        derived = " (derived)" if found.derived else ""
        table.add_row()
        table.add_row(Text(kind, style="bold"))
        for name, figure in figures.items():
            table.add_row(
                f"  {name.replace('_', ' ')}{derived}",
                _number(figure, figure.value, unit=True),
                _interval(figure),
                _count(figure),
            )
    console.print(table)


def _number(figure: Figure, value: float | None, *, unit: bool = False) -> str:
    if value is None:
        return "-"
    if figure.unit == "share":
        return f"{100 * value:.2f}{' %' if unit else ''}"
    digits = {"1/h": 2, "steps/min": 2}.get(figure.unit, 3)
    return f"{value:.{digits}f}{f' {figure.unit}' if unit and figure.unit != 'ratio' else ''}"


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "-"
    return f"{_number(figure, figure.low)} to {_number(figure, figure.high)}"


def _count(figure: Figure) -> str:
    count = f"{figure.n:,} {figure.of}"
    if figure.hours is not None:
        count = f"{figure.hits} in {figure.hours:.2f} h, {count}"
    elif figure.hits is not None:
        count = f"{figure.hits:,} of {count}"
    return f"{count}; {figure.note}" if figure.note else count
