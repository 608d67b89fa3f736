"""Telemetry: the retained topics, which tell whoever comes late how things stand."""

from __future__ import annotations

import json
from typing import Any

from service import schema
from service.broker import Broker
from service.history import History
from service.live import Live
from service.moment import Moment
from service.walks import Walks

STATE_EVERY = 1.0  # s
MOST_ACTIVE = 50  # episodes in alert/active: a retained message has its bounds
ONLINE, OFFLINE = "online", "offline"


class Telemetry:
    """`status`, `alert/active` and `session` when they change, `state` once a second."""

    def __init__(
        self, broker: Broker, root: str, live: Live, history: History, walks: Walks
    ) -> None:
        """`root` of the topics, with its slash at the end."""
        self._broker, self._root, self._live = broker, root, live
        self._history, self._walks = history, walks
        self._connection = 0
        self._last: dict[str, str] = {}  # topic → what the broker holds of it
        self._state_due = 0.0
        self._version = -1  # of the store, as last seen
        self._stored = True  # whether the store has changed since it was last told

    def wake(self) -> None:
        """There is something new in the store."""
        self._stored = True

    def poll(self, now: Moment, trouble: str, reach: str) -> None:
        """Tell what has changed. `trouble`: why records cannot be kept, or empty; `reach`: what
        "delivered" means, as Delivery says.

        A belt whose records cannot be kept tells nobody anything, so it is not online either.
        """
        if self._broker.connections != self._connection:
            self._connection = self._broker.connections
            self._last.clear()
            self._state_due = now.t
            self._stored = True
        if not self._broker.connected:
            return
        self._retain("status", ONLINE if self._live.online(now.t) and not trouble else OFFLINE)
        if self._stored and not trouble:
            self._stored = False
            self._retain("alert/active", _json(self._history.urgent(MOST_ACTIVE)))
            session = self._walks.newest()
            told = {"schema": schema.VERSION, **session} if session else None
            self._retain("session", _json(told) if told else "")  # empty: nothing is retained
        if now.t >= self._state_due:
            self._state_due = now.t + STATE_EVERY
            version = self._history.version()
            self._stored |= version != self._version  # another process has deleted something
            self._version = version
            picture = self._live.picture(now.t)
            head = {"schema": schema.VERSION, "time": now.written()}
            self._retain(
                "state", _json({**head, **picture, "storage": trouble or "ok", "delivery": reach})
            )

    def _retain(self, topic: str, payload: str) -> None:
        if self._last.get(topic) == payload:
            return
        if self._broker.publish(self._root + topic, payload, retain=True) is not None:
            self._last[topic] = payload


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
