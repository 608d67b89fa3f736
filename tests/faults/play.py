"""Throws a fault at a guarding belt and reports what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from device.alerts import EVENTS, Level
from device.frames import Gap, Guard
from device.health import START_S
from tests.faults.rig import Rig
from tests.faults.table import Fault

READY_S = 5.0  # s at most from the start to full guarding
WALKING_S = 7.0  # s: the wearer of a scenario walks by then
FELT_S = 0.6  # s from the telling to the motor's being on, at most: another pattern ends first


@dataclass(slots=True)
class Outcome:
    """What came of a fault; `wrong` is empty when all that must be was so."""

    fault: str
    row: str
    detected_s: float | None = None  # None: nothing had to be told
    told: str = ""
    felt: str = ""
    stage: str = ""
    helper: str = ""  # what caregiver and technician are told to do
    gaps: str = ""  # reasons in the frames
    back_s: float | None = None
    wrong: str = ""

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def play(fault: Fault, folder: Path) -> Outcome:
    """One fault, from full guarding, or the start, to full guarding."""
    if fault.at_start:
        rig = Rig(folder, fault.config, fault.scenario, before=fault.throw)
    else:
        rig = Rig(folder, fault.config, fault.scenario)
    it = Outcome(fault.name, fault.row)
    full = lambda: rig.health.guard is Guard.FULL  # noqa: E731
    try:
        if not fault.at_start:
            if not rig.run(READY_S, full):
                it.wrong = f"never guarded: {rig.health.words()}"
                return it
            rig.run(WALKING_S if fault.scenario else 1.0)
        thrown, first = rig.clock.now(), len(rig.ring.frames)
        if not fault.at_start:
            fault.throw(rig)
        it.wrong = _detect(rig, fault, it, thrown) or _while_it_lasts(rig, fault, it, thrown)
        mended = rig.clock.now()
        fault.mend(rig)
        it.wrong = it.wrong or _recover(rig, fault, it, mended, thrown)
        found = {Gap(f.gap) for f in rig.ring.frames[first:]} - {Gap.NONE}
        it.gaps = ", ".join(sorted(gap.name.lower() for gap in found))
    finally:
        rig.close()
    return it


def _detect(rig: Rig, fault: Fault, it: Outcome, thrown: float) -> str:
    if not fault.event:
        rig.run(fault.lasts)
        return ""
    if not rig.run(fault.within + 1.0, lambda: rig.told(fault.event, "raised", thrown) is not None):
        return f"{fault.event} was not told within {fault.within + 1.0:g} s: {rig.health.words()}"
    record = rig.told(fault.event, "raised", thrown)
    assert record is not None
    it.detected_s = round(record.t - thrown, 3)
    it.told = fault.event + (f" ({record.detail})" if record.detail else "")
    it.helper = EVENTS[fault.event].helper
    if it.detected_s > fault.within:
        return f"told after {it.detected_s} s, not within {fault.within} s"
    it.felt = EVENTS[fault.event].felt[Level.FAULT] or ""
    rig.run(FELT_S)
    on = [t for t, duty in rig.duty if t >= record.t and duty > 0]
    if it.felt and not on:
        return f"{it.felt} was not felt"
    rig.run(fault.lasts)
    return ""


def _while_it_lasts(rig: Rig, fault: Fault, it: Outcome, thrown: float) -> str:
    if fault.at_start:  # for as long as nobody can know yet, it does not guard
        rig.run(START_S)
        thrown += START_S
    stages = {Guard(f.guard) for f in rig.ring.frames if f.tick >= thrown}
    it.stage = min(stages | {rig.health.guard}).name.lower()
    if it.stage != fault.stage.name.lower():
        return f"the stage was {it.stage}, not {fault.stage.name.lower()}"
    if fault.words and fault.words not in rig.health.words():
        return f"the technician is not told {fault.words!r}: {rig.health.words()}"
    it.told = it.told or fault.words
    meant = {fault.event, "not_guarding", *fault.also}
    others = {r.event for r in rig.journal.records if r.kind == "alert" and r.t >= thrown} - meant
    return f"also told: {', '.join(sorted(others))}" if others else ""


def _recover(rig: Rig, fault: Fault, it: Outcome, mended: float, thrown: float) -> str:
    def back() -> bool:
        cleared = not fault.event or rig.told(fault.event, "cleared", thrown) is not None
        said = fault.words and fault.words in rig.health.words()
        return cleared and rig.health.guard is Guard.FULL and not said

    if not rig.run(fault.back, back):
        return f"not back within {fault.back} s: {rig.health.words()}"
    it.back_s = round(rig.clock.now() - mended, 2)
    return ""
