"""Weekly: a test alert once a week, and a complaint when nobody answers it.

An alert that nobody needs for months goes through a phone, an app and a broker that may all have
been changed meanwhile. So one is sent that harms nobody, marked as a test, and a caregiver's
acknowledgement is the proof that somebody sees them. All of it is one episode until it is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from device.alerts import Level
from device.config import DAYS, NEVER, WeeklyTest
from service.history import History
from service.moment import Moment
from service.own import OwnRecords
from service.store import Store

TEST, UNSEEN = "test_alert", "test_unseen"  # of device.alerts.EVENTS
ANSWER_WITHIN = 24 * 3600.0  # s
LOOK_EVERY = 10.0  # s


class Weekly:
    """Remembers nothing of its own: what is due follows from the store, also after a restart."""

    def __init__(
        self,
        when: WeeklyTest,
        own: OwnRecords,
        store: Store,
        history: History,
        silence: Callable[[float], str],
    ) -> None:
        """`silence(t)` is empty while the device gives frames: a belt that is off is not tested.

        It is then tested as soon as it is on again.
        """
        self._when, self._own, self._store, self._history = when, own, store, history
        self._silence = silence
        self._next = float("-inf")  # s, monotonic

    def poll(self, now: Moment) -> bool:
        """Store the record that is due, if any; whether there was one. Raises sqlite3.Error."""
        if self._when.day == NEVER or now.t < self._next:
            return False
        self._next = now.t + LOOK_EVERY
        if self._silence(now.t):
            return False
        due = last_time(self._when, now.wall)
        episode = self._history.newest_of(TEST, UNSEEN)
        if episode is None:
            since = self._history.since()
            return _before(since, due) and self._test(now, "")
        open_one = episode["alert_id"] if episode["open"] else ""
        if _before(episode["changed_at"], due):
            return self._test(now, open_one)
        waited = _before(episode["changed_at"], now.wall - ANSWER_WITHIN)
        return (
            bool(open_one) and waited and episode["event"] == TEST and self._complain(now, open_one)
        )

    def _test(self, now: Moment, alert_id: str) -> bool:
        told = "a test: acknowledge it, so that the belt knows that somebody sees its alerts"
        record = self._own.record(now, TEST, Level.NOTICE, told, alert_id=alert_id, test=True)
        self._store.take([record])
        return True

    def _complain(self, now: Moment, alert_id: str) -> bool:
        told = f"nobody has acknowledged the weekly test within {ANSWER_WITHIN / 3600:.0f} h"
        self._store.take([self._own.record(now, UNSEEN, Level.FAULT, told, alert_id=alert_id)])
        return True


def last_time(when: WeeklyTest, wall: float) -> float:
    """When a test was last due at `wall`: its hour, in this machine's zone [s since 1970]."""
    local = datetime.fromtimestamp(wall)
    then = local.replace(hour=when.hour, minute=0, second=0, microsecond=0)
    then -= timedelta(days=(local.weekday() - DAYS.index(when.day)) % 7)
    if then > local:
        then -= timedelta(days=7)
    return then.timestamp()


def _before(written: str, wall: float) -> bool:
    """Whether an ISO 8601 time is before `wall`; one that cannot be read is not."""
    try:
        return datetime.fromisoformat(written).timestamp() < wall
    except (TypeError, ValueError):
        return False
