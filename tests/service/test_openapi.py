"""The description of the interface, and an interface that keeps to it whatever it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, ValidationError

from service.progress import FIGURES, TEST
from service.store import Store
from tests.service.belt import Device, Service, configure, free_port, make_token, until
from tests.service.test_recordings import keep
from tests.service.walked import record, walk


def anna() -> Iterator[dict[str, Any]]:
    """A wearer with a screening, a programme and ten days of walks that end today."""
    today = datetime.now().astimezone()
    began = today - timedelta(days=10)
    yield record("screening", began, 1, run="r0", detail="allow: nothing")
    yield record("programme", began, 2, run="r0", detail="four-weeks")
    for day in range(10):
        yield from walk(
            f"w{day}", began + timedelta(days=day), borg=3.0, step_time_cv=0.05 - day / 500
        )


@pytest.fixture(scope="module")
def description(belt: Service) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(belt.url + "/openapi.json").json()
    return found


def judge(description: dict[str, Any], ref: str, value: Any) -> None:
    """Hold a value to one of the description's shapes."""
    Draft202012Validator({**description, "$ref": ref}).validate(value)


@pytest.fixture(scope="module")
def belt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A belt with something of everything in it."""
    folder = tmp_path_factory.mktemp("belt")
    config = configure(folder, mqtt_port=free_port())
    store = Store(folder / "data" / "store.sqlite")
    store.take(anna())
    store.close()
    device, service = Device(folder), Service(config)
    alert_id = device.say("long_lie", "danger")
    device.say("obstacle", "warning")
    keep(folder / "data" / "recordings", device, alert_id)
    until(lambda: alert_id in httpx.get(service.url + "/api/v1/alerts").text)
    yield service
    service.kill()
    device.stop()


def test_every_path_has_its_words_its_shapes_and_its_errors(description: dict[str, Any]) -> None:
    found = description
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


def _loose(part: Any, where: str) -> Iterator[str]:
    """Where an object may hold just anything."""
    if isinstance(part, list):
        part = dict(enumerate(part))
    if not isinstance(part, dict):
        return
    anything = part.get("additionalProperties", True) in (True, {})
    if part.get("type") == "object" and "properties" not in part and anything:
        yield where
    for name, inner in part.items():
        yield from _loose(inner, f"{where}/{name}")


def test_nothing_is_described_as_just_anything(description: dict[str, Any]) -> None:
    assert list(_loose(description, "")) == []


def test_progress_is_whole_and_as_described(belt: Service, description: dict[str, Any]) -> None:
    found = httpx.get(belt.url + "/api/v1/wearers/anna/progress").json()
    judge(description, "#/components/schemas/Progress", found)
    assert found["course"]["programme"] == "four-weeks"
    assert found["trends"]["step_time_cv"]["clear"] == -1
    names = {figure.name for figure in FIGURES} | {TEST}
    assert set(found["trends"]) == set(found["figures"]) == names
    assert names < set(found["weeks"][0]), "no figure is left out by the shape"


def test_the_configuration_has_the_bounds_and_words_of_its_keys(
    belt: Service, description: dict[str, Any]
) -> None:
    found = httpx.get(belt.url + "/api/v1/config").json()
    judge(description, "#/components/schemas/Configuration", found)
    key = description["components"]["schemas"]["Configuration_wearer"]["properties"]["cancel_s"]
    assert (key["minimum"], key["maximum"], key["type"]) == (5, 300, "number")
    assert "long lie" in key["description"]
    found["imu"]["address"] = "0x6a"
    with pytest.raises(ValidationError):
        judge(description, "#/components/schemas/Configuration", found)


def test_the_live_stream_is_as_described(belt: Service, description: dict[str, Any]) -> None:
    """By hand: it has no end, and schemathesis, which reads an answer whole, would wait for it."""
    operation = description["paths"]["/api/v1/events"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
    shapes = operation["x-events"]
    for wrong in (
        {},
        {"Last-Event-ID": "7"},
        {"Last-Event-ID": "\x7f" * 900},
        {"Accept": "image/png"},
    ):
        headers = httpx.Headers(wrong)
        with httpx.stream("GET", belt.url + "/api/v1/events?x=1", headers=headers) as stream:
            assert stream.status_code == 200
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            seen = set[str]()
            lines = stream.iter_lines()
            while seen != set(shapes):  # whatever the reader had last, all is told anew
                name, data, end = next(lines), next(lines), next(lines)
                assert end == ""
                name = name.removeprefix("event: ")
                judge(description, shapes[name]["$ref"], json.loads(data.removeprefix("data: ")))
                seen.add(name)
    for method in ("POST", "PUT", "DELETE"):
        answer = httpx.request(method, belt.url + "/api/v1/events", headers={"X-Rearguard": "x"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
        judge(description, "#/components/schemas/Problem", answer.json())


def test_the_live_stream_asks_for_a_token_where_one_is_needed(
    tmp_path: Path, serve: Callable[..., Service]
) -> None:
    token = make_token(tmp_path, "page", "read")
    service = serve(free_port(), http='host = "0.0.0.0"')
    url = f"http://127.0.0.1:{httpx.URL(service.url).port}/api/v1/events"
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["remedy"]
    with httpx.stream("GET", url, headers={"Authorization": f"Bearer {token}"}) as stream:
        assert stream.status_code == 200
        assert next(stream.iter_lines()) == "event: state"


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing_wrong(belt: Service, tmp_path: Path) -> None:
    """Examples, borders and random questions, some malformed, to all but the stream without end."""
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
