"""What a Pi Zero 2 W would need for the loop: a model, in two ways, never a measurement.

By instructions: those counted here (x86-64; AArch64 needs about as many), CYCLES each, 1 GHz. By a
published figure: the processor time here, times how much faster 7-Zip's single-threaded benchmark
runs here than on a Zero 2 W at 1 GHz. To either what no simulated bus has is added: transfers, and
handing the bus's thread its job and taking its answer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from device.sources.worker import BusThread

HERE = Path(__file__).parent
CYCLES = 2.0  # an instruction on a Cortex-A53: ours, on the careful side (bench/core.py says why)
CLOCK = 1e9  # Hz
ZERO_2W_7ZIP = 838  # MIPS, one thread, 1000 MHz: ThomasKaiser/sbc-bench, results/Sorted-Results.md
TRANSFER_US, BYTE_US = 40.0, 1.0  # of processor on a Zero 2 W: ours; an ioctl, a sleep, interrupts
HANDED = 3000  # jobs handed over to measure what one costs


def child(*words: object, wrap: tuple[str, ...] = ()) -> str:
    """The output of one of this folder's modules, in a process of its own."""
    command = [*wrap, sys.executable, "-m", *map(str, words)]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=HERE.parent
    ).stdout


def split(rate: float, ticks: int) -> dict[str, Any]:
    """µs of processor a tick here, by part, and the transfers."""
    found: dict[str, Any] = json.loads(child("loop_cost.share", rate, ticks))
    return found


def instructions(rate: float, ticks: int, pairs: int = 2000) -> dict[str, float]:
    """Instructions a tick: all of it but what stands for hardware, and the core's share of it."""
    with TemporaryDirectory() as folder:
        library = Path(folder, "toggle.so")
        source = str(HERE / "toggle.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        spent, core, said = _counted(folder, library, rate, ticks)
        toggles, _, _ = _counted(folder, library, rate, 0, "--pairs", pairs)
    whole = (spent - json.loads(said)["pairs"] * ticks * toggles / pairs) / ticks
    return {"whole": whole, "core": core / ticks}


def _counted(
    folder: str, library: Path, rate: float, ticks: int, *more: object
) -> tuple[float, float, str]:
    out = Path(folder, "out")
    valgrind = (
        "valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
        f"--callgrind-out-file={out}",
    )  # fmt: skip
    said = child("loop_cost.share", rate, ticks, "--count", library, *more, wrap=valgrind)
    table = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100", out],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    number = r"^ *([\d,]+) .*?"
    total = re.search(number + "PROGRAM TOTALS", table, re.MULTILINE)
    core = re.findall(number + r":rg_core_(?:step|ping)\b", table, re.MULTILINE)
    if total is None:
        raise RuntimeError("callgrind counted nothing")
    return _number(total[1]), sum(map(_number, core)), said


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def seven_zip() -> float:
    """This machine's rating [MIPS], one thread, for a whole core whatever else runs."""
    said = subprocess.run(
        ["7z", "b", "1", "-mmt1", "-md22"], check=True, capture_output=True, text=True
    ).stdout
    row = re.search(r"^Tot:\s+\d+\s+(\d+)\s+\d+", said, re.MULTILINE)
    if row is None:
        raise RuntimeError("7z gives no rating")
    return float(row[1])


def handing_over() -> float:
    """µs of processor here for a job that does nothing, on a bus's thread."""
    worker: BusThread[int] = BusThread("bench", 1.0)
    begun = time.process_time()
    for _ in range(HANDED):
        worker.ask(lambda: 0)
    spent = time.process_time() - begun
    worker.close()
    return spent / HANDED * 1e6


def zero_2w(
    rate: float, costs: dict[str, Any], counted: dict[str, float], rating: float, handed: float
) -> dict[str, float]:
    """Shares of one core, by either way, and what of it is for the bus."""
    slower = rating / ZERO_2W_7ZIP
    python = sum(costs["us"][name] for name in ("tick", "drivers", "core"))
    bus = handed * slower + TRANSFER_US * costs["transfers"] + BYTE_US * costs["bytes"]  # µs
    by_count = counted["whole"] * CYCLES / CLOCK * 1e6  # µs
    return {
        "slower": slower,
        "bus_us": bus,
        "by_instructions": rate * (by_count + bus) * 1e-6,
        "by_7zip": rate * (python * slower + bus) * 1e-6,
    }
