"""What a sample costs: the core in batch and one by one, beside filters that do attitude alone.

Same synthetic walk, same process, interleaved rounds, processor time (others may use the machine);
the figure is the ratio of medians to VQF's, with the 5th and 95th percentile over the rounds.
Then instructions a sample as callgrind counts them, by part, and from them the share of a core of a
Pi Zero 2 W.
`./dev bench core [--json FILE]`

The model of that Pi: instructions counted on x86-64 with SSE2 (four floats at a time, as NEON has),
CYCLES of a Cortex-A53 for each, 1 GHz, 100 samples a second. It is an estimate, not a measurement.
"""

from __future__ import annotations

import argparse
import atexit
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ahrs
import imufusion
import numpy as np
import vqf
from cffi import FFI
from numpy.typing import NDArray

from device.core import Core
from device.core.build import FLAGS, HERE, declarations
from device.frames import Frame

FS = 100.0  # samples a second
SAMPLES = 60 * 100
ROUNDS = 25
ONE_BY_ONE = 2000  # samples; also for peers that take them one by one
# Cycles an instruction on a Cortex-A53: ours, taken on the careful side. It issues two at most
# (0.5), in order; a 128-bit load beside a multiply-add waits for two cycles (ncnn, developer guide
# "arm-a53-a55-dual-issue"), and that is what the networks' loops are made of. Not measured here.
CYCLES = 2.0
CLOCK = 1e9  # Hz
LEARNT = {  # what the core without them leaves out
    "fall network": "rg_fall_network_step",
    "walk network": "rg_walk_network_step",
    "step network": "rg_step_network_step",
}
PARTS = {
    "imu": "rg_imu_step",
    "attitude": "rg_attitude_step",
    "mount": "rg_mount_step",
    "steps": "rg_steps_step",
    "direction": "rg_direction_step",
    "stability": "rg_stability_step",
    "falls, with the network": "rg_falls_step",
    "impact and stumble": "rg_impact_step",
    "tracker": "rg_tracker_step",
    "decide": "rg_decide_step",
}


