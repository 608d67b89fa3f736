"""What is behind, over thousands of approaches and hours of quiet: the table of rear obstacles.

Definitions and the world's physics are in `bench/obstacle_world/`; all is simulated. The tracker is
tuned on `--training`, other walks than those reported without it; from 2,000,000 on lie those that
were reported, and looked at, before.
`./dev bench obstacles [--quick] [--training] [--json FILE] [--report FOLDER]`, or `--map` alone:
the map of what no ultrasonic sensor sees, as it stands in hardware.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from obstacle_world import approaches, faults, pictures, quiet, recorded, scores, unseen

from device.figures.figure import Figure

T = TypeVar("T")
TRAINING, REPORTED = 1_000_000, 3_000_000  # first seeds; the ranges never meet
SIZES = {False: (1120, 172, 120), True: (28, 2, 10)}  # of each kind: approaches, scenes, faults


def several(do: Callable[[int, str], T], kinds: tuple[str, ...], first: int, n: int) -> list[T]:
    """`do` for n seeds of every kind, on two processes, with progress."""
    seeds = [first + k for k in range(n) for _ in kinds]
    done: list[T] = []
    with ProcessPoolExecutor(2) as pool:
        for result in pool.map(do, seeds, list(kinds) * n, chunksize=8):
            done.append(result)
            if len(done) % 50 == 0 or len(done) == len(seeds):
                print(f"\r{do.__name__} {len(done)}/{len(seeds)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return done


def counted(figure: Figure) -> str:
    """What a figure was counted over."""
    if figure.hits is None:
        return f"{figure.n} {figure.of}"
    if figure.hours is None:
        return f"{figure.hits}/{figure.n} {figure.of}"
    return f"{figure.hits} in {figure.hours:.1f} h"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--report", type=Path, default=Path("out"), help="folder of the pictures")
    parser.add_argument("--quick", action="store_true", help="few of each: does it run")
    parser.add_argument("--training", action="store_true", help="the seeds the tracker is tuned on")
    parser.add_argument("--map", action="store_true", help="print the map of the unseen alone")
    options = parser.parse_args()
    if options.map:
        print(unseen.markdown())
        return
    begun, first = time.monotonic(), TRAINING if options.training else REPORTED
    sizes = SIZES[options.quick]
    walked = several(approaches.approach, approaches.KINDS, first, sizes[0])
    rested = several(quiet.quiet, quiet.KINDS, first, sizes[1])
    broken = several(faults.fault, faults.KINDS, first, sizes[2])
    replayed = recorded.figures()
    found = scores.figures(walked, rested, broken) | replayed
    for key, figure in found.items():
        value = "none" if figure.value is None else f"{figure.value:.4f}"
        between = "" if figure.low is None else f"({figure.low:.4f} to {figure.high:.4f})"
        goal = scores.reached(key, figure)
        print(f"{key:34s} {value:>8s} {between:22s} {counted(figure):58s} {goal}")
    if not replayed:
        print(f"recorded: left out, there is no {recorded.RECORDED}")
    made = pictures.write(options.report, walked)
    if options.json:
        plain = {key: found[key].value for key in scores.GOALS}
        whole = {key: figure.to_dict() for key, figure in found.items()}
        options.json.write_text(json.dumps(plain | {"figures": whole}) + "\n")
    hours = sum(q.seconds for q in rested) / 3600
    print(
        f"obstacles: {len(walked)} approaches, {hours:.1f} h without danger, {len(broken)} faults"
        f" in {time.monotonic() - begun:.0f} s; pictures: {', '.join(map(str, made))}"
    )


if __name__ == "__main__":
    main()
