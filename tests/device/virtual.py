"""Time that tests move, and a wearer's practice in it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from device.config import Session, Wearer
from device.core import Core
from device.haptics import Haptics
from device.plan import known
from device.policy import Policy
from device.practice import Practice
from device.questions import QUESTIONS
from device.readiness import Readiness
from device.screening import Override, Screening
from device.wearers import Wearers

EPOCH = 1.7e9  # s since 1970 at monotonic 0
DAY = 86400.0
SAFE = dict.fromkeys(QUESTIONS, False)


class Clock:
    """Time that is where it is put, and passes when it is waited for."""

    def __init__(self) -> None:
        self.t = 1000.0

    def now(self) -> float:
        return self.t

    def sleep_until(self, deadline: float) -> None:
        self.t = max(self.t, deadline)


class Wall:
    """A wall clock beside a virtual monotonic one; `off` [s] is what it has been set by since."""

    def __init__(self) -> None:
        self.off, self.trusted = 0.0, True

    def at(self, t: float) -> tuple[float, bool]:
        return EPOCH + t + self.off, self.trusted


class Shelf:
    """Keeps what is put there, at once, as JSON would have it."""

    def __init__(self) -> None:
        self.fault = ""
        self.files: dict[Path, Any] = {}

    def put(self, path: Path, value: dict[str, Any]) -> None:
        self.files[path] = value

    def drop(self, path: Path) -> None:
        for other in [p for p in self.files if path in (p, *p.parents)]:
            del self.files[other]


def practice(
    policy: Policy, haptics: Haptics, folder: Path, *, screened: bool = True,
    settings: Session | None = None, wall: Wall | None = None, desk: Any = None,
    override: Override | None = None, core: Core | None = None,
) -> Practice:  # fmt: skip
    """As `device/__main__.py` makes it; `screened`: the wearer may begin a session."""
    settings, wall = settings or Session(), wall or Wall()
    plans, faults = known(folder / "plans")
    assert not faults
    wearers = Wearers(folder / "wearers", Wearer().name, desk or Shelf())
    if screened and wearers.current.screening is None:
        wearers.current.screening = Screening(SAFE, wall.at(0.0)[0])
        wearers.current.perceived_at = wall.at(0.0)[0]
    ready = Readiness(settings, override or Override(), plans)
    core = core or Core(100.0)
    return Practice(settings, ready, wearers, policy, core, wall, haptics.feel, Random(1))
