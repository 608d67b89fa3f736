"""The broker's access list in deploy/, tried on a real mosquitto by those who'd get round it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from device.cli.round_trip import round_trip
from device.clock import MonotonicClock
from device.config import Belt, Config, Mqtt
from tests.service.belt import (
    USERS,
    Device,
    Mosquitto,
    Service,
    Subscriber,
    configure,
    guarded_broker,
    password,
    until,
)


class Client:
    """Somebody at the broker: what was heard, by topic; `say` returns once the broker has it."""

    def __init__(self, port: int, user: str) -> None:
        self.heard: dict[str, list[str]] = {}
        self._ready = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password(user))
        self._client.on_message = lambda _c, _d, m: self.heard.setdefault(m.topic, []).append(
            m.payload.decode()
        )
        self._client.on_subscribe = self._subscribed
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def listen(self, topic: str) -> None:
        until(self._client.is_connected)
        before = self._ready
        self._client.subscribe(topic, qos=1)
        until(lambda: self._ready > before)

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """A refused message is confirmed too (MQTT 3.1.1): only a listener sees the difference."""
        until(self._client.is_connected)
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribed(self, *_: object) -> None:
        self._ready += 1


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = guarded_broker(tmp_path)
    yield broker
    broker.kill()


@pytest.fixture
def people(guarded: Mosquitto) -> Iterator[dict[str, Client]]:
    people = {user: Client(guarded.port, user) for user in USERS}
    yield people
    for client in people.values():
        client.close()


def test_each_speaks_for_itself_alone(people: dict[str, Client]) -> None:
    people["homeassistant"].listen("rearguard/#")
    people["homeassistant"].listen("homeassistant/#")
    attempts = (
        ("rearguard/other/alert", "test"),
        ("rearguard/other/status", "test"),
        ("rearguard/other/command/ack", "test"),
        ("rearguard/test/command/stop", "test"),  # its own: else a stolen belt commands itself
        ("homeassistant/device/other/config", "test"),
        ("homeassistant/status", "test"),
        ("rearguard/test/alert", "caregiver"),
        ("rearguard/test/command/stop", "caregiver"),
        ("rearguard/test/alert", "homeassistant"),
        ("rearguard/test/status", "watcher"),
        ("rearguard/test/command/ack", "watcher"),
        ("rearguard/test/command/ack", "stranger"),
        ("rearguard/test/alert", "stranger"),
        ("rearguard/test/alert/active", "other"),
    )
    for topic, user in attempts:
        people[user].say(topic, f"forged by {user}")
    rightful = (
        ("rearguard/test/alert", "test"), ("rearguard/test/alert/active", "test"),
        ("rearguard/test/status", "test"), ("rearguard/other/alert", "other"),
        ("homeassistant/device/test/config", "test"),
        ("rearguard/test/command/ack", "caregiver"),
        ("rearguard/test/command/test", "homeassistant"),
    )  # fmt: skip
    for topic, user in rightful:
        people[user].say(topic, f"said by {user}")
    heard = people["homeassistant"].heard
    until(lambda: sum(map(len, heard.values())) >= len(rightful))
    assert heard == {topic: [f"said by {user}"] for topic, user in rightful}


def test_each_hears_what_it_may(people: dict[str, Client]) -> None:
    for user in ("other", "stranger", "watcher", "test"):
        people[user].listen("#")
    people["test"].say("rearguard/test/alert", "a fall")
    people["caregiver"].say("rearguard/test/command/ack", "seen")
    until(lambda: len(people["watcher"].heard) == 2 and people["test"].heard)
    assert people["test"].heard == {"rearguard/test/command/ack": ["seen"]}
    assert people["other"].heard == people["stranger"].heard == {}


def test_who_does_not_log_in_is_not_let_in(guarded: Mosquitto) -> None:
    for user in ("", "nobody"):
        client = Client(guarded.port, user)
        with pytest.raises(AssertionError):
            until(client._client.is_connected, 0.5)
        client.close()


def memory(service: Service, what: str) -> int:
    """kB: VmRSS now, VmHWM at its most."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0])


def test_the_belt_itself_does_all_it_must_under_this_list(
    guarded: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(password("test"))
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "run").mkdir()
    device = Device(tmp_path)
    service = Service(
        configure(
            tmp_path,
            mqtt_port=guarded.port,
            mqtt='username = "test"\npassword_file = "password"',
        )
    )
    house = Subscriber(guarded.port, ("homeassistant", password("homeassistant")))
    try:
        until(lambda: house.of("status")[-1:] == ["online"])
        until(lambda: house.of("state"))
        alert_id = device.say("fall", "danger")
        until(lambda: any(a["alert_id"] == alert_id for a in house.alerts()))
        until(lambda: alert_id in "".join(house.of("alert/active")[-1:]))
        house.publish("command/test", '{"by": "anna"}')
        until(lambda: [r["by"] for r in device.requests if r["command"] == "test"] == ["mqtt:anna"])

        before = memory(service, "VmRSS")
        for size in (2_000, 100_000, 5_000_000):  # checked here; kept back; refused by the broker
            caregiver = Client(guarded.port, "caregiver")
            until(caregiver._client.is_connected)
            caregiver._client.publish("rearguard/test/command/ack", b" " * size, qos=1)
            house.publish("command/stop", json.dumps({"id": str(size)}))
            caregiver.close()
        until(lambda: [r["command"] for r in device.requests].count("stop") == 3)
        assert memory(service, "VmHWM") < before + 20_000, "it keeps none of them"
        until(lambda: "at most 1024 bytes" in service.log())
        assert service.log().count("at most 1024 bytes") == 1, "the others never came"
        assert service.log().count("connected to the broker") == 1
        service.kill()
        until(lambda: house.of("status")[-1:] == ["offline"])  # the last will passes as well
    finally:
        house.close()
        if service.process.poll() is None:
            service.kill()
        device.stop()


@pytest.mark.parametrize(
    ("user", "fault"),
    [("test", ""), ("homeassistant", "broker_silent"), ("unknown", "broker_refuses")],
)
def test_the_doctor_goes_round_under_this_list(
    guarded: Mosquitto, tmp_path: Path, user: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault:
        monkeypatch.setattr("device.cli.round_trip.PATIENCE_S", 1.0)
    secret = tmp_path / "secret"
    secret.write_text(password(user) + "\n")
    broker = Mqtt(port=guarded.port, username=user, password_file=secret)
    found = round_trip(Config(belt=Belt(name="test"), mqtt=broker), MonotonicClock())
    assert found.fault == fault, found
