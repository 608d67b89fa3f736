"""`./dev test --chaos`: kills, cuts, fills and steps a belt, and counts what its caregiver missed.

The processes are the real ones, the broker is mosquitto, the journal is written by the device's own
writer. `lost`: records on the disk that never came. `doubled`: records that came under a second id.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos import cuts
from tests.chaos.backlog import backlog
from tests.chaos.filling import fill
from tests.chaos.ledger import Ledger
from tests.chaos.rig import Rig, preload
from tests.chaos.storm import Storm

STORMS = LIVES = 6  # belts that are stormed at; and that are recorded and cut many times
AT_ONCE = 2  # of each
LIFE = 8.0  # s
WAITING = 10_000  # records of a day without a broker


class Chaos:
    """One run; every part has a folder and dice of its own, and hands back its ledger."""

    def __init__(self, folder: Path, seed: int, bar: Progress) -> None:
        self.folder, self.seed, self.bar = folder, seed, bar
        self.library = preload(folder)
        self.sending = 0.0  # s it took to send what had waited
        self.stopping = Event()

    def storms(self, forked: int, whole: int, tick: Callable[[], None]) -> Ledger:
        def storm(number: int) -> Ledger:
            ledger = Ledger()
            rig = Rig(self.folder / f"storm-{number}", self.library)
            try:
                Storm(rig, self.seed + number, ledger, tick).rage(
                    _share(forked, number), _share(whole, number)
                )
            finally:
                rig.close()
            return ledger

        return _together(storm, STORMS)

    def lives(self, count: int, tick: Callable[[], None]) -> Ledger:
        def life(number: int) -> Ledger:
            ledger, dice = Ledger(), random.Random(self.seed + 100 + number)
            folder = self.folder / f"life-{number}"
            rig = cuts.record(folder, self.library, LIFE, dice)
            try:
                cuts.Cuts(rig, ledger, dice).make(_share(count, number), tick)
            finally:
                rig.close()
            shutil.rmtree(folder)
            return ledger

        return _together(life, LIVES)

    def fillings(self, count: int, tick: Callable[[], None]) -> Ledger:
        return fill(self.folder / "filling", self.library, self.seed, count, tick)

    def day(self, tick: Callable[[], None]) -> Ledger:
        rig = Rig(self.folder / "day", self.library)
        try:
            ledger, self.sending = backlog(rig, self.seed, WAITING, tick)
        finally:
            rig.close()
        return ledger

    def part(self, name: str, total: int, act: Callable[[Callable[[], None]], Ledger]) -> Ledger:
        """Run one part with its bar."""
        task: TaskID = self.bar.add_task(name, total=total or None)

        def tick() -> None:
            if self.stopping.is_set():
                raise KeyboardInterrupt
            self.bar.advance(task)

        ledger = act(tick)
        self.bar.update(task, total=max(total, 1), completed=max(total, 1))
        return ledger


def _together(act: Callable[[int], Ledger], count: int) -> Ledger:
    """The sum of `count` runs, some at a time: most of it is waiting."""
    total = Ledger()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for ledger in pool.map(act, range(count)):
            total.add(ledger)
    return total


def _share(whole: int, number: int, of: int = STORMS) -> int:
    return whole // of + (number < whole % of)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev test --chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--kills", type=int, default=520, metavar="N", help="(520)")
    parser.add_argument("--cuts", type=int, default=240, metavar="N", help="(240)")
    args = parser.parse_args()
    if args.kills < 1 or args.cuts < 1:
        parser.error("--kills and --cuts are at least 1")
    begun = time.monotonic()
    whole = max(1, args.kills // 4)
    columns = (TextColumn("{task.description:22s}"), BarColumn(),
               TextColumn("{task.completed:.0f}"), TimeElapsedColumn())  # fmt: skip
    total = Ledger()
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        Progress(*columns, console=Console(stderr=True)) as bar,
        ThreadPoolExecutor(4) as pool,
    ):
        chaos = Chaos(Path(folder), args.seed, bar)
        parts = [
            ("kills", args.kills, lambda t: chaos.storms(args.kills - whole, whole, t)),
            ("power cuts", args.cuts, lambda t: chaos.lives(args.cuts, t)),
            ("full disk", 20, lambda t: chaos.fillings(20, t)),
            ("a day without broker", 0, chaos.day),
        ]
        try:
            for ledger in pool.map(lambda part: chaos.part(*part), parts):
                total.add(ledger)
        except KeyboardInterrupt:
            chaos.stopping.set()
            bar.stop()
            sys.stderr.write("chaos: broken off; what runs is being ended\n")
            return 130
        sending = chaos.sending
    return _tell(total, args.seed, sending, time.monotonic() - begun, args.json)


def _tell(total: Ledger, seed: int, sending: float, took: float, file: Path | None) -> int:
    shown = Table(box=box.SIMPLE_HEAD, title=f"seed {seed}")
    shown.add_column("fault")
    shown.add_column("times", justify="right")
    for fault, count in sorted(total.faults.items()):
        shown.add_row(fault, str(count))
    Console().print(shown)
    figures = {
        "seed": seed,
        "kills": sum(n for fault, n in total.faults.items() if fault.startswith("service killed")),
        "cuts": sum(n for fault, n in total.faults.items() if fault.startswith("power cut")),
        "said": total.said,
        "arrived": total.arrived,
        "again_under_their_id": total.again,
        "lost": len(total.lost),
        "doubled": len(total.doubled),
        "changed": len(total.changed),
        "wrong": total.wrong,
        "waiting_sent_s": round(sending, 1),
        "faults": dict(total.faults),
        "took_s": round(took, 1),
    }
    if file is not None:
        file.write_text(json.dumps(figures, indent=1) + "\n")
    for what in ("lost", "doubled", "changed", "wrong"):
        for name in getattr(total, what)[:20]:
            sys.stderr.write(f"{what}: {name}\n")
    sys.stdout.write(
        f"chaos: {figures['kills']} kills of the service, {figures['cuts']} power cuts, "
        f"{sum(total.faults.values())} faults in all; {total.said} records said, "
        f"{total.arrived} arrived, {total.again} messages again under their id; "
        f"lost {len(total.lost)}, doubled {len(total.doubled)}, changed {len(total.changed)}, "
        f"wrong {len(total.wrong)}; {WAITING} that had waited a day went out in {sending:.1f} s; "
        f"{took:.0f} s\n"
    )
    return 0 if total.holds else 1


if __name__ == "__main__":
    sys.exit(main())
