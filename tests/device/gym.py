"""A wearer who does as told, tick by tick, before the real practice: no core, no chips."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device.alerts import Level, Record, State
from device.config import Session, Wearer
from device.core import Judgement
from device.frames import Echo, Frame, Guard
from device.gestures import Gesture
from device.haptics import Haptics
from device.policy import Policy
from device.screening import Override
from tests.device.test_haptics import Motor
from tests.device.virtual import Shelf, Wall, practice

TICK = 0.05


class Gym:
    """`records` is all that was told; `felt` the patterns that were begun, with their times."""

    def __init__(
        self, folder: Path, settings: Session | None = None, run: str = "run1", t: float = 1000.0,
        desk: Any = None, wall: Wall | None = None, screened: bool = True,
        override: Override | None = None,
    ) -> None:  # fmt: skip
        self.t, self.wall, self.shelf = t, wall or Wall(), desk or Shelf()
        self.policy = Policy(Wearer(), "belt", run, "simulated:test")
        self.haptics = Haptics(Motor(), 1.0)
        self.felt: list[tuple[float, str]] = []
        feel = self.haptics.feel

        def note(name: str, now: float, level: Level = Level.NONE) -> float | None:
            begun = feel(name, now, level)
            if begun is not None:
                self.felt.append((now, name))
            return begun

        self.haptics.feel = note  # type: ignore[method-assign]
        self.practice = practice(
            self.policy, self.haptics, folder, settings=settings, wall=self.wall,
            desk=self.shelf, screened=screened, override=override,
        )  # fmt: skip
        self.guard, self.battery, self.button = Guard.FULL, math.nan, 0
        self.records: list[Record] = []
        self._steps = 0.0
        self._next_ping = t
        self.do("still", TICK)

    # what happens

    def do(
        self, what: str, seconds: float, *, step_s: float = 0.55, uneven: float = 0.0,
        speed: float = 0.6, hand: bool = False, covered: bool = False,
        until: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """`what`: backward, forward, still. `uneven`: share by which every other pair differs."""
        way = {"backward": -1, "forward": 1, "still": 0}[what]
        end = self.t + seconds
        begun, count = self.t, 0
        due = self.t + step_s
        while self.t < end - 1e-9 and not until():
            self.t += TICK
            frame = Frame(
                t=self.t, direction=way, speed=speed * way, lean=-0.05, sway=0.5,
                battery=self.battery, button=self.button, cadence=60.0 / step_s,
            )  # fmt: skip
            if way and self.t >= due:
                count += 1
                frame.step, frame.step_time = 1, due
                due += step_s * (1.0 + uneven * (1 if count // 2 % 2 else -1))
            if self.t >= self._next_ping:
                self._next_ping += 0.06
                frame.ping_t, frame.ping_echo = self.t, Echo.NOTHING_IN_RANGE
                if covered or (hand and self.t - begun > 0.5 and self.t < end - 0.5):
                    frame.ping_echo, frame.ping_range = Echo.DISTANCE, 0.2
            self.policy.judge(self.t, 0, [], frame)
            self.tell(self.practice.step(self.t, [frame], self.guard))
            self.haptics.update(self.t)

    def tell(self, records: list[Record]) -> None:
        """As the loop does."""
        for record in records:
            self.records.append(record)
            self.tell(self.practice.hear(self.t, record))

    def press(self, gesture: Gesture = Gesture.SHORT) -> list[Record]:
        records = self.practice.press(self.t, gesture, "as it is")
        self.tell(records)
        return records

    def ask(self, command: str, by: str = "http", **arguments: Any) -> list[Record]:
        """The records of a command, its result the last."""
        request = {"command": command, "request": "r", "by": by, **arguments}
        records = self.practice.command(self.t, request, "as it is")
        self.tell(records)
        return records

    def judged(self, event: str, level: Level, state: State = State.RAISED) -> list[Record]:
        """The core says so; it is felt as the loop would have it felt."""
        judgement = Judgement(self.t, 0, event, level, state)
        records = self.policy.judge(self.t, 0, [judgement], Frame(t=self.t))
        for record in records:
            if state is State.RAISED and self.practice.may_feel(self.t, record):
                record.buzz_t = self.t
        self.tell(records)
        return records

    def begin(self, plan: str = "steady") -> None:
        """Start, and show the hand."""
        self.ask("start", plan=plan)
        self.do("still", 3.0, hand=True)
        assert self.said("start"), self.records

    # what came of it

    def said(self, event: str) -> list[Record]:
        return [r for r in self.records if r.kind == "session" and r.event == event]

    def last(self, event: str) -> Record:
        return self.said(event)[-1]

    def patterns(self, *names: str) -> list[str]:
        return [name for _, name in self.felt if name in names or not names]
