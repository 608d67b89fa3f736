"""The HTTP interface of a real service process, and its gate by itself."""

from __future__ import annotations

import asyncio
import fcntl
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.__main__ import main
from service.gate import MAX_BODY, Gate
from tests.conftest import ROOT
from tests.service.belt import Device, Service, configure, free_port, until

PAGE = {"X-Rearguard": "page"}
TOKEN = "0123456789abcdef-test"  # noqa: S105 — it is one


def no_broker() -> int:
    """A port where nobody answers: the interface works without a broker."""
    return free_port()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Device, Service]]:
    """One device and one service for the tests that leave them as they were."""
    folder = tmp_path_factory.mktemp("http")
    config = configure(folder, mqtt_port=no_broker())
    device = Device(folder)
    service = Service(config)
    yield device, service
    service.kill()
    device.stop()


@pytest.fixture
def service(shared: tuple[Device, Service]) -> Service:
    return shared[1]


@pytest.fixture
def device(shared: tuple[Device, Service]) -> Iterator[Device]:
    yield shared[0]
    shared[0].blind = shared[0].frozen = False


@pytest.fixture
def http(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=5) as client:
        yield client


def test_health_readiness_and_the_reasons(http: httpx.Client, device: Device) -> None:
    assert http.get("/healthz").json() == {"healthy": True}
    until(lambda: http.get("/readyz").status_code == 200)
    device.blind = True
    until(lambda: http.get("/readyz").status_code == 503)
    problem = http.get("/readyz")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["ready"] is False
    assert [reason.split(":")[0] for reason in problem.json()["reasons"]] == ["rear"]
    device.frozen = True
    until(lambda: len(http.get("/readyz").json()["reasons"]) == 3)
    assert http.get("/healthz").status_code == 200, "the process itself is well"


def test_status_says_what_is_known_and_how_old(http: httpx.Client, device: Device) -> None:
    alert_id = device.say()
    until(lambda: alert_id in http.get("/api/v1/status").text)
    status = until(lambda: (s := http.get("/api/v1/status").json())["guard"] == "full" and s)
    assert status["active"][-1]["alert_id"] == alert_id
    assert status["service"]["waiting"] >= 1
    assert status["service"]["device_answers"]
    assert "no broker answers" in until(
        lambda: (
            (b := http.get("/api/v1/status").json()["service"]["broker"]) != "not yet connected"
            and b
        )
    )
    assert {s["health"] for s in status["streams"].values()} == {"fresh"}
    assert status["source"] == "simulated:test"


def test_alerts_are_paged_and_wrong_questions_named(http: httpx.Client, device: Device) -> None:
    said = [device.say(level="danger" if n % 2 else "caution") for n in range(5)]
    until(lambda: said[-1] in http.get("/api/v1/alerts").text)
    first = http.get("/api/v1/alerts", params={"limit": 2}).json()
    rest = http.get("/api/v1/alerts", params={"before": first["next"], "limit": 200}).json()
    assert [a["alert_id"] for a in (first["alerts"] + rest["alerts"])[4::-1]] == said
    assert rest["next"] is None
    only = http.get("/api/v1/alerts", params={"level": "danger", "event": "obstacle"}).json()
    assert {a["level"] for a in only["alerts"]} == {"danger"}
    for wrong, status in (
        ({"level": "loud"}, 422), ({"limit": 0}, 422), ({"limit": 9999}, 422),
        ({"event": "x"}, 422), ({"since": "no such id"}, 404),
    ):  # fmt: skip
        problem = http.get("/api/v1/alerts", params=wrong)
        assert problem.status_code == status
        assert problem.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail"} <= problem.json().keys()


def test_a_motor_test_comes_back_with_its_result(http: httpx.Client, device: Device) -> None:
    answer = http.post("/api/v1/commands/test", headers=PAGE, json={"by": "toni"}).json()
    assert answer["accepted"]
    assert answer["result"]["request"] == answer["request"]
    assert answer["result"]["detail"] == "the motor was felt"
    assert answer["result"]["by"] == "http:toni"
    assert answer["result"]["test"] is True


