"""A whole belt in virtual time: real drivers, core, policy, health and loop, on simulated parts.

Only the lanes end in lists. The wearer stands, unless a scenario is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from device.alerts import Record
from device.config import Battery, Config, Imu, Motor, Wearer
from device.core import Core
from device.drivers.pi_power import PiPower
from device.frames import Frame
from device.haptics import Haptics
from device.health import Health, table
from device.lanes import Lanes
from device.loop import Loop
from device.policy import Policy
from device.sources.belt import assemble
from device.sources.scenarios import SCENARIOS
from device.sources.simulated import Bench
from device.sources.worker import Inline
from tests.device.virtual import Clock, Shelf, practice

TICK = 0.01  # s
CONFIG = Config(
    imu=Imu(power_pin=5),
    motor=Motor(driver="drv2605l"),
    battery=Battery(gauge="max17048"),
)


class Ring:
    """Keeps every frame."""

    sequence = 0
    error = ""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.fs = math.nan  # as last said

    def write(self, frame: Frame) -> None:
        if self.error:
            raise OSError(28, self.error)
        self.sequence += 1
        self.frames.append(frame)

    def retime(self, fs: float) -> None:
        self.fs = fs


class Journal:
    """Keeps every record, with the time it was told."""

    fault = ""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def put(self, record: Record) -> None:
        self.records.append(record)

    def consumed(self, segment: str) -> None:
        return


class Box:
    fault = ""

    def note(self, sequence: int, core: Core) -> None:
        return

    def see(self, record: Record) -> None:
        return


class Control:
    """A service that says every second that it lives."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now, self.alive, self.error = now, True, ""
        self._due = -math.inf

    def poll(self) -> list[dict[str, Any]]:
        if self.error:
            raise OSError(self.error)
        if not self.alive or self.now() < self._due:
            return []
        self._due = self.now() + 1.0
        return [{"command": "consumed", "request": "r", "by": "service", "segment": "s"}]


class Stalled(Inline[Any]):
    """A bus's thread that may hang: what it was asked is done afterwards."""

    hangs = False
    _left: Any = None

    def ask(self, job: Any) -> Any:
        if self.hangs:
            self._left = self._left or job
            return None
        job, self._left = self._left or job, None
        return job()


class Rig:
    other: Any  # what else holds a pin

    def __init__(
        self, folder: Path, config: Config = CONFIG, scenario: str = "", motor: str = "",
        before: Callable[[Rig], None] = lambda rig: None,
    ) -> None:  # fmt: skip
        """`before` spoils the parts before the belt is put together."""
        self.config, self.clock, self.folder = config, Clock(), folder
        self.parts = Bench(config, SCENARIOS[scenario or "clear"].script, self.clock)
        self.parts.motor.motor = motor
        self.distance: Callable[[float], float | None] = lambda t: None
        if not scenario:
            still = ((0.0, 0.0, 9.81), (0.0, 0.0, 0.0))
            self.parts.imu._motion = lambda t: still
            self.parts.world.advance = lambda t: None  # type: ignore[method-assign]
            self.parts.ranger._distance = self.parts.rear._distance = self._distance
        self.flags = folder / "devices/platform/soc/soc:firmware/get_throttled"
        self.flags.parent.mkdir(parents=True)
        self.flags.write_text("0\n")
        self.worker = Stalled()
        before(self)
        self.source, self.motor = assemble(
            "rig", config, self._open, self.parts.pins, lambda name: self.worker, PiPower(folder)
        )  # fmt: skip
        self.ring, self.journal, self.box = Ring(), Journal(), Box()
        self.control = Control(self.clock.now)
        self.health = Health(table(config, self.source.fs), self.clock.now())
        core = Core(self.source.fs, has_ranger=float(config.ranger.driver != "none"))
        policy, haptics = Policy(Wearer(), "belt", "run", "rig"), Haptics(self.motor, 1.0)
        self.shelf = Shelf()
        self.loop = Loop(
            self.clock, 1 / TICK, self.source, core, policy,
            practice(policy, haptics, folder, desk=self.shelf), haptics, self.health,
            Lanes(self.ring, self.journal, self.control, self.box),
        )  # fmt: skip
        self.duty: list[tuple[float, float]] = []  # s, duty after that tick
        self.deadline = self.clock.now()

    def _open(self, number: int) -> Any:
        return self.parts.open(number)  # looked up each time: a fault may be in its place

    def _distance(self, t: float) -> float | None:
        return self.distance(t)

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Tick for `seconds`, or until it is so; whether it came so."""
        end = self.deadline + seconds
        while self.deadline < end:
            self.clock.sleep_until(self.deadline)
            self.loop.tick(self.deadline)
            self.duty.append((self.clock.now(), self.motor.duty))
            self.deadline = max(self.deadline, self.clock.now()) + TICK
            if until():
                return True
        return until()

    def told(self, event: str, state: str, since: float) -> Record | None:
        """The first such record at or after `since` [s]."""
        return next(
            (
                r
                for r in self.journal.records
                if (r.event, r.state) == (event, state) and r.t >= since
            ),
            None,
        )

    def close(self) -> None:
        self.source.close()


def with_ranger(**keys: Any) -> Config:
    return replace(CONFIG, ranger=replace(CONFIG.ranger, **keys))
