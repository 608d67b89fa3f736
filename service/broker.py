"""Broker: one MQTT connection at a time, made again when it is lost. Says nothing of its own.

paho-mqtt with callback API version 2; MQTT 5, whose receipts say whether anybody listens, or where
that is not understood 3.1.1, the floor that every broker speaks, whose receipts do not. Each
connection is a fresh client: paho would else resend what it still holds with its old `delayed_s`,
before anything more urgent; the store knows better what is still to be sent.
"""

from __future__ import annotations

import logging
import ssl
from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device.config import Mqtt

log = logging.getLogger(__name__)
_T = TypeVar("_T")

KEEP_ALIVE = 5  # s, the contract's
CONNECT_TIMEOUT = 5.0  # s
BACKOFF = (0.5, 1.0, 2.0, 4.0, 5.0)  # s before each further attempt; the last one is repeated
NOBODY_LISTENS = 0x10  # MQTT 5, 3.4.2.1: taken, but no subscription matches
UNSUPPORTED = 0x84  # 3.2.2.2: the broker does not speak this version
VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
MAX_PACKET = 8192  # bytes of a packet to us; paho would keep one of any size in memory
MAX_HELD = 64  # messages from outside that may wait; more are dropped, and logged


@dataclass(frozen=True, slots=True)
class Message:
    """What came in on a subscribed topic."""

    topic: str
    payload: bytes
    retained: bool


class Receipt(NamedTuple):
    """The broker's answer to one message."""

    mid: int  # the message's number
    refused: str = ""  # why it reached nobody, in one line; empty: it was taken
    heard: bool = False  # whether somebody is known to listen; over 3.1.1 nobody knows