def test_an_acknowledge_reaches_the_device(http: httpx.Client, device: Device) -> None:
    alert_id = device.say("fall", "danger")
    until(lambda: alert_id in http.get("/api/v1/status").text)
    answer = http.post("/api/v1/commands/ack", headers=PAGE, json={"alert_id": alert_id})
    assert answer.json()["result"]["state"] == "confirmed"
    episode = http.get("/api/v1/status").json()["active"][-1]
    assert (episode["state"], episode["by"]) == ("acknowledged", "http")


def test_commands_that_cannot_be(http: httpx.Client, device: Device) -> None:
    for name, body, status in (
        ("consumed", {"segment": "9"}, 400), ("ack", {}, 400), ("test", {"x": "1"}, 400),
        ("ack", {"alert_id": "no such"}, 404), ("test", [1], 422),
    ):  # fmt: skip
        problem = http.post(f"/api/v1/commands/{name}", headers=PAGE, json=body)
        assert (problem.status_code, problem.json()["status"]) == (status, status), problem.text


def test_every_error_is_a_problem(http: httpx.Client) -> None:
    for answer, status in (
        (http.get("/nothing/here"), 404),
        (http.put("/healthz", headers=PAGE), 405),
        (http.post("/api/v1/commands/test"), 401),
        (http.post("/api/v1/commands/test", headers=PAGE, content=b"x" * (MAX_BODY + 1)), 413),
        (http.post("/api/v1/commands/test", headers=PAGE, content=iter([b"{}"])), 411),
        (http.post("/api/v1/commands/test", headers=PAGE, content=b"{"), 422),
        (http.get("/healthz", headers={"Host": "evil.example"}), 421),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
    assert http.get("/openapi.json").json()["info"]["title"] == "Rearguard"


def test_it_is_small(service: Service, http: httpx.Client) -> None:
    http.get("/api/v1/status")
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    assert int(status.split("VmRSS:")[1].split()[0]) <= 90_000  # kB
    size = sum(file.stat().st_size for file in (ROOT / "service" / "page").iterdir())
    assert size < 60_000
    assert "://" not in "".join(
        f.read_text() for f in (ROOT / "service" / "page").iterdir()
    ).replace("http://www.w3.org/2000/svg", ""), "the page needs no internet"


# --- starting ---


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[[Path], str]:
    """What the service says, in one line, when it does not start with a configuration."""

    def run(config: Path) -> str:
        assert main(["--config", str(config)]) == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        return said

    return run


def test_a_busy_port_is_one_line(
    tmp_path: Path, service: Service, refused: Callable[[Path], str]
) -> None:
    config = configure(tmp_path, mqtt_port=no_broker())
    port = service.url.rsplit(":", 1)[1]
    config.write_text(config.read_text().replace("port = 0", f"port = {port}"))
    assert "in use" in refused(config)


@pytest.mark.parametrize(
    ("line", "content", "mode", "word"),
    [
        ('host = "0.0.0.0"', None, 0, "token_file"),
        ('token_file = "token"', None, 0, "cannot be read"),
        ('token_file = "token"', "short", 0o600, "16 characters"),
        ('token_file = "token"', TOKEN, 0o644, "chmod 600"),
        ("nonsense = 1", None, 0, "nonsense"),
    ],
)
def test_what_it_will_not_start_with_is_one_line(
    tmp_path: Path,
    line: str,
    content: str | None,
    mode: int,
    word: str,
    refused: Callable[[Path], str],
) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content)
        (tmp_path / "token").chmod(mode)
    said = refused(configure(tmp_path, mqtt_port=no_broker(), http=line))
    assert word in said
    assert TOKEN not in said


def test_a_second_service_is_one_line(tmp_path: Path, refused: Callable[[Path], str]) -> None:
    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "store.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another service" in refused(configure(tmp_path, mqtt_port=no_broker()))


