"""The table: every figure of evaluation.md's "Rear obstacles", with its count and interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from device.figures.figure import Figure, an_hour, over_subjects, share

from . import approaches, faults, quiet
from .approaches import Approach
from .faults import Fault
from .quiet import Quiet

GOALS = {  # key → (goal, whether less is better)
    "warned_in_time_hard": (0.99, False),
    "warned_in_time_soft": (0.95, False),
    "could_stop_hard": (0.97, False),
    "could_stop_soft": (0.93, False),
    "best_possible_stop": (None, False),
    "reaction_p99_s": (0.020, True),
    "unjustified_per_30min": (1.0, True),
    "first_cue_stop": (0.05, True),
    "blind_electrical_p99_s": (0.5, True),
    "blind_acoustic_p99_s": (5.0, True),
    "false_blind_per_30min": (0.1, True),
}


def figures(
    walked: Sequence[Approach], rested: Sequence[Quiet], broken: Sequence[Fault]
) -> dict[str, Figure]:
    """By the keys of GOALS, then what is behind them."""
    groups = {"hard": approaches.HARD, "soft": approaches.SOFT}
    warnable = [a for a in walked if a.warnable]
    found: dict[str, Figure] = {}
    for name, kinds in groups.items():
        mine = [a for a in warnable if a.kind in kinds]
        of = f"warnable approaches to {name} targets"
        found[f"warned_in_time_{name}"] = share(sum(a.in_time for a in mine), len(mine), of)
        found[f"could_stop_{name}"] = share(sum(a.stopped for a in mine), len(mine), of)
        found[f"best_possible_in_time_{name}"] = share(sum(a.soonest for a in mine), len(mine), of)
        found[f"first_echo_in_time_{name}"] = share(sum(a.at_once for a in mine), len(mine), of)
        found[f"best_possible_stop_{name}"] = share(sum(a.best for a in mine), len(mine), of)
    best = share(sum(a.best for a in warnable), len(warnable), "warnable approaches")
    found["best_possible_stop"] = best
    seen = [a for a in walked if a.warnable or a.barely]
    late = [a.reaction for a in seen if not np.isnan(a.reaction)]
    found["reaction_p99_s"] = _p99(late, "dangerous when surely seen")
    late = [a.after_two for a in seen if not np.isnan(a.after_two)]
    found["reaction_after_two_p99_s"] = _p99(late, "the same, two echoes everywhere")
    found["unjustified_per_30min"] = _per_30min(rested, None, passed=False)
    found["with_what_is_passed_per_30min"] = _per_30min(rested, None)
    whats = {
        "warned_in_time": "in_time", "best_possible_in_time": "soonest", "could_stop": "stopped",
    }  # fmt: skip
    for name, kinds in groups.items():
        mine = [a for a in seen if a.kind in kinds]
        for key, what in whats.items():
            hits = sum(getattr(a, what) for a in mine)
            found[f"{key}_{name}_barely"] = share(hits, len(mine), "the barely warnable too")
    cued = [a for a in warnable if a.first]
    sudden = sum(a.first == "stop" for a in cued)
    found["first_cue_stop"] = share(sudden, len(cued), "warnable approaches with a cue")
    for name, kinds in (("electrical", faults.ELECTRICAL), ("acoustic", faults.ACOUSTIC)):
        told = [f.told for f in broken if f.kind in kinds]
        found[f"blind_{name}_p99_s"] = _p99(told, f"{name} faults")
    open_space = [q for q in rested if q.kind == "open space"]
    found["false_blind_per_30min"] = _per_30min(open_space, "rear_blind")

    early = sum(a.warned > 5.0 and a.speed * a.warned > 1.5 for a in walked)
    found["warned_too_early"] = share(early, len(walked), "approaches")
    for kind in approaches.KINDS:
        mine = [a for a in warnable if a.kind == kind]
        count = sum(a.kind == kind for a in walked)
        found[f"warnable: {kind}"] = share(len(mine), count, "approaches")
        found[f"in time: {kind}"] = share(sum(a.in_time for a in mine), len(mine), "warnable")
        found[f"best in time: {kind}"] = share(sum(a.soonest for a in mine), len(mine), "warnable")
        found[f"could stop: {kind}"] = share(sum(a.stopped for a in mine), len(mine), "warnable")
        found[f"best stop: {kind}"] = share(sum(a.best for a in mine), len(mine), "warnable")
    for kind in quiet.KINDS:
        mine = [q for q in rested if q.kind == kind]
        found[f"cues in 30 min: {kind}"] = _per_30min(mine, None)
        found[f"unjustified: {kind}"] = _per_30min(mine, None, passed=False)
    for kind in faults.KINDS:
        found[f"blind p99: {kind}"] = _p99([f.told for f in broken if f.kind == kind], "faults")
    return {key: found[key] for key in [*GOALS, *(k for k in found if k not in GOALS)]}


def reached(key: str, figure: Figure) -> str:
    """Goal and whether the figure reaches it, for the table."""
    goal, less = GOALS.get(key, (None, False))
    if goal is None or figure.value is None:
        return ""
    good = figure.value <= goal if less else figure.value >= goal
    return f"{'≤' if less else '≥'} {goal:g} {'reached' if good else 'NOT REACHED'}"


def _p99(values: Sequence[float], of: str) -> Figure:
    return over_subjects(
        [(str(k), v) for k, v in enumerate(values)],
        lambda sample: float(np.percentile(sample, 99)),
        "s",
        len(values),
        of,
    )


def _per_30min(scenes: Sequence[Quiet], event: str | None, passed: bool = True) -> Figure:
    """Cues of one event, or of all, in 30 min; cues come in bunches, so scenes are resampled.

    `passed`: those at what nears and would be passed as well.
    """
    counts = [
        (
            f"{q.kind} {q.seed}",
            sum(n for e, n in q.cues.items() if event in (None, e)) - (0 if passed else q.passed),
            q.seconds / 3600,
        )
        for q in scenes
    ]
    hourly = an_hour(counts, "scenes of 5 min")
    half = {k: v / 2 for k in ("value", "low", "high") if (v := getattr(hourly, k)) is not None}
    return replace(hourly, unit="1/30min", **half)
