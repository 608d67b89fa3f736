"""The network of device/core/fall_network.c in PyTorch, and how it is trained. Seeded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bench.training.convolution import FIRST, KERNEL, Convolution
from bench.training.fall_trials import CHANNELS, FRAMES, Trial, Trials

WIDTH = 32
DILATIONS = (1, 2, 4, 8, 16, 32)  # frames; with the first layer 2.6 s are seen
CONTEXT = FIRST - 1 + (KERNEL - 1) * sum(DILATIONS)  # frames before one that it can depend on
PIECE = 320  # frames that go through the network at once, context included
BATCH = 48  # pieces
SPARE = 40  # frames a piece reaches beyond a fall's, for it may be drawn at a faster pace
EPOCHS = 34
RATE = 4e-3  # of AdamW, at its highest: rises over a tenth of the steps, falls to 0 along a cosine
DECAY = 1e-2
SHARES = {"native": 0.35, "worn": 0.2, "slow": 0.2, "averaged": 0.1, "buzzed": 0.15}  # an epoch
EASY = 4.0  # logits on the right side by this much are got right: such pieces are seen again less
SHARE_EASY, SHARE_EASY_FALLS = 0.15, 0.5  # often, by this share of them an epoch

# Half the time where the processor has it; where it must be imitated a fifth more to four times.
CPU = Path("/proc/cpuinfo")
BRIEF = CPU.exists() and "avx512_bf16" in CPU.read_text()

BACKWARD = 2.0  # times what another piece's highest frame counts: what this belt is for
FALLING = 0.1  # s after an exact onset from which the body is falling
LAST = 0.4  # s before the impact in which it is, where the onset is not exact
EARLY = 0.38  # s before the impact until which an alarm is wanted, where the onset is exact
HIT = (-0.1, 0.1)  # s around the impact that are neither before nor after it
FALLEN = 1.6  # s after the impact until which it is taken for having just fallen

YAW = 0.2  # rad, s.d. 11°
AWRY = 0.14  # of the two channels of the tilt, s.d. 4°
PACE = 0.1  # how much faster or slower
STRENGTH = 0.1  # s.d. of each channel's scale but for the tilt's
NOISE = 0.03
DROPPED = 0.05  # share of channels between layers
TURNED = ((0, 1), (4, 5), (7, 8))  # channels: pairs that turn with the belt
TILT = slice(4, 7)  # channels
SIDEWAYS = [1, 5, 7, 9]  # channels that change sign in a mirror

Labels = NDArray[np.int8]  # 1 yes, 2 yes and early, 0 no, -1 not asked


class Network(Convolution):
    """Two logits for each frame [B, 2, F]: falling, fallen."""

    def __init__(self) -> None:
        super().__init__(CHANNELS, WIDTH, DILATIONS, 2, DROPPED)
        nn.init.constant_(self.last.bias, -3.0)


def labels(trial: Trial, t: NDArray[np.float32]) -> tuple[Labels, Labels]:
    """Falling [F] and fallen [F]. Not asked: about to fall, and all after a fall."""
    if not trial.fall:
        return np.zeros(len(t), np.int8), np.zeros(len(t), np.int8)
    begin, end = trial.window
    falling = np.full(len(t), -1, np.int8)
    falling[t < begin] = 0
    if trial.exact:
        falling[(t >= trial.onset + FALLING) & (t < end)] = 1
        falling[(falling == 1) & (t <= max(end - EARLY, trial.onset + 2 * FALLING))] = 2
    else:
        falling[(t >= end - LAST) & (t < end)] = 1
    fallen = np.full(len(t), -1, np.int8)
    after = t - trial.impact
    fallen[after < HIT[0]] = 0
    fallen[(after >= HIT[1]) & (after < FALLEN)] = 1
    return falling, fallen


@dataclass
class Piece:
    trial: int  # its number in the set
    start: int  # frame of the trial
    fall: bool
    weight: float = 1.0  # of its highest frames
    margin: float = 0.0  # by which its logits lie on the right side, when it was last seen


class Pool:
    """One set in all variants, and its pieces."""

    def __init__(self, variants: dict[str, Trials], wanted: Callable[[Trial], bool]) -> None:
        self.variants = variants
        self.labels: dict[str, tuple[Labels, Labels]] = {}
        for name, trials in variants.items():
            both = [labels(t, trials.t[t.first : t.end]) for t in trials.each]
            self.labels[name] = (
                np.concatenate([a for a, _ in both]), np.concatenate([b for _, b in both]),
            )  # fmt: skip
        self.pieces = list[Piece]()
        for k, trial in enumerate(variants["native"].each):
            if wanted(trial):
                self.pieces += _cut(trial, k)

    def window(
        self, piece: Piece, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], Labels, Labels]:
        """Frames [PIECE, CHANNELS] and labels of a piece: in some variant, faster or slower."""
        variant = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        trials = self.variants[variant]
        trial = trials.each[piece.trial]
        start = piece.start
        if start:
            start = max(start - int(rng.integers(0, 24)), 1)
        last = trial.end - trial.first - 1
        at = np.minimum(start + np.arange(PIECE) * rng.uniform(1 - PACE, 1 + PACE), last)
        below = at.astype(np.int64)
        part = (at - below)[:, None].astype(np.float32)
        rows = trial.first + below
        after = np.minimum(rows + 1, trial.end - 1)
        frames = trials.frames[rows] * (1 - part) + trials.frames[after] * part
        nearest = trial.first + np.rint(at).astype(np.int64)
        falling, fallen = (y[nearest] for y in self.labels[variant])
        unseen = at >= last
        if start:
            unseen[:CONTEXT] = True
        falling[unseen], fallen[unseen] = -1, -1
        return frames, falling, fallen


def _cut(trial: Trial, k: int) -> list[Piece]:
    """Pieces that overlap by what the network looks back on; of a fall until a bit after it."""
    end = trial.end - trial.first
    if trial.fall:
        end = min(end, int((trial.impact + FALLEN) * FRAMES))
    found = [Piece(k, start, False) for start in range(0, max(end - CONTEXT, 1), PIECE - CONTEXT)]
    if trial.fall:
        whole = max(0, end - PIECE + SPARE)  # all of the fall in one piece
        weight = BACKWARD if trial.backward else 1.0
        found = [p for p in found if p.start < whole] + [Piece(k, whole, True, weight)]
    return found


def varied(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Belts turned to a side or sitting awry, left for right, stronger and weaker, noise."""

    def drawn(n: int, spread: float) -> Tensor:
        """[B, n, 1] normal numbers."""
        return torch.from_numpy(rng.normal(0, spread, (len(x), n, 1)).astype(np.float32))

    yaw = drawn(1, YAW)[:, 0]
    cos, sin = yaw.cos(), yaw.sin()
    x = x.clone()
    for a, b in TURNED:
        x[:, a], x[:, b] = cos * x[:, a] - sin * x[:, b], sin * x[:, a] + cos * x[:, b]
    x[:, SIDEWAYS] *= torch.from_numpy(rng.choice([-1.0, 1.0], (len(x), 1, 1))).float()
    scale = drawn(CHANNELS, STRENGTH)
    scale[:, TILT] = 0.0
    x = x * (1 + scale)
    x[:, 4:6] += drawn(2, AWRY)
    return x + NOISE * torch.randn(x.shape)


