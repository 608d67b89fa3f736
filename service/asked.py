"""What this week asks of the wearer, told to the device, which keeps it for the next start.

A thread of its own, for following a year's history takes a Pi longer than an alert should wait.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import date, datetime

from device.commands import CommandError
from service.dossier import gather
from service.history import History
from service.walks import Walks

log = logging.getLogger(__name__)

EVERY = 5.0  # s between looks whether there is anything new


class Asked(threading.Thread):
    """Runs until `stop`."""

    def __init__(self, walks: Walks, history: History, send: Callable[..., object]) -> None:
        """`walks` and `history`: connections of its own; `send` may raise CommandError."""
        super().__init__(name="asked", daemon=True)
        self._walks, self._history, self._send = walks, history, send
        self._stopping = threading.Event()
        self._seen: tuple[int, date] | None = None  # the store's version and the day
        self._told: tuple[str, str, float] | None = None  # run of the device, wearer, minutes

    def look(self, now: datetime) -> None:
        """Tell the device when it does not know yet. Raises sqlite3.Error."""
        seen = (self._history.version(), now.date())
        wearer = self._walks.wearing()
        if seen == self._seen or not wearer:
            return
        course = gather(self._walks, wearer, now).course
        minutes = course.goal.minutes if course else 0.0
        asked = (self._history.device_run(), wearer, minutes)
        if asked != self._told:
            try:
                self._send("goal", "service", name=wearer, minutes=minutes)
            except CommandError as error:  # it is away, or older than goals: at the next look
                log.info("the goal was not told: %s", error)
                return
            self._told = asked
        self._seen = seen

    def run(self) -> None:
        while not self._stopping.wait(EVERY):
            try:
                self.look(datetime.now().astimezone())
            except sqlite3.Error as error:
                log.warning("the history cannot be followed: %s", error)

    def stop(self) -> None:
        """End after the look under way."""
        self._stopping.set()
        if self.is_alive():
            self.join(5.0)
