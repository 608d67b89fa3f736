"""Trains the networks of device/core/walk_network.c: which way somebody walks.

`python -m bench.training.walk_network RECORDINGS --out device/core/walk_weights.h`, RECORDINGS
being the folder of the recording sets. `--folds 4` instead leaves every fourth subject of each set
out in turn, and `--transfer` each of the sets with a true direction as a whole; the core is then
built with what was learnt of the others, and `rearguard evaluate` judges those left out. Needs
PyTorch (`pip install rearguard[training]`) and gcc. Seeded.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench.training.convolution import Convolution, fit, header, tables
from bench.training.fall_trials import build
from bench.training.judged import core_with
from bench.training.walk_pieces import paced, spread, worn
from bench.training.walk_trials import (
    CHANNELS,
    NEITHER,
    UNASKED,
    Trial,
    folded,
    provenance,
    read,
)  # fmt: skip

SETS = (
    "cmu_pelvis_derived", "mocap_pelvis_derived", "voisard_gait", "mobilised_example",
    "kfall", "sisfall",
)  # fmt: skip
JUDGED = SETS[:3]  # those that say which way
SEEDS = (0, 100, 200)  # of the members, RG_WALK_MEMBERS of walk_network.h
WIDTH = 16
DILATIONS = (1, 2, 4, 8, 16)  # frames; with the first layer 2.7 s are seen
OUTPUTS = 5  # backward, forward, neither; and to learn by: speed; a belt turned back to front
SHIPPED = 3  # of them: what the last two say is no use yet
PIECE = 200  # frames, 8 s
EARLY = 12  # frames from the start of a piece that are not asked about
BATCH = 64
STEPS = 900
RATE = 5e-3  # of AdamW, falls to 0 along a cosine
DECAY = 2e-2
DROPPED = 0.1  # share of channels between layers
SMOOTH = 0.02  # of labels
SPEED, TURNED = 0.7, 0.3  # weights of these losses to that of the direction
FASTEST = 2.5  # m/s up to which speed is learnt
SHARES = {  # of the pieces of a batch: (derived, kind, reversed, its own way)
    "derived backward": 0.15, "derived forward": 0.15, "derived run": 0.04,
    "derived reversed": 0.05,
    "voisard_gait": 0.10, "voisard_gait reversed": 0.10,
    "mobilised_example": 0.03, "mobilised_example reversed": 0.02,
    "kfall walk": 0.05, "kfall walk reversed": 0.05, "kfall run": 0.02, "kfall stairs": 0.05,
    "kfall no walk": 0.03,
    "sisfall walk": 0.05, "sisfall walk reversed": 0.05, "sisfall run": 0.02,
    "sisfall run reversed": 0.01, "kfall run reversed": 0.01, "sisfall stairs": 0.05,
    "sisfall no walk": 0.02,
}  # fmt: skip
PACE = 0.25  # how much faster or slower
YAW = 0.15  # rad, s.d. 9°
STRENGTH, EACH = 0.05, 0.10  # s.d. of the scale of all channels, and of each
SOFT = (2.5, 12.0)  # Hz, a low-pass somewhere between
NOISE = 0.03
KNOCKED, KNOCK = 0.6, (0.8, 0.5, 0.2)  # share with heel knocks added; s.d. up, ahead, in pitch
ABOUT = 0.3  # share of belts turned back to front
MADE_BY = f"seeds {SEEDS}; PyTorch {torch.__version__}"


class Network(Convolution):
    """[B, OUTPUTS, F] of frames [B, CHANNELS, F]."""

    def __init__(self) -> None:
        super().__init__(CHANNELS, WIDTH, DILATIONS, OUTPUTS, DROPPED)


def chances(trials: Sequence[Trial]) -> np.ndarray:
    """How often each is drawn: groups by their share, subjects of a group alike, then by length."""
    subjects: dict[tuple[str, str], float] = defaultdict(float)
    for t in trials:
        subjects[t.group, t.subject] += len(t.labels)
    counts: dict[str, int] = defaultdict(int)
    for name, _ in subjects:
        counts[name] += 1
    found = np.array([
        SHARES.get(name := t.group, 0.0) / counts[name] * len(t.labels) / subjects[name, t.subject]
        for t in trials
    ])  # fmt: skip
    return found / found.sum()


def drawn(
    trials: Sequence[Trial], chance: np.ndarray, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Frames [B, CHANNELS, F], labels [B, F], speed [B, F]: faster and slower pieces.

    Half of the pieces begin where the trial does: so does the network on the belt.
    """
    x = np.zeros((BATCH, CHANNELS, PIECE), np.float32)
    labels = np.full((BATCH, PIECE), UNASKED, np.int64)
    speed = np.full((BATCH, PIECE), np.nan, np.float32)
    for row, k in enumerate(rng.choice(len(trials), BATCH, p=chance)):
        trial, pace = trials[k], rng.uniform(1 - PACE, 1 + PACE)
        n = len(trial.labels)
        begin = int(rng.integers(0, max(n - 60, 1))) if rng.random() < 0.5 else 0
        frames, below = paced(trial, begin, pace, PIECE)
        x[row, :, : len(below)] = frames
        labels[row, : len(below)] = trial.labels[below]
        speed[row, : len(below)] = pace * trial.speed[below]
    labels[:, :EARLY] = UNASKED
    return torch.from_numpy(x), torch.from_numpy(labels), torch.from_numpy(speed)


