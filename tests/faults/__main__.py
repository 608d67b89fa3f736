"""`./dev test --faults [--json FILE]`: throws every fault there is and prints what came of each."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from device.config import Config
from device.health import table
from tests.faults.others import OTHERS
from tests.faults.play import Outcome, play
from tests.faults.table import FAULTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev test --faults", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the outcomes")
    args = parser.parse_args()
    acts = [(fault.name, lambda folder, fault=fault: play(fault, folder)) for fault in FAULTS]
    found: list[Outcome] = []
    for _, act in track(
        [*acts, *OTHERS.items()], "throwing faults", console=Console(stderr=True), transient=True
    ):
        with tempfile.TemporaryDirectory() as folder:
            found.append(act(Path(folder)))
    _show(found)
    wrong = [it for it in found if it.wrong]
    untried = sorted(set(table(Config(), 104.0)) - {it.row for it in found})
    if args.json:
        outcomes = [it.to_dict() for it in found]
        args.json.write_text(json.dumps({"outcomes": outcomes, "untried": untried}, indent=1))
    for it in wrong:
        sys.stderr.write(f"{it.fault}: {it.wrong}\n")
    slowest = max((it.detected_s or 0.0, it.fault) for it in found)
    sys.stdout.write(
        f"faults: {len(found) - len(wrong)} of {len(found)} as they must be; rows without a fault: "
        f"{', '.join(untried) or 'none'}; told last after {slowest[0]:g} s ({slowest[1]})\n"
    )
    return int(bool(wrong or untried))


def _show(found: list[Outcome]) -> None:
    shown = Table(box=box.SIMPLE_HEAD, title="In virtual time, on simulated parts", expand=False)
    for name, justify in (
        ("fault", "left"), ("row", "left"), ("told after", "right"), ("told as", "left"),
        ("felt", "left"), ("guarding", "left"), ("gaps", "left"), ("full again after", "right"),
        ("", "left"),
    ):  # fmt: skip
        shown.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for it in found:
        shown.add_row(
            it.fault, it.row, _seconds(it.detected_s), escape(it.told), it.felt, it.stage, it.gaps,
            _seconds(it.back_s), f"WRONG: {escape(it.wrong)}" if it.wrong else "ok",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 170).print(shown)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
