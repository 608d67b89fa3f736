"""The loop on the belt: frame, core, policy, haptics, ring, journal; left to right, on one page."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Callable, Iterable

from device.alerts import EVENTS, Level, Record, State
from device.clock import Clock
from device.core import Core
from device.frames import Echo, Frame, Gap
from device.gestures import Gesture, Gestures
from device.haptics import PATTERNS, Haptics
from device.health import Health
from device.lanes import Lanes
from device.orders import Orders
from device.policy import Policy
from device.sources import Source

ANSWERS = {Gesture.SHORT: "answer", Gesture.DOUBLE: "answer_twice", Gesture.LONG: "danger"}

log = logging.getLogger("device")


class Loop:
    """Guards at a fixed rate. What fails in a lane is told; what fails in guarding is raised."""

    def __init__(
        self, clock: Clock, rate: float, source: Source, core: Core, policy: Policy,
        haptics: Haptics, health: Health, lanes: Lanes,
    ) -> None:  # fmt: skip
        """`rate`: ticks a second."""
        self.clock, self.period = clock, 1.0 / rate
        self.source, self.core, self.policy = source, core, policy
        self.haptics, self.health, self.lanes = haptics, health, lanes
        self.orders = Orders(policy, haptics, health, lanes)
        self.gestures = Gestures()
        self.sample = -1  # index of the newest, as the core counts them
        self.skipped = 0  # deadlines that were missed altogether

    def run(self, stopping: Callable[[], bool]) -> None:
        """Tick on absolute deadlines until `stopping`; the motor is off afterwards, come what may.

        A tick that comes late is made once, with its lateness; the deadlines that have passed by
        its end are skipped, never made up for in a burst: others need the processor too.
        """
        gc.freeze()
        gc.disable()
        try:
            deadline = self.clock.now()
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
        frames = self.source.read(now)
        for frame in frames:
            frame.tick, frame.lateness = deadline, now - deadline
            self.tell(self.judge(frame, now))
        if frames and (gesture := self.gestures.sample(now, bool(frames[-1].button))):
            self.answer(gesture, now)
        for request in self.lanes.requests():
            self.tell(self.orders.obey(now, request))
        self.guard(now)
        if self.policy.falling(now):
            self.haptics.off()  # a buzz cannot help a fall under way, and may startle
        else:
            self.haptics.update(self.clock.now(), self.policy.felt(), self.policy.time_left)
        for frame in frames:
            frame.guard, frame.level = self.health.guard, self.policy.level
            frame.motor = self.haptics.duty
            self.lanes.write(frame)
        self.lanes.note(self.core)
        self.health.see("loop", now)

    def judge(self, frame: Frame, now: float) -> list[Record]:
        """One sample through the core and the policy."""
        if frame.ping_echo >= 0:
            self.core.ping(frame.ping_t, frame.ping_range, frame.ping_echo)
            if frame.ping_echo in (Echo.DISTANCE, Echo.NOTHING_IN_RANGE):
                self.health.see("ranger", frame.ping_t)
        if frame.gap == Gap.NONE:
            self.health.see("imu", frame.t)
        self.sample += 1
        return self.policy.judge(now, self.sample, self.core.step(frame), frame)

    def tell(self, records: Iterable[Record]) -> bool:
        """To the skin at once, then to the journal; whether anything was felt."""
        felt = False
        for record in records:
            pattern = _pattern(record)
            if pattern and not self.policy.falling(record.t):
                level = Level[record.level.upper()]
                record.buzz_t = self.haptics.feel(pattern, self.clock.now(), level)
                felt = felt or record.buzz_t is not None
            self.lanes.put(record)
            log.info("%s %s %s %s", record.event, record.level, record.state, record.detail)
        return felt

    def answer(self, gesture: Gesture, now: float) -> None:
        """Every gesture is felt, by what it brought about or by a buzz of its own."""
        if not self.tell(self.policy.press(now, gesture)):
            self.haptics.feel(ANSWERS[gesture], self.clock.now())

    def guard(self, now: float) -> None:
        """How far the belt guards: better is felt as `guarding`, worse by the fault told."""
        for lane, fault in self.lanes.faults().items():
            self.health.lane(now, lane, fault)
        before = self.health.guard
        self.tell(self.policy.find(now, self.health.check(now, self.policy.is_open)))
        if self.health.guard > before:
            log.info("guarding: %s", self.health.words())
            self.haptics.feel("guarding", self.clock.now())

    def farewell(self) -> None:
        """The wearer feels that guarding ends."""
        self.haptics.off()
        begun = self.clock.now()
        self.haptics.feel("not_guarding", begun)
        end = begun + PATTERNS["not_guarding"].length
        while (now := self.clock.now()) < end:
            self.haptics.update(now)
            self.clock.sleep_until(now + self.period)


def _pattern(record: Record) -> str | None:
    """What is felt for a record."""
    if record.kind != "alert":
        return None
    if record.state == State.ACKNOWLEDGED:
        return "told" if record.level == Level.DANGER.word else None
    if record.event != "fall_cancelled" and record.state not in (State.RAISED, State.CONFIRMED):
        return None
    return EVENTS[record.event].felt.get(Level[record.level.upper()])