def knocks(x: Tensor, rng: np.random.Generator) -> Tensor:
    """[B, CHANNELS, F] what heels would add: after each contact, some 0.1 s before the crest of
    the vertical acceleration, a damped swing up, ahead or back, and in pitch."""
    z = x[:, 2]
    crest = torch.zeros_like(z)
    top = (z[:, 1:-1] > z[:, :-2]) & (z[:, 1:-1] >= z[:, 2:])
    crest[:, 1:-1] = (top & (z[:, 1:-1] > z.std(1, keepdim=True))).float()
    crest = crest * (1 + 0.3 * torch.from_numpy(rng.normal(size=z.shape)).float())
    added = torch.zeros_like(x)
    age = np.arange(12) / 25.0
    for row in range(len(x)):
        if rng.random() > KNOCKED:
            continue
        beat = torch.roll(crest[row], -int(rng.integers(0, 5)))
        swing, fades, phase = rng.uniform(1.5, 5.0), rng.uniform(0.04, 0.15), rng.uniform(0, 1.5)
        for channel, size in zip((2, 0, 4), KNOCK, strict=True):
            shape = np.exp(-age / fades) * np.cos(2 * np.pi * swing * age - phase)
            kernel = torch.from_numpy(rng.normal(0, size) * shape[::-1].copy()).float()
            added[row, channel] = functional.conv1d(
                functional.pad(beat[None, None], (len(age) - 1, 0)), kernel[None, None]
            )[0, 0]
    return added


