"""What a caregiver receives, from a real service process through a real broker."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device.cli.round_trip import round_trip
from device.clock import MonotonicClock
from device.config import Config, Mqtt
from service.delivery import payload
from service.moment import Moment
from tests.conftest import ROOT, missing
from tests.service.belt import (
    BELT,
    Device,
    Mosquitto,
    Service,
    Subscriber,
    configure,
    free_port,
    until,
)

Serve = Callable[..., Service]


def test_an_alert_arrives_whole(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    serve(broker.port)
    until(lambda: caregiver.of("status") == ["online"])
    alert_id = device.say(measurements={"distance_m": 0.8}, session="s1")
    (alert,) = until(caregiver.alerts)
    assert alert["id"].startswith(f"{BELT}:{device.run}:")
    assert alert["alert_id"] == alert_id
    assert (alert["event"], alert["level"], alert["state"]) == ("obstacle", "warning", "raised")
    assert (alert["session"], alert["source"]) == ("s1", "simulated:test")
    assert alert["measurements"] == {"distance_m": 0.8}
    assert isinstance(alert["clock_synchronised"], bool)
    assert alert["raised_at"].endswith("+00:00")
    assert 0 <= alert["delayed_s"] < 2
    assert not any(retained for topic, _, retained, _ in caregiver.messages if topic == "alert")


def test_killed_and_restarted_in_the_midst_nothing_is_lost_or_renamed(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    service = serve(broker.port)
    said = []
    for number in range(200):
        said.append(device.say(level="danger" if number % 5 == 0 else "caution"))
        if number in (40, 90, 150):
            service.kill()
            service.start()
        time.sleep(0.004)
    until(lambda: {a["alert_id"] for a in caregiver.alerts()} >= set(said))
    received = {a["id"]: a["alert_id"] for a in caregiver.alerts()}
    assert sorted(received.values()) == sorted(said), "an alert came under two ids"
    assert service.stop() == 0


def test_a_journal_that_stalls_holds_up_no_alert(
    tmp_path: Path, broker: Mosquitto, caregiver: Subscriber, device: Device
) -> None:
    unread, full = os.pipe()
    os.set_blocking(full, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(full, b"x" * 4096)
    os.set_blocking(full, True)
    service = Service(configure(tmp_path, mqtt_port=broker.port), stderr=full)
    try:
        device.say("fall", "danger")
        until(caregiver.alerts)
        assert service.stop() == 0, "its end does not wait for it either"
    finally:
        service.process.kill()
        os.close(unread)
        os.close(full)


def test_a_broker_that_restarts_with_its_files_lost(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    service = serve(broker.port)
    first = device.say()
    until(caregiver.alerts)
    broker.kill()
    waiting = [device.say(level="fault", event="rear_blind") for _ in range(30)]
    service.process.send_signal(signal.SIGSTOP)  # the caregiver is back before the service is
    before = len(caregiver.messages)
    broker.start()
    until(caregiver.reconnected)
    service.process.send_signal(signal.SIGCONT)
    until(lambda: {a["alert_id"] for a in caregiver.alerts()} == {first, *waiting})
    assert len(caregiver.alerts()) == 31, "what had been confirmed was sent again"
    later = caregiver.messages[before:]
    assert [p for topic, p, *_ in later if topic == "status"] == ["online"]
    assert [p for topic, p, *_ in later if topic == "alert/active"], "retained topics are told anew"
    assert all(a["delayed_s"] > 0.2 for a in caregiver.alerts()[1:]), "delay is said"


def test_danger_before_faults_before_the_rest(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    levels = ["notice", "fault", "danger", "caution", "fault", "danger"] * 10
    for level in levels:
        device.say(level=level)
    until(lambda: _lines(device) == len(levels))
    serve(broker.port)
    until(lambda: len(caregiver.alerts()) == len(levels))
    order = [a["level"] for a in caregiver.alerts()]
    assert order[:20] == ["danger"] * 20
    assert order[20:40] == ["fault"] * 20


def test_the_last_will_and_what_is_retained(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    service = serve(broker.port)
    open_one = device.say(event="rear_blind", level="fault")
    done = device.say()
    device.say(alert_id=done, state="cleared")
    device.say(kind="session", event="start", level="info", alert_id="", session="s1")
    until(lambda: len(caregiver.alerts()) == 4)
    until(lambda: caregiver.of("session"))
    late = Subscriber(broker.port)
    try:
        until(lambda: late.of("alert/active") and late.of("state") and late.of("session"))
        (active,) = json.loads(late.of("alert/active")[0])
        assert (active["alert_id"], active["state"]) == (open_one, "raised")
        state = json.loads(late.of("state")[0])
        assert (state["guard"], state["distance_m"], state["source"]) == (
            "full",
            2.5,
            "simulated:test",
        )
        assert late.of("status") == ["online"]
        assert late.alerts() == []
        service.kill()
        until(lambda: late.of("status") == ["online", "offline"], 2.0)
    finally:
        late.close()


def test_a_dead_device_is_told_within_two_seconds_and_its_return_too(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    serve(broker.port)
    until(lambda: caregiver.of("status") == ["online"])
    device.frozen = True
    began = time.monotonic()
    until(lambda: caregiver.of("status")[-1] == "offline" and caregiver.alerts(), 4.0)
    assert time.monotonic() - began < 2.0
    (alert,) = caregiver.alerts()
    assert (alert["event"], alert["level"], alert["state"]) == ("not_guarding", "fault", "raised")
    assert alert["id"].startswith(f"{BELT}:service-")
    device.frozen = False
    until(lambda: caregiver.of("status")[-1] == "online")
    cleared = until(lambda: caregiver.alerts()[1:])[0]
    assert (cleared["alert_id"], cleared["state"]) == (alert["alert_id"], "cleared")
    until(lambda: caregiver.of("alert/active")[-1] == "[]")


def test_a_caregivers_acknowledge_reaches_the_device_and_comes_back(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    caregiver.publish("command/test", "{}", retain=True)  # a trap: would be obeyed at each connect
    service = serve(broker.port)
    alert_id = device.say("fall", "danger")
    until(caregiver.alerts)
    caregiver.publish("command/ack", json.dumps({"alert_id": alert_id, "by": "anna"}))
    until(lambda: "acknowledged" in [a["state"] for a in caregiver.alerts()])
    until(lambda: "result" in [a["kind"] for a in caregiver.alerts()])
    (request,) = _orders(device)
    assert (request["command"], request["by"]) == ("ack", "mqtt:anna")
    until(lambda: "retained command 'test' ignored" in service.log())


def test_malformed_orders_are_refused_and_logged(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    service = serve(broker.port)
    until(lambda: caregiver.of("status") == ["online"])
    bad = [
        ("command/doctor", "{}"), ("command/consumed", '{"segment": "9"}'), ("command/ack", "{}"),
        ("command/ack", '{"alert_id": 7}'), ("command/ack", '{"alert_id": "no such"}'),
        ("command/test", "[" * 900), ("command/test", '{"by": "' + "x" * 41 + '"}'),
        ("command/test", '{"by": "\\ud800"}'), ("command/ack", '{"alert_id": "\\udfff"}'),
        ("command/test", '{"by": "\\u001b[2J"}'), ("command/test", '{"by": "\\u202egnu"}'),
        ("command/test", '{"strength": "9"}'), ("command/test", " " * 2000), ("command/stop", "7"),
    ]  # fmt: skip
    for topic, text in bad:
        caregiver.publish(topic, text)
    caregiver.publish("command/start")
    until(lambda: _orders(device))
    assert [request["command"] for request in _orders(device)] == ["start"]
    until(lambda: service.log().count("level=warning part=service.desk") == len(bad))


def test_danger_left_open_by_a_dead_run_can_be_acknowledged(
    broker: Mosquitto, caregiver: Subscriber, tmp_path: Path, serve: Serve
) -> None:
    (tmp_path / "run").mkdir()
    old = Device(tmp_path)
    serve(broker.port)
    alert_id = old.say("fall", "danger")
    until(caregiver.alerts)
    old.stop(crash=True)
    new = Device(tmp_path)
    try:
        new.say("battery_low", "fault")
        until(lambda: "battery_low" in [a["event"] for a in caregiver.alerts()])
        caregiver.publish("command/ack", json.dumps({"alert_id": alert_id}))
        until(lambda: alert_id not in caregiver.of("alert/active")[-1])
        assert _orders(new) == []
        (seen,) = [a for a in caregiver.alerts() if a["state"] == "acknowledged"]
        assert (seen["alert_id"], seen["by"], seen["level"]) == (alert_id, "mqtt", "danger")
    finally:
        new.stop()


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_both_versions_of_mqtt_carry_all_of_it(
    version: str, broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    service = serve(broker.port, mqtt=f'version = "{version}"')
    until(lambda: caregiver.of("status") == ["online"])
    until(lambda: f"over MQTT {version}" in service.log())
    alert_id = device.say("fall", "danger")
    until(caregiver.alerts)
    caregiver.publish("command/ack", json.dumps({"alert_id": alert_id, "by": "anna"}))
    until(lambda: "acknowledged" in [a["state"] for a in caregiver.alerts()])
    service.kill()
    until(lambda: caregiver.of("status")[-1] == "offline", 2.0)


def test_a_broker_that_knows_only_the_floor(tmp_path: Path, device: Device) -> None:
    port = free_port()
    broker = subprocess.Popen([sys.executable, "-m", "device.cli.broker", str(port)], cwd=ROOT)
    try:
        caregiver = until(lambda: _subscribed(port), 15)
        service = Service(configure(tmp_path, mqtt_port=port))
        device.say()
        until(caregiver.alerts)
        until(lambda: "over MQTT 3.1.1" in service.log())
        service.kill()
        caregiver.close()
        found = round_trip(Config(mqtt=Mqtt(port=port)), MonotonicClock())
        assert found.fault == "broker_mum", "the doctor finds it out as well"
    finally:
        broker.kill()
        broker.wait()


def test_an_alert_waits_until_somebody_listens(
    broker: Mosquitto, device: Device, serve: Serve
) -> None:
    """Home Assistant restarts: the broker would take an alert and let it fall."""
    service = serve(broker.port)
    fall = device.say("fall", "danger")
    until(lambda: "nobody listens" in service.log())
    assert _told(device) == [], "the wearer must not believe that help has been told"
    later = Subscriber(broker.port)
    try:
        until(later.alerts)
        assert later.alerts()[0]["delayed_s"] > 0
        until(lambda: _told(device) == [fall])
    finally:
        later.close()


def test_over_the_floor_no_wearer_is_told_that_help_knows(
    broker: Mosquitto, device: Device, serve: Serve
) -> None:
    """MQTT 3.1.1 confirms what nobody listens to: that is a state with a name, and no told help."""
    service = serve(broker.port, mqtt='version = "3.1.1"')
    fall = device.say("fall", "danger")
    (kept,) = until(lambda: [a for a in _ask(service, "alerts")["alerts"] if a["delivered_at"]])
    assert kept["alert_id"] == fall
    assert _told(device) == [], "the broker has it, and nobody else"
    status = _ask(service, "status")
    assert status["service"]["delivery"] == "unproven"
    stream = status["streams"]["broker"]
    assert (stream["health"], stream["guards"]) == ("faulty", False)
    assert "may have reached nobody" in stream["detail"]
    later = Subscriber(broker.port)  # what is open is there for whoever comes
    try:
        until(lambda: fall in "".join(later.of("alert/active")))
        until(lambda: [s for s in later.of("state") if json.loads(s)["delivery"] == "unproven"])
        later.publish("command/ack", json.dumps({"alert_id": fall, "by": "anna"}))
        until(lambda: "acknowledged" in [a["state"] for a in later.alerts()])
    finally:
        later.close()


def _subscribed(port: int) -> Subscriber | None:
    try:
        return Subscriber(port)
    except ConnectionRefusedError:
        return None


def test_username_and_password(tmp_path: Path, device: Device) -> None:
    if (program := shutil.which("mosquitto_passwd")) is None:
        missing("mosquitto_passwd", "apt install mosquitto")
    users = tmp_path / "users"
    users.write_text("belt:correct-horse-battery\n")
    subprocess.run([str(program), "-U", str(users)], check=True)
    users.chmod(0o644)
    broker = Mosquitto(tmp_path, f"allow_anonymous false\npassword_file {users}")
    password = tmp_path / "password"
    password.write_text("wrong-horse-battery\n")
    password.chmod(0o600)
    lines = 'username = "belt"\npassword_file = "password"'
    service = Service(configure(tmp_path, mqtt_port=broker.port, mqtt=lines))
    caregiver = Subscriber(broker.port, ("belt", "correct-horse-battery"))
    try:
        until(lambda: "refused" in _broker(service))
        service.stop()
        password.write_text("correct-horse-battery\n")
        service.start()
        until(lambda: _broker(service) == "connected")
        device.say()
        until(caregiver.alerts)
        assert "horse" not in service.log()
    finally:
        service.kill()
        caregiver.close()
        broker.kill()


def test_tls_with_a_ca(tmp_path: Path, device: Device) -> None:
    if (openssl := shutil.which("openssl")) is None:
        missing("openssl", "apt install openssl")
    subprocess.run(
        [str(openssl), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", "key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=belt test",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "key.pem").chmod(0o644)
    files = f"certfile {tmp_path}/ca.pem\nkeyfile {tmp_path}/key.pem"
    broker = Mosquitto(tmp_path, f"allow_anonymous true\n{files}")
    lines = 'ca_file = "ca.pem"'
    service = Service(configure(tmp_path, mqtt_port=broker.port, mqtt=lines))
    try:
        until(lambda: _broker(service) == "connected")
    finally:
        service.kill()
        broker.kill()


@pytest.mark.parametrize("step", [-3600.0, 0.0, 3600.0])
def test_within_one_boot_a_clock_that_steps_changes_no_delay(step: float) -> None:
    record = {"boot": "abcd1234-7", "t": 100.0, "raised_at": "2026-01-01T00:00:00.000+00:00"}
    sent = json.loads(payload(record, Moment(104.5, 1767225600.0 + step), "abcd1234"))
    assert sent["delayed_s"] == 4.5


def test_of_an_earlier_boot_the_wall_clock_says_the_delay() -> None:
    record = {"boot": "ffffffff-7", "t": 1e6, "raised_at": "2026-01-01T00:00:00.000+00:00"}
    sent = json.loads(payload(record, Moment(104.5, 1767225600.0 + 60), "abcd1234"))
    assert sent["delayed_s"] == 60.0


def _orders(device: Device) -> list[dict[str, str]]:
    return [r for r in device.requests if r["command"] not in ("consumed", "told")]


def _lines(device: Device) -> int:
    return sum(len(f.read_bytes().splitlines()) for f in device.journal.glob("*.journal"))


def _ask(service: Service, path: str) -> Any:
    with urllib.request.urlopen(f"{service.url}/api/v1/{path}") as answer:  # noqa: S310
        return json.load(answer)


def _broker(service: Service) -> str:
    return str(_ask(service, "status")["service"]["broker"])


def test_the_belt_learns_that_help_has_been_told(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    device.say("pace", "notice")
    fall = device.say("fall", "danger")
    device.say("fall", "danger", state="cleared", alert_id=fall)
    broker.kill()
    serve(broker.port)
    time.sleep(0.5)
    assert _told(device) == [], "nobody has been told while there is no broker"
    broker.start()
    until(lambda: _told(device))
    time.sleep(0.2)
    assert _told(device) == [fall]


def _told(device: Device) -> list[str]:
    return [r["alert_id"] for r in device.requests if r["command"] == "told"]
