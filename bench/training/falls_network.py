"""Trains the network of device/core/fall_network.c, and says what it reaches on subjects left out.

`python -m bench.training.falls_network SET… --out device/core/fall_weights.h`, each set a folder in
the recording format. Needs PyTorch (`pip install rearguard[training]`) and gcc. Seeded.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bench.training.fall_trials import CHANNELS, Trial, build, read

WIDTH = 24
DILATIONS = (1, 2, 4, 8, 16, 32)  # frames; with the first layer 2.6 s are seen
FIRST, KERNEL = 5, 3
CONTEXT = FIRST - 1 + (KERNEL - 1) * sum(DILATIONS)  # frames before one that it can depend on
PIECE = 250  # frames of a trial that are scored at once
BATCH = 64  # pieces
EPOCHS = 18
RATE = 4e-3  # of AdamW, falls to 0 along a cosine
DECAY = 2e-2
FALLING = 5.0  # weight of a frame of falling to one of anything else
TRIAL = 0.4  # weight of a piece's highest frame to its mean frame
EASY, EASY_SHARE = -4.0, 0.2  # pieces below this were got right: that share of them is seen again
VARIANTS = {"native": 0.5, "tilted": 0.5, "slow": 0.2, "slow tilted": 0.2}  # share an epoch
SLOW = 20.0  # samples a second
YAW = 0.2  # rad, s.d. 11°
AWRY = 0.12  # of up, s.d.
PACE = 0.15  # how much faster or slower
STRENGTH = [0.12] * 4 + [0.0] * 3 + [0.12] * 7  # s.d. of each channel's scale
DROPPED = 0.1  # share of channels between layers
NOISE = 0.03
FALSE_ALARMS = 0.0175  # share of trials without a fall, of subjects set aside, that may go over
TURNED = ((0, 1), (4, 5), (7, 8))  # channels: pairs that turn with the belt
SIDEWAYS = [1, 5, 7, 9]  # channels that change sign in a mirror

Scored = list[tuple[Trial, NDArray[np.float32]]]  # trials with their logits [F]
Sets = dict[tuple[str, str], list[Trial]]  # by name and variant


class Network(nn.Module):
    """Causal convolutions of frames [B, CHANNELS, F]; gives a logit for each frame [B, F]."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.first = nn.Conv1d(CHANNELS, width, FIRST, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, KERNEL, dilation=d, bias=False) for d in DILATIONS
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in DILATIONS)
        self.last = nn.Conv1d(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.first(functional.pad(x, (FIRST - 1, 0)))))
        for layer, norm, d in zip(self.layers, self.norms, DILATIONS, strict=True):
            more = functional.relu(norm(layer(functional.pad(x, ((KERNEL - 1) * d, 0)))))
            x = x + functional.dropout1d(more, DROPPED, self.training)
        return self.last(x)[:, 0]


@dataclass
class Piece:
    frames: NDArray[Any]  # [F, CHANNELS], what goes before the scored ones included
    labels: NDArray[np.int8]  # [F], -1 not scored
    share: float  # chance to be seen in an epoch
    worst: float = 0.0  # its highest logit where it is not falling


def pieces(trials: Sequence[Trial], share: float) -> list[Piece]:
    found = []
    for trial in trials:
        labels = trial.labels
        end = int(np.searchsorted(trial.t, trial.window[1])) if trial.fall else len(labels)
        for stop in range(end, 0, -PIECE):
            start = max(stop - PIECE, 0)
            from_ = max(start - CONTEXT, 0)
            scored = labels[from_:stop].copy()
            scored[: start - from_] = -1
            if (scored >= 0).any():
                found.append(Piece(trial.frames[from_:stop], scored, share))
    return found


def batches(chosen: list[Piece], rng: np.random.Generator) -> list[list[Piece]]:
    """In random order: batches of one kind would each be normalised in its own way."""
    order = rng.permutation(len(chosen))
    return [[chosen[k] for k in order[i : i + BATCH]] for i in range(0, len(order), BATCH)]


def stacked(batch: list[Piece]) -> tuple[Tensor, Tensor]:
    """Frames [B, CHANNELS, F] and labels [B, F]; what is missing at the end is not scored."""
    longest = max(len(piece.labels) for piece in batch)
    x = np.zeros((len(batch), CHANNELS, longest), np.float32)
    y = np.full((len(batch), longest), -1, np.int64)
    for k, piece in enumerate(batch):
        x[k, :, : len(piece.labels)] = piece.frames.T
        y[k, : len(piece.labels)] = piece.labels
    return torch.from_numpy(x), torch.from_numpy(y)


