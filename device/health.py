"""Freshness of what guarding rests on: one table of streams, and the stage of guarding it gives.

Freshness is judged here, outside the readings: a driver that goes quiet is seen all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from device.alerts import State
from device.config import Config
from device.frames import Guard

SERVICE_PERIOD = 2.0  # s between the service's signs of life (`consumed`), at most
START_S = 3.0  # s a belt may take from its start until it guards fully
CALM_S = 5.0  # s a lane must work before its fault is over


class Freshness(IntEnum):
    FRESH = 0
    LATE = 1
    STALE = 2


class Finding(NamedTuple):
    """A fault that began or ended."""

    event: str  # a key of alerts.EVENTS
    state: State  # raised or cleared
    detail: str = ""
    since: float = math.nan  # s, when the last good reading was measured


@dataclass(frozen=True, slots=True)
class Stream:
    """One row of the table."""

    period: float  # s between readings, nominal
    late: float  # s of silence that is late
    stale: float  # s of silence that is a fault
    recover: float  # s of unbroken readings that end it


def streams(config: Config, fs: float) -> dict[str, Stream]:
    """The table for this belt; `fs` is its source's samples a second."""
    sample, tick, ping = 1 / fs, 1 / config.loop.rate_hz, config.ranger.period_s
    table = {
        "imu": Stream(sample, late=0.05 + 2 * sample, stale=0.25 + 2 * sample, recover=1.0),
        # a decision 0.2 s late costs 0.24 m at 1.2 m/s, the fastest backward walk we expect
        "loop": Stream(tick, late=0.05 + tick, stale=0.2 + tick, recover=1.0),
        "service": Stream(SERVICE_PERIOD, late=2 * SERVICE_PERIOD, stale=10.0, recover=0.0),
    }
    if config.ranger.driver != "none":
        table["ranger"] = Stream(ping, late=3 * ping, stale=6 * ping, recover=1.0)
    return table


class _Watch:
    """One stream as it is now. Begins stale: nothing has been seen."""

    def __init__(self, row: Stream) -> None:
        self.row = row
        self.seen = -math.inf  # s, newest reading
        self.freshness = Freshness.STALE
        self.known = False  # it has been fresh
        self._unbroken_since = math.inf  # s

    def see(self, t: float) -> None:
        if t - self.seen > self.row.late:
            self._unbroken_since = t
        self.seen = t

    def check(self, now: float) -> Freshness:
        silence = now - self.seen
        if silence > self.row.stale:
            self.freshness = Freshness.STALE
        elif (
            self.freshness is not Freshness.STALE
            or self.seen - self._unbroken_since >= self.row.recover
        ):
            self.freshness = Freshness.LATE if silence > self.row.late else Freshness.FRESH
            self.known = True
        return self.freshness


class Health:
    """The streams, the stage of guarding they allow, and the faults that show nowhere else."""

    def __init__(self, table: dict[str, Stream], now: float) -> None:
        self._watches = {name: _Watch(row) for name, row in table.items()}
        self._watches["service"].see(now)  # it may need its time to start
        self._lanes: dict[str, str] = {}  # lane → what is wrong with it
        self._lanes_calm_at = -math.inf
        self._said: set[str] = set()  # faults that are open
        self._patient_until = now + START_S
        self.guard = Guard.NOT_GUARDING

    def see(self, stream: str, t: float) -> None:
        """A good reading of `stream`, measured at `t` [s]; KeyError for one not in the table."""
        self._watches[stream].see(t)

    def lane(self, now: float, name: str, fault: str) -> None:
        """What is wrong with a lane to the service, in one line; empty: it works."""
        if fault:
            self._lanes[name], self._lanes_calm_at = fault, now + CALM_S
        elif name in self._lanes and now >= self._lanes_calm_at:
            del self._lanes[name]

    def check(self, now: float, is_open: Callable[[str], bool]) -> list[Finding]:
        """Settle the stage of guarding and return the faults that began or ended.

        `is_open` says whether an event the core judges is open now (policy.Policy.is_open).
        """
        for watch in self._watches.values():
            watch.check(now)
        reasons = self._reasons(is_open)
        starting = now < self._patient_until and bool(reasons)
        self.guard = Guard.NOT_GUARDING if starting else _stage(reasons)
        if not starting:
            self._patient_until = -math.inf
        lane = next(iter(self._lanes.items()), None)
        unguarded = self.guard is Guard.NOT_GUARDING and not starting
        loop, service = self._watches["loop"], self._watches["service"]
        late = self._stale("loop") and loop.known
        silence = f"no word from the service for {service.row.stale:.0f} s"
        return [
            *self._say("loop_late", late, "the loop stood still", loop.seen),
            *self._say("service_lost", self._stale("service"), silence, service.seen),
            *self._say("storage_fault", lane is not None, f"{lane[0]}: {lane[1]}" if lane else ""),
            *self._say("not_guarding", unguarded, ", ".join(reasons)),
        ]

    def ages(self, now: float) -> dict[str, float]:
        """Stream → s since its last good reading; streams never seen are left out."""
        return {
            name: now - watch.seen
            for name, watch in self._watches.items()
            if watch.seen > -math.inf
        }

    def words(self) -> str:
        """One line: the stage of guarding, each stream's freshness, and broken lanes."""
        said = [self.guard.name.lower()]
        said += [f"{name} {watch.freshness.name.lower()}" for name, watch in self._watches.items()]
        return "; ".join(said + [f"{name}: {fault}" for name, fault in self._lanes.items()])

    def _stale(self, stream: str) -> bool:
        return self._watches[stream].freshness is Freshness.STALE

    def _reasons(self, is_open: Callable[[str], bool]) -> list[str]:
        """What keeps the belt from guarding fully."""
        reasons = []
        if self._stale("loop"):
            reasons.append("loop late")
        if is_open("not_worn"):
            reasons.append("not worn")
        if self._stale("imu") or is_open("imu_fault"):
            reasons.append("no motion sensor")
        if "ranger" not in self._watches or self._stale("ranger") or is_open("rear_blind"):
            reasons.append("no rear sensor")
        return reasons

    def _say(self, event: str, wrong: bool, detail: str, since: float = math.nan) -> list[Finding]:
        if wrong == (event in self._said):
            return []
        if wrong:
            self._said.add(event)
            return [Finding(event, State.RAISED, detail, since)]
        self._said.remove(event)
        return [Finding(event, State.CLEARED)]


def _stage(reasons: list[str]) -> Guard:
    if reasons == ["no motion sensor"]:
        return Guard.NO_IMU
    if reasons == ["no rear sensor"]:
        return Guard.NO_REAR
    return Guard.NOT_GUARDING if reasons else Guard.FULL
