"""Delivery: what the store holds, sent until the broker has confirmed it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from device.alerts import Level, State
from service import schema
from service.broker import Broker
from service.moment import Moment
from service.store import Store

log = logging.getLogger(__name__)

IN_FLIGHT = 20  # messages sent and not confirmed
TRY_AGAIN = 2.0  # s between attempts while what is sent reaches nobody
CONFIRM_WITHIN = 15.0  # s; a broker that answers pings but confirms nothing is given up
UNPROVEN = (
    "MQTT 3.1.1 does not say whether anybody listens: what the broker has may have reached nobody; "
    "take a broker that speaks MQTT 5"
)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A message sent and not confirmed."""

    seq: int  # in the store
    sent_at: float  # s, monotonic
    danger: str  # alert_id of a danger raised or said again, else empty


class Delivery:
    """At QoS 1, danger before faults before the rest; each record keeps its id for ever.

    Marked delivered only at the broker's PUBACK. Killed between PUBACK and mark, it is sent again
    under the same id. What the broker takes but has nobody for (MQTT 5 says so) is not delivered:
    the most urgent record is tried until somebody listens. MQTT 3.1.1 never says so: there,
    delivered means that the broker has it, and the wearer is not told that help knows.
    """

    def __init__(
        self, store: Store, broker: Broker, topic: str, boot: str, told: Callable[[str], bool]
    ) -> None:
        """`boot`: this boot's id; records of the same boot are aged by the monotonic clock.

        `told` gets the alert_id of each danger, raised or said again, once somebody is known to
        have it, and says whether the device heard: one that does not is not asked again in the
        same round.
        """
        self._store, self._broker, self._topic, self._boot = store, broker, topic, boot
        self._told = told
        self._connection = 0
        self._in_flight: dict[int, _Flight] = {}  # by mid
        self._unmarked: list[int] = []  # seq of what has arrived, not yet marked so in the store
        self._more = True  # whether the store may hold something unsent
        self._resume_at = float("-inf")  # s
        self.unheard = ""  # why what was sent last reached nobody, or empty

    @property
    def reach(self) -> str:
        """What "delivered" means now, in a word: `confirmed` (the broker has handed it on),
        `unproven` (it has it, over 3.1.1), `nobody` (it hands on nothing), `no_broker`."""
        if not self._broker.connected:
            return "no_broker"
        if self.unheard:
            return "nobody"
        return "confirmed" if self._broker.tells_who_listens else "unproven"

    def wake(self) -> None:
        """There is something new in the store."""
        self._more = True

    def poll(self, now: Moment) -> None:
        """Send what there is room for, mark what was confirmed. Raises sqlite3.Error."""
        if self._broker.connections != self._connection:
            self._connection = self._broker.connections
            self._in_flight.clear()
            self._more = True
        if self._more and self._broker.connected and now.t >= self._resume_at:
            self._send(now)  # before the marks: what is new does not wait for their sync
        device_hears = True
        for receipt in self._broker.receipts():
            flight = self._in_flight.pop(receipt.mid, None)
            if flight is None:
                continue  # of telemetry, or of a connection before
            self._more = True
            self._note(now, receipt.refused)
            if receipt.refused:
                continue
            self._unmarked.append(flight.seq)
            if flight.danger and receipt.heard and device_hears:
                device_hears = self._told(flight.danger)
        if self._unmarked:
            self._store.delivered(self._unmarked, now.written())
            self._unmarked.clear()
        oldest = next(iter(self._in_flight.values()), None)
        late = oldest is not None and now.t - oldest.sent_at > CONFIRM_WITHIN
        if late and self._broker.connected:
            self._broker.reconnect("the broker confirms nothing")

    def _note(self, now: Moment, refused: str) -> None:
        if refused:
            self._resume_at = now.t + TRY_AGAIN
        if refused != self.unheard:
            log.warning("%s", refused or "alerts reach somebody again")
        self.unheard = refused

    def _send(self, now: Moment) -> None:
        room = (1 if self.unheard else IN_FLIGHT) - len(self._in_flight)
        if room <= 0:
            return
        flying = {flight.seq for flight in self._in_flight.values()} | set(self._unmarked)
        rows = self._store.waiting(room, flying)
        self._more = len(rows) == room
        for seq, text in rows:
            record = json.loads(text)
            aged = payload(record, now, self._boot)
            mid = self._broker.publish(self._topic, aged, retain=False)
            if mid is None:  # the connection went; the next one begins anew
                self._more = True
                return
            danger = record["alert_id"] if _is_danger(record) else ""
            self._in_flight[mid] = _Flight(seq, now.t, danger)


def _is_danger(record: dict[str, Any]) -> bool:
    if record["kind"] != "alert" or record["level"] != Level.DANGER.word:
        return False
    return record["state"] in (State.RAISED, State.CONFIRMED)


def payload(record: dict[str, Any], now: Moment, boot: str) -> str:
    """A stored record as it goes out: with `delayed_s`, its age at sending [s]."""
    return json.dumps(
        {**record, "schema": schema.VERSION, "delayed_s": round(_age(record, now, boot), 3)},
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
