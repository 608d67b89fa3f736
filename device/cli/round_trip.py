"""One message through the broker and back, with the belt's own credentials: for the doctor."""

from __future__ import annotations

import ssl
import uuid
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from device.clock import Clock
from device.config import Config, Mqtt
from device.doctor.finding import Finding

PATIENCE_S = 5.0  # s for the broker's answers
UNSUPPORTED = 0x84  # MQTT 5, 3.2.2.2: the broker does not speak this version
VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}


def round_trip(config: Config, clock: Clock) -> Finding:
    """Over `rearguard/<belt>/doctor`, QoS 1, not retained."""
    where = f"{config.mqtt.host}:{config.mqtt.port}"
    version = "5" if config.mqtt.version == "auto" else config.mqtt.version
    said, fault, foreign = _travel(config, clock, version)
    if foreign and config.mqtt.version == "auto":
        version = "3.1.1"
        said, fault, _ = _travel(config, clock, version)
    if version != "5" and not fault:
        fault = "broker_mum"
    return Finding("broker", f"{where}: {said}", fault)


def _travel(config: Config, clock: Clock, version: str) -> tuple[str, str, bool]:
    """What was seen, the fault it is, and whether the broker seems not to know the version."""
    trip = _Trip(f"rearguard/{config.belt.name}/doctor", clock, version)
    try:
        _credentials(trip.client, config.mqtt)
    except (OSError, ValueError) as error:
        return f"a file of [mqtt] cannot be used ({error})", "broker_refuses", False
    return *trip.go(config.mqtt), trip.foreign


class _Trip:
    """A message of its own, so that no other is taken for it."""

    def __init__(self, topic: str, clock: Clock, version: str) -> None:
        self._topic, self._clock, self._token = topic, clock, uuid.uuid4().bytes
        self._answer: str | None = None  # why it is refused; empty: it is not; None: no answer
        self._sent = self._back = 0.0  # s
        self.foreign = True  # until it greets us: the broker seems not to speak this version
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=VERSIONS[version])
        self.client.connect_timeout = PATIENCE_S
        self.client.on_connect = self._connected
        self.client.on_subscribe = self._subscribed
        self.client.on_message = self._came

    def go(self, broker: Mqtt) -> tuple[str, str]:
        """What was seen, and the fault it is."""
        try:
            self.client.connect(broker.host, broker.port)
            end = self._clock.now() + PATIENCE_S
            while self._clock.now() < end and not self._back and not self._answer:
                if self.client.loop(0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
        except ssl.SSLError as error:
            self.foreign = False
            return str(error), "broker_refuses"
        except OSError as error:
            self.foreign = False
            return error.strerror or str(error), "broker_unreachable"
        finally:
            self.client.disconnect()
        if self._back:
            return f"there and back in {1e3 * (self._back - self._sent):.0f} ms", ""
        if self._answer is None:
            return "no answer", "broker_unreachable"
        if self._answer:
            return self._answer, "broker_refuses"
        return f"nothing came back over {self._topic}", "broker_silent"

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        self._answer = str(reason) if reason.is_failure else ""
        self.foreign = reason.value == UNSUPPORTED
        if not self._answer:
            self.client.subscribe(self._topic, qos=1)

    def _subscribed(self, *_: Any) -> None:
        self._sent = self._clock.now()
        self.client.publish(self._topic, self._token, qos=1)

    def _came(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.payload == self._token:
            self._back = self._clock.now()


def _credentials(client: mqtt.Client, broker: Mqtt) -> None:
    """Raises OSError, ValueError."""
    if broker.username:
        password = None
        if broker.password_file != Path():
            lines = broker.password_file.read_text(encoding="utf-8").splitlines()
            password = lines[0].strip() if lines else ""
        client.username_pw_set(broker.username, password)
    if broker.ca_file != Path():
        shown = broker.certificate_file != Path()
        client.tls_set(
            ca_certs=str(broker.ca_file),
            certfile=str(broker.certificate_file) if shown else None,
            keyfile=str(broker.key_file) if shown else None,
        )