def paced(piece: Piece, rng: np.random.Generator) -> Piece:
    """The same, faster or slower."""
    n = len(piece.labels)
    at = np.arange(0, n - 1, rng.uniform(1 - PACE, 1 + PACE))
    below, part = at.astype(np.int64), (at % 1)[:, None].astype(np.float32)
    frames = piece.frames[below] * (1 - part) + piece.frames[below + 1] * part
    return Piece(frames, piece.labels[np.rint(at).astype(np.int64)], piece.share)


def varied(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Belts turned to a side or sitting awry, left for right, stronger and weaker, noise."""

    def drawn(*spread: float) -> Tensor:
        """[B, len(spread), 1] a normal number with each spread."""
        return torch.from_numpy(rng.normal(0, spread, (len(x), len(spread)))).float()[:, :, None]

    yaw = drawn(YAW)[:, 0]
    cos, sin = yaw.cos(), yaw.sin()
    x = x.clone()
    for a, b in TURNED:
        x[:, a], x[:, b] = cos * x[:, a] - sin * x[:, b], sin * x[:, a] + cos * x[:, b]
    x[:, SIDEWAYS] *= torch.from_numpy(rng.choice([-1.0, 1.0], (len(x), 1, 1))).float()
    x = x * (1 + drawn(*STRENGTH))
    x[:, 4:6] += drawn(AWRY, AWRY)
    return x + NOISE * torch.randn(x.shape)


def loss(z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of a batch, and each piece's highest logit where it is not falling."""
    falling, other = y == 1, y == 0
    per_frame = (
        FALLING * functional.softplus(-z)[falling].sum() + functional.softplus(z)[other].sum()
    ) / (FALLING * falling.sum() + other.sum())
    low = torch.tensor(-30.0)
    worst = torch.where(other, z, low).amax(1)
    best = torch.where(falling, z, low).amax(1)
    falls = falling.any(1)
    per_piece = functional.softplus(worst).mean() + (functional.softplus(-best) * falls).mean()
    return per_frame + TRIAL * per_piece, worst.detach()


def train(every: list[Piece], seed: int, epochs: int = EPOCHS) -> Network:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Network()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    done, begun = 0.0, time.monotonic()
    for epoch in range(epochs):
        net.train()
        total, n = 0.0, 0
        chosen = [
            p
            for p in every
            if rng.random()
            < p.share * (1.0 if p.worst > EASY or (p.labels == 1).any() else EASY_SHARE)
        ]
        work = batches(chosen, rng)
        for batch in work:
            for group in optimiser.param_groups:
                group["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * done / epochs))
            x, y = stacked([paced(piece, rng) for piece in batch])
            value, worst = loss(net(varied(x, rng)), y)
            optimiser.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            for piece, highest in zip(batch, worst.tolist(), strict=True):
                piece.worst = highest
            total, n, done = total + value.item(), n + 1, done + 1 / len(work)
        print(
            f"epoch {epoch + 1}: {len(chosen)} pieces, loss {total / n:.4f}, "
            f"{time.monotonic() - begun:.0f} s",
            flush=True,
        )
    return net.eval()


@torch.no_grad()
def scores(net: Network, trials: Sequence[Trial]) -> list[NDArray[np.float32]]:
    """Each trial's logits [F], from its first frame on."""
    found: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(trials)
    order = sorted(range(len(trials)), key=lambda k: len(trials[k].t))
    for i in range(0, len(order), 32):
        ks = order[i : i + 32]
        x, _ = stacked(
            [Piece(trials[k].frames, np.zeros(len(trials[k].t), np.int8), 1) for k in ks]
        )
        z = net(x).numpy()
        for row, k in zip(z, ks, strict=True):
            found[k] = row[: len(trials[k].t)]
    return found


def limit(found: Scored) -> float:
    """The logit that a share of the trials without a fall reaches."""
    highest = [z.max() for trial, z in found if not trial.fall and len(z)]
    return float(np.quantile(highest, 1 - FALSE_ALARMS, method="higher"))


def report(name: str, found: Scored, over: float) -> str:
    """What the network reaches alone: the core asks its physics as well."""
    falls = hits = early = others = false = 0
    leads = []
    for trial, z in found:
        above = np.flatnonzero(z > over)
        first = float(trial.t[above[0]]) if len(above) else None
        if not trial.fall:
            others += 1
            false += first is not None
            continue
        falls += 1
        begin, end = trial.window
        early += first is not None and first < begin
        if first is not None and begin <= first < end:
            hits += 1
            leads.append(trial.impact - first)
    lead = f"  lead {np.median(leads):.2f} s, p10 {np.percentile(leads, 10):.2f} s" if leads else ""
    return (
        f"{name:40s} hits {hits} of {falls} falls ({early} early), "
        f"false alarms in {false} of {others} others{lead}"
    )


def folded(layer: nn.Conv1d, norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """Weights [kernel, in, out] and bias [out] of a layer with its normalisation taken in."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (layer.weight * scale[:, None, None]).permute(
        2, 1, 0
    ), norm.bias - norm.running_mean * scale


def table(kind: str, name: str, values: Tensor) -> str:
    """A C array with its braces; seven digits give back every float's first six."""

    def braces(v: Tensor) -> str:
        if v.dim() == 1:
            return (
                "{"
                + ", ".join(
                    f"{x:.7g}f" if "." in f"{x:.7g}" or "e" in f"{x:.7g}" else f"{x:.7g}.0f"
                    for x in v.tolist()
                )
                + "}"
            )
        return "{\n" + ",\n".join(braces(part) for part in v) + "}"

    size = "".join(f"[{n}]" for n in values.shape)
    return f"static const {kind} {name}{size} = {braces(values)};\n"


@torch.no_grad()
def header(net: Network, over: float, provenance: Iterator[str]) -> str:
    """fall_weights.h."""
    first, first_bias = folded(net.first, net.norm)
    layers = [folded(layer, norm) for layer, norm in zip(net.layers, net.norms, strict=True)]
    made = "".join(f" * {line}\n" for line in provenance)
    return (
        "/* fall_weights.h: written by bench/training/falls_network.py, not by hand.\n"
        f"{made} */\n"
        "#ifndef RG_FALL_WEIGHTS_H\n#define RG_FALL_WEIGHTS_H\n\n"
        f"#define RG_FALL_LIMIT {over:.4f}f\n"
        f"#define RG_FALL_LAST_BIAS {net.last.bias.item():.7g}f\n"
        + table("float", "RG_FALL_FIRST_WEIGHTS", first)
        + table("float", "RG_FALL_FIRST_BIAS", first_bias)
        + table("float", "RG_FALL_WEIGHTS", torch.stack([w for w, _ in layers]))
        + table("float", "RG_FALL_BIAS", torch.stack([b for _, b in layers]))
        + table("float", "RG_FALL_LAST_WEIGHTS", net.last.weight[0, :, 0])
        + "\n#endif\n"
    )


def recorded(folders: Sequence[Path], fold: int) -> Sets:
    """Every set in every variant."""
    rng = np.random.default_rng(0)
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        lib = build(Path(scratch))
        for folder in folders:
            for variant in VARIANTS:
                rate = SLOW if "slow" in variant else None
                tilt = rng if "tilted" in variant else None
                found[folder.name, variant] = list(read(lib, folder, fold, rate, tilt))
    return found


def fitted(sets: Sets, aside: bool) -> Sets:
    """The subjects that may be fitted; `aside`: every fourth of them marked as left out."""
    found = {}
    for key, trials in sets.items():
        subjects = sorted({trial.subject for trial in trials if not trial.out})
        chosen = set(subjects[1::4]) if aside else set()
        found[key] = [replace(t, out=t.subject in chosen) for t in trials if not t.out]
    return found


def trained(sets: Sets, seed: int) -> Network:
    every = [
        piece
        for (_, variant), trials in sets.items()
        for piece in pieces([trial for trial in trials if not trial.out], VARIANTS[variant])
    ]
    return train(every, seed)


def scored(net: Network, sets: Sets, variant: str, out: bool) -> dict[str, Scored]:
    """By set: the trials of those left out or not, with their logits."""
    found = {}
    for (name, of), every in sets.items():
        if of == variant:
            trials = [trial for trial in every if trial.out is out]
            found[name] = list(zip(trials, scores(net, trials), strict=True))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--out", type=Path, help="where fall_weights.h goes")
    parser.add_argument("--fold", type=int, choices=(0, 1, 2), default=2, help="who is left out")
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    sets = recorded(args.sets, args.fold)
    known = fitted(sets, aside=True)
    aside = scored(trained(known, args.seed), known, "native", out=True)
    over = limit(
        [pair for pairs in aside.values() if any(t.fall for t, _ in pairs) for pair in pairs]
    )
    net = trained(fitted(sets, aside=False), args.seed)
    for variant in VARIANTS:
        for out in (False, True):
            for name, pairs in scored(net, sets, variant, out).items():
                print(report(f"{name}, {variant}, {'left out' if out else 'fitted'}", pairs, over))
    if args.out:
        args.out.write_text(header(net, over, provenance(sets, args.seed)))


def provenance(sets: Sets, seed: int) -> Iterator[str]:
    for (name, variant), trials in sets.items():
        if variant == "native":
            out = sorted({trial.subject for trial in trials if trial.out})
            yield f"{name}: all subjects but {', '.join(out) or 'none'}"
    yield f"seed {seed}; what it reaches: device/core/README.md"


if __name__ == "__main__":
    main()
