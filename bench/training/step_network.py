"""Trains the network of device/core/step_network.c: where feet touch down.

`python -m bench.training.step_network RECORDINGS --out device/core/step_weights.h`, RECORDINGS
being the folder of the recording sets. Folds are trained first, each without its share of each
set's subjects, built into a core and judged by `rearguard evaluate` on those left out; with --out
members of all subjects are trained as well and written. Needs PyTorch (`pip install
rearguard[training]`) and gcc. Seeded.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bench.training.convolution import Convolution, fit, header, table, tables
from bench.training.fall_trials import MADE, build
from bench.training.judged import core_with
from bench.training.made_walks import FS, walks
from bench.training.walk_pieces import paced, spread, worn
from bench.training.walk_trials import (
    CHANNELS,
    FRAMES,
    UNASKED,
    Trial,
    folded,
    frames,
    placed,
    provenance,
    read,
)

SETS = ("voisard_gait", "mobilised_example", "kfall", "sisfall")
JUDGED = SETS[:2]  # those that know contacts
SEEDS = (1, 2, 3)  # of the members, RG_STEP_MEMBERS of step_network.h
WIDTH = 16
DILATIONS = (1, 2, 4, 8, 16)  # frames; with the first layer 2.7 s are seen
LAG = 0.2  # s from a contact to the frame that tells of it
SPREAD = 0.05  # s, s.d. about that in which a frame is told to tell of it
PIECE = 160  # frames
EARLY = 24  # frames from where a piece is cut that are not asked about
BATCH = 32
STEPS = 3000
RATE = 5e-3  # of AdamW, falls to 0 along a cosine
DECAY = 2e-2
DROPPED = 0.1  # share of channels between layers
SHARES = {  # of the pieces of a batch
    "voisard_gait": 0.35, "voisard_gait reversed": 0.24, "mobilised_example": 0.05,
    "kfall no walk": 0.08, "sisfall no walk": 0.08, MADE: 0.20,
}  # fmt: skip
PACE = (0.85, 1.2)  # how much faster or slower
YAW = 0.15  # rad, s.d. 9°
STRENGTH, EACH = 0.1, 0.1  # s.d. of the scale of all channels, and of each
NOISE = 0.02
STANDS = 0.14  # of a frame's three forces, s.d. in a second about a contact: 0.35 m/s², it stands
DRIFTED = 2  # contacts at which the trunk stands: truth and sensor have drifted apart
# Log odds that make a contact. From -0.9 to -1.3 the F1 hardly changes, and who walks slowest is
# heard to the first and last step.
LIMIT = -1.3

Floats = NDArray[np.float64]


class Network(Convolution):
    """[B, 1, F] log odds of a contact LAG before each of frames [B, CHANNELS, F]."""

    def __init__(self) -> None:
        super().__init__(CHANNELS, WIDTH, DILATIONS, 1, DROPPED)
        nn.init.constant_(self.last.bias, -2.0)


def drifted(trial: Trial) -> bool:
    """Whether true contacts go on where the trunk stands still already."""
    size = round(FRAMES / 2)
    still = 0
    for at in trial.contacts[(trial.contacts > 0) & (trial.contacts < len(trial.frames))]:
        about = trial.frames[max(int(at) - size, 0) : int(at) + size, :3]
        still += bool(about.std(0).max() < STANDS)
    return still >= DRIFTED


def target(contacts: Floats, n: int) -> NDArray[np.float32]:
    """[n] 1 where a frame should tell of a contact, less beside it."""
    found = np.zeros(n, np.float32)
    for at in contacts + FRAMES * LAG:
        near = np.arange(max(int(at) - 8, 0), min(int(at) + 9, n))
        told = np.exp(-0.5 * ((near - at) / (FRAMES * SPREAD)) ** 2)
        found[near] = np.maximum(found[near], told)
    return found


def drawn(
    trials: Sequence[Trial], chance: Floats, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Frames [B, CHANNELS, F], what is to be said [B, F], whether it is asked [B, F]: faster and
    slower pieces."""
    x = np.zeros((BATCH, CHANNELS, PIECE), np.float32)
    y, asked = np.zeros((BATCH, PIECE), np.float32), np.zeros((BATCH, PIECE), bool)
    for row, k in enumerate(rng.choice(len(trials), BATCH, p=chance)):
        trial, pace = trials[k], rng.uniform(*PACE)
        begin = max(int(rng.integers(-20, max(len(trial.labels) - 100, 1))), 0)
        got, below = paced(trial, begin, pace, PIECE)
        x[row, :, : len(below)] = got
        y[row, : len(below)] = target((trial.contacts - begin) / pace, len(below))
        asked[row, : len(below)] = trial.known[below]
        if begin:
            asked[row, :EARLY] = False
    return torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(asked)


