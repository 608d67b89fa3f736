"""What guarding rests on, in one table, and the stage of guarding it allows.

Each row is a stream (readings that come at a rate) or a part (something that says what is wrong
with it). Freshness is judged here, outside the readings: a driver that goes quiet is seen all the
same. What is felt, who is told what, and what helps, has the row of its event in alerts.EVENTS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from device.alerts import State
from device.config import Config
from device.frames import Guard

SERVICE_PERIOD = 2.0  # s between the service's signs of life (`consumed`), at most
START_S = 3.0  # s a belt may take from its start until it guards fully
STUCK_S = 30.0  # s: nobody holds a button that long


class Freshness(IntEnum):
    FRESH = 0
    LATE = 1
    STALE = 2  # and worse: nothing that could be used has come
    FROZEN = 3
    ABSURD = 4


class Finding(NamedTuple):
    """A fault that began or ended."""

    event: str  # a key of alerts.EVENTS
    state: State  # raised or cleared
    detail: str = ""
    since: float = math.nan  # s, when the last good reading was measured


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. Without a period it is a part."""

    event: str  # that tells it (a key of alerts.EVENTS); empty: only the technician is told
    recover: float  # s without the fault that end it
    stage: Guard = Guard.FULL  # how far the belt still guards meanwhile
    reason: str = ""  # in words, when that is not fully
    judged: bool = False  # the core raises the event, as soon as its judgement needs the stream
    period: float = math.nan  # s between readings, nominal
    late: float = math.inf  # s of silence that is late
    stale: float = math.inf  # s of silence that is a fault
    silent: str = ""  # what its silence is called
    frozen: str = ""  # how a reading that only repeats itself is known
    absurd: str = ""  # how one that cannot be true is known


def table(config: Config, fs: float) -> dict[str, Row]:
    """The table for this belt; `fs` is its source's samples a second."""
    sample, tick, ping = 1 / fs, 1 / config.loop.rate_hz, config.ranger.period_s
    none = Guard.NOT_GUARDING
    rows = {
        "imu": Row(
            "imu_fault", 1.0, Guard.NO_IMU, "no motion sensor", judged=True,
            period=sample, late=0.05 + 2 * sample, stale=0.25 + 2 * sample,
            frozen="either half says the same for 0.25 s (drivers/imu.py)",
            absurd="a turn no waist makes, all axes clipped, no temperature of a living chip",
        ),
        "ranger": Row(
            "rear_blind", 1.0, Guard.NO_REAR, "no rear sensor", judged=True,
            period=ping, late=3 * ping, stale=6 * ping,
            frozen="its line never falls, or one distance while walking (core/blind.c)",
            absurd="pulses too short or broken, distances that do not follow each other",
        ),
        # a decision 0.2 s late costs 0.24 m at 1.2 m/s, the fastest backward walk we expect
        "loop": Row(
            "loop_late", 1.0, none, "loop late",
            period=tick, late=0.05 + tick, stale=0.2 + tick, silent="the loop stood still",
        ),
        "button": Row(
            "button_fault", 1.0,
            period=tick, late=10.0, stale=STUCK_S,
            silent=f"the button has been down for {STUCK_S:.0f} s: stuck, or lain on",
        ),
        "service": Row(
            "service_lost", 0.0,
            period=SERVICE_PERIOD, late=2 * SERVICE_PERIOD, stale=10.0,
            silent="no word from the service for 10 s",
        ),
        "motor": Row("motor_fault", 1.0, none, "the motor cannot be felt"),
        "battery": Row("battery_low", 5.0),
        "supply": Row("battery_low", 10.0),
        "frame ring": Row("storage_fault", 5.0),
        "journal": Row("storage_fault", 5.0),
        "control socket": Row("storage_fault", 5.0),
        "black box": Row("storage_fault", 5.0),
        "profiles": Row("storage_fault", 5.0),
        "throttling": Row("", 5.0),
        "identity": Row("", 0.0),
        "calibration": Row("", 0.0),
        "rights": Row("", 0.0),
        "overload": Row("", 5.0),
    }  # fmt: skip
    if config.ranger.driver == "none":
        del rows["ranger"]
    return rows


