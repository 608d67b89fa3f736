"""Presence: tells the device's silence as an alert of the service's own, and its return."""

from __future__ import annotations

from device.alerts import Level, State
from service.history import History
from service.moment import Moment
from service.own import RUN_PREFIX, OwnRecords
from service.store import Store
from service.watch import Watch

RESTARTED = "the device ended and was started again"


class Presence:
    """One episode of `not_guarding` from silence to frames, across restarts of the service.

    A device that was back before its silence would have been told has ended all the same.
    """

    def __init__(self, own: OwnRecords, watch: Watch, store: Store, history: History) -> None:
        """An episode that an earlier start of the service left open is gone on with."""
        self._own, self._watch, self._store = own, watch, store
        self._restarts = watch.restarts
        ours = [e["alert_id"] for e in history.active() if e["event"] == "not_guarding"]
        self._episode = next((name for name in ours if f":{RUN_PREFIX}" in name), "")

    def poll(self, now: Moment) -> bool:
        """Store the record that is due, if any; whether there was one. Raises sqlite3.Error."""
        silence = self._watch.silence(now.t)
        restarted, self._restarts = self._watch.restarts > self._restarts, self._watch.restarts
        if restarted and not silence and not self._episode:
            self._tell(now, RESTARTED)
            self._tell(now, "")
            return True
        if bool(silence) == bool(self._episode) or self._watch.starting(now.t):
            return False
        self._tell(now, silence and _words(silence, self._watch.why))
        return True

    def _tell(self, now: Moment, fault: str) -> None:
        """That it has begun, and why, or, with no fault, that it is over."""
        record = self._own.record(
            now,
            "not_guarding",
            Level.FAULT,
            fault or "the device gives frames again",
            state=State.RAISED if fault else State.CLEARED,
            alert_id=self._episode,
            source=self._watch.seen.source if self._watch.seen else "unknown",
        )
        self._store.take([record])
        self._episode = record["alert_id"] if fault else ""


def _words(silence: str, why: str) -> str:
    return silence if why else f"{silence}: it may be off"
