"""Whether a day of samples leaves the core as it was after an hour: no drift, nothing not a number.

A recorded walk is played round and round without a break in time until a day is full, and what is
judged in the last round is compared with the same round an hour in.
`./dev bench day [--sets FOLDER] [--hours 24] [--json FILE]`; the sets are not part of this project.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.core import Core

SETS = Path(__file__).resolve().parents[2] / "shared" / "data"
FS = 100.0  # samples a second of the walks taken
WHOLE = 100  # samples: every round must begin where the core's own sums begin
# degrees, RMS between the two rounds, which do not quite meet: each jump unsettles a little
MOST_TILT = 0.2
MOST_SPEED = 0.01  # m/s, mean


def degrees(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Angle between unit vectors [N,3], exact also where it is small."""
    cross = np.linalg.norm(np.cross(one, other), axis=1)
    return np.degrees(np.arctan2(cross, (one * other).sum(axis=1)))


def play(file: Path, hours: float) -> dict[str, float]:
    with np.load(file) as data:
        acc = (data["acc_q"] * data["acc_scale"]).astype(np.float32)
        gyro = (data["gyro_q"] * data["gyro_scale"]).astype(np.float32)
    n = len(acc) // WHOLE * WHOLE
    acc, gyro = acc[:n], gyro[:n]
    rounds = math.ceil(hours * 3600 * FS / n)
    early = min(math.ceil(3600 * FS / n), rounds - 2)
    core = Core(FS)
    kept: dict[int, dict[str, NDArray[Any]]] = {}
    steps, unknown, events = 0, 0, 0
    for k in range(rounds):
        out, told = core.run((np.arange(n) + k * n) / FS, acc, gyro)
        steps += int(out["step"].sum())
        unknown += int((~np.isfinite(out["up"])).sum())
        events += len(told)
        if k in (early, rounds - 1):
            kept[k] = out
    first, last = kept[early], kept[rounds - 1]
    both = np.isfinite(first["speed"]) & np.isfinite(last["speed"])
    period = n / FS
    late = (last["step_time"].astype(float) - first["step_time"]) - period * (rounds - 1 - early)
    return {
        "hours": rounds * n / FS / 3600,
        "rounds": rounds,
        "steps": steps,
        "steps_first": int(first["step"].sum()),
        "steps_last": int(last["step"].sum()),
        "not_a_number": unknown,
        "events": events,
        "tilt_degrees": float(np.sqrt(np.mean(degrees(first["up"], last["up"]) ** 2))),
        "tilt_degrees_most": float(degrees(first["up"], last["up"]).max()),
        "speed_m_s": float(np.abs(first["speed"] - last["speed"])[both].mean()),
        "step_time_s": float(np.nanmax(np.abs(late), initial=0.0)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, default=SETS)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = sorted((options.sets / "voisard_gait").glob("*.npz"))[:1]
    if not files:
        print(f"day: no voisard_gait in {options.sets}; give the folder with --sets")
        return 2
    result = play(files[0], options.hours)
    sound = (
        result["not_a_number"] == 0
        and result["tilt_degrees"] < MOST_TILT
        and result["speed_m_s"] < MOST_SPEED
        and result["steps_first"] == result["steps_last"]
    )
    print(
        "day: "
        + ", ".join(f"{name} {value:.6g}" for name, value in result.items())
        + f": {'holds' if sound else 'DRIFTS'}"
    )
    if options.json:
        options.json.write_text(json.dumps({**result, "holds": sound}) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
