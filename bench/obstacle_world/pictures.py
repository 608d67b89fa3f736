"""The report: warned in time by speed and target, every miss, and the map of what is not seen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np

from . import approaches, unseen
from .approaches import Approach

mpl.use("Agg")
from matplotlib import pyplot as plt

SPEEDS = np.arange(0.2, 1.21, 0.2)  # m/s
BAD, GOOD = "#b2182b", "#2166ac"


def write(folder: Path, walked: Sequence[Approach]) -> list[Path]:
    """PNG files in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, draw in (("warned", _warned), ("misses", _misses)):
        made.append(folder / f"obstacles-{name}.png")
        _save(draw(walked), made[-1])
    made.append(folder / "obstacles-unseen.png")
    _save(_unseen(), made[-1])
    return made


def _save(figure: plt.Figure, file: Path) -> None:
    figure.savefig(file, dpi=110, bbox_inches="tight")
    plt.close(figure)


def _warned(walked: Sequence[Approach]) -> plt.Figure:
    figure, axes = plt.subplots(1, 2, figsize=(13, 4.6), sharey=True)
    for axis, name, title in (
        (axes[0], "in_time", "Warned in time, %"),
        (axes[1], "stopped", "Could stop, %"),
    ):
        grid = np.full((len(approaches.KINDS), SPEEDS.size - 1), np.nan)
        count = np.zeros(grid.shape, int)
        for row, kind in enumerate(approaches.KINDS):
            for column in range(SPEEDS.size - 1):
                mine = [
                    getattr(a, name)
                    for a in walked
                    if a.kind == kind and a.warnable
                    and SPEEDS[column] <= a.speed < SPEEDS[column + 1]
                ]  # fmt: skip
                count[row, column] = len(mine)
                grid[row, column] = 100 * np.mean(mine) if mine else np.nan
        axis.imshow(grid, aspect="auto", cmap="RdBu", vmin=80, vmax=100)
        for (row, column), value in np.ndenumerate(grid):
            n = count[row, column]
            text = f"{value:.1f}\nof {n}" if n else "none\nwarnable"
            light = n and (value < 86 or value > 96)
            axis.text(
                column, row, text, ha="center", va="center", fontsize=7,
                color="white" if light else "black",
            )  # fmt: skip
        axis.set_title(title)
        axis.set_xlabel("speed of approach, m/s")
        edges = [f"{a:.1f}–{b:.1f}" for a, b in pairwise(SPEEDS)]
        axis.set_xticks(range(SPEEDS.size - 1), edges)
        axis.set_yticks(range(len(approaches.KINDS)), approaches.KINDS)
    figure.tight_layout()
    return figure


def _misses(walked: Sequence[Approach]) -> plt.Figure:
    """Time left when the target came into the beam and when the warning came, missed or not."""
    figure, axes = plt.subplots(3, 3, figsize=(12, 10), sharex=True, sharey=True)
    for axis, kind in zip(axes.flat, approaches.KINDS, strict=True):
        mine = [a for a in walked if a.kind == kind and a.warnable]
        for good, colour, label in ((True, GOOD, "in time"), (False, BAD, "missed")):
            some = [a for a in mine if a.in_time == good]
            entered = [min(a.entered, 8.0) for a in some]
            warned = [-0.3 if np.isnan(a.warned) else min(a.warned, 8.0) for a in some]
            axis.plot(entered, warned, ".", ms=3, color=colour, label=f"{label}: {len(some)}")
        axis.plot([0, 8], [0, 8], "-", lw=0.5, color="grey")
        axis.axhline(2.0, lw=0.5, color="grey")
        axis.set_title(kind, fontsize=10)
        axis.legend(loc="upper left", fontsize=7)
    figure.supxlabel("s left when it came into the beam (8: or more)")
    figure.supylabel("s left at the first warning (below 0: none)")
    figure.tight_layout()
    return figure


def _unseen() -> plt.Figure:
    found = unseen.spans()
    grid = np.array([[0.0 if c is None else c[0] for c in row] for row in found.values()])
    figure, axis = plt.subplots(figsize=(10, 5.5))
    axis.imshow(grid, aspect="auto", cmap="Blues", vmin=0, vmax=5)
    for row, column in np.ndindex(grid.shape):
        cell = found[list(found)[row]][column]
        text = "unseen" if cell is None else f"{cell[0]:.1f}\nto {cell[1]:.1f}"
        axis.text(column, row, text, ha="center", va="center", fontsize=7,
                  color=BAD if cell is None else "black")  # fmt: skip
    axis.set_xticks(range(len(unseen.HEIGHTS)), [f"{h:g}" for h in unseen.HEIGHTS])
    axis.set_yticks(range(len(found)), list(found))
    axis.set_xlabel("reaches above the floor, m")
    axis.set_title("From which distance to which a target straight behind can be heard, m")
    figure.tight_layout()
    return figure
