"""Delivery: what the store holds, sent until the broker has confirmed it."""

from __future__ import annotations

import json
import logging
from datetime import datetime

from service.broker import Broker
from service.moment import Moment
from service.store import Store

log = logging.getLogger(__name__)

IN_FLIGHT = 20  # messages sent and not confirmed
CONFIRM_WITHIN = 15.0  # s; a broker that answers pings but confirms nothing is given up


class Delivery:
    """At QoS 1, danger before faults before the rest; each record keeps its id for ever.

    Marked delivered only at the broker's PUBACK. Killed between PUBACK and mark, it is sent again
    under the same id.
    """

    def __init__(self, store: Store, broker: Broker, topic: str, boot: str) -> None:
        """`boot`: this boot's id; records of the same boot are aged by the monotonic clock."""
        self._store, self._broker, self._topic, self._boot = store, broker, topic, boot
        self._connection = 0
        self._in_flight: dict[int, tuple[int, float]] = {}  # mid → seq, sent at [s, monotonic]
        self._more = True  # whether the store may hold something unsent

    def wake(self) -> None:
        """There is something new in the store."""
        self._more = True

    def poll(self, now: Moment) -> None:
        """Send what there is room for, mark what was confirmed. Raises sqlite3.Error."""
        if self._broker.connections != self._connection:
            self._connection = self._broker.connections
            self._in_flight.clear()
            self._more = True
        if self._more and self._broker.connected:
            self._send(now)  # before the marks: what is new does not wait for their sync
        confirmed = [mid for mid in self._broker.acknowledged() if mid in self._in_flight]
        if confirmed:
            self._store.delivered([self._in_flight[mid][0] for mid in confirmed], now.written())
            for mid in confirmed:
                del self._in_flight[mid]
            self._more = True
        oldest = next(iter(self._in_flight.values()), None)
        late = oldest is not None and now.t - oldest[1] > CONFIRM_WITHIN
        if late and self._broker.connected:
            self._broker.reconnect("the broker confirms nothing")

    def _send(self, now: Moment) -> None:
        room = IN_FLIGHT - len(self._in_flight)
        if room <= 0:
            return
        flying = {seq for seq, _ in self._in_flight.values()}
        rows = self._store.waiting(room, flying)
        self._more = len(rows) == room
        for seq, text in rows:
            mid = self._broker.publish(self._topic, payload(text, now, self._boot), retain=False)
            if mid is None:  # the connection went; the next one begins anew
                self._more = True
                return
            self._in_flight[mid] = seq, now.t


def payload(text: str, now: Moment, boot: str) -> str:
    """A stored record as it goes out: with `delayed_s`, its age at sending [s]."""
    record = json.loads(text)
    return json.dumps(
        {**record, "delayed_s": round(_age(record, now, boot), 3)},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _age(record: dict[str, object], now: Moment, boot: str) -> float:
    """By the monotonic clock within one boot, so that a clock that steps does not matter."""
    t, raised_at = record.get("t"), record.get("raised_at")
    if boot in str(record.get("boot")).split("-") and isinstance(t, int | float):
        return max(0.0, now.t - t)
    try:
        return max(0.0, now.wall - datetime.fromisoformat(str(raised_at)).timestamp())
    except ValueError:
        log.warning("record %s has no readable raised_at", record.get("id"))
        return 0.0
