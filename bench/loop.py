"""Whether the loop keeps time, and what a tick costs.

How late its ticks are at 100 and 200 Hz, beside `cyclictest` (the same priority and period, no
work) and beside the same ticks paced by time.sleep, alone and while `stress-ng` takes every core.
Then a tick's processor time by part, and a model of a Pi Zero 2 W (loop_cost/zero.py: a model).
`./dev bench loop [--seconds N] [--write] [--json FILE]`: some two minutes; `--write` keeps what it
says in LOOP.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from loop_cost.zero import (
    CLOCK,
    CYCLES,
    child,
    handing_over,
    instructions,
    seven_zip,
    split,
    zero_2w,
)

from device.realtime import LOOP

RATES = (100, 200)  # Hz
TICKS, COUNTED = 2000, 300  # ticks timed and counted
GOAL = 0.15  # of one core at 100 Hz
LOADS = {
    "nothing more": (),
    "stress-ng": ("--cpu", "0", "--io", "1", "--vm", "1", "--vm-bytes", "64M"),
}
OURS, SLEEP, PEER = "the loop", "the same, time.sleep", "cyclictest"
PAGE = Path(__file__).with_name("LOOP.md")
HEAD = """# The loop's time

What `./dev bench loop --write` said last, on a machine that is no Pi. `behind`: what the pace lost
of each second; the loop skips deadlines instead, and says so. With time.sleep a tick is late by
what it comes beyond one period after the tick before it. What stands for hardware is in the
lateness (the simulated chips take more time than the drivers do) and left out of a tick's cost.

"""
said: list[str] = []


def say(line: str) -> None:
    said.append(line)
    print(line, flush=True)


@contextlib.contextmanager
def loaded(words: tuple[str, ...]) -> Iterator[None]:
    """While all cores are busy with it, in the ordinary class."""
    if not words:
        yield
        return
    stress = subprocess.Popen(
        ["stress-ng", "--quiet", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        stress.terminate()
        stress.wait()


def in_ms(late: np.ndarray[Any, Any]) -> dict[str, float]:
    p50, p99, p999 = np.quantile(late, (0.5, 0.99, 0.999)) * 1e3
    worst = float(late.max() * 1e3)
    return {"p50": float(p50), "p99": float(p99), "p99.9": float(p999), "worst": worst,
            "ticks": len(late)}  # fmt: skip


def ours(pace: str, rate: int, seconds: float) -> dict[str, Any]:
    said = json.loads(child("loop_cost.lateness", pace, rate, seconds))
    found = in_ms(np.asarray(said["late"]))
    return found | {
        "behind_ms_a_second": said["behind"] / seconds * 1e3,
        "refused": said["refused"],
    }


def cyclictest(rate: int, seconds: float) -> dict[str, Any]:
    """Its histogram has a bin a µs; beyond the last it only counts."""
    said = subprocess.run(
        ["cyclictest", "-q", "-m", "-t1", f"-p{LOOP}", f"-i{1_000_000 // rate}",
         f"-l{round(rate * seconds)}", "-h200000"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    bins = re.findall(r"^(\d+)\s+(\d+)", said.stdout, re.MULTILINE)
    if said.returncode or not bins:
        return {"refused": [said.stderr.strip().splitlines()[-1] if said.stderr else "no answer"]}
    late = np.repeat([int(us) for us, _ in bins], [int(count) for _, count in bins])
    return in_ms(late * 1e-6)


def show(rate: int, load: str, name: str, found: dict[str, Any]) -> str:
    if "p50" not in found:
        return f"| {rate} Hz | {load} | {name} | refused: {found['refused'][0]} | | | | |"
    cells = " | ".join(f"{found[k]:.3f}" for k in ("p50", "p99", "p99.9", "worst"))
    behind = found.get("behind_ms_a_second")
    return (
        f"| {rate} Hz | {load} | {name} | {cells} | "
        f"{'' if behind is None else f'{behind:.2f}'} | {found['ticks']} |"
    )


def lateness(seconds: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    say("\n| rate | load | what | p50 ms | p99 ms | p99.9 ms | worst ms | behind ms/s | ticks |")
    say("|---|---|---|---|---|---|---|---|---|")
    for load, words in LOADS.items():
        for rate in RATES:
            with loaded(words):
                for name, result in (
                    (OURS, ours("deadlines", rate, seconds)),
                    (SLEEP, ours("sleep", rate, seconds)),
                    (PEER, cyclictest(rate, seconds)),
                ):
                    found[f"{rate} {load} {name}"] = result
                    say(show(rate, load, name, result))
    return found


def cost() -> dict[str, Any]:
    """A tick's processor time here, and the model."""
    rating, handed, found = seven_zip(), handing_over(), {}
    say(f"\nA tick at this machine's 7-Zip rating of {rating:.0f} MIPS, hardware left out:")
    say("\n| rate | drivers µs | core µs | rest µs | transfers | bytes | instructions | core's |")
    say("|---|---|---|---|---|---|---|---|")
    for rate in RATES:
        costs, counted = split(rate, TICKS), instructions(rate, COUNTED)
        us = costs["us"]
        say(f"| {rate} Hz | {us['drivers']:.0f} | {us['core']:.0f} | {us['tick']:.0f} "
              f"| {costs['transfers']:.2f} | {costs['bytes']:.0f} | {counted['whole']:,.0f} "
              f"| {counted['core']:,.0f} |")  # fmt: skip
        model = zero_2w(rate, costs, counted, rating, handed)
        found[str(rate)] = {**costs, "instructions": counted, "model": model}
    return {"7zip_mips": rating, "handing_over_us": handed, **found}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each of twelve runs")
    parser.add_argument("--write", action="store_true", help="keep it in LOOP.md")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    say(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, load before "
          f"{os.getloadavg()[0]:.1f}")  # fmt: skip
    result: dict[str, Any] = {"lateness": lateness(options.seconds), "cost": cost()}
    cost_of = result["cost"]
    say(f"\nModel of a Pi Zero 2 W, not measured ({CYCLES:g} cycles an instruction at "
          f"{CLOCK / 1e9:g} GHz; 7-Zip {cost_of['7zip_mips']:.0f} MIPS here):\n")  # fmt: skip
    for rate in RATES:
        model = cost_of[str(rate)]["model"]
        say(f"- {rate} Hz: {model['by_instructions']:.1%} of a core by instructions, "
              f"{model['by_7zip']:.1%} by 7-Zip; of it {model['bus_us'] * rate / 1e4:.1f} % for "
              "the bus")  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(result) + "\n")
    at_100 = cost_of["100"]["model"]
    worst = max(at_100["by_instructions"], at_100["by_7zip"])
    late = result["lateness"][f"100 stress-ng {OURS}"]
    say(
        f"\nloop: p99.9 {late['p99.9']:.2f} ms late at 100 Hz under stress-ng; "
        f"a Zero 2 W would need {worst:.1%} of a core by the model (goal {GOAL:.0%})"
    )
    if options.write:
        PAGE.write_text(HEAD + "\n".join(said) + "\n")
    return 0 if worst < GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
