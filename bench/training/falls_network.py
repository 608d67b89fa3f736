"""Trains the network of device/core/fall_network.c; says what it reaches on people it never saw.

    python -m bench.training.falls_network SET… --cache FOLDER [--out device/core/fall_weights.h]

Each SET is a folder in the recording format. Every fold leaves out its share of each set's
subjects, trains on all the others, is built into a core in a folder of its own, and `rearguard
evaluate` of that core judges those left out. With --out a network of all subjects is trained as
well and written. Networks and frames are kept in FOLDER: a run that was interrupted goes on where
it stood. Needs PyTorch (`pip install rearguard[training]`) and gcc. Seeded.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch

from bench.training import convolution, falls_train
from bench.training.convolution import header, table
from bench.training.fall_trials import Trial, Trials, key, recorded
from bench.training.falls_folds import figures_of, table_of
from bench.training.falls_limits import Highest, highest, limits
from bench.training.falls_train import Network, Pool, odds, train

ALL = -1  # instead of a fold: nobody is left out
Sets = dict[str, dict[str, Trials]]  # set → variant → trials


def load(folders: Sequence[Path], cache: Path) -> Sets:
    sets: Sets = {}
    for name, variant, trials in recorded(folders, cache):
        sets.setdefault(name, {})[variant] = trials
    return sets


def left_out(sets: Sets, fold: int, folds: int) -> dict[str, list[str]]:
    """By set: every so many-th of its subjects in alphabetical order."""
    if fold == ALL:
        return {name: [] for name in sets}
    subjects = {n: sorted({t.subject for t in v["native"].each}) for n, v in sets.items()}
    return {name: every[fold::folds] for name, every in subjects.items()}


def trained(
    folders: Sequence[Path], cache: Path, seed: int, folds: int, fold: int
) -> tuple[Network, list[Highest]]:
    """The network of a fold, from `cache` if it was trained before, and what it says of those left
    out."""
    torch.set_num_threads(1)
    sets = load(folders, cache)
    out = left_out(sets, fold, folds)
    name = "all" if fold == ALL else f"fold {fold + 1} of {folds}"
    files = (Path(m.__file__ or "").read_bytes() for m in (convolution, falls_train))
    recipe = hashlib.sha256(b"".join(files)).hexdigest()[:8]
    kept = cache / f"network-{name.replace(' ', '-')}-{seed}-{key()}-{recipe}.pt"
    net = Network()
    if kept.exists():
        net.load_state_dict(torch.load(kept, weights_only=True))
        net.eval()
    else:
        pools = [
            Pool(variants, lambda t, who=out[n]: t.subject not in who)
            for n, variants in sets.items()
        ]
        net = train(pools, seed, tell=lambda line: print(f"{name}: {line}", flush=True))
        torch.save(net.state_dict(), kept)

    def unseen(trial: Trial) -> bool:
        return not trial.fall and trial.subject in out[trial.source]

    found = [
        highest(trial, trials, said)
        for variants in sets.values()
        for trials in (variants["native"],)
        for trial, said in odds(net, trials, unseen)
    ]
    return net, found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--cache", type=Path, required=True, help="for frames and networks")
    parser.add_argument("--out", type=Path, help="where fall_weights.h goes")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, a core each")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.folds < 2:
        parser.error("--folds: at least 2")
    sets = load(args.sets, args.cache)  # so that each process finds the frames
    one = partial(trained, args.sets, args.cache, args.seed, args.folds)
    which = [*([ALL] if args.out else []), *range(args.folds)]
    with ProcessPoolExecutor(args.jobs) as pool:
        every = dict(zip(which, pool.map(one, which), strict=True))
    rows = []
    for fold in range(args.folds):
        net, _ = every[fold]
        others = [h for other in range(args.folds) if other != fold for h in every[other][1]]
        text = weights(net, limits(others), [f"fold {fold + 1} of {args.folds}"])
        print(f"judging fold {fold + 1} of {args.folds}, limits {limits(others)}", flush=True)
        rows.append(figures_of(text, args.sets, left_out(sets, fold, args.folds)))
    sys.stdout.write(table_of(rows))
    if args.out:
        known = [h for fold in range(args.folds) for h in every[fold][1]]
        args.out.write_text(weights(every[ALL][0], limits(known), provenance(sets, args)))


def weights(net: Network, over: tuple[float, float], made: Sequence[str]) -> str:
    """fall_weights.h. over: the log odds of falling and of having fallen that make an alarm."""
    more = table("RG_FALL_LIMITS", torch.tensor(over))
    return header(net, "fall", "falls_network.py", 2, more, made)


def provenance(sets: Sets, args: argparse.Namespace) -> list[str]:
    who = [
        f"{name}: {len({t.subject for t in v['native'].each})} subjects, "
        f"{len(v['native'].each):,} trials"
        for name, v in sets.items()
    ]
    seen = f"limits by {args.folds} folds; seed {args.seed}; PyTorch {torch.__version__}"
    return ["all subjects of", *who, f"{seen}, numpy {np.__version__}",
            "what it reaches: device/core/README.md"]  # fmt: skip


if __name__ == "__main__":
    main()