class Broker:
    """`poll` connects; callbacks, in paho's thread, only put things down for the loop."""

    def __init__(
        self,
        settings: Mqtt,
        belt: str,
        *,
        password: str = "",
        tls: ssl.SSLContext | None = None,
        will: tuple[str, str],
        subscriptions: tuple[str, ...],
    ) -> None:
        """`will`: topic and payload, retained, said by the broker when we vanish."""
        self._settings, self._belt, self._password, self._tls = settings, belt, password, tls
        self._will, self._subscriptions = will, subscriptions
        self._client: mqtt.Client | None = None
        self._lost = False
        self._foreign = False  # whether the broker seems not to speak this version
        self._failures = 0
        self._next_attempt = float("-inf")
        self._version = "5" if settings.version == "auto" else settings.version
        self._receipts: deque[Receipt] = deque()
        self._messages: deque[Message] = deque()
        self._heard = False  # whether the broker has answered since the last round
        self.heard_at = float("-inf")  # s, when it last did
        self.confirmed = 0  # messages it has taken, ever
        self.connected = False
        self.connections = 0  # counts them, so that others see a new one
        self.trouble = "not yet connected"  # one line while there is no connection

    @property
    def tells_who_listens(self) -> bool:
        """Whether its receipts say when nobody listens."""
        return self._version == "5"

    def poll(self, t: float) -> None:
        """Begin a connection when there is none and it is time. Never blocks."""
        if self._heard:
            self._heard, self.heard_at = False, t
        if self._lost and self._client is not None:
            if self._foreign and self._settings.version == "auto":
                self._version = "3.1.1" if self._version == "5" else "5"
            self._drop()
            self._next_attempt = t + BACKOFF[min(self._failures, len(BACKOFF) - 1)]
            self._failures += 1
        if self._client is None and t >= self._next_attempt:
            self._begin()

    def publish(self, topic: str, payload: str, *, retain: bool) -> int | None:
        """Hand over at QoS 1; the message's number, or None when it could not be."""
        if self._client is None or not self.connected:
            return None
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def receipts(self) -> list[Receipt]:
        """The broker's answers since the last call. Over 3.1.1 it refuses nothing."""
        return _drain(self._receipts)

    def messages(self) -> list[Message]:
        """What has come since the last call."""
        return _drain(self._messages)

    def reconnect(self, why: str) -> None:
        """Give this connection up and make another."""
        log.warning("broker connection given up: %s", why)
        self.trouble = why
        self._lost = True

    def close(self, last_words: str, timeout: float = 1.0) -> None:
        """Say `last_words` on the will's topic, retained, and part. Waits at most `timeout` [s]."""
        client = self._client
        if client is not None and self.connected:
            info = client.publish(self._will[0], last_words, qos=1, retain=True)
            if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                try:
                    info.wait_for_publish(timeout)
                except (RuntimeError, ValueError) as error:  # lost just now: the will speaks
                    log.info("the last words did not get through: %s", error)
        self._drop()

    # --- inside ---

    def _begin(self) -> None:
        self._lost = False
        self._foreign = True  # until it greets us
        self._receipts.clear()
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"rearguard-{self._belt}",
            protocol=VERSIONS[self._version],
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True  # logged by paho; its thread goes on
        client.enable_logger(log)
        client.connect_timeout = CONNECT_TIMEOUT
        if self._settings.username:
            client.username_pw_set(self._settings.username, self._password or None)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.will_set(*self._will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.connect_async(
            self._settings.host, self._settings.port, KEEP_ALIVE, properties=self._bounds()
        )
        self._client = client  # before its thread starts: callbacks of any other are ignored
        client.loop_start()

    def _bounds(self) -> Properties | None:
        """What we want from the broker; over 3.1.1 nothing can be asked."""
        if self._version != "5":
            return None
        wanted = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wanted.MaximumPacketSize = MAX_PACKET
        return wanted

    def _drop(self) -> None:
        client, self._client, self.connected = self._client, None, False
        if client is not None:
            client.disable_logger()  # what it still says is of a connection given up
            client.disconnect()  # its thread ends by itself

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if client is not self._client:
            return
        self._foreign = reason.value == UNSUPPORTED
        if reason.is_failure:
            remedy = "set mqtt.version" if self._foreign else "check username and password"
            self._note(f"the broker refused: {reason}; {remedy}")
            self._lost = True
            return
        client.subscribe([(topic, 1) for topic in self._subscriptions])
        self._failures = 0
        self.connections += 1
        self.trouble = ""
        self.connected = True
        where = f"{self._settings.host}:{self._settings.port}"
        log.info("connected to the broker at %s over MQTT %s", where, self._version)

    def _on_connect_fail(self, client: mqtt.Client, _data: Any) -> None:
        if client is self._client:
            self._foreign = False  # there is none
            self._note(
                f"no broker answers at {self._settings.host}:{self._settings.port}; "
                "start it, or set mqtt.host and mqtt.port"
            )
            self._lost = True

    def _on_disconnect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if client is self._client and not self._lost:  # a refusal has said more already
            self.connected = False
            self._note(f"the connection to the broker was lost ({reason})")
            self._lost = True

    def _on_publish(
        self, client: mqtt.Client, _data: Any, mid: int, reason: Any, _properties: Any
    ) -> None:
        if client is not self._client:
            return
        self._heard = True
        if reason.value == NOBODY_LISTENS:
            self._receipts.append(Receipt(mid, "nobody listens at the broker"))
        elif reason.is_failure:
            self._receipts.append(Receipt(mid, f"the broker refuses alerts ({reason})"))
        else:
            self.confirmed += 1
            self._receipts.append(Receipt(mid, heard=self.tells_who_listens))

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if client is not self._client:
            return
        if not any(mqtt.topic_matches_sub(s, message.topic) for s in self._subscriptions):
            return  # amqtt hands every retained message to a new subscription
        if len(self._messages) >= MAX_HELD:
            log.warning("too many messages at once: one on %s dropped", message.topic)
            return
        self._messages.append(Message(message.topic, bytes(message.payload), message.retain))

    def _note(self, trouble: str) -> None:
        """Log a trouble once, not at every attempt."""
        if trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble


def _drain(things: deque[_T]) -> list[_T]:
    return [things.popleft() for _ in range(len(things))]
