"""The description of the interface, and an interface that keeps to it whatever it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.belt import Device, Service, configure, free_port, until
from tests.service.test_recordings import keep


@pytest.fixture(scope="module")
def belt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A belt with something of everything in it."""
    folder = tmp_path_factory.mktemp("belt")
    config = configure(folder, mqtt_port=free_port())
    device, service = Device(folder), Service(config)
    alert_id = device.say("long_lie", "danger")
    device.say("obstacle", "warning")
    keep(folder / "data" / "recordings", device, alert_id)
    until(lambda: alert_id in httpx.get(service.url + "/api/v1/alerts").text)
    yield service
    service.kill()
    device.stop()


def test_every_path_has_its_words_its_shapes_and_its_errors(belt: Service) -> None:
    found = httpx.get(belt.url + "/openapi.json").json()
    problem = {"$ref": "#/components/schemas/Problem"}
    for path, operations in found["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            told = operation["responses"]["default"]["content"]
            assert told == {"application/problem+json": {"schema": problem}}, path
            (answer,) = operation["responses"]["200"]["content"].values()
            assert answer["schema"], path
    assert {"/api/v1/status", "/api/v1/alerts", "/api/v1/sessions", "/api/v1/recordings",
            "/api/v1/config", "/metrics", "/healthz", "/readyz"} <= set(found["paths"])  # fmt: skip


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing_wrong(belt: Service, tmp_path: Path) -> None:
    """Examples, borders and random questions, some of them malformed, to every path."""
    settings = tmp_path / "schemathesis.toml"
    settings.write_text("[generation]\n")
    ran = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run",
         f"{belt.url}/openapi.json", "--exclude-path", "/api/v1/events",
         "--max-examples", "4", "--seed", "1", "--phases", "examples,coverage,fuzzing",
         "--rate-limit", "90/s", "--header", "X-Rearguard: test", "--suppress-health-check", "all",
         "--no-color", "--continue-on-failure"],
        capture_output=True, text=True, timeout=280, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert httpx.get(belt.url + "/healthz").status_code == 200
    assert "Traceback" not in belt.log()


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("/nowhere", "/openapi.json"), ("/api/v1/alerts?limit=0", "/openapi.json"),
        ("/api/v1/alerts?since=x", "leave out"), ("/api/v1/alerts?alert_id=x", "leave out"),
        ("/api/v1/recordings/x", "lists those"), ("/api/v1/recordings?before=x", "leave out"),
        ("/api/v1/sessions/x", "/openapi.json"),
    ],
)  # fmt: skip
def test_every_problem_has_a_remedy(belt: Service, path: str, remedy: str) -> None:
    problem: dict[str, Any] = httpx.get(belt.url + path).json()
    assert remedy in problem["remedy"], problem
    assert problem["type"] == "about:blank"


def test_the_chain_of_an_episode_is_one_question(belt: Service) -> None:
    def ask(**query: str) -> list[dict[str, Any]]:
        return httpx.get(belt.url + "/api/v1/alerts", params=query).json()["alerts"]

    everything = ask()
    chain = next(alert for alert in everything if alert["event"] == "long_lie")["alert_id"]
    assert ask(alert_id=chain) == [alert for alert in everything if alert["alert_id"] == chain]
    assert {alert["event"] for alert in ask(alert_id=chain, state="raised")} == {"long_lie"}
    assert ask(state="cancelled") == []


def test_the_configuration_is_whole_and_names_only_files(belt: Service) -> None:
    found = httpx.get(belt.url + "/api/v1/config").json()
    assert found["belt"]["name"] == "test"
    assert found["wearer"]["reaction_s"] == 0.6, "defaults are there as well"
    assert found["mqtt"]["password_file"] == ""
    json.dumps(found)
