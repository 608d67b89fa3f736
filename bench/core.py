"""What a sample costs: the whole core, in batch and one by one, beside VQF (attitude alone).

Same synthetic walk, same process, interleaved rounds; the figure is the ratio of medians, with the
5th and 95th percentile over the rounds. `./dev bench core [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import vqf
from numpy.typing import NDArray

from device.core import Core
from device.frames import Frame

FS = 100.0  # samples a second
SAMPLES = 60 * 100
ROUNDS = 25
ONE_BY_ONE = 2000  # samples


def walk(seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Specific force [m/s²] and angular rate [rad/s] of something like a walk, [N, 3] each."""
    rng = np.random.default_rng(seed)
    t = np.arange(SAMPLES) / FS
    step = 2 * np.pi * 1.8 * t
    acc = np.stack([np.sin(step), 0.7 * np.sin(step / 2), 9.81 + 2 * np.cos(step)], axis=1)
    gyro = np.stack([0.2 * np.sin(step / 2), 0.1 * np.cos(step), 0.3 * np.cos(step / 2)], axis=1)
    noise = rng.normal(0, 1, (2, SAMPLES, 3))
    return (acc + 0.2 * noise[0]).astype(np.float32), (gyro + 0.02 * noise[1]).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    acc, gyro = walk()
    t = np.arange(SAMPLES) / FS
    acc64, gyro64 = acc.astype(np.float64), gyro.astype(np.float64)
    frames = [
        Frame(
            t=t[i], ax=acc64[i, 0], ay=acc64[i, 1], az=acc64[i, 2],
            gx=gyro64[i, 0], gy=gyro64[i, 1], gz=gyro64[i, 2],
        )
        for i in range(ONE_BY_ONE)
    ]  # fmt: skip

    def one_by_one() -> None:
        core = Core(FS)
        for frame in frames:
            core.step(frame)

    contenders: dict[str, tuple[Callable[[], object], int]] = {
        "vqf.VQF.updateBatch": (lambda: vqf.VQF(1 / FS).updateBatch(gyro64, acc64), SAMPLES),
        "core, whole, batch": (lambda: Core(FS).run(t, acc, gyro), SAMPLES),
        "core, whole, one by one": (one_by_one, ONE_BY_ONE),
    }
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, (work, samples) in contenders.items():
            begun = time.perf_counter()
            work()
            spent[name].append((time.perf_counter() - begun) / samples * 1e9)
    peer = np.asarray(spent["vqf.VQF.updateBatch"])
    result = {}
    for name, each in spent.items():
        ratio = np.asarray(each) / peer
        low, high = np.percentile(ratio, [5, 95])
        result[name] = {
            "ns_a_sample": float(np.median(each)),
            "ratio_to_vqf": float(np.median(each) / np.median(peer)),
            "ratio_p5": float(low),
            "ratio_p95": float(high),
        }
        print(
            f"{name:26s} {np.median(each):8.0f} ns/sample   "
            f"{result[name]['ratio_to_vqf']:5.2f} of VQF ({low:.2f} to {high:.2f})"
        )
    if options.json:
        options.json.write_text(json.dumps(result) + "\n")
    print(f"core: {ROUNDS} rounds of {SAMPLES} samples at {FS:g} Hz")


if __name__ == "__main__":
    main()
