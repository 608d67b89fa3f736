"""What a fold's network reaches: the core built with it, judged by `rearguard evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.training.judged import core_with

SLOW = 20  # 1/s, at which sets with falls are judged as well
GROUPS = ("falls", "walking")
Figures = dict[str, dict[str, dict[str, Any]]]  # set → figure → as Figure.to_dict


def figures_of(weights: str, sets: Sequence[Path], subjects: dict[str, list[str]]) -> Figures:
    """`weights`: a fall_weights.h. Every set at its own rate, those with falls at 20 Hz too."""
    found: Figures = {}
    with core_with("fall_weights.h", weights) as core:
        for folder in sets:
            who = subjects[folder.name]
            if not who:  # a set of fewer subjects than folds
                continue
            found[folder.name] = _flat(core.evaluate(folder, who))
            if "prediction_sensitivity" in found[folder.name]:
                slow = core.evaluate(folder, who, "--rate", str(SLOW))
                found[f"{folder.name} at {SLOW} Hz"] = _flat(slow)
    return found


def _flat(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    groups = said["figures"]
    return {name: figure for group in GROUPS for name, figure in groups.get(group, {}).items()}


def table_of(folds: Sequence[Figures]) -> str:
    """Markdown: a row a figure, a column a fold, and what all folds add up to."""
    lines = [
        f"| set | figure |{''.join(f' fold {k + 1} |' for k in range(len(folds)))} all |",
        "|---|---|" + "---|" * (len(folds) + 1),
    ]
    for name, figure in dict.fromkeys((n, f) for fold in folds for n in fold for f in fold[n]):
        each = [fold.get(name, {}).get(figure) for fold in folds]
        cells = [*map(_told, each), _summed([one for one in each if one])]
        lines.append(f"| {name} | {figure.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _told(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "–"
    if figure["unit"] == "share":
        return f"{figure['hits']}/{figure['n']}"
    if "hours" in figure:
        return f"{figure['hits']} in {figure['hours']:.2f} h"
    return "–" if figure["value"] is None else f"{figure['value']:.2f}"


def _summed(figures: Sequence[dict[str, Any]]) -> str:
    hits = sum(f.get("hits") or 0 for f in figures)
    if figures[0]["unit"] == "share":
        n = sum(f["n"] for f in figures)
        return f"{hits}/{n}, {100 * hits / n:.2f} %" if n else "–"
    if "hours" in figures[0]:
        return f"{hits / sum(f['hours'] for f in figures):.2f} an hour"
    values = [f["value"] for f in figures if f["value"] is not None]
    return f"mean {sum(values) / len(values):.2f}" if values else "–"
