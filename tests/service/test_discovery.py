"""What Home Assistant is told of a belt, over a real broker, and what comes of it there.

`./dev test --home-assistant` asks Home Assistant itself.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import jinja2
import pytest

from device.alerts import EVENTS
from service.desk import checked
from service.discovery import announcement
from service.entities import ENTITIES, PRESSED_BY, STATE_EXPIRES
from tests.service.belt import BELT, TOPIC, Device, Mosquitto, Service, Subscriber, until

Serve = Callable[..., Service]
CONFIG = f"homeassistant/device/{BELT}/config"
COMPONENTS: dict[str, Any] = announcement(BELT, "1")["components"]


def test_it_is_announced_at_every_connection_and_never_retained(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    service = serve(broker.port)
    (told,) = until(lambda: caregiver.of(CONFIG))
    assert json.loads(told)["components"].keys() == ENTITIES.keys()
    late = Subscriber(broker.port)
    until(lambda: late.of("state"))
    assert late.of(CONFIG) == [], "it was retained"
    late.close()
    service.kill()
    service.start()
    until(lambda: len(caregiver.of(CONFIG)) == 2)
    service.process.send_signal(signal.SIGSTOP)  # who listens is back before the service is
    broker.kill()
    broker.start()
    until(caregiver.reconnected)
    service.process.send_signal(signal.SIGCONT)
    until(lambda: len(caregiver.of(CONFIG)) == 3)
    assert set(caregiver.of(CONFIG)) == {told}, "it is the same belt"


def test_it_is_announced_when_home_assistant_has_come_up_but_not_without_end(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    serve(broker.port)
    until(lambda: caregiver.of(CONFIG))
    caregiver.publish("status", "offline", root="homeassistant/")
    time.sleep(1.2)  # longer than the least time between two
    assert len(caregiver.of(CONFIG)) == 1
    began = time.monotonic()
    for _ in range(200):
        caregiver.publish("status", "online", root="homeassistant/")
    until(lambda: len(caregiver.of(CONFIG)) >= 2)
    assert len(caregiver.of(CONFIG)) <= 3 + (time.monotonic() - began)


def test_unique_ids_never_change() -> None:
    ids = {"fall", "sos", "obstacle", "steadiness", "fault", "alert", "acknowledge", "test",
           "online", "guard", "session", "session_time", "battery", "range", "speed", "cadence",
           "delivery", "source"}  # fmt: skip
    assert {row["unique_id"] for row in COMPONENTS.values()} == {
        f"rearguard_{BELT}_{i}" for i in ids
    }
    assert announcement("other", "1")["components"]["fall"]["unique_id"] == "rearguard_other_fall"


def test_every_state_is_of_a_topic_that_is_published(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    serve(broker.port)
    device.say(kind="session", event="start", level="info", alert_id="", session="s1")
    topics = {row[key] for row in COMPONENTS.values() for key in row if key.endswith("_topic")}
    heard = {t.removeprefix(TOPIC) for t in topics if "/command/" not in t}
    assert heard == {"status", "state", "session", "alert", "alert/active"}
    until(lambda: all(caregiver.of(topic) for topic in heard))
    state = json.loads(caregiver.of("state")[-1])
    shown = {key: _shown(key, state) for key in ("guard", "range", "cadence", "speed", "source")}
    assert shown == {
        "guard": "full", "range": "2.5", "cadence": "92.0", "speed": "-0.6",
        "source": "simulated:test",
    }  # fmt: skip
    assert float(_shown("battery", state)) == 80
    assert shown["guard"] in COMPONENTS["guard"]["options"]
    session = json.loads(caregiver.of("session")[-1])
    assert _shown("session", session) == "ON"
    device.say(kind="session", event="stop", level="info", alert_id="", session="s1",
               state="cleared", measurements={"elapsed_s": 61.5})  # fmt: skip
    until(lambda: _shown("session", json.loads(caregiver.of("session")[-1])) == "OFF")
    assert _shown("session_time", json.loads(caregiver.of("session")[-1])) == "61.5"


def test_what_is_not_known_is_unknown_there_and_what_is_old_is_gone() -> None:
    for key in ("battery", "range", "speed", "cadence"):
        field = {"range": "distance_m", "speed": "speed_m_s", "cadence": "cadence_steps_min"}
        assert _shown(key, {field.get(key, key): None}) == "None"
        assert COMPONENTS[key]["expire_after"] == STATE_EXPIRES
    assert _shown("session", None) == "OFF"
    assert _shown("session_time", None) == "None"
    assert _shown("session_time", {"state": "raised", "measurements": {}}) == "None"


@pytest.mark.parametrize(
    ("event", "level", "on"),
    [
        ("fall", "danger", {"fall"}),
        ("long_lie", "danger", {"fall"}),
        ("fall_imminent", "danger", set()),
        ("sos", "danger", {"sos"}),
        ("obstacle", "stop", {"obstacle"}),
        ("unsteady", "caution", {"steadiness"}),
        ("rear_blind", "fault", {"fault"}),
        ("not_guarding", "fault", {"fault"}),
        ("pace", "notice", set()),
    ],
)
def test_an_open_alert_is_seen_where_it_belongs(event: str, level: str, on: set[str]) -> None:
    alarms = [
        key for key, row in COMPONENTS.items() if row.get("state_topic") == TOPIC + "alert/active"
    ]
    assert {key for key in alarms if _shown(key, [_open(event, level)]) == "ON"} == on
    assert {key for key in alarms if _shown(key, []) == "ON"} == set()
    for key in on:
        assert _attributes(key, [_open(event, level)])["alert_id"] == "a1"
    assert all(_attributes(key, []) == {} for key in alarms)


def test_a_press_acknowledges_the_worst_newest_unanswered_alert() -> None:
    fall, sos = _open("fall", "danger", "a2"), _open("sos", "danger", "a3")
    blind, pace = _open("rear_blind", "fault", "a4"), _open("pace", "notice", "a5")
    seen = {**sos, "state": "acknowledged"}
    assert _pressed([fall, sos, blind, pace]) == "a3"
    assert _pressed([fall, seen, blind, pace]) == "a2"
    assert _pressed([seen, blind, pace]) == "a4"
    assert _pressed([{**pace, "test": True}, blind]) == "a4"
    assert _pressed([{**pace, "test": True}]) == "a5"
    assert _pressed([seen, pace]) == "", "there is nothing to answer for"
    assert checked("test", "mqtt", json.loads(COMPONENTS["test"]["payload_press"])).name == "test"


def test_an_alert_is_an_event_once() -> None:
    record = {"kind": "alert", "event": "fall", "state": "raised", "id": "r1", "alert_id": "a1"}
    said = json.loads(_event(record))
    assert said == {**record, "event_type": "fall"}
    assert said["event_type"] in COMPONENTS["alert"]["event_types"] == list(EVENTS)
    assert _event(record, seen="r1") == "", "the broker gave it twice"
    for state in ("cleared", "acknowledged"):
        assert _event({**record, "state": state}) == ""
    assert _event({**record, "kind": "result"}) == ""
    assert json.loads(_event({**record, "event": "fall_cancelled", "state": "cancelled"}))


def _open(event: str, level: str, alert_id: str = "a1") -> dict[str, Any]:
    return {
        "alert_id": alert_id, "event": event, "level": level, "state": "raised", "test": False,
    }  # fmt: skip


def _render(template: str, payload: Any, **more: Any) -> str:
    """As Home Assistant renders: no `value_json` where the payload is no JSON."""
    known = {} if payload is None else {"value_json": payload}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 — no HTML
    return environment.from_string(template).render(**known, **more)


def _shown(key: str, payload: Any) -> str:
    return _render(COMPONENTS[key]["value_template"], payload)


def _attributes(key: str, payload: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        _render(COMPONENTS[key]["json_attributes_template"], payload)
    )
    return found


def _pressed(active: list[dict[str, Any]]) -> str:
    """The alert that a press acknowledges; empty: it cannot be pressed."""
    button = COMPONENTS["acknowledge"]
    if _render(button["availability"][1]["value_template"], active) != "online":
        return ""
    this = {"attributes": _attributes("acknowledge", active)}
    payload = json.loads(_render(button["command_template"], None, this=this))
    command = checked("ack", "mqtt", payload)
    assert command.by == f"mqtt:{PRESSED_BY}"
    return command.arguments["alert_id"]


def _event(record: dict[str, Any], seen: str = "") -> str:
    this = {"attributes": {"id": seen} if seen else {}}
    return _render(COMPONENTS["alert"]["value_template"], record, this=this)