def varied(x: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Belts turned a little or back to front, left for right, softer and harder, noise; and which
    [B] are back to front."""

    x = x + knocks(x, rng)
    about = torch.from_numpy(rng.random(len(x)) < ABOUT)
    yaw = spread(x, YAW, 1, rng)[:, 0] + np.pi * about[:, None].float()
    x = worn(x, yaw, STRENGTH, EACH, rng)
    low, high = np.log(SOFT)
    cut = torch.from_numpy(np.exp(rng.uniform(low, high, (len(x), 1, 1)))).float()
    f = torch.fft.rfftfreq(2 * PIECE, 1 / 25.0)
    x = torch.fft.irfft(torch.fft.rfft(x, n=2 * PIECE) / (1 + (f / cut) ** 4))[..., :PIECE]
    return x + NOISE * torch.randn(x.shape), about


def loss(z: Tensor, labels: Tensor, speed: Tensor, about: Tensor) -> Tensor:
    asked = labels != UNASKED
    right_way = asked & ~about[:, None]
    way = functional.cross_entropy(
        z[:, :3], labels.clamp(min=0), reduction="none", label_smoothing=SMOOTH
    )[right_way].mean()
    walks = asked & (labels != NEITHER)
    known = walks & ~about[:, None] & torch.isfinite(speed) & (speed > 0.1) & (speed < FASTEST)
    fast = functional.smooth_l1_loss(z[:, 3][known], speed[known], beta=0.1, reduction="sum")
    turned = functional.binary_cross_entropy_with_logits(
        z[:, 4], about[:, None].expand_as(z[:, 4]).float(), reduction="none"
    )[walks].mean()
    return way + SPEED * fast / known.sum().clamp(min=1) + TURNED * turned


def trained(trials: Sequence[Trial], fold: int) -> list[Network]:
    """All members; each fold begins from other numbers."""
    return [train(trials, seed + fold) for seed in SEEDS]


def train(trials: Sequence[Trial], seed: int) -> Network:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    chance, net = chances(trials), Network()

    def next_loss() -> Tensor:
        x, labels, speed = drawn(trials, chance, rng)
        x, about = varied(x, rng)
        return loss(net(x), labels, speed, about)

    fit(net, next_loss, STEPS, RATE, DECAY)
    return net


def weights(nets: Sequence[Network], made: Iterator[str]) -> str:
    """walk_weights.h: what is asked on the belt, the direction alone."""
    return header(tables(nets, SHIPPED), "walk", "walk_network.py", "", made)


def evaluated(text: str, recordings: Path, out: set[tuple[str, str]]) -> dict[str, Any]:
    """By set: what `rearguard evaluate` says of those left out, with a core of these weights."""
    found = {}
    with core_with("walk_weights.h", text) as core:
        for name in JUDGED:
            if who := sorted(subject for source, subject in out if source == name):
                found[name] = core.evaluate(recordings / name, who)
    return found


COLUMNS = ("forward_right", "forward_wrong", "backward_right", "backward_wrong")


def line(name: str, figures: dict[str, Any]) -> str:
    """Direction in per cent and speed in m/s of one set's report."""
    direction, speed = figures.get("direction", {}), figures.get("speed", {})
    cells = [
        f"{100 * direction[c]['value']:6.2f} %" if c in direction else "       -" for c in COLUMNS
    ]
    error = speed.get("error", {}).get("value")
    cells.append(f"{error:.3f} m/s" if error is not None else "-")
    return f"{name:36s} " + "  ".join(cells)


def pooled(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The same figures over all of them: means weighted by samples and windows."""
    found: dict[str, Any] = {}
    for part, names in (("direction", COLUMNS), ("speed", ("error",))):
        for name in names:
            of = [r["figures"][part][name] for r in reports if name in r["figures"].get(part, {})]
            of = [f for f in of if f["value"] is not None]
            if n := sum(f["n"] for f in of):
                value = sum(f["value"] * f["n"] for f in of) / n
                found.setdefault(part, {})[name] = {"value": value, "n": n}
    return found


def recorded(recordings: Path) -> list[Trial]:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        lib = build(Path(scratch), "walk_frames")
        return [trial for name in SETS for trial in read(lib, recordings / name, rng)]


def left_out(trials: Sequence[Trial], folds: int | None) -> Iterator[set[tuple[str, str]]]:
    """Who is judged by those who remain: a share of every set's subjects, or a set as a whole."""
    if folds is not None:
        yield from folded(trials, SETS, folds)
        return
    for name in JUDGED:
        yield {(name, t.subject) for t in trials if t.source == name}


def judge(trials: Sequence[Trial], recordings: Path, folds: int | None) -> None:
    every = defaultdict(list)
    for k, out in enumerate(left_out(trials, folds)):
        nets = trained([t for t in trials if (t.source, t.subject) not in out], k)
        found = evaluated(weights(nets, provenance(trials, out, MADE_BY)), recordings, out)
        for name, figures in found.items():
            print(
                line(f"{k} {name}", figures["figures"]), " ".join(figures["subjects"]), flush=True
            )
            every[name].append(figures)
    print(f"{'all':36s} " + "  ".join(f"{c.replace('_', ' '):>8s}" for c in COLUMNS))
    for name, reports in every.items():
        print(line(name, pooled(reports)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", type=Path, metavar="RECORDINGS")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, help="where walk_weights.h goes")
    what.add_argument("--folds", type=int, help="judge each subject by the others")
    what.add_argument("--transfer", action="store_true", help="judge each set by the others")
    args = parser.parse_args()
    torch.set_num_threads(1)
    trials = recorded(args.recordings)
    if args.out:
        args.out.write_text(weights(trained(trials, 0), provenance(trials, set(), MADE_BY)))
    else:
        judge(trials, args.recordings, args.folds)


if __name__ == "__main__":
    main()
