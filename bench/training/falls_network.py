"""Trains the networks of device/core/fall_network.c; says what they reach on people never seen.

    python -m bench.training.falls_network SET… --cache FOLDER [--out device/core/fall_weights.h]

Each SET is a folder in the recording format. Every fold leaves out its share of each set's
subjects, trains its members on all the others, is built into a core in a folder of its own, and
`rearguard evaluate` of that core judges those left out. With --out members of all subjects are
trained as well and written. Networks and frames are kept in FOLDER: a run that was interrupted goes
on where it stood. Needs PyTorch (`pip install rearguard[training]`) and gcc. Seeded.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.training import convolution, falls_train
from bench.training.convolution import header, table, tables
from bench.training.fall_trials import MADE, Trial, Trials, key, recorded
from bench.training.falls_folds import figures_of, table_of
from bench.training.falls_limits import Highest, highest, limits
from bench.training.falls_train import Network, Pool, train

ALL = -1  # instead of a fold: nobody is left out
SEEDS = (1, 2, 3)  # of the members, RG_FALL_MEMBERS of fall_network.h
Sets = dict[str, dict[str, Trials]]  # set → variant → trials


def load(folders: Sequence[Path], cache: Path, jobs: int = 1) -> Sets:
    sets: Sets = {}
    for name, variant, trials in recorded(folders, cache, jobs):
        sets.setdefault(name, {})[variant] = trials
    return sets


def left_out(sets: Sets, fold: int, folds: int) -> dict[str, list[str]]:
    """By set: every so many-th of its subjects in alphabetical order; of what is made up nobody."""
    subjects = {n: sorted({t.subject for t in v["native"].each}) for n, v in sets.items()}
    return {
        name: [] if fold == ALL or name == MADE else every[fold::folds]
        for name, every in subjects.items()
    }


def trained(folders: Sequence[Path], cache: Path, folds: int, fold: int, seed: int) -> Network:
    """A member of a fold's networks, from `cache` if it was trained before."""
    torch.set_num_threads(1)
    name = "all" if fold == ALL else f"fold {fold + 1} of {folds}"
    files = (Path(m.__file__ or "").read_bytes() for m in (convolution, falls_train))
    recipe = hashlib.sha256(b"".join(files)).hexdigest()[:8]
    kept = cache / f"network-{name.replace(' ', '-')}-{seed}-{key()}-{recipe}.pt"
    net = Network()
    if kept.exists():
        net.load_state_dict(torch.load(kept, weights_only=True))
        return net.eval()
    sets = load(folders, cache)
    out = left_out(sets, fold, folds)
    pools = [
        Pool(variants, lambda t, who=out[n]: t.subject not in who) for n, variants in sets.items()
    ]
    net = train(pools, seed, tell=lambda line: print(f"{name}, {seed}: {line}", flush=True))
    torch.save(net.state_dict(), kept)
    return net


@torch.no_grad()
def odds(
    nets: Sequence[Network], trials: Trials, wanted: Callable[[Trial], bool]
) -> Iterator[tuple[Trial, NDArray[np.float32]]]:
    """Each trial with both logits [2, F], the members' mean, from its first frame on."""
    for trial in trials.each:
        if wanted(trial):
            x = torch.from_numpy(trials.frames[trial.first : trial.end].T.astype(np.float32))
            yield trial, torch.stack([net(x[None])[0] for net in nets]).mean(0).numpy()


def heard(sets: Sets, out: dict[str, list[str]], nets: Sequence[Network]) -> list[Highest]:
    """What a fold's networks say of those left out where there was no fall."""

    def unseen(trial: Trial) -> bool:
        return not trial.fall and trial.subject in out[trial.source]

    return [
        highest(trial, variants["native"], said)
        for variants in sets.values()
        for trial, said in odds(nets, variants["native"], unseen)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--cache", type=Path, required=True, help="for frames and networks")
    parser.add_argument("--out", type=Path, help="where fall_weights.h goes")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1, help="how much at once, a core each")
    args = parser.parse_args()
    if args.folds < 2:
        parser.error("--folds: at least 2")
    sets = load(args.sets, args.cache, args.jobs)  # so that each process finds the frames
    which = [*([ALL] if args.out else []), *range(args.folds)]
    each = [(fold, seed) for fold in which for seed in SEEDS]
    with ProcessPoolExecutor(args.jobs) as pool:
        nets = list(
            pool.map(partial(trained, args.sets, args.cache, args.folds), *zip(*each, strict=True))
        )
    of = {
        fold: [net for (f, _), net in zip(each, nets, strict=True) if f == fold] for fold in which
    }
    outs = [left_out(sets, fold, args.folds) for fold in range(args.folds)]
    said = {fold: heard(sets, out, of[fold]) for fold, out in enumerate(outs)}
    headers = []
    for fold in range(args.folds):
        over = limits([h for other in said if other != fold for h in said[other]])
        headers.append(weights(of[fold], over, [f"fold {fold + 1} of {args.folds}"]))
    print(f"judging {args.folds} folds", flush=True)
    with ProcessPoolExecutor(args.jobs) as pool:
        rows = list(pool.map(figures_of, headers, [args.sets] * args.folds, outs))
    sys.stdout.write(table_of(rows))
    if args.out:
        over = limits([h for one in said.values() for h in one])
        args.out.write_text(weights(of[ALL], over, provenance(sets, args.folds)))


def weights(nets: Sequence[Network], over: tuple[float, float], made: Sequence[str]) -> str:
    """fall_weights.h. over: the log odds of falling and of having fallen that make an alarm."""
    more = table("RG_FALL_LIMITS", torch.tensor(over))
    return header(tables(nets, 2), "fall", "falls_network.py", more, made)


def provenance(sets: Sets, folds: int) -> list[str]:
    who = [
        f"{name}: {len({t.subject for t in v['native'].each})} subjects, "
        f"{len(v['native'].each):,} trials"
        for name, v in sets.items()
    ]
    seen = f"limits by {folds} folds; seeds {SEEDS}; PyTorch {torch.__version__}"
    return ["all subjects of", *who, f"{seen}, numpy {np.__version__}",
            "what it reaches: device/core/README.md"]  # fmt: skip


if __name__ == "__main__":
    main()
