"""The loop on the belt: frame, core, policy, haptics, ring, journal; left to right, on one page."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Callable, Iterable

from device.alerts import EVENTS, Level, Record, State
from device.clock import Clock
from device.core import Core
from device.frames import HEARD, Echo, Frame, Gap, Guard
from device.gestures import Gesture, Gestures
from device.haptics import Haptics, play
from device.health import Freshness, Health
from device.lanes import Lanes
from device.lateness import Lateness, Overload
from device.orders import Orders
from device.policy import Policy
from device.practice import Practice
from device.reach import Reach
from device.sources import Source
from device.supervisor import NOBODY, Supervisor

SPOILT = {Gap.FROZEN: Freshness.FROZEN, Gap.RANGE: Freshness.ABSURD}
SPOILT_PINGS = {Echo.STUCK: Freshness.FROZEN, Echo.GLITCH: Freshness.ABSURD}
REACHED = {Guard.FULL: "guarding", Guard.NO_REAR: "no_rear", Guard.NO_IMU: "no_imu"}
SHED_TO = 5  # ticks to a frame in the ring while telemetry is shed: the service must see life
ANSWERS = {Gesture.SHORT: "answer", Gesture.DOUBLE: "answer_twice", Gesture.LONG: "danger"}

log = logging.getLogger("device")


class Loop:
    """Guards at a fixed rate. What fails in a lane is told; what fails in guarding is raised."""

    def __init__(
        self, clock: Clock, rate: float, source: Source, core: Core, policy: Policy,
        practice: Practice, haptics: Haptics, health: Health, lanes: Lanes,
        supervisor: Supervisor = NOBODY,
    ) -> None:  # fmt: skip
        """`rate`: ticks a second."""
        self.clock, self.period = clock, 1.0 / rate
        self.source, self.core, self.policy, self.practice = source, core, policy, practice
        self.haptics, self.health, self.lanes = haptics, health, lanes
        self.supervisor = supervisor
        self.lateness, self.overload = Lateness(), Overload()
        self.reach = Reach()
        self.orders = Orders(
            policy, practice, haptics, health, lanes, self.reach, self.lateness, source.parts
        )
        self.gestures = Gestures()
        self.sample = -1  # index of the newest, as the core counts them
        self.skipped = 0  # deadlines that were missed altogether
        self.ticks = 0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Tick on absolute deadlines until `stopping`; the motor is off afterwards, come what may.

        A tick that comes late is made once, with its lateness; the deadlines that have passed by
        its end are skipped, never made up for in a burst: others need the processor too.
        """
        gc.freeze()
        gc.disable()
        try:
            deadline = self.clock.now()
            self.tell(self.policy.resume(deadline))
            self.tell(self.practice.resume(deadline))
            while not stopping():
                self.clock.sleep_until(deadline)
                self.tick(deadline)
                missed = math.floor((self.clock.now() - deadline) / self.period)
                self.skipped += missed
                deadline += (missed + 1) * self.period
            self.farewell()
        finally:
            self.haptics.off()
            gc.enable()
            gc.unfreeze()

    def tick(self, deadline: float) -> None:
        """From the samples that have come to what is felt, kept and told."""
        now = self.clock.now()
        self.ticks += 1
        self.lateness.note(now - deadline)
        frames = self.source.read(now)
        if self.source.fs != self.core.fs:  # a motion sensor that was not there at the start
            self.core.retime(self.source.fs)
            self.lanes.retime(self.source.fs)
        for frame in frames:
            frame.tick, frame.lateness = deadline, now - deadline
            self.tell(self.judge(frame, now))
        if frames:
            self.press(bool(frames[-1].button), now)
        for request in self.lanes.requests():
            self.tell(self.orders.obey(now, request))
        self.guard(now)
        self.tell(self.practice.step(now, frames, self.health.guard))
        if self.policy.falling(now):
            self.haptics.off()  # a buzz cannot help a fall under way, and may startle
        else:
            felt = [*self.policy.felt(), *self.reach.felt(now)]
            self.haptics.update(self.clock.now(), felt, self.policy.time_left)
        for frame in frames:
            frame.guard, frame.level = self.health.guard, self.policy.level
            frame.motor = self.haptics.duty
        self.keep(frames)
        self.health.see("loop", now)
        if any(map(_fresh, frames)):
            self.supervisor.alive(now)  # decided and acted, on data of this moment; nothing less
        self.overload.note(self.clock.now() - deadline > self.period)

    def judge(self, frame: Frame, now: float) -> list[Record]:
        """One sample through the core and the policy."""
        if frame.ping_echo >= 0:
            self.core.ping(frame.ping_t, frame.ping_range, frame.ping_echo)
            if frame.ping_echo in HEARD:
                self.health.see("ranger", frame.ping_t)
            elif how := SPOILT_PINGS.get(Echo(frame.ping_echo)):
                self.health.spoil("ranger", how)
        if frame.gap == Gap.NONE:
            self.health.see("imu", frame.t)
        elif how := SPOILT.get(Gap(frame.gap)):
            self.health.spoil("imu", how)
        if frame.drift:
            self.core.drift(frame.drift)
        self.sample += 1
        return self.policy.judge(now, self.sample, self.core.step(frame), frame)

    def tell(self, records: Iterable[Record]) -> bool:
        """To the skin at once, then to the journal; whether anything was felt."""
        felt = False
        for record in records:
            pattern = _pattern(record)
            quiet = self.policy.falling(record.t)
            if pattern and not quiet and self.practice.may_feel(record.t, record):
                level = Level[record.level.upper()]
                record.buzz_t = self.haptics.feel(pattern, self.clock.now(), level)
                felt = felt or record.buzz_t is not None
            self.lanes.put(record)
            self.reach.see(record)
            # what was decided about the body is for the journal of records, not for the log
            urgency = logging.INFO if record.level == Level.FAULT.word else logging.DEBUG
            log.log(urgency, "%s %s: %s", record.event, record.state, record.detail)
            self.tell(self.practice.hear(record.t, record))
        return felt

    def press(self, down: bool, now: float) -> None:
        """The button's level; a button that never comes up is found by its silence."""
        if not down:
            self.health.see("button", now)
        if gesture := self.gestures.sample(now, down):
            self.answer(gesture, now)

    def keep(self, frames: list[Frame]) -> None:
        """For the service and the black box; under overload only now and then."""
        if not self.overload.shedding:
            for frame in frames:
                self.lanes.write(frame)
            self.lanes.note(self.core)
        elif frames and self.ticks % SHED_TO == 0:
            self.lanes.write(frames[-1])

    def answer(self, gesture: Gesture, now: float) -> None:
        """Every gesture is felt, by what it brought about or by a buzz of its own."""
        told = self.policy.press(now, gesture)
        told = told or self.practice.press(now, gesture, self.health.words())
        if not self.tell(told) and not self.practice.takes_presses:
            self.haptics.feel(ANSWERS[gesture], self.clock.now())

    def guard(self, now: float) -> None:
        """How far the belt guards: better is felt by the stage reached, worse by the fault told."""
        shedding = "too slow: frames are left out" if self.overload.shedding else ""
        faults = {**self.lanes.faults(), **self.source.faults(), **self.practice.faults()}
        self.health.note(now, {**faults, "overload": shedding})
        before = self.health.guard
        self.tell(self.policy.find(now, self.health.check(now, self.policy.is_open)))
        if self.health.guard != before:
            self.supervisor.status(self.health.words())
        if self.health.guard > before:
            log.info("guarding: %s", self.health.words())
            self.haptics.feel(REACHED[self.health.guard], self.clock.now())

    def farewell(self) -> None:
        """The wearer feels that guarding ends."""
        self.haptics.off()
        play(self.haptics, self.clock, "not_guarding")


def _fresh(frame: Frame) -> bool:
    """Whether a frame brings anything that can be judged."""
    return frame.gap == Gap.NONE or frame.ping_echo in HEARD


def _pattern(record: Record) -> str | None:
    """What is felt for a record."""
    if record.kind == "session":
        return "refused" if record.event == "refused" else None
    if record.kind != "alert":
        return None
    if record.state == State.ACKNOWLEDGED:
        return "coming" if record.level == Level.DANGER.word else None
    if record.event != "fall_cancelled" and record.state not in (State.RAISED, State.CONFIRMED):
        return None
    return EVENTS[record.event].felt.get(Level[record.level.upper()])
