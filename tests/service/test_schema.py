"""The schemas: sound, up to date with the code's words, and strict where the code is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from device.alerts import EVENTS, Level, Record, State
from device.questions import QUESTIONS
from service.delivery import payload
from service.desk import OFFERED, Refused, checked
from service.moment import Moment
from service.notes import NOTES
from service.own import OwnRecords
from service.schema import VERSION
from tests.service.payloads import FILES, FOLDER, faults, schema

OWN = OwnRecords("belt", "abcd1234", "1f")
NOW = Moment(100.0, 1767225600.0)


def alert(**more: Any) -> dict[str, Any]:
    record = OWN.record(NOW, "fall", Level.DANGER, "a test")
    found: dict[str, Any] = json.loads(payload({**record, **more}, NOW, "abcd1234"))
    return found


def test_each_file_is_a_schema_and_says_its_version() -> None:
    names = {file.stem for file in FOLDER.glob("*.json")}
    assert names == {*FILES.values(), "command"}
    for name in names:
        Draft202012Validator.check_schema(schema(name))
        assert schema(name)["$id"] == f"urn:rearguard:mqtt:{name}:{VERSION}"
        assert schema(name)["description"]


def test_the_words_are_those_of_the_code() -> None:
    said = schema("alert")
    assert said["properties"]["level"]["enum"] == [level.word for level in Level][1:]
    assert said["properties"]["state"]["enum"] == list(State)
    assert said["allOf"][0]["then"]["properties"]["event"]["enum"] == list(EVENTS)
    fields = set(Record("alert", "fall").to_dict())
    stamps = {"schema", "id", "belt", "boot", "raised_at", "clock_synchronised", "delayed_s"}
    assert set(said["properties"]) == fields | stamps
    assert set(schema("command")["$defs"]) == {*OFFERED, *NOTES}


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "loud"}, {"state": "maybe"}, {"event": "tea"}, {"alert_id": ""}, {"id": "7"},
        {"raised_at": 7}, {"measurements": {"distance_m": "near"}}, {"more": 1}, {"test": "no"},
        {"clock_synchronised": None},
    ],
)  # fmt: skip
def test_an_alert_that_is_none_is_seen(wrong: dict[str, Any]) -> None:
    assert faults("alert", json.dumps(alert())) == []
    assert faults("alert", json.dumps(alert(**wrong))) != []


def test_what_is_missing_or_on_no_known_topic_is_seen() -> None:
    whole = alert()
    for key in schema("alert")["required"]:
        assert faults("alert", json.dumps({k: v for k, v in whole.items() if k != key})) != []
    assert faults("status", "asleep") != []
    assert faults("gossip", "{}") != []


ANSWERS = dict.fromkeys(QUESTIONS, False)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ack", {"alert_id": "belt:run:a1", "by": "anna"}), ("ack", {}), ("ack", {"alert_id": 7}),
        ("ack", {"alert_id": ""}), ("ack", {"alert_id": "x" * 201}), ("test", {}),
        ("test", {"by": "x" * 41}), ("test", {"id": "7"}), ("test", {"id": "x" * 65}),
        ("test", {"strength": "9"}), ("start", {}), ("start", {"plan": "first"}),
        ("start", {"plan": 7}), ("stop", {"by": "anna"}), ("profile", {"name": "Ada"}),
        ("profile", {}), ("screening", {"answers": ANSWERS}), ("screening", {"answers": {}}),
        ("screening", {"answers": {**ANSWERS, "more": True}}), ("perception", {}),
        ("walk_test", {}), ("effort", {"borg_cr10": 3.5}), ("effort", {"borg_cr10": 11}),
        ("effort", {"borg_cr10": True}), ("rate", {"session": "s", "borg_cr10": 0}),
        ("rate", {"session": "s"}), ("programme", {"wearer": "Ada", "name": "none"}),
        ("programme", {"wearer": "Ada", "name": "cricket"}),
    ],
)  # fmt: skip
def test_a_command_is_taken_just_when_its_schema_takes_it(
    name: str, arguments: dict[str, Any]
) -> None:
    try:
        checked(name, "mqtt", arguments)
        taken = True
    except Refused:
        taken = False
    assert Draft202012Validator(schema("command")["$defs"][name]).is_valid(arguments) == taken