def varied(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Belts turned a little, left for right, softer and harder, noise."""
    x = worn(x, spread(x, YAW, 1, rng)[:, 0], STRENGTH, EACH, rng)
    return x + NOISE * torch.randn(x.shape)


def train(trials: Sequence[Trial], seed: int) -> Network:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    weight = np.array([len(t.labels) * (t.group in SHARES and not drifted(t)) for t in trials])
    chance = np.zeros(len(trials))
    for name, part in SHARES.items():
        mine = weight * [t.group == name for t in trials]
        chance += part * mine / max(mine.sum(), 1)
    chance /= chance.sum()
    net = Network()

    def next_loss() -> Tensor:
        x, y, asked = drawn(trials, chance, rng)
        each = functional.binary_cross_entropy_with_logits(
            net(varied(x, rng))[:, 0], y, reduction="none"
        )
        return each[asked].mean()

    fit(net, next_loss, STEPS, RATE, DECAY)
    return net


def weights(nets: Sequence[Network], made: Iterator[str]) -> str:
    """step_weights.h."""
    more = table("RG_STEP_LIMIT", torch.tensor([LIMIT])) + table("RG_STEP_LAG", torch.tensor([LAG]))
    return header(tables(nets, 1), "step", "step_network.py", more, made)


def recorded(recordings: Path) -> list[Trial]:
    """Of the sets, and what is made up."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        lib = build(Path(scratch), "walk_frames")
        found = [trial for name in SETS for trial in read(lib, recordings / name, rng)]
        for acc, gyro, contacts in walks(0):
            got, at, _ = frames(lib, FS, acc.astype(np.float32), gyro.astype(np.float32))
            n, where = len(got), placed(contacts, at, FS)
            way, speed = np.full(n, UNASKED, np.int8), np.full(n, np.nan, np.float32)
            found.append(
                Trial(MADE, "", "", "walk", False, got, way, speed, where, np.full(n, True))
            )
    return found


def judged(text: str, recordings: Path, out: set[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    """By set: what `rearguard evaluate` says of those left out, with a core of these weights."""
    with core_with("step_weights.h", text) as core:
        for name in JUDGED:
            if who := sorted(subject for source, subject in out if source == name):
                yield name, core.evaluate(recordings / name, who)["figures"].get("steps")


def line(name: str, steps: dict[str, Any] | None) -> str:
    if not steps:
        return f"{name}: no contacts"
    cells = [
        f"{100 * steps['sensitivity']['value']:.1f} % found",
        f"{100 * steps['positive_predictive_value']['value']:.1f} % of reports right",
        f"F1 {steps['f1']['value']:.3f}",
        f"error {1000 * steps['time_error_median']['value']:.0f} ms",
        f"delay {steps['report_delay_median']['value']:.2f} s",
        f"p95 {steps['report_delay_p95']['value']:.2f} s",
        f"cadence {steps['cadence_error']['value']:.1f}",
    ]
    return f"{name}: " + ", ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", type=Path, metavar="RECORDINGS")
    parser.add_argument("--out", type=Path, help="where step_weights.h goes")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, a core each")
    args = parser.parse_args()
    trials = recorded(args.recordings)
    outs = list(folded(trials, SETS, args.folds))
    made = f"seeds {SEEDS}; PyTorch {torch.__version__}"
    with ProcessPoolExecutor(args.jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        waits = [
            [
                pool.submit(train, [t for t in trials if (t.source, t.subject) not in out], seed)
                for seed in SEEDS
            ]
            for out in [*outs, *([set()] if args.out else [])]
        ]
        nets = [[each.result() for each in members] for members in waits]
    total = {name: np.zeros(3, np.int64) for name in JUDGED}
    for fold, out in enumerate(outs):
        text = weights(nets[fold], provenance(trials, out, made))
        for name, steps in judged(text, args.recordings, out):
            print(line(f"fold {fold + 1}, {name}", steps), flush=True)
            if steps:
                found, right = steps["sensitivity"], steps["positive_predictive_value"]
                total[name] += [found["hits"], right["n"], found["n"]]
    for name, (found, told, true) in total.items():
        print(
            f"all, {name}: {found} of {true} contacts found, {found} of {told} reports right, "
            f"F1 {2 * found / max(told + true, 1):.3f}",
            flush=True,
        )
    if args.out:
        args.out.write_text(weights(nets[-1], provenance(trials, set(), made)))


if __name__ == "__main__":
    main()
