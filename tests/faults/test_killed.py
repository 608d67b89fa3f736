"""The whole belt as processes, killed at every turn: nothing lost or renamed, death is told."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from device import journal
from tests.conftest import ROOT
from tests.service import payloads
from tests.service.belt import Mosquitto, Service, Subscriber, configure, until


class Belt:
    """A broker, a caregiver, the service, and a device with a simulated wearer."""

    def __init__(self, folder: Path, scenario: str) -> None:
        self.folder, self.scenario = folder, scenario
        self.broker = Mosquitto(folder)
        self.caregiver = Subscriber(self.broker.port)
        self.config = configure(folder, mqtt_port=self.broker.port)
        with self.config.open("a") as file:
            file.write("[wearer]\ncancel_s = 5\n")
        self.service = Service(self.config)
        self.start_device()

    def start_device(self) -> None:
        self.device = subprocess.Popen(
            [
                *(sys.executable, "-m", "device", "--config", str(self.config)),
                *("--simulate", self.scenario),
            ],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )

    def journalled(self) -> list[dict[str, Any]]:
        """Every record the device has written, in order."""
        entries = journal.read(self.folder / "data" / "journal", journal.Cursor(), 10_000)
        return [entry.record for entry in entries if entry.record]

    def heard(self, event: str, state: str = "raised") -> list[dict[str, Any]]:
        return [a for a in self.caregiver.alerts() if (a["event"], a["state"]) == (event, state)]

    def statuses(self) -> list[tuple[str, float]]:
        return [(p, at) for topic, p, _, at in list(self.caregiver.messages) if topic == "status"]

    def close(self) -> None:
        self.device.kill()
        self.device.wait()
        if self.service.process.poll() is None:
            self.service.kill()
        self.caregiver.close()
        payloads.check(self.caregiver.messages)
        self.broker.kill()


@pytest.fixture
def belt(tmp_path: Path) -> Iterator[Callable[[str], Belt]]:
    belts = []

    def begin(scenario: str) -> Belt:
        belts.append(Belt(tmp_path, scenario))
        return belts[-1]

    yield begin
    for each in belts:
        each.close()


def test_the_service_killed_again_and_again_loses_and_renames_nothing(
    belt: Callable[[str], Belt],
) -> None:
    whole, dice = belt("fall"), random.Random(7)
    end = time.monotonic() + 20.0
    kills = 0
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.0, 0.8))
        whole.service.kill()
        kills += 1
        time.sleep(dice.uniform(0.0, 0.4))
        whole.service.start()
    until(lambda: whole.heard("long_lie"), 15)
    told = {r["id"]: r for r in whole.journalled() if r["kind"] == "alert"}
    until(lambda: set(told) <= {alert["id"] for alert in whole.caregiver.alerts()})
    for alert in whole.caregiver.alerts():
        if alert["id"] in told:  # delivered twice, perhaps, but never under another name
            record = told[alert["id"]]
            assert {key: alert[key] for key in record} == record
    of_device = {a["id"] for a in whole.caregiver.alerts() if ":service-" not in a["id"]}
    assert of_device == set(told)
    assert {"fall_imminent", "fall", "long_lie"} <= {record["event"] for record in told.values()}
    assert len({r["alert_id"] for r in told.values() if r["level"] == "danger"}) == 1
    assert kills >= 5  # a start takes a second or two


def test_a_killed_device_is_told_within_two_seconds_and_its_return_too(
    belt: Callable[[str], Belt],
) -> None:
    whole = belt("clear")
    until(lambda: whole.statuses() and whole.statuses()[-1][0] == "online", 15)
    whole.device.kill()
    killed = time.monotonic()
    until(lambda: whole.heard("not_guarding"))
    status, at = until(lambda: whole.statuses()[-1][0] == "offline" and whole.statuses()[-1])
    heard = next(
        at
        for topic, p, _, at in whole.caregiver.messages
        if topic == "alert" and "not_guarding" in p
    )
    assert status == "offline"
    assert at - killed < 2.0
    assert heard - killed < 2.0
    whole.device.wait()
    whole.start_device()
    until(lambda: whole.statuses()[-1][0] == "online", 15)
    until(lambda: whole.heard("not_guarding", "cleared"))


def test_a_belt_that_restarts_in_the_middle_of_a_fall_goes_on_with_it(
    belt: Callable[[str], Belt],
) -> None:
    whole = belt("fall")
    fall = until(lambda: whole.heard("fall"), 25)[0]
    whole.device.kill()
    whole.device.wait()
    whole.scenario = "clear"  # the wearer is up again, and walks
    whole.start_device()
    again = until(lambda: whole.heard("fall", "confirmed"), 15)[0]
    over = until(lambda: whole.heard("fall_cancelled", "cancelled"), 25)[0]
    assert fall["alert_id"] == again["alert_id"] == over["alert_id"]
    assert again["detail"].startswith("the belt restarted; down for ")
    assert (over["by"], over["boot"]) == ("walking", again["boot"])


def test_acknowledge_and_motor_test_reach_the_belt_and_come_back(
    belt: Callable[[str], Belt],
) -> None:
    whole = belt("fall")
    fall = until(lambda: whole.heard("fall"), 25)[0]
    whole.caregiver.publish("command/ack", json.dumps({"alert_id": fall["alert_id"], "by": "Ann"}))
    seen = until(
        lambda: whole.heard("fall", "acknowledged") or whole.heard("long_lie", "acknowledged")
    )
    assert seen[0]["alert_id"] == fall["alert_id"]
    assert "Ann" in seen[0]["by"]

    def motor_test() -> Any:
        """Refused while the fall is still being felt, for that is more urgent."""
        answer = httpx.post(
            whole.service.url + "/api/v1/commands/test", json={}, headers={"X-Rearguard": "test"}
        )
        assert answer.status_code in (200, 409), answer.text
        return answer.status_code == 200 and answer.json()["result"]

    result = until(motor_test, 15)
    assert result["test"] is True
    assert result["state"] == "confirmed"
    records = [r for r in whole.journalled() if r["kind"] == "result"]
    assert records[-1]["event"] == "test"
    assert records[-1]["buzz_t"] is not None
