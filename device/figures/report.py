"""All figures of a set: one observation a trial, then the figures over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from device.figures import attitude, falls, motion, steps
from device.figures.attitude import Attitude
from device.figures.falls import Alarms
from device.figures.figure import Figure
from device.figures.motion import Motion
from device.figures.steps import Steps
from device.recordings import Malformed, Recording
from device.replay import replay


@dataclass(frozen=True, slots=True)
class Observation:
    """What one trial has to say; None where its truth says nothing."""

    subject: str
    samples: int
    computed: bool  # the sensor itself was computed, from optical velocity
    alarms: Alarms
    steps: Steps | None
    motion: Motion | None
    attitude: Attitude | None


def observe(rate: float | None, recording: Recording) -> Observation:
    """Replay one trial, at its own rate or block-averaged to `rate`, and compare.

    Raises Malformed when it can't be had at that rate.
    """
    entry = recording.entry
    if rate is not None and (rate > entry.fs or entry.n < entry.fs / rate):
        raise Malformed(
            f"{entry.file}: trial {entry.trial}: its {entry.n} samples at {entry.fs:g} a second "
            f"can't be had at {rate:g}; choose a lower rate"
        )
    judged = replay(recording, rate)
    return Observation(
        entry.subject,
        entry.n,
        "x_vel" in recording.truth,
        falls.observe(recording, judged),
        steps.observe(recording, judged),
        motion.observe(recording, judged),
        attitude.observe(recording, judged),
    )


@dataclass(frozen=True, slots=True)
class Report:
    """What `rearguard evaluate` prints."""

    name: str
    rate: float | None  # 1/s it was averaged to; None: as recorded
    derived: bool  # the recordings were computed from motion capture, not recorded
    trials: int
    samples: int
    subjects: list[str]
    figures: dict[str, dict[str, Figure]]  # kind of truth → figure → value

    def to_dict(self) -> dict[str, Any]:
        """For JSON; every figure of a derived set says so itself."""
        beside = {"derived": True} if self.derived else {}
        return {
            "set": self.name,
            "derived": self.derived,
            "rate": self.rate,
            "trials": self.trials,
            "samples": self.samples,
            "subjects": self.subjects,
            "figures": {
                kind: {name: figure.to_dict() | beside for name, figure in found.items()}
                for kind, found in self.figures.items()
            },
        }


def report(name: str, rate: float | None, observations: Sequence[Observation]) -> Report:
    """Kinds of truth that the set does not have are left out."""
    alarms = [o.alarms for o in observations]
    moved = [o.motion for o in observations if o.motion]
    kinds = {
        "falls": falls.figures(alarms),
        "walking": falls.walking(alarms),
        "steps": steps.figures([o.steps for o in observations if o.steps]),
        "direction": motion.figures(moved),
        "speed": motion.speed_figures(moved),
        "attitude": attitude.figures([o.attitude for o in observations if o.attitude]),
    }
    return Report(
        name,
        rate,
        "derived" in name or any(o.computed for o in observations),
        len(observations),
        sum(o.samples for o in observations),
        sorted({o.subject for o in observations}),
        {kind: found for kind, found in kinds.items() if found},
    )
