"""Entities: what a belt is to Home Assistant, one row each. Nothing here speaks to anybody.

A row's key is part of the entity's unique id and never changes. Kinds, device classes, units and
keys are those of its MQTT integration (home-assistant.io/integrations/mqtt, checked against
2026.2). `~` in a topic stands for the belt's root, with its slash.
"""

from __future__ import annotations

import json
from typing import Any

from device.alerts import EVENTS
from device.frames import Guard
from service.telemetry import OFFLINE, ONLINE

STATE_EXPIRES = 10  # s; `state` comes once a second, and what has stopped coming is not known
PRESSED_BY = "Home Assistant"  # a button is not told whose finger it was

# What a press on "Acknowledge" answers for: the newest unanswered danger, else fault, else test.
# It is one alert, and the button names it, so that nobody answers for what they have not seen.
_UNANSWERED = (
    "{% set open = value_json | rejectattr('state', 'eq', 'acknowledged') | list %}"
    "{% set one = ((open | selectattr('test') | list)"
    " + (open | selectattr('level', 'eq', 'fault') | list)"
    " + (open | selectattr('level', 'eq', 'danger') | list)) | last | default(none) %}"
)
# An alert is an event when it is raised or told again, and when the wearer cancels it; a message
# that the broker gave twice, by its id, is none.
_EVENT = (
    "{% if value_json.kind == 'alert' and value_json.id != this.attributes.get('id')"
    " and value_json.state in ['raised', 'confirmed', 'cancelled'] %}"
    "{{ dict(value_json, event_type=value_json.event) | tojson }}{% endif %}"
)


def _alarm(name: str, device_class: str, icon: str, chosen: str) -> dict[str, Any]:
    """On while a chosen alert is open; its attributes are the newest such alert."""
    return {
        "platform": "binary_sensor",
        "name": name,
        "device_class": device_class,
        "icon": icon,
        "state_topic": "~alert/active",
        "value_template": f"{{{{ 'ON' if value_json | {chosen} | list else 'OFF' }}}}",
        "json_attributes_topic": "~alert/active",
        "json_attributes_template": (
            f"{{{{ (value_json | {chosen} | list | last | default({{}})) | tojson }}}}"
        ),
    }


def _events(*events: str) -> str:
    return f"selectattr('event', 'in', {list(events)})"


def _sensor(name: str, field: str, factor: int = 1, **more: Any) -> dict[str, Any]:
    """A number of the topic `state`; null there is `unknown` here, and so is what has gone old."""
    scaled = f"value_json.{field} * {factor}" if factor != 1 else f"value_json.{field}"
    return {
        "platform": "sensor",
        "name": name,
        "state_topic": "~state",
        "value_template": f"{{{{ {scaled} if value_json.{field} is not none else none }}}}",
        "state_class": "measurement",
        "expire_after": STATE_EXPIRES,
        **more,
    }


def _word(name: str, field: str, **more: Any) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "name": name,
        "state_topic": "~state",
        "value_template": f"{{{{ value_json.{field} }}}}",
        "expire_after": STATE_EXPIRES,
        **more,
    }


ENTITIES: dict[str, dict[str, Any]] = {
    # safety: on is unsafe. problem: on is a problem.
    "fall": _alarm("Fall", "safety", "mdi:human-handsdown", _events("fall", "long_lie")),
    "sos": _alarm("SOS", "safety", "mdi:hand-wave", _events("sos")),
    "obstacle": _alarm("Obstacle behind", "safety", "mdi:wall", _events("obstacle")),
    "steadiness": _alarm(
        "Steadiness", "problem", "mdi:scale-unbalanced", _events("unsteady", "stumble")
    ),
    "fault": _alarm(
        "Fault", "problem", "mdi:alert-circle-outline", "selectattr('level', 'eq', 'fault')"
    ),
    "alert": {
        "platform": "event",
        "name": "Alert",
        "icon": "mdi:bell-alert",
        "event_types": list(EVENTS),
        "state_topic": "~alert",
        "value_template": _EVENT,
    },
    "acknowledge": {
        "platform": "button",
        "name": "Acknowledge",
        "icon": "mdi:check-bold",
        "command_topic": "~command/ack",
        "command_template": (
            f"{{{{ {{'alert_id': this.attributes.alert_id, 'by': '{PRESSED_BY}'}} | tojson }}}}"
        ),
        "json_attributes_topic": "~alert/active",
        "json_attributes_template": _UNANSWERED + "{{ (one or {}) | tojson }}",
        "availability_mode": "all",
        "availability": [
            {"topic": "~status"},
            {  # with nothing to answer for, it cannot be pressed
                "topic": "~alert/active",
                "value_template": f"{_UNANSWERED}{{{{ '{ONLINE}' if one else '{OFFLINE}' }}}}",
            },
        ],
    },
    "test": {
        "platform": "button",
        "name": "Test",
        "icon": "mdi:vibrate",
        "entity_category": "diagnostic",
        "command_topic": "~command/test",
        "payload_press": json.dumps({"by": PRESSED_BY}),
    },
    "online": {  # the one that speaks of a dead belt, so that an automation can
        "platform": "binary_sensor",
        "name": "Connection",
        "device_class": "connectivity",
        "state_topic": "~status",
        "payload_on": ONLINE,
        "payload_off": OFFLINE,
        "availability": [],
    },
    "guard": _word(
        "Guard",
        "guard",
        device_class="enum",
        icon="mdi:shield-half-full",
        options=[guard.name.lower() for guard in Guard],
    ),
    "session": {
        "platform": "binary_sensor",
        "name": "Session",
        "device_class": "running",
        "icon": "mdi:walk",
        "state_topic": "~session",
        "value_template": (
            "{{ 'ON' if value_json is defined and value_json.state == 'raised' else 'OFF' }}"
        ),
    },
    "session_time": {
        "platform": "sensor",
        "name": "Session time",
        "device_class": "duration",
        "unit_of_measurement": "s",
        "state_class": "measurement",
        "suggested_display_precision": 0,
        "state_topic": "~session",
        "value_template": (
            "{{ value_json.measurements.elapsed_s if value_json is defined"
            " and value_json.measurements.elapsed_s is defined else none }}"
        ),
    },
    "battery": _sensor(
        "Battery",
        "battery",
        100,
        device_class="battery",
        unit_of_measurement="%",
        suggested_display_precision=0,
    ),
    "range": _sensor(
        "Range behind",
        "distance_m",
        device_class="distance",
        unit_of_measurement="m",
        suggested_display_precision=2,
    ),
    "speed": _sensor(  # backward is negative
        "Speed",
        "speed_m_s",
        device_class="speed",
        unit_of_measurement="m/s",
        suggested_display_precision=2,
    ),
    "cadence": _sensor(  # no device class has this unit
        "Cadence",
        "cadence_steps_min",
        icon="mdi:shoe-print",
        unit_of_measurement="steps/min",
        suggested_display_precision=0,
    ),
    "delivery": _word(  # what the belt knows of whether anybody gets its alerts
        "Delivery",
        "delivery",
        device_class="enum",
        icon="mdi:email-check-outline",
        entity_category="diagnostic",
        options=["confirmed", "unproven", "nobody", "no_broker"],
    ),
    "source": _word("Source", "source", icon="mdi:source-branch", entity_category="diagnostic"),
}