def walk(seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Specific force [m/s²] and angular rate [rad/s] of something like a walk, [N, 3] each."""
    rng = np.random.default_rng(seed)
    t = np.arange(SAMPLES) / FS
    step = 2 * np.pi * 1.8 * t
    acc = np.stack([np.sin(step), 0.7 * np.sin(step / 2), 9.81 + 2 * np.cos(step)], axis=1)
    gyro = np.stack([0.2 * np.sin(step / 2), 0.1 * np.cos(step), 0.3 * np.cos(step / 2)], axis=1)
    noise = rng.normal(0, 1, (2, SAMPLES, 3))
    return (acc + 0.2 * noise[0]).astype(np.float32), (gyro + 0.02 * noise[1]).astype(np.float32)


def unlearnt(
    t: NDArray[np.float64], acc: NDArray[np.float32], gyro: NDArray[np.float32]
) -> Callable[[], None]:
    """The core in batch without what was learnt (unlearnt.c), all of its columns written."""
    scratch = tempfile.TemporaryDirectory()
    atexit.register(scratch.cleanup)
    library = Path(scratch.name) / "unlearnt.so"
    left = {"_native.c", "fall_network.c", "walk_network.c", "step_network.c"}
    sources = [str(c) for c in HERE.glob("*.c") if c.name not in left]
    stand_in = str(Path(__file__).with_name("unlearnt.c"))
    command = ["cc", *FLAGS, "-fPIC", "-shared", "-I", str(HERE), *sources, stand_in, "-lm"]
    subprocess.run([*command, "-o", str(library)], check=True)
    ffi = FFI()
    ffi.cdef(declarations())
    lib = ffi.dlopen(str(library))
    params, series = ffi.new("rg_params *"), ffi.new("rg_series *")
    lib.rg_params_default(params, FS)
    state = ffi.new("char[]", lib.rg_core_size() + 15)
    core = ffi.cast("rg_core *", state + -int(ffi.cast("uintptr_t", state)) % 16)
    kept = [state]
    for name, kind in ffi.typeof("rg_series").fields:
        kept.append(ffi.new(f"{kind.type.item.cname}[]", SAMPLES * (3 if name == "up" else 1)))
        setattr(series, name, kept[-1])
    events, told, used = ffi.new("rg_event[256]"), ffi.new("int64_t *"), ffi.new("int64_t *")
    rows = (
        ffi.cast("double *", t.ctypes.data), ffi.cast("float *", acc.ctypes.data),
        ffi.cast("float *", gyro.ctypes.data),
    )  # fmt: skip

    def run(kept: list[object] = kept) -> None:
        lib.rg_core_init(core, params)
        done = lib.rg_core_run(
            core, SAMPLES, *rows, 0, ffi.NULL, used, series, len(events), events, told
        )
        assert done == SAMPLES

    return run


def contenders(
    t: NDArray[np.float64], acc: NDArray[np.float32], gyro: NDArray[np.float32]
) -> dict[str, tuple[Callable[[], object], int]]:
    """Name → what runs over the walk, and over how many of its samples."""
    acc64, gyro64 = acc.astype(np.float64), gyro.astype(np.float64)
    few = slice(ONE_BY_ONE)
    frames = [
        Frame(t=when, ax=a[0], ay=a[1], az=a[2], gx=g[0], gy=g[1], gz=g[2])
        for when, a, g in zip(
            t[few].tolist(), acc64[few].tolist(), gyro64[few].tolist(), strict=True
        )
    ]

    def one_by_one() -> None:
        core = Core(FS)
        for frame in frames:
            core.step(frame)

    def fusion() -> None:
        filter_ = imufusion.Ahrs()
        filter_.set_sample_period(1 / FS)
        degrees, g = np.degrees(gyro64[few]), acc64[few] / 9.81
        for rate, force in zip(degrees, g, strict=True):
            filter_.update_no_magnetometer(rate, force)

    return {
        "vqf.VQF.updateBatch": (lambda: vqf.VQF(1 / FS).updateBatch(gyro64, acc64), SAMPLES),
        "vqf.BasicVQF.updateBatch": (
            lambda: vqf.BasicVQF(1 / FS).updateBatch(gyro64, acc64),
            SAMPLES,
        ),
        "imufusion.Ahrs, one by one": (fusion, ONE_BY_ONE),
        "ahrs.filters.Madgwick": (
            lambda: ahrs.filters.Madgwick(gyr=gyro64[few], acc=acc64[few], frequency=FS),
            ONE_BY_ONE,
        ),
        "core without learnt, batch": (unlearnt(t, acc, gyro), SAMPLES),
        "core, whole, batch": (lambda: Core(FS).run(t, acc, gyro), SAMPLES),
        "core, whole, one by one": (one_by_one, ONE_BY_ONE),
    }


def timed(running: dict[str, tuple[Callable[[], object], int]]) -> dict[str, dict[str, float]]:
    spent: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(ROUNDS):
        for name, (work, samples) in running.items():
            begun = time.process_time()
            work()
            spent[name].append((time.process_time() - begun) / samples * 1e9)
    peer = np.asarray(spent["vqf.VQF.updateBatch"])
    result = {}
    for name, each in spent.items():
        low, high = np.percentile(np.asarray(each) / peer, [5, 95])
        result[name] = {
            "ns_a_sample": float(np.median(each)),
            "ratio_to_vqf": float(np.median(each) / np.median(peer)),
            "ratio_p5": float(low),
            "ratio_p95": float(high),
        }
        print(
            f"{name:28s} {np.median(each):8.0f} ns/sample   "
            f"{result[name]['ratio_to_vqf']:6.2f} of VQF ({low:.2f} to {high:.2f})"
        )
    return result


def counted(
    t: NDArray[np.float64], acc: NDArray[np.float32], gyro: NDArray[np.float32]
) -> dict[str, float]:
    """Instructions a sample, of the whole and of each part with all it calls."""
    with tempfile.TemporaryDirectory() as scratch:
        program, data, out = (Path(scratch) / n for n in ("program", "data", "out"))
        data.write_bytes(
            b"".join(
                x.astype(np.float64).tobytes() for x in (np.array([SAMPLES, FS]), t, acc, gyro)
            )
        )
        sources = [str(c) for c in HERE.glob("*.c") if c.name != "_native.c"]
        driver = str(Path(__file__).with_name("core_instructions.c"))
        subprocess.run(
            ["cc", "-g", *FLAGS, "-fno-lto",  # each judge a function that can be counted
             "-I", str(HERE), driver, *sources, "-lm", "-o", program],
            check=True,
        )  # fmt: skip
        subprocess.run(
            ["valgrind", "-q", "--tool=callgrind", "--toggle-collect=rg_core_run",
             f"--callgrind-out-file={out}", program, data],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        table = subprocess.run(
            ["callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100", out],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    found: dict[str, float] = {}  # a function may have several lines: the first is all of it
    for count, name in re.findall(r"^ *([\d,]+) .*?:(rg_\w+)", table, re.MULTILINE):
        found.setdefault(name, int(count.replace(",", "")) / SAMPLES)
    whole = found["rg_core_run"]
    learnt = {name: found.get(function, 0.0) for name, function in LEARNT.items()}
    return {
        "core, whole": whole,
        "core without what is learnt": whole - sum(learnt.values()),
        **learnt,
        **{name: found.get(function, 0.0) for name, function in PARTS.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    acc, gyro = walk()
    t = np.arange(SAMPLES) / FS
    result: dict[str, object] = dict(timed(contenders(t, acc, gyro)))
    print(f"core: {ROUNDS} rounds of {SAMPLES} samples at {FS:g} Hz")
    if shutil.which("valgrind"):
        instructions = counted(t, acc, gyro)
        for name, each in instructions.items():
            print(f"{name:28s} {each:8.0f} instructions/sample")
        share = instructions["core, whole"] * CYCLES * FS / CLOCK
        print(
            f"Pi Zero 2 W, estimated: {100 * share:.2f} % of a core "
            f"({CYCLES:g} cycles an instruction, {CLOCK / 1e9:g} GHz, {FS:g} Hz)"
        )
        result["instructions_a_sample"] = instructions
        result["pi_zero_2w_share"] = share
    else:
        print("no valgrind here: instructions were not counted (sudo apt-get install valgrind)")
    if options.json:
        options.json.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
