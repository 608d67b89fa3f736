"""One trial drawn: what was measured, what was judged, what was true. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from device.alerts import Level
from device.figures.falls import has_exact_onset
from device.figures.steps import BOUT, IN_TRIAL, runs, true_contacts
from device.recordings import Recording
from device.replay import Judged

SIZE = (12.0, 13.0)  # inches
# Of falls.c: s over which the speed downward leaks, m/s² at which an axis clips; and m/s downward
# from which a fall is thought of at all.
LEAK_TAU, CLIP, GATE = 0.5, 39.2, 0.3
AXES = (("x forward", "#c4442f"), ("y left", "#2f8f4e"), ("z up", "#2f62c4"))
INK, FAINT, TRUTH = "#22272e", "#8a929c", "#7b4bb0"
LEVELS = {
    Level.INFO: "#6b7785",
    Level.NOTICE: "#3b86b8",
    Level.CAUTION: "#c79a00",
    Level.WARNING: "#e06c00",
    Level.STOP: "#cf2e2e",
    Level.FAULT: "#8d4ab8",
    Level.DANGER: "#b3001b",
}
WAYS = {1: ("forward", "#2f62c4"), -1: ("backward", "#e06c00"), 0: ("still", "#aeb6bf"),
        2: ("other", "#2f8f4e"), 9: ("not yet known", "#e4e7eb")}  # fmt: skip


def draw(recording: Recording, judged: Judged, name: str, file: IO[bytes]) -> None:
    """Write the page as PNG."""
    figure = Figure(figsize=SIZE, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    estimates = judged.estimates
    known = [name for name in ("sway", "risk") if np.isfinite(estimates[name]).any()]
    heights = [1.0, 2.0, 1.5, 1.3, 1.3, 1.2, 1.2, 0.5, *[0.8] * len(known)]
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    events, acc, gyro, up, going_down, lean, speed, ways, *others = panels
    entry = recording.entry
    figure.suptitle(
        f"{entry.trial}: {entry.activity}   ({name}, {entry.subject}, {entry.fs:g} Hz)",
        fontsize=12.5, fontweight="bold", color=INK, x=0.01, ha="left",
    )  # fmt: skip
    _events(events, recording, judged)
    _acceleration(acc, recording)
    _three(gyro, recording.t, recording.gyro, "angular rate, rad/s")
    _three(up, judged.signals.t, judged.estimates["up"], "vertical in the sensor's axes")
    up.set_ylim(-1.1, 1.1)
    _going_down(going_down, judged)
    _lean(lean, judged)
    _speed(speed, recording, judged)
    _ways(ways, recording, judged)
    for axes, what in zip(others, known, strict=True):
        if what == "risk":
            _line(axes, judged, "risk", "risk of losing balance", LEVELS[Level.DANGER])
            axes.set_ylim(-0.03, 1.03)
        else:
            _line(axes, judged, what, "sway, m/s²")
    for axes in panels:
        _truth(axes, recording)
        _marks(axes, recording, judged)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FAINT)
        axes.tick_params(colors=INK, labelsize=9, color=FAINT)
    panels[-1].set_xlabel("s from the trial's start", color=INK)
    panels[-1].set_xlim(0, max(float(recording.t[-1]), 1 / entry.fs))
    figure.savefig(file, format="png", dpi=110)


def _events(axes: Axes, recording: Recording, judged: Judged) -> None:
    """A row of flags, on three heights so that neighbours can be read."""
    axes.set_ylim(0, 3)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    _title(axes, "events", _truth_key(recording))
    width = max(float(recording.t[-1]), 1e-9)
    last = [-np.inf] * 3  # where the newest flag of each height ends
    for record in judged.records:
        level = Level[record.level.upper()]
        t = float(recording.t[record.sample])
        words = record.event if record.state == "raised" else f"{record.event} {record.state}"
        height = next((k for k in range(3) if t >= last[k]), int(np.argmin(last)))
        last[height] = t + width * 0.0085 * (len(words) + 2)
        late = t > 0.85 * width
        axes.text(
            t, 2.5 - height, f"{words} " if late else f" {words}",
            ha="right" if late else "left", va="center", fontsize=9,
            color=LEVELS[level], fontweight="bold" if record.state == "raised" else "normal",
            zorder=4, bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 0.6},
        )  # fmt: skip
    if not judged.records:
        axes.text(0.5, 0.5, "no event", transform=axes.transAxes, ha="center", color=FAINT)


def _acceleration(axes: Axes, recording: Recording) -> None:
    norm = np.linalg.norm(recording.acc, axis=1)
    axes.axhline(9.81, color=FAINT, lw=0.6, ls=":")
    axes.plot(recording.t, norm, color=INK, lw=1.3, label="magnitude", zorder=3)
    _three(axes, recording.t, recording.acc, "specific force, m/s²")


def _three(axes: Axes, t: NDArray[Any], values: NDArray[Any], label: str) -> None:
    for column, (word, colour) in enumerate(AXES):
        axes.plot(t, values[:, column], color=colour, lw=0.8, alpha=0.85, label=word)
    _title(axes, label, axes.get_legend_handles_labels()[0])


def _going_down(axes: Axes, judged: Judged) -> None:
    """How fast the sensor goes down, as falls are judged by it: vertical force integrated, leaking
    over LEAK_TAU, from a weight of g."""
    signals, up = judged.signals, judged.estimates["up"]
    force = np.nan_to_num(9.81 - (np.clip(signals.acc, -CLIP, CLIP) * up).sum(axis=1))
    down = np.empty(len(force))
    speed = 0.0
    for k, pull in enumerate(force):
        speed += (pull - speed / LEAK_TAU) / signals.fs
        down[k] = speed
    down[np.isnan(up[:, 0])] = np.nan
    axes.axhline(0, color=FAINT, lw=0.6, ls=":")
    axes.axhline(GATE, color=LEVELS[Level.DANGER], lw=0.8, ls=":")
    axes.plot(signals.t, down, color=INK, lw=1.1)
    handle = Line2D([], [], color=LEVELS[Level.DANGER], lw=0.8, ls=":", label="a fall is faster")
    _title(axes, "going down, m/s", [handle])


def _lean(axes: Axes, judged: Judged) -> None:
    """The lean as judged, and how far the sensor has tilted any way from its first vertical."""
    up = judged.estimates["up"]
    first = up[np.argmax(np.isfinite(up[:, 0]))]
    tilt = np.degrees(np.arccos(np.clip(up @ first, -1, 1)))
    axes.plot(judged.signals.t, tilt, color=FAINT, lw=1.1)
    known = np.isfinite(judged.estimates["lean"]).any()
    label = "lean, degrees, forward positive" + ("" if known else ": unknown throughout")
    _line(axes, judged, "lean", label, factor=float(np.degrees(1)))
    handles = [Line2D([], [], color=INK, lw=1.1, label="lean")] if known else []
    _title(axes, label, [*handles, Line2D([], [], color=FAINT, label="tilt since the beginning")])


def _line(
    axes: Axes, judged: Judged, name: str, label: str, colour: str = INK, factor: float = 1.0
) -> None:
    values = factor * judged.estimates[name]
    axes.axhline(0, color=FAINT, lw=0.6, ls=":")
    axes.plot(judged.signals.t, values, color=colour, lw=1.1)
    _title(axes, label if np.isfinite(values).any() else f"{label}: unknown throughout")


def _speed(axes: Axes, recording: Recording, judged: Judged) -> None:
    label = "speed, m/s, backward negative; steps"
    _line(axes, judged, "speed", label)
    handles = [Line2D([], [], color=INK, lw=1.1, label="speed")]
    truth = recording.truth.get("x_vx")
    if truth is None and "x_vel" in recording.truth:
        truth = recording.truth["x_vel"][:, 0]
    if truth is not None:
        axes.plot(recording.t, truth, color=TRUTH, lw=1.0, ls="--")
        handles.append(Line2D([], [], color=TRUTH, ls="--", label="true speed"))
    steps = np.flatnonzero(judged.estimates["step"])
    if len(steps):
        times = judged.estimates["step_time"][steps]
        axes.plot(times, np.zeros(len(times)), "|", ms=9, mew=1.4, color="#e06c00")
        handles.append(Line2D([], [], ls="", marker="|", color="#e06c00", label="step"))
    if "x_events" in recording.truth:
        contacts = recording.t[true_contacts(recording.truth["x_events"])]
        axes.plot(contacts, np.full(len(contacts), 0.12), "v", ms=4, color=TRUTH)
        handles.append(Line2D([], [], ls="", marker="v", ms=4, color=TRUTH, label="true contact"))
    _title(axes, label, handles)


def _ways(axes: Axes, recording: Recording, judged: Judged) -> None:
    """Direction as a ribbon; the truth, where there is one, as a ribbon above it."""
    ribbons = [(judged.signals.t, judged.estimates["direction"])]
    if "x_dir" in recording.truth:
        ribbons.append((recording.t, recording.truth["x_dir"]))
    for row, (t, values) in enumerate(ribbons):
        for way, (_, colour) in WAYS.items():
            for first, last in runs(values == way):
                axes.axvspan(
                    t[first], t[min(last + 1, len(t) - 1)], row / len(ribbons),
                    (row + 0.92) / len(ribbons), color=colour, lw=0,
                )  # fmt: skip
    axes.set_yticks(
        [(row + 0.46) / len(ribbons) for row in range(len(ribbons))],
        ["judged", "true"][: len(ribbons)],
    )
    axes.set_ylim(0, 1)
    _title(axes, "direction", [Patch(color=colour, label=word) for word, colour in WAYS.values()])


def _title(axes: Axes, label: str, handles: Sequence[Artist] = ()) -> None:
    """What a panel shows, above it on the left; its key on the right of that line."""
    axes.set_title(label, loc="left", fontsize=9.5, color=INK, pad=4)
    if handles:
        axes.legend(
            handles=handles, loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=len(handles),
            frameon=False, fontsize=8.5, labelcolor=INK, handlelength=1.3, borderaxespad=0.1,
            columnspacing=1.4,
        )  # fmt: skip


def _stretches(recording: Recording) -> list[tuple[str, str, NDArray[np.bool_]]]:
    """What is known to be true of stretches: word, colour, mask."""
    truth, n = recording.truth, len(recording.t)
    found = []
    if has_exact_onset(recording) and recording.entry.impact >= 0:
        k = np.arange(n)
        falling = (k >= recording.entry.onset) & (k <= recording.entry.impact)
        found.append(("true onset to impact", TRUTH, falling))
    if "x_label" in truth:
        found.append(("labelled alert", "#c79a00", truth["x_label"] == 1))
        found.append(("labelled fall", "#cf2e2e", truth["x_label"] == 2))
    if "x_events" in truth and (truth["x_events"] & IN_TRIAL).any():
        found.append(("in trial", "#2f62c4", (truth["x_events"] & IN_TRIAL) > 0))
        found.append(("U-turn", "#c79a00", (truth["x_events"] & BOUT) > 0))
    elif "x_events" in truth:
        found.append(("walking bout", "#2f62c4", (truth["x_events"] & BOUT) > 0))
    if "x_movement" in truth:
        found.append(("moving", "#2f62c4", truth["x_movement"] != 0))
    if "x_bad" in truth:
        found.append(("bridged gap", INK, truth["x_bad"] != 0))
    return [stretch for stretch in found if stretch[2].any()]


def _truth(axes: Axes, recording: Recording) -> None:
    for _, colour, mask in _stretches(recording):
        for first, last in runs(mask):
            low, high = recording.t[first], recording.t[last]
            axes.axvspan(low, high, color=colour, alpha=0.10, lw=0, zorder=0)
    if recording.entry.impact >= 0:
        axes.axvline(recording.t[recording.entry.impact], color=TRUTH, lw=1.2, ls="--")


def _truth_key(recording: Recording) -> list[Artist]:
    key: list[Artist] = [
        Patch(color=colour, alpha=0.2, lw=0, label=word)
        for word, colour, _ in _stretches(recording)
    ]
    if recording.entry.impact >= 0:
        key.append(Line2D([], [], color=TRUTH, lw=1.2, ls="--", label="true impact"))
    return key


def _marks(axes: Axes, recording: Recording, judged: Judged) -> None:
    for record in judged.records:
        colour = LEVELS[Level[record.level.upper()]]
        solid = record.state == "raised"
        axes.axvline(
            recording.t[record.sample], color=colour, lw=1.2 if solid else 0.8,
            ls="-" if solid else ":", alpha=0.9,
        )  # fmt: skip
