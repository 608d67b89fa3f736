"""Steps: reported contacts beside true ones (Voisard's gait set, Mobilise-D's example)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.figures.figure import Figure, over_subjects, share
from device.recordings import Recording
from device.replay import Judged

TOLERANCE = 0.10  # s either way within which a reported step is a true contact
PAIRED = 0.30  # s either way in which a contact is looked for when the offset is measured
LEFT, RIGHT, BOUT, IN_TRIAL = 1, 2, 4, 8  # bits of x_events; Voisard's bit 4 marks U-turns


@dataclass(frozen=True, slots=True)
class Steps:
    """One trial's contacts [s from its start], in order."""

    subject: str
    contacts: NDArray[np.float64]  # true ones
    bouts: list[tuple[float, float]]  # where contacts are known; reports elsewhere are not judged
    times: NDArray[np.float64]  # step_time of each report
    reported: NDArray[np.float64]  # when it was reported

    def matched(self, offset: float) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Indices of matched reports and contacts, and how many reports there were to judge."""
        times = self.times - offset
        known = np.zeros(len(times), bool)
        for low, high in self.bouts:
            known |= (times >= low - TOLERANCE) & (times <= high + TOLERANCE)
        judged = np.flatnonzero(known)
        mine, theirs = match(times[judged], self.contacts, TOLERANCE)
        return judged[mine], theirs, len(judged)


def observe(recording: Recording, judged: Judged) -> Steps | None:
    """None when the recording has no contacts to compare with."""
    events = recording.truth.get("x_events")
    if events is None:
        return None
    # Voisard: everything is known, the walk is one bout; Mobilise-D: only inside the bouts
    whole = bool((events & IN_TRIAL).any())
    bouts = [(0.0, float(recording.t[-1]))]
    contacts = true_contacts(events)
    if not whole:
        contacts = contacts[(events[contacts] & BOUT) > 0]
        bouts = [
            (float(recording.t[first]), float(recording.t[last]))
            for first, last in runs((events & BOUT) > 0)
        ]
    if len(contacts) == 0:
        return None
    rows = np.flatnonzero(judged.estimates["step"])
    times = judged.estimates["step_time"][rows].astype(np.float64)
    order = np.argsort(times, kind="stable")
    return Steps(
        recording.entry.subject,
        recording.t[contacts],
        bouts,
        times[order],
        judged.signals.t[rows][order],
    )


def figures(trials: Sequence[Steps]) -> dict[str, Figure]:
    """The steps part of the evaluation; empty when there is nothing to compare with."""
    if not trials:
        return {}
    offset = _offset(trials)
    hits = reports = contacts = 0
    errors, delays, scores = [], [], []
    for trial in trials:
        mine, theirs, n = trial.matched(offset)
        true = trial.contacts[theirs]
        errors.append((trial.subject, np.abs(trial.times[mine] - offset - true)))
        delays.append((trial.subject, trial.reported[mine] - true))
        scores.append((trial.subject, np.array([len(mine), n, len(trial.contacts)])))
        hits, reports, contacts = hits + len(mine), reports + n, contacts + len(trial.contacts)
    cadences = [(t.subject, e) for t in trials for e in _cadence_errors(t, offset)]
    known = [(subject, error) for subject, error in cadences if np.isfinite(error)]
    without = len(cadences) - len(known)
    return {
        "sensitivity": share(hits, contacts, "true contacts"),
        "positive_predictive_value": share(hits, reports, "reported steps"),
        "f1": over_subjects(scores, _f1, "share", contacts, "true contacts"),
        "offset": Figure(offset, "s", hits, "matched steps", note="constant, taken off below"),
        **_percentiles("time_error", errors, hits),
        **_percentiles("report_delay", delays, hits),
        "cadence_error": over_subjects(
            known,
            lambda found: float(np.mean(found)),
            "steps/min",
            len(known),
            "bouts",
            note=f"{without} bouts without a cadence" if without else "",
        ),
    }


def true_contacts(events: NDArray[Any]) -> NDArray[np.int64]:
    """Samples of contact: the last of each foot's moving interval, or labelled as such."""
    ends = [
        last
        for foot in (LEFT, RIGHT)
        for _, last in runs((events & foot) > 0)
        if last < len(events) - 1  # still moving when the recording ended
    ]
    return np.array(sorted(ends), np.int64)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def match(
    reported: NDArray[Any], true: NDArray[Any], tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the most pairs, one to one, not farther apart than `tolerance`; both sorted.

    Taking the earliest that fit is the largest matching of points on a line.
    """
    mine: list[int] = []
    theirs: list[int] = []
    i = k = 0
    while i < len(reported) and k < len(true):
        apart = reported[i] - true[k]
        if abs(apart) <= tolerance + 1e-9:
            mine.append(i)
            theirs.append(k)
            i, k = i + 1, k + 1
        elif apart < 0:
            i += 1
        else:
            k += 1
    return np.array(mine, np.int64), np.array(theirs, np.int64)


def _offset(trials: Sequence[Steps]) -> float:
    """Median over the set of step_time less the contact nearest to it [s]; 0 without any."""
    apart = []
    for trial in trials:
        if len(trial.times):
            nearest = np.abs(trial.times[:, None] - trial.contacts).argmin(axis=1)
            apart.append(trial.times - trial.contacts[nearest])
    found = np.concatenate(apart) if apart else np.empty(0)
    near = found[np.abs(found) <= PAIRED]
    return float(np.median(near)) if len(near) else 0.0


def _f1(scores: list[NDArray[Any]]) -> float:
    hits, reports, contacts = np.sum(scores, axis=0)
    return float(2 * hits / (reports + contacts))


def _percentiles(name: str, found: list[tuple[str, NDArray[Any]]], n: int) -> dict[str, Figure]:
    return {
        f"{name}_{word}": over_subjects(
            [(subject, seen) for subject, seen in found if len(seen)],
            lambda seen, at=percentile: float(  # type: ignore[misc]
                np.percentile(np.concatenate(seen), at)
            ),
            "s",
            n,
            "matched steps",
        )
        for word, percentile in (("median", 50), ("p95", 95))
    }


def _cadence_errors(trial: Steps, offset: float) -> list[float]:
    """|reported − true| [steps/min] of each bout with a true cadence; NaN where none was found."""
    found = []
    for low, high in trial.bouts:
        true = _cadence(trial.contacts, low, high)
        if np.isfinite(true):
            mine = _cadence(trial.times - offset, low - TOLERANCE, high + TOLERANCE)
            found.append(abs(mine - true))
    return found


def _cadence(contacts: NDArray[Any], low: float, high: float) -> float:
    """60 (n − 1) / (last − first) of the contacts within; NaN with fewer than two."""
    inside = contacts[(contacts >= low) & (contacts <= high)]
    if len(inside) < 2 or inside[-1] <= inside[0]:
        return float("nan")
    return float(60 * (len(inside) - 1) / (inside[-1] - inside[0]))
