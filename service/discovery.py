"""Discovery: announces the belt to Home Assistant, which makes its entities from that by itself.

One device with all its components ("device discovery"). Never retained, else the broker would go on
announcing a belt that is long gone: it is said at every connection, and again whenever Home
Assistant says that it has come up.
"""

from __future__ import annotations

import json
from typing import Any

from service.broker import Broker, Message
from service.entities import ENTITIES
from service.telemetry import OFFLINE, ONLINE

BIRTH = "homeassistant/status"  # where Home Assistant says that it has come up, by default
AT_LEAST = 1.0  # s between two announcements, however often it says so


class Discovery:
    """Says what the belt is; hears whether somebody new wants to know."""

    def __init__(self, broker: Broker, belt: str, version: str) -> None:
        """`version` of this software, as it is shown with the device."""
        self._broker = broker
        self._topic = f"homeassistant/device/{belt}/config"
        self._payload = json.dumps(announcement(belt, version), separators=(",", ":"))
        self._connection = 0
        self._asked = False
        self._next = float("-inf")  # s, monotonic

    def receive(self, message: Message) -> bool:
        """Whether the message was Home Assistant's, and not a command."""
        if message.topic != BIRTH:
            return False
        self._asked |= message.payload == ONLINE.encode()
        return True

    def poll(self, t: float) -> None:
        """Announce what is due at `t` [s, monotonic]."""
        if self._broker.connections != self._connection:
            self._connection = self._broker.connections
            self._asked, self._next = True, t
        if not self._asked or t < self._next or not self._broker.connected:
            return
        if self._broker.publish(self._topic, self._payload, retain=False) is not None:
            self._asked, self._next = False, t + AT_LEAST


def announcement(belt: str, version: str) -> dict[str, Any]:
    """The discovery payload of a belt."""
    return {
        "device": {
            "identifiers": [f"rearguard_{belt}"],
            "name": f"Rearguard {belt}",
            "manufacturer": "Rearguard",
            "model": "Belt",
            "sw_version": version,
        },
        "origin": {"name": "Rearguard", "sw_version": version},
        "availability": [
            {
                "topic": f"rearguard/{belt}/status",
                "payload_available": ONLINE,
                "payload_not_available": OFFLINE,
            }
        ],
        "components": {
            key: {
                **_rooted(row, f"rearguard/{belt}/"),
                "unique_id": f"rearguard_{belt}_{key}",
                "qos": 1,
            }
            for key, row in ENTITIES.items()
        },
    }


def _rooted(value: Any, root: str) -> Any:
    """The same with every `~` at a text's start replaced by the root of the belt's topics."""
    if isinstance(value, dict):
        return {key: _rooted(inner, root) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rooted(inner, root) for inner in value]
    return root + value[1:] if isinstance(value, str) and value.startswith("~") else value
