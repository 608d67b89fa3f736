"""Falls, stumbles, and alarms where there was no fall (KFall, SisFall and sets like them)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device.figures.figure import Figure, an_hour, over_subjects, share
from device.recordings import Recording
from device.replay import Judged

BEFORE_ONSET = 0.2  # s before a true onset from which a prediction counts
BEFORE_IMPACT = 1.5  # s before the impact, where the onset is not known to a frame
AROUND_IMPACT = (-0.1, 10.0)  # s after the impact within which a detection counts
_BACKWARD = re.compile("backward", re.IGNORECASE)
_STUMBLE = re.compile("stumble", re.IGNORECASE)
_NOT_PLAIN = re.compile("jog|run|dash|stair", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Alarms:
    """One trial: what was raised in it, and whether there was a fall."""

    subject: str
    activity: str
    fall: bool
    hours: float
    onset: float | None  # s; None: not known to a frame
    impact: float  # s; NaN: no fall
    raised: dict[str, list[float]]  # event → times [s]
    walk: bool  # walking, jogging or running, whichever way
    plain: bool  # walking and nothing else

    @property
    def window(self) -> tuple[float, float]:
        """From when [s] to before when [s] a prediction is right."""
        if self.onset is None:
            return self.impact - BEFORE_IMPACT, self.impact
        return self.onset - BEFORE_ONSET, self.impact

    @property
    def predicted(self) -> float | None:
        """Time [s] of the first `fall_imminent`, when it lies in the window."""
        first = min(self.raised.get("fall_imminent", []), default=None)
        low, high = self.window
        return first if first is not None and low - _EPS <= first < high - _EPS else None

    @property
    def early(self) -> bool:
        return any(t < self.window[0] - _EPS for t in self.raised.get("fall_imminent", []))

    @property
    def detected(self) -> bool:
        low, high = (self.impact + bound for bound in AROUND_IMPACT)
        return any(low - _EPS <= t <= high + _EPS for t in self.raised.get("fall", []))


def is_backward(activity: str) -> bool:
    """Whether the words for a fall say that it was one."""
    return _BACKWARD.search(activity) is not None


_EPS = 1e-6  # s: times are whole samples, their sums are not


def observe(recording: Recording, judged: Judged) -> Alarms:
    """What was raised, at the time of the newest sample used."""
    entry = recording.entry
    raised: dict[str, list[float]] = {}
    for record in judged.records:
        if record.state == "raised":
            raised.setdefault(record.event, []).append(float(recording.t[record.sample]))
    impact = float("nan")
    if entry.fall and entry.impact >= 0:
        impact = float(recording.t[entry.impact])
    elif entry.fall:
        norm = np.linalg.norm(recording.acc, axis=1)
        impact = float(recording.t[int(np.argmax(np.nan_to_num(norm)))])
    walk = not entry.fall and entry.direction in ("forward", "backward")
    return Alarms(
        subject=entry.subject,
        activity=entry.activity,
        fall=entry.fall,
        hours=entry.n / entry.fs / 3600,
        onset=float(recording.t[entry.onset]) if has_exact_onset(recording) else None,
        impact=impact,
        raised=raised,
        walk=walk,
        plain=walk and not _NOT_PLAIN.search(f"{entry.code} {entry.activity}"),
    )


def has_exact_onset(recording: Recording) -> bool:
    """Whether the onset is known to a frame: labels a sample (SisFall's x_label) start late,
    and so do onsets derived from them."""
    entry = recording.entry
    return entry.fall and entry.onset >= 0 and "x_label" not in recording.truth


def figures(trials: Sequence[Alarms]) -> dict[str, Figure]:
    """The falls part of the evaluation; empty when no trial is a fall."""
    falls = [trial for trial in trials if trial.fall]
    if not falls:
        return {}
    others = [trial for trial in trials if not trial.fall]
    backward = [trial for trial in falls if is_backward(trial.activity)]
    stumbles = [trial for trial in others if _STUMBLE.search(trial.activity)]
    caught = sum(
        "stumble" in trial.raised and not {"fall_imminent", "fall"} & trial.raised.keys()
        for trial in stumbles
    )
    found = {
        "prediction_sensitivity": _share_of(falls, [t.predicted is not None for t in falls]),
        "prediction_early": _share_of(falls, [t.early for t in falls]),
        "prediction_specificity": share(
            sum("fall_imminent" not in t.raised for t in others), len(others), "ADL trials"
        ),
        **_lead(falls),
        "prediction_false_alarms": _false_alarms(others, "fall_imminent"),
        "detection_sensitivity": _share_of(falls, [t.detected for t in falls]),
        "detection_specificity": share(
            sum("fall" not in t.raised for t in others), len(others), "ADL trials"
        ),
        "detection_false_alarms": _false_alarms(others, "fall"),
    }
    if backward:
        found["backward_prediction_sensitivity"] = _share_of(
            backward, [t.predicted is not None for t in backward]
        )
        found["backward_detection_sensitivity"] = _share_of(
            backward, [t.detected for t in backward]
        )
    if stumbles:
        found["stumble_sensitivity"] = share(caught, len(stumbles), "stumble trials")
    return found


def walking(trials: Sequence[Alarms]) -> dict[str, Figure]:
    """Alarms in walking; empty when nobody walked.

    Plain walking counts every event that came, falls always; stumbles count in jogging as well.
    """
    walks = [trial for trial in trials if trial.walk]
    plain = [trial for trial in walks if trial.plain]
    found = {}
    if walks:
        found["stumble_in_walking_and_jogging"] = an_hour(
            [(t.subject, len(t.raised.get("stumble", [])), t.hours) for t in walks],
            "walking and jogging trials",
        )
    came = sorted({event for trial in plain for event in trial.raised} | {"fall_imminent", "fall"})
    if plain:
        for event in came:
            found[f"{event}_in_plain_walking"] = an_hour(
                [(t.subject, len(t.raised.get(event, [])), t.hours) for t in plain],
                "plain walking trials",
            )
    return found


def _share_of(falls: Sequence[Alarms], hits: Sequence[bool]) -> Figure:
    return share(sum(hits), len(falls), "fall trials")


def _false_alarms(others: Sequence[Alarms], event: str) -> Figure:
    return an_hour(
        [(t.subject, len(t.raised.get(event, [])), t.hours) for t in others], "ADL trials"
    )


def _lead(falls: Sequence[Alarms]) -> dict[str, Figure]:
    """Impact less first hit [s], where the onset is known to a frame."""
    leads = [
        (t.subject, t.impact - t.predicted)
        for t in falls
        if t.onset is not None and t.predicted is not None
    ]
    if all(trial.onset is None for trial in falls):
        return {}
    return {
        f"lead_time_{name}": over_subjects(
            leads,
            lambda lead, at=percentile: float(np.percentile(lead, at)),  # type: ignore[misc]
            "s",
            len(leads),
            "predicted falls",
        )
        for name, percentile in (("median", 50), ("p10", 10), ("p1", 1))
    }
