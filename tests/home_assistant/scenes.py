"""The scenes: what a belt does, and what is then to be seen in Home Assistant and on a phone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

from service.entities import ENTITIES
from tests.home_assistant.rig import NAME, SOON, Rig
from tests.home_assistant.screen import seen
from tests.service.belt import until

# whose complaints are ours: a template that does not render, a key that is not known
LOGGERS = ("components.mqtt", "components.automation", "components.script", "components.blueprint",
           "helpers.template", "helpers.script", "components.button", "components.event",
           "components.sensor", "components.binary_sensor")  # fmt: skip
DASHBOARD = "rear-guard/belt"


class Proof(Rig):
    """The scenes in turn; each builds on what stands, and each may fail by itself."""

    def every_entity_appears_with_its_state(self) -> None:
        self.device.say(kind="session", event="start", level="info", alert_id="", session="s1")
        self.device.say(kind="session", event="progress", level="info", alert_id="", session="s1",
                        measurements={"elapsed_s": 75.0})  # fmt: skip
        expected = {
            "binary_sensor.fall": "off", "binary_sensor.sos": "off", "binary_sensor.fault": "off",
            "binary_sensor.obstacle_behind": "off", "binary_sensor.steadiness": "off",
            "binary_sensor.connection": "on", "binary_sensor.session": "on",
            "sensor.session_time": "75.0", "sensor.guard": "full", "sensor.battery": "80.0",
            "sensor.range_behind": "2.5", "sensor.speed": "-0.6", "sensor.cadence": "92.0",
            "sensor.delivery": "confirmed", "sensor.source": "simulated:test",
            "event.alert": "unknown", "button.test": "unknown",
            "button.acknowledge": "unavailable",
        }  # fmt: skip
        assert len(expected) == len(ENTITIES)
        self.becomes(self.belt, expected)
        states = self.hass.states()
        for row in ENTITIES.values():
            slug = row["name"].lower().replace(" ", "_")
            shown = states[f"{row['platform']}.{NAME}_{slug}"]["attributes"]
            for key in ("device_class", "unit_of_measurement", "state_class", "options"):
                assert shown.get(key) == row.get(key), (row["name"], key, shown)
        shown_ids = set(
            re.findall(rf"\w+\.{NAME}_\w+", (self.hass.folder / "dashboard.yaml").read_text())
        )
        assert len(shown_ids) == len(expected), "every entity has its place on the dashboard"
        assert shown_ids <= set(states), shown_ids - set(states)
        self.figures["entities"] = len(expected)

    def a_fall_is_one_event_and_one_notification_until_it_is_over(self) -> None:
        tag = self.device.say("fall_imminent", "danger")
        until(lambda: self.phone.of(tag), SOON)
        assert "critical" not in json.dumps(self.phone.of(tag)), "balance lost is not yet a fall"
        self.device.say("fall", "danger", alert_id=tag)
        fell = time.monotonic()
        until(lambda: self.state("binary_sensor.fall") == "on", SOON)
        until(lambda: self.critical(tag), SOON)
        self.figures["fall_to_phone_s"] = round(self.phone.at(self.phone.of(tag)[-1]) - fell, 3)
        self.device.say("long_lie", "danger", alert_id=tag)
        until(lambda: "still down" in self.phone.shown()[tag]["message"], SOON)
        self.phone.press(self.phone.shown()[tag])
        ack = until(lambda: self.orders("ack"), SOON)[-1]
        assert (ack["alert_id"], ack["by"]) == (tag, "mqtt:Anna"), ack
        until(lambda: "Anna is seeing to it" in self.phone.shown()[tag]["message"], SOON)
        assert not self.phone.shown()[tag]["data"]["actions"], "it is answered"
        self.device.say("fall_cancelled", "info", state="cancelled", alert_id=tag, by="walking",
                        detail="after 40 s")  # fmt: skip
        until(lambda: "walks again after 40 s" in self.phone.shown()[tag]["message"], SOON)
        assert list(self.phone.shown()) == [tag], "one notification for all of it"
        until(lambda: self.state("binary_sensor.fall") == "off", SOON)
        kinds = [
            s["attributes"]["event_type"]
            for s in self.fired()
            if s["attributes"]["alert_id"] == tag
        ]
        assert kinds == ["fall_imminent", "fall", "long_lie", "fall_cancelled"], kinds

    def what_the_broker_gives_twice_is_one_event(self) -> None:
        tag = self.device.say("fall", "danger")
        until(lambda: self.critical(tag), SOON)
        (message,) = [p for p in self.watcher.of("alert") if json.loads(p)["alert_id"] == tag]
        self.echo.publish("alert", message)
        until(lambda: len(self.phone.of(tag)) == 2, SOON)
        assert list(self.phone.shown()).count(tag) == 1
        self.device.say("fall", "danger", state="cleared", alert_id=tag)
        until(lambda: tag not in self.phone.shown(), SOON)
        assert [s["attributes"]["alert_id"] for s in self.fired()].count(tag) == 1

    def the_button_acknowledges_what_it_names(self) -> None:
        button = f"button.{NAME}_acknowledge"
        tag = self.device.say("sos", "danger")
        until(lambda: self.hass.states()[button]["attributes"].get("alert_id") == tag, SOON)
        assert self.state("binary_sensor.sos") == "on"
        until(lambda: self.critical(tag), SOON)
        self.hass.press(button)
        until(lambda: self.orders("ack")[-1]["alert_id"] == tag, SOON)
        assert self.orders("ack")[-1]["by"] == "mqtt:Home Assistant"
        until(lambda: self.hass.state(button) == "unavailable", SOON)
        self.device.say("sos", "danger", state="cleared", alert_id=tag)
        until(lambda: self.state("binary_sensor.sos") == "off", SOON)
        until(lambda: tag not in self.phone.shown(), SOON)
        self.hass.press(f"button.{NAME}_test")
        until(lambda: self.orders("test"), SOON)

    def only_danger_help_and_faults_reach_the_phone(self) -> None:
        quiet = [self.device.say(event, level) for event, level in
                 (("obstacle", "stop"), ("unsteady", "caution"), ("pace", "notice"))]  # fmt: skip
        until(lambda: self.state("binary_sensor.obstacle_behind") == "on", SOON)
        until(lambda: self.state("binary_sensor.steadiness") == "on", SOON)
        late = time.monotonic() - 600
        blind = self.device.say("rear_blind", "fault", detail="no echo", t=late)
        until(lambda: self.phone.of(blind), SOON)
        until(lambda: self.state("binary_sensor.fault") == "on", SOON)
        message = " ".join(self.phone.shown()[blind]["message"].split())
        assert message == "The belt does not see behind. no echo (10 min ago)", message
        for tag, event in (
            *zip(quiet, ("obstacle", "unsteady", "pace"), strict=True),
            (blind, "rear_blind"),
        ):
            level = "fault" if event == "rear_blind" else "notice"
            self.device.say(event, level, state="cleared", alert_id=tag)
        until(lambda: self.belt()["binary_sensor.fault"] == "off", SOON)
        until(lambda: self.belt()["binary_sensor.obstacle_behind"] == "off", SOON)
        until(lambda: blind not in self.phone.shown(), SOON)
        assert not any(self.phone.of(tag) for tag in quiet)

    def the_weekly_test_is_marked_and_answered(self) -> None:
        tag = self.device.say("test_alert", "notice", test=True)
        push = until(lambda: self.phone.of(tag), SOON)[0]
        assert push["title"].startswith("TEST: ")
        assert push["data"]["push"]["interruption-level"] != "critical"
        self.phone.press(push)
        until(lambda: self.orders("ack")[-1]["alert_id"] == tag, SOON)
        self.device.say("test_alert", "notice", test=True, state="cleared", alert_id=tag)
        until(lambda: tag not in self.phone.shown(), SOON)

    def the_dashboard_shows_what_is_wrong(self) -> None:
        tag = self.device.say("fall", "danger", detail="a hard impact")
        until(lambda: self.critical(tag), SOON)
        for distance in (2.4, 2.1, 1.7, 2.5):  # something for the history to draw
            self.device.frame.distance = distance
            until(lambda at=str(distance): self.state("sensor.range_behind") == at, SOON)
        text = seen(
            self.hass, DASHBOARD, "I see to it", "Fall a hard impact Since", "Fall Unsafe",
            "Session Running", "2.50 m", "-0.60 m/s", "92 steps/min", "Battery 80%", "Guard full",
            "Alerts arrive confirmed", "Alert detected an event", picture=self.picture,
        )  # fmt: skip
        assert "HUI-ERROR-CARD" not in text
        assert "not found" not in text
        assert re.search("<HUI-HISTORY-GRAPH-CARD>[^<]*<CANVAS>", text), "the history is drawn"
        self.device.say("fall", "danger", state="cleared", alert_id=tag)
        until(lambda: tag not in self.phone.shown(), SOON)

    def a_dead_belt_is_unavailable_and_missed(self) -> None:
        self.service.kill()
        died = time.monotonic()
        until(lambda: self.state("binary_sensor.connection") == "off", SOON)
        self.figures["dead_belt_seen_s"] = round(time.monotonic() - died, 1)
        until(self.gone, SOON)
        tag = f"rearguard-silent-binary_sensor.{NAME}_session"
        until(lambda: tag in self.phone.shown(), SOON)
        seen(self.hass, DASHBOARD, "The belt is not heard", "Nothing on this page is known")
        self.service.start()
        until(lambda: self.state("sensor.guard") == "full", SOON)
        until(lambda: tag not in self.phone.shown(), SOON)
        self.device.frozen = True
        until(self.gone, SOON)
        self.device.frozen = False
        until(lambda: self.state("sensor.guard") == "full", SOON)

    def home_assistant_restarted_knows_everything_again(self) -> None:
        before = self.steady()
        fall = self.device.say("fall", "danger")
        until(lambda: self.state("binary_sensor.fall") == "on", SOON)
        self.hass.stop()
        registry = json.loads((self.hass.folder / ".storage/core.entity_registry").read_text())
        ids = {e["unique_id"] for e in registry["data"]["entities"] if e["platform"] == "mqtt"}
        assert ids == {f"{NAME}_{key}" for key in ENTITIES}, ids
        self.hass.start()
        until(lambda: self.state("binary_sensor.fall") == "on", SOON)
        self.device.say("fall", "danger", state="cleared", alert_id=fall)
        self.becomes(self.steady, before)

    def nothing_was_complained_of(self) -> None:
        bad = [
            line
            for line in self.hass.log()
            if (" WARNING " in line or " ERROR " in line)
            and any(f"[homeassistant.{name}" in line for name in LOGGERS)
        ]
        self.figures["warnings"] = len(bad)
        assert not bad, "\n".join(bad[:10])

    def automate(self) -> None:
        """The blueprints as a person would use them: imported, filled in, valid."""
        phones = [self.broken.device_id, self.phone.device_id]
        self.hass.automate("alerts", "rearguard/alerts.yaml", {"phones": phones})
        session = f"binary_sensor.{NAME}_session"
        self.hass.automate("silence", "rearguard/silence.yaml",
                           {"phones": phones, "session": session, "seconds": 1})  # fmt: skip


SCENES: tuple[Callable[[Proof], None], ...] = (
    Proof.every_entity_appears_with_its_state,
    Proof.automate,
    Proof.a_fall_is_one_event_and_one_notification_until_it_is_over,
    Proof.what_the_broker_gives_twice_is_one_event,
    Proof.the_button_acknowledges_what_it_names,
    Proof.only_danger_help_and_faults_reach_the_phone,
    Proof.the_weekly_test_is_marked_and_answered,
    Proof.the_dashboard_shows_what_is_wrong,
    Proof.a_dead_belt_is_unavailable_and_missed,
    Proof.home_assistant_restarted_knows_everything_again,
    Proof.nothing_was_complained_of,
)
