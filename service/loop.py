"""The service's loop: from the journal to the store to the caregiver, in one thread.

One round every 30 ms, each part polled with the time; only the broker's network runs beside it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from service.broker import Broker
from service.delivery import Delivery
from service.desk import Desk
from service.discovery import Discovery
from service.intake import Intake
from service.moment import Moment, moment
from service.presence import Presence
from service.reserve import Shortage
from service.retention import Retention
from service.steps import Steps
from service.telemetry import Telemetry
from service.watch import Watch
from service.weekly import Weekly

log = logging.getLogger(__name__)

PERIOD = 0.03  # s; a third of what a caregiver may wait at most, and each costs
AFTER_TROUBLE = 1.0  # s between attempts to store while the disk refuses
ALIVE_WITHIN = 3.0  # s; a round takes milliseconds, and at worst a few commands' time-outs


class Loop(threading.Thread):
    """Runs until `stop`. Calls `failed` when it ends by an exception of its own."""

    def __init__(
        self,
        watch: Watch,
        intake: Intake,
        presence: Presence,
        shortage: Shortage,
        desk: Desk,
        broker: Broker,
        delivery: Delivery,
        telemetry: Telemetry,
        discovery: Discovery,
        weekly: Weekly,
        retention: Retention,
        failed: Callable[[], None],
    ) -> None:
        super().__init__(name="loop", daemon=True)
        self._watch, self._intake, self._presence = watch, intake, presence
        self._shortage = shortage
        self._desk, self._broker = desk, broker
        self._delivery, self._telemetry = delivery, telemetry
        self._discovery, self._retention = discovery, retention
        self._weekly = weekly
        self._failed = failed
        self._stopping = threading.Event()
        self._retry_at = float("-inf")
        self._round_at = moment().t
        self.steps = Steps()
        self.stored_at = float("-inf")  # s, when records could last be kept
        self.trouble = ""  # why records cannot be kept, or empty

    def round(self, now: Moment) -> None:
        """Once from the journal to the broker."""
        self.steps.see(now)
        self._watch.poll(now.t)
        self._broker.poll(now.t)
        for message in self._broker.messages():
            if not self._discovery.receive(message):
                self._desk.receive(message, now.t)
        if now.t >= self._retry_at:
            try:
                self._records(now)
                self.trouble = ""
                self.stored_at = now.t
            except (sqlite3.OperationalError, OSError) as error:
                # Disk full, or no right to it. Nothing is lost: the journal keeps what is not
                # stored, and without our sign of life the wearer is told.
                trouble = f"records cannot be kept ({error}): free space, check disk and rights"
                if trouble != self.trouble:
                    log.error("%s", trouble)
                self.trouble = trouble
                self._retry_at = now.t + AFTER_TROUBLE
        self._telemetry.poll(now, self.trouble, self._delivery.reach)
        self._discovery.poll(now.t)
        self._round_at = now.t

    def _records(self, now: Moment) -> None:
        try:
            new = self._shortage.poll(now)  # first: it makes the room that the others need
            new |= bool(self._intake.poll(now))
            new |= self._presence.poll(now)
            new |= self._desk.poll(now)
            new |= self._weekly.poll(now)
            if new:
                self._delivery.wake()
                self._telemetry.wake()
        finally:  # what is stored goes out even while nothing more can be
            self._delivery.poll(now)
        if self._retention.poll(now):
            self._telemetry.wake()

    def alive(self, t: float) -> bool:
        """Whether rounds are being made."""
        return self.is_alive() and t - self._round_at < ALIVE_WITHIN

    def run(self) -> None:
        try:
            while not self._stopping.wait(PERIOD):
                self.round(moment())
        except Exception:
            log.exception("the loop failed; the process ends so that it is started anew")
            self._failed()

    def stop(self) -> None:
        """End after the round under way."""
        self._stopping.set()
        if self.is_alive():
            self.join(5.0)