class _Stream:
    """One stream as it is now. Begins stale: nothing has been seen."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.seen = -math.inf  # s, newest reading that could be used
        self.freshness = Freshness.STALE
        self.known = False  # it has been fresh
        self._worse = Freshness.STALE  # what its silence is, by what came instead
        self._unbroken_since = math.inf  # s

    def see(self, t: float) -> None:
        if t - self.seen > self.row.late:
            self._unbroken_since = t
        self.seen = t
        self._worse = Freshness.STALE

    def spoil(self, how: Freshness) -> None:
        self._worse = how

    def check(self, now: float) -> None:
        silence = now - self.seen
        if silence > self.row.stale:
            self.freshness = self._worse
        elif (
            self.freshness < Freshness.STALE or self.seen - self._unbroken_since >= self.row.recover
        ):
            self.freshness = Freshness.LATE if silence > self.row.late else Freshness.FRESH
            self.known = True

    @property
    def fault(self) -> str:
        """In one line; empty: none."""
        return (self.row.silent or "silent") if self.freshness >= Freshness.STALE else ""

    @property
    def word(self) -> str:
        return self.freshness.name.lower()


class _Part:
    """One part as it is now. Begins whole."""

    known, seen = True, math.nan

    def __init__(self, row: Row) -> None:
        self.row = row
        self.fault = ""
        self._calm_at = -math.inf  # s

    def note(self, now: float, fault: str) -> None:
        if fault:
            self.fault, self._calm_at = fault, now + self.row.recover
        elif now >= self._calm_at:
            self.fault = ""

    @property
    def word(self) -> str:
        return f": {self.fault}" if self.fault else ""


class Health:
    """The rows, the stage of guarding they allow, and the faults that show nowhere else."""

    def __init__(self, rows: Mapping[str, Row], now: float) -> None:
        self._streams = {k: _Stream(r) for k, r in rows.items() if not math.isnan(r.period)}
        self._parts = {k: _Part(r) for k, r in rows.items() if math.isnan(r.period)}
        for name in ("service", "button"):  # the one may need its time to start, the other rests
            self._streams[name].see(now)
        self._said: set[str] = set()  # faults that are open
        self._rows: dict[str, _Stream | _Part] = {**self._streams, **self._parts}
        self._told: dict[str, list[str]] = {}  # event told from here → its rows, in their order
        for name, row in rows.items():
            if row.event and not row.judged:
                self._told.setdefault(row.event, []).append(name)
        self._patient_until = now + START_S
        self.guard = Guard.NOT_GUARDING

    def see(self, stream: str, t: float) -> None:
        """A good reading of `stream`, measured at `t` [s]; KeyError for one not in the table."""
        self._streams[stream].see(t)

    def spoil(self, stream: str, how: Freshness) -> None:
        """What came instead of a good reading: FROZEN or ABSURD."""
        self._streams[stream].spoil(how)

    def note(self, now: float, faults: Mapping[str, str]) -> None:
        """Part → what is wrong with it, in one line; empty: nothing. KeyError for a stranger."""
        for name, fault in faults.items():
            self._parts[name].note(now, fault)

    def check(self, now: float, is_open: Callable[[str], bool]) -> list[Finding]:
        """Settle the stage of guarding and return the faults that began or ended.

        `is_open` says whether an event the core judges is open now (policy.Policy.is_open).
        """
        for stream in self._streams.values():
            stream.check(now)
        stage, reasons = self._stage(is_open)
        starting = now < self._patient_until and bool(reasons)
        self.guard = Guard.NOT_GUARDING if starting else stage
        if not starting:
            self._patient_until = -math.inf
        unguarded = self.guard is Guard.NOT_GUARDING and not starting
        found = [f for event in self._told for f in self._settle(event)]
        return [*found, *self._say("not_guarding", ", ".join(reasons) if unguarded else "")]

    def ages(self, now: float) -> dict[str, float]:
        """Stream → s since its last good reading; streams never seen are left out."""
        return {k: now - s.seen for k, s in self._streams.items() if s.seen > -math.inf}

    def words(self) -> str:
        """One line: the stage of guarding, each stream's freshness, and broken parts."""
        said = [self.guard.name.lower()]
        said += [f"{name} {stream.word}" for name, stream in self._streams.items()]
        return "; ".join(said + [name + p.word for name, p in self._parts.items() if p.fault])

    def _settle(self, event: str) -> list[Finding]:
        """All rows of one event are one fault."""
        rows = {name: self._rows[name] for name in self._told[event]}
        wrong = {name: it for name, it in rows.items() if it.known and it.fault}
        details = [
            it.fault if name in self._streams else f"{name}: {it.fault}"
            for name, it in wrong.items()
        ]
        since = next((it.seen for it in wrong.values()), math.nan)
        return self._say(event, "; ".join(details), since)

    def _stage(self, is_open: Callable[[str], bool]) -> tuple[Guard, list[str]]:
        """How far the belt can guard, and what keeps it from guarding fully."""
        stages, reasons = [Guard.FULL], []
        for it in self._rows.values():
            row = it.row
            if row.stage < Guard.FULL and (it.fault or (row.judged and is_open(row.event))):
                stages.append(row.stage)
                reasons.append(row.reason)
        if "ranger" not in self._streams:
            stages.append(Guard.NO_REAR)
            reasons.append("no rear sensor")
        if is_open("not_worn"):
            stages.append(Guard.NOT_GUARDING)
            reasons.append("not worn")
        blind = {Guard.NO_IMU, Guard.NO_REAR} <= set(stages)
        return (Guard.NOT_GUARDING if blind else min(stages)), reasons

    def _say(self, event: str, detail: str, since: float = math.nan) -> list[Finding]:
        if bool(detail) == (event in self._said):
            return []
        if detail:
            self._said.add(event)
            return [Finding(event, State.RAISED, detail, since)]
        self._said.remove(event)
        return [Finding(event, State.CLEARED)]
