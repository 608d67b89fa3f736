"""Direction and speed beside the truth (motion-capture sets; Voisard's recorded forward walks).

Walking begins at the first sample whose truth is a direction: what follows a stop or a turn in the
same clip is judged at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.figures.figure import Figure, over_subjects
from device.figures.steps import IN_TRIAL, true_contacts
from device.recordings import Recording
from device.replay import Judged

SETTLE = 2.5  # s from the beginning of walking that are not judged
WINDOW = 1.5  # s over which speed is averaged
FASTEST = 1.6  # m/s, either way, up to which speed is judged
FORWARD, BACKWARD = 1, -1
UNKNOWN = (9, 0)


@dataclass(frozen=True, slots=True)
class Motion:
    """One trial."""

    subject: str
    ways: dict[int, NDArray[np.int64]]  # forward, backward → samples right, unknown, wrong
    speeds: NDArray[np.float64]  # [windows, 2] mean truth and mean estimate [m/s]; NaN: unknown


def observe(recording: Recording, judged: Judged) -> Motion | None:
    """None when the recording's direction is not known a sample."""
    truth = _direction(recording)
    if truth is None or not truth.any():
        return None
    rows = judged.signals.newest
    usable = recording.truth.get("x_bad", np.zeros(len(truth)))[rows] == 0
    begins = recording.t[int(np.argmax(truth != 0))]
    after = judged.signals.t >= begins + SETTLE - 1e-9
    estimate, true = judged.estimates["direction"], truth[rows]
    ways = {}
    for way in (FORWARD, BACKWARD):
        mine = estimate[after & usable & (true == way)]
        right, unknown = int((mine == way).sum()), int(np.isin(mine, UNKNOWN).sum())
        ways[way] = np.array([right, unknown, len(mine) - right - unknown])
    return Motion(recording.entry.subject, ways, _windows(recording, judged, after, usable))


def figures(trials: Sequence[Motion]) -> dict[str, Figure]:
    """The direction part of the evaluation; empty when no direction is known."""
    found = {}
    for word, way in (("forward", FORWARD), ("backward", BACKWARD)):
        counted = [(t.subject, t.ways[way]) for t in trials if t.ways[way].sum()]
        n = int(sum(counts.sum() for _, counts in counted))
        if n == 0:
            continue
        for column, judged in enumerate(("right", "unknown", "wrong")):
            found[f"{word}_{judged}"] = over_subjects(
                counted,
                lambda counts, at=column: float(  # type: ignore[misc]
                    np.sum(counts, axis=0)[at] / np.sum(counts)
                ),
                "share",
                n,
                f"samples truly {word}",
            )
    return found


def speed_figures(trials: Sequence[Motion]) -> dict[str, Figure]:
    """The speed part of the evaluation; empty when no true speed is known."""
    found = {}
    for word, chosen in (
        ("error", lambda true: np.ones(len(true), bool)),
        ("error_forward", lambda true: true > 0),
        ("error_backward", lambda true: true < 0),
    ):
        windows = [(t.subject, w) for t in trials for w in t.speeds[chosen(t.speeds[:, 0])]]
        total = len(windows)
        errors = [(subject, abs(mine - true)) for subject, (true, mine) in windows]
        errors = [(subject, error) for subject, error in errors if np.isfinite(error)]
        n = len(errors)
        if total:
            found[word] = over_subjects(
                errors,
                lambda found: float(np.mean(found)),
                "m/s",
                n,
                "windows",
                note=f"{total - n} of {total} windows without an estimate" if n < total else "",
            )
    return found


def _direction(recording: Recording) -> NDArray[Any] | None:
    """True direction a sample: 1, −1, 0 still or not known, 2 other; None: nowhere known."""
    if "x_dir" in recording.truth:
        return recording.truth["x_dir"]
    events = recording.truth.get("x_events")
    if events is None or not (events & IN_TRIAL).any() or recording.entry.direction != "forward":
        return None
    contacts = true_contacts(events)
    contacts = contacts[(events[contacts] & IN_TRIAL) > 0]
    truth = np.zeros(len(events), np.int8)
    if len(contacts):
        truth[contacts[0] : contacts[-1] + 1] = FORWARD
    return truth


def _windows(
    recording: Recording, judged: Judged, after: NDArray[Any], usable: NDArray[Any]
) -> NDArray[np.float64]:
    """Means of truth and estimate over consecutive windows after `after` begins, [windows, 2]."""
    truth = recording.truth
    if "x_vx" in truth:
        true = truth["x_vx"][judged.signals.newest]
    elif "x_vel" in truth:
        true = truth["x_vel"][judged.signals.newest, 0]
    else:
        return np.empty((0, 2))
    first, size = int(np.argmax(after)), round(WINDOW * judged.signals.fs)
    estimate = judged.estimates["speed"]
    found = []
    for low in range(first, len(true) - size + 1, size) if after.any() else ():
        window = slice(low, low + size)
        mean = float(true[window].mean())
        if usable[window].all() and abs(mean) <= FASTEST:
            known = estimate[window][np.isfinite(estimate[window])]
            found.append((mean, float(known.mean()) if len(known) else float("nan")))
    return np.array(found, np.float64).reshape(-1, 2)