def test_a_token_a_dead_device_and_an_end_with_a_page_open(
    tmp_path: Path, serve: Callable[..., Service]
) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "run").mkdir()
    device = Device(tmp_path)
    service = serve(no_broker(), http='token_file = "token"')
    test = "/api/v1/commands/test"
    with httpx.Client(base_url=service.url) as http:
        assert http.get("/api/v1/status").status_code == 200
        refused = http.post(test, headers=PAGE)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert http.post(test, headers=bearer).status_code == 200
        assert http.post("/login", data={"token": "wrong"}).status_code == 401
        assert http.post("/login", data={"token": TOKEN}).status_code == 303
        assert http.post(test).status_code == 401, "a cookie alone: any page can"
        assert http.post(test, headers=PAGE).status_code == 200

        device.stop(crash=True)
        problem = http.post(test, headers=bearer)
        assert problem.status_code == 503
        assert "does not answer" in problem.json()["detail"]

        with http.stream("GET", "/api/v1/events") as stream:
            assert any("not_guarding" in line for line in stream.iter_lines())
            assert service.stop() == 0, "an open page must not hold the service up"
    assert TOKEN not in service.log()


# --- the gate by itself: what cannot be tried from this machine ---


async def _inside(scope: Scope, receive: Receive, send: Send) -> None:
    await Request(scope, receive).body()
    await PlainTextResponse("in")(scope, receive, send)


def knock(gate: ASGIApp, peer: str, method: str, path: str, **more: Any) -> int:
    async def go() -> int:
        transport = httpx.ASGITransport(app=gate, client=(peer, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://belt.local") as client:
            return (await client.request(method, path, **more)).status_code

    return asyncio.run(go())


def test_beyond_loopback_everything_but_health_asks_for_the_token() -> None:
    gate = Gate(_inside, host="192.168.1.7", token=TOKEN, login_page="<h1>log in</h1>")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/", "/page.js", "/api/v1/status", "/api/v1/events", "/openapi.json", "/x"):
        assert knock(gate, "10.0.0.9", "GET", path) == 401
        assert knock(gate, "10.0.0.9", "GET", path, headers={"Accept": "text/html"}) == 401
        assert knock(gate, "10.0.0.9", "GET", path, headers=bearer) == 200
        assert knock(gate, "127.0.0.1", "POST", path, headers=PAGE) == 401
    for path in ("/healthz", "/readyz"):
        assert knock(gate, "10.0.0.9", "GET", path) == 200
    for wrong in (f"Bearer {TOKEN}x", "Bearer", "Bearer ", f"Basic {TOKEN}", "Bearer \xff"):
        headers = {"Authorization": wrong.encode("latin-1")}
        assert knock(gate, "10.0.0.9", "GET", "/api/v1/status", headers=headers) == 401
    for cookie in ("rearguard=", "rearguard=x", f"rearguard={TOKEN}", "a;;=b", "\x01"):
        headers = {"Cookie": cookie}
        assert knock(gate, "10.0.0.9", "GET", "/api/v1/status", headers=headers) == 401


def test_without_a_token_a_foreign_page_can_change_nothing() -> None:
    gate = Gate(_inside, host="127.0.0.1", token="", login_page="")
    here = {"Host": "127.0.0.1:8080"}
    change = ("POST", "/api/v1/commands/test")
    assert knock(gate, "127.0.0.1", *change, headers={**here, **PAGE}) == 200
    assert knock(gate, "127.0.0.1", *change, headers=here) == 401
    assert knock(gate, "10.0.0.9", *change, headers={**here, **PAGE}) == 401
    assert knock(gate, "127.0.0.1", *change, headers={**here, "Authorization": "Bearer "}) == 401
    for host in ("evil.example", "127.0.0.1.evil.example", "", "[", "10.0.0.9"):
        assert knock(gate, "127.0.0.1", "GET", "/api/v1/status", headers={"Host": host}) == 421
    for host in ("localhost:1", "127.0.0.1", "[::1]:80"):
        assert knock(gate, "127.0.0.1", "GET", "/api/v1/status", headers={"Host": host}) == 200


def test_openapi_names_every_path(http: httpx.Client) -> None:
    paths = json.loads(http.get("/openapi.json").text)["paths"]
    assert set(paths) >= {
        "/healthz", "/readyz", "/api/v1/status", "/api/v1/alerts", "/api/v1/events",
        "/api/v1/commands/{name}", "/api/v1/sessions", "/api/v1/wearers/{name}/report",
    }  # fmt: skip
    assert all(verb["summary"] for path in paths.values() for verb in path.values())