def head(z: Tensor, y: Tensor, yes_weighs: float, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Loss of one logit [B, F]: of each frame, and that of each piece's highest where it should be
    low, and, times `counts` [B], where high and where high early. Also gives by how much each piece
    is on the right side."""
    yes, no = y >= 1, y == 0
    per_frame = (
        yes_weighs * (functional.softplus(-z) * yes).sum() + (functional.softplus(z) * no).sum()
    ) / (yes_weighs * yes.sum() + no.sum())
    low = torch.tensor(-30.0)

    def highest(where: Tensor) -> Tensor:
        return torch.where(where, z, low).amax(1)

    worst = highest(no)
    margin = -worst
    per_piece = functional.softplus(worst).mean()
    for where, part in ((yes, 1.0), (y == 2, 0.5)):
        best, asked = highest(where), where.any(1)
        per_piece = per_piece + part * (counts * functional.softplus(-best) * asked).mean()
        margin = torch.where(asked, torch.minimum(margin, best), margin)
    return per_frame + per_piece, margin.detach()


def train(
    pools: Sequence[Pool], seed: int, epochs: int = EPOCHS, tell: Callable[[str], None] = print
) -> Network:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Network()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    every = [(pool, piece) for pool in pools for piece in pool.pieces]
    begun = time.monotonic()
    for epoch in range(epochs):
        net.train()
        chosen = [
            pair for pair in every
            if pair[1].margin < EASY
            or rng.random() < (SHARE_EASY_FALLS if pair[1].fall else SHARE_EASY)
        ]  # fmt: skip
        order = rng.permutation(len(chosen))
        steps, total = len(order) // BATCH, 0.0
        for step in range(steps):
            batch = [chosen[k] for k in order[step * BATCH : (step + 1) * BATCH]]
            done = (epoch + step / steps) / epochs
            for group in optimiser.param_groups:
                group["lr"] = RATE * _schedule(done)
            value, margins = _step(net, batch, rng)
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            for (_, piece), margin in zip(batch, margins.tolist(), strict=True):
                piece.margin = margin
            total += value.item()
        tell(
            f"epoch {epoch + 1} of {epochs}: {len(chosen)} of {len(every)} pieces, "
            f"loss {total / steps:.4f}, {time.monotonic() - begun:.0f} s"
        )
    return net.eval()


def _schedule(done: float) -> float:
    if done < 0.1:
        return 0.04 + 0.96 * done / 0.1
    return 0.5 * (1 + float(np.cos(np.pi * (done - 0.1) / 0.9)))


def _step(
    net: Network, batch: Sequence[tuple[Pool, Piece]], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    windows = [pool.window(piece, rng) for pool, piece in batch]
    x = torch.from_numpy(np.stack([w[0] for w in windows])).transpose(1, 2)
    falling, fallen = (torch.from_numpy(np.stack([w[k] for w in windows])) for k in (1, 2))
    x = varied(x, rng)
    with torch.autocast("cpu", torch.bfloat16, enabled=BRIEF):
        z = net(x)
    z = z.float()
    counts = torch.tensor([piece.weight for _, piece in batch])
    before, margin = head(z[:, 0], falling, 5.0, counts)
    after, margin_after = head(z[:, 1], fallen, 1.0, counts)
    return before + 0.7 * after, torch.minimum(margin, margin_after)
