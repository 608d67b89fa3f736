"""A caregiver's client for the demo: what really arrives, and when."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from device.alerts import State
from device.cli import Fault

_PATIENCE = 5.0  # s for the broker's answers


@dataclass(frozen=True, slots=True)
class Received:
    """One alert record, and the monotonic time [s] at which it arrived."""

    at: float
    record: dict[str, Any]

    @property
    def news(self) -> bool:
        """Whether it begins or raises something, or is the end of a fall that the wearer gave."""
        kind, event, state = (str(self.record[key]) for key in ("kind", "event", "state"))
        return kind == "alert" and (state == State.RAISED or event == "fall_cancelled")

    def row(self) -> dict[str, Any]:
        """As the demo's last line tells it; None where nothing was felt, or no cause is known."""
        cause, buzz = self.record["cause_t"], self.record["buzz_t"]
        return {
            **{key: self.record[key] for key in ("id", "alert_id", "event", "level")},
            "cause_to_buzz_ms": _ms(cause, buzz),
            "cause_to_mqtt_ms": _ms(cause, self.at),
        }


def _ms(cause: float | None, then: float | None) -> float | None:
    return None if cause is None or then is None else round((then - cause) * 1e3, 1)


class Subscriber:
    """Listens on a belt's topics from the moment it is made. Raises Fault when nobody answers."""

    def __init__(self, host: str, port: int, belt: str) -> None:
        self._alert, self._session = f"rearguard/{belt}/alert", f"rearguard/{belt}/session"
        self._arrived: deque[tuple[float, str, bytes]] = deque()
        self._ids: set[str] = set()
        self._heard = False
        self.alerts: list[Received] = []  # each id once, as they came
        self.session: dict[str, Any] = {}  # the newest that was said of one; empty: nothing yet
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(f"rearguard/{belt}/#", qos=1)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        try:
            self._client.connect(host, port)
            deadline = time.monotonic() + _PATIENCE
            while not self._heard and time.monotonic() < deadline:
                self._client.loop(0.1)
        except OSError as error:
            raise Fault(f"the broker refuses a subscriber ({error}); try again") from error
        if not self._heard:
            raise Fault("the broker does not answer a subscriber; try again")

    def start(self) -> None:
        """Take the times in a thread of its own from here on."""
        self._client.loop_start()

    def poll(self) -> None:
        """Move what has arrived into `alerts` and `session`.

        Raises ValueError for what is no JSON object.
        """
        while self._arrived:
            at, topic, payload = self._arrived.popleft()
            if topic == self._session and payload:
                self.session = json.loads(payload)
            if topic != self._alert:
                continue
            record = json.loads(payload)
            if record["id"] not in self._ids:
                self._ids.add(record["id"])
                self.alerts.append(Received(at, record))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_subscribe(self, *_: Any) -> None:
        self._heard = True

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._arrived.append((time.monotonic(), message.topic, bytes(message.payload)))
