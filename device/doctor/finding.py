"""What the doctor found: one line a part, what is wrong by its name in the table of remedies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from device.frames import Guard
from device.remedies import REMEDIES


@dataclass(frozen=True, slots=True)
class Finding:
    """One part. Without a `fault` it is well, or (`unknown`) could not be judged."""

    part: str
    said: str  # what was seen, in one line
    fault: str = ""  # a key of REMEDIES
    left: Guard = Guard.FULL  # how far the belt still guards with that fault
    unknown: bool = False  # nobody could say; `said` tells why

    @property
    def verdict(self) -> str:
        if self.fault:
            return "fault" if self.left < Guard.FULL else "warning"
        return "unknown" if self.unknown else "well"

    def to_dict(self) -> dict[str, Any]:
        remedy = REMEDIES[self.fault]._asdict() if self.fault else {}
        about = {"fault": self.fault, "guards": self.left.name.lower(), **remedy}
        said = {"part": self.part, "verdict": self.verdict, "said": self.said}
        return said | (about if self.fault else {})


@dataclass(slots=True)
class Report:
    """All findings of one examination."""

    asked: str  # what was examined: the running device, or the parts themselves
    findings: list[Finding] = field(default_factory=list)

    @property
    def guard(self) -> Guard:
        """How far this belt can guard; without eyes behind and without a sense of motion: not."""
        stages = {finding.left for finding in self.findings if finding.fault}
        if {Guard.NO_IMU, Guard.NO_REAR} <= stages:
            return Guard.NOT_GUARDING
        return min(stages, default=Guard.FULL)

    def to_dict(self) -> dict[str, Any]:
        return {
            "guarding_possible": self.guard is Guard.FULL,
            "guards": self.guard.name.lower(),
            "asked": self.asked,
            "findings": [finding.to_dict() for finding in self.findings],
        }
