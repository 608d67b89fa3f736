"""The HTTP interface of a real service process, and its gate by itself."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from device.tokens import SCOPES, digest, revoke
from service.__main__ import main
from service.callers import COOKIE_LIFE, Caller, Callers
from service.gate import MAX_BODY, REQUESTS, Gate
from tests.conftest import ROOT
from tests.service.belt import Device, Service, configure, free_port, make_token, until

PAGE = {"X-Rearguard": "page"}


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
    problem = until(lambda: (p := http.get("/readyz")).status_code == 503 and p)
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["ready"] is False
    until(lambda: [r.split(":")[0] for r in http.get("/readyz").json()["reasons"]] == ["rear"])
    device.frozen = True
    until(lambda: len(http.get("/readyz").json()["reasons"]) == 3)
    assert http.get("/healthz").status_code == 200, "the process itself is well"


def test_status_says_what_is_known_and_how_old(http: httpx.Client, device: Device) -> None:
    alert_id = device.say()
    until(lambda: alert_id in http.get("/api/v1/status").text)
    until(lambda: http.get("/readyz").status_code == 200)  # the test before has blinded it
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
    health = {name: stream["health"] for name, stream in status["streams"].items()}
    guarding = {name for name, stream in status["streams"].items() if stream["guards"]}
    assert guarding == {"loop", "imu", "rear", "journal", "storage"}
    assert {health[name] for name in guarding} == {"fresh"}
    assert health["broker"] == "absent"
    assert "no broker answers" in status["streams"]["broker"]["detail"]
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
        ("consumed", {"segment": "9"}, 404), ("ack", {}, 400), ("test", {"x": "1"}, 400),
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


def test_every_answer_tells_browsers_what_they_may_do_with_it(http: httpx.Client) -> None:
    for path in ("/", "/page.js", "/api/v1/status", "/healthz", "/nowhere", "/login"):
        headers = http.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


@pytest.mark.measures
def test_it_is_small(service: Service, http: httpx.Client) -> None:
    http.get("/api/v1/status")
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    assert int(status.split("VmRSS:")[1].split()[0]) <= 90_000  # kB
    size = sum(file.stat().st_size for file in (ROOT / "service" / "page").iterdir())
    assert size < 200_000
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
        ('host = "0.0.0.0"', None, 0, "rearguard token add"),
        ('host = "0.0.0.0"', "not JSON", 0o600, "no tokens file"),
        ('host = "0.0.0.0"', '{"name": "a"}', 0o600, "no tokens file"),
        ('host = "0.0.0.0"', "", 0o644, "chmod 600"),
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
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "tokens").write_text(content)
        (tmp_path / "data" / "tokens").chmod(mode)
    said = refused(configure(tmp_path, mqtt_port=no_broker(), http=line))
    assert word in said


def test_a_second_service_is_one_line(tmp_path: Path, refused: Callable[[Path], str]) -> None:
    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "store.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another service" in refused(configure(tmp_path, mqtt_port=no_broker()))


def test_a_token_a_dead_device_and_an_end_with_a_page_open(
    tmp_path: Path, serve: Callable[..., Service]
) -> None:
    token = make_token(tmp_path, "phone", "operate")
    (tmp_path / "run").mkdir()
    device = Device(tmp_path)
    service = serve(no_broker())
    test = "/api/v1/commands/test"
    with httpx.Client(base_url=service.url) as http:
        assert http.get("/api/v1/status").status_code == 200
        refused = http.post(test, headers=PAGE)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        bearer = {"Authorization": f"Bearer {token}"}
        answer = http.post(test, headers=bearer, json={"by": "toni"})
        assert answer.json()["result"]["by"] == "http:phone:toni", "the token's name, then who"
        assert http.post("/login", data={"token": "wrong"}).status_code == 401
        assert http.post("/login", data={"token": token}).status_code == 303
        assert http.post(test).status_code == 401, "a cookie alone: any page can"
        assert http.post(test, headers=PAGE).status_code == 200

        device.stop(crash=True)
        problem = http.post(test, headers=bearer)
        assert problem.status_code == 503
        assert "does not answer" in problem.json()["detail"]

        with http.stream("GET", "/api/v1/events") as stream:
            assert any("not_guarding" in line for line in stream.iter_lines())
            assert service.stop() == 0, "an open page must not hold the service up"
    assert token not in service.log()


# --- the gate by itself: what cannot be tried from this machine ---


async def _inside(scope: Scope, receive: Receive, send: Send) -> None:
    await Request(scope, receive).body()
    await PlainTextResponse("in")(scope, receive, send)


def knock(gate: ASGIApp, peer: str, method: str, path: str, **more: Any) -> int:
    return answered(gate, peer, method, path, **more).status_code


def answered(gate: ASGIApp, peer: str, method: str, path: str, **more: Any) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app=gate, client=(peer, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://belt.local") as client:
            return await client.request(method, path, **more)

    return asyncio.run(go())


@pytest.fixture
def gate(tmp_path: Path) -> Callable[[str], Gate]:
    """`gate(host)`: one that listens on `host`, with the tokens of tmp_path."""

    def build(host: str) -> Gate:
        callers = Callers(tmp_path / "data" / "tokens")
        return Gate(_inside, host=host, callers=callers, login_page="<h1>log in</h1>",
                    now=lambda: 0.0)  # fmt: skip

    return build


def test_a_browser_that_may_not_see_a_page_gets_the_form(
    tmp_path: Path, gate: Callable[[str], Gate]
) -> None:
    make_token(tmp_path, SCOPES[0], SCOPES[0])
    for path, form in (("/", True), ("/walks", True), ("/api/v1/status", False)):
        asks = {"Accept": "text/html"}
        found = answered(gate("192.168.1.7"), "10.0.0.9", "GET", path, headers=asks)
        assert ("log in</h1>" in found.text) == form


def test_beyond_loopback_everything_but_health_asks_for_the_token(
    tmp_path: Path, gate: Callable[[str], Gate]
) -> None:
    reads, operates = (make_token(tmp_path, scope, scope) for scope in SCOPES)
    beyond = gate("192.168.1.7")
    for path in ("/", "/page.js", "/api/v1/status", "/api/v1/events", "/openapi.json", "/x"):
        assert knock(beyond, "10.0.0.9", "GET", path) == 401
        assert knock(beyond, "10.0.0.9", "GET", path, headers={"Accept": "text/html"}) == 401
        for token, change in ((reads, 403), (operates, 200)):
            bearer = {"Authorization": f"Bearer {token}"}
            assert knock(beyond, "10.0.0.9", "GET", path, headers=bearer) == 200
            for method in ("POST", "PUT", "DELETE", "PATCH", "NONSENSE"):
                assert knock(beyond, "10.0.0.9", method, path, headers=bearer) == change
        assert knock(beyond, "127.0.0.1", "POST", path, headers=PAGE) == 401
    for path in ("/healthz", "/readyz"):
        assert knock(beyond, "10.0.0.9", "GET", path) == 200
    for wrong in (f"Bearer {reads}x", "Bearer", "Bearer ", f"Basic {reads}", "Bearer \xff",
                  f"Bearer {digest(operates)}"):  # fmt: skip
        headers = {"Authorization": wrong.encode("latin-1")}
        assert knock(beyond, "10.0.0.9", "GET", "/api/v1/status", headers=headers) == 401
    for cookie in ("rearguard=", "rearguard=x", f"rearguard={reads}", "a;;=b", "\x01",
                   f"rearguard={digest(operates)}"):  # fmt: skip
        headers = {"Cookie": cookie}
        assert knock(beyond, "10.0.0.9", "GET", "/api/v1/status", headers=headers) == 401


def test_a_revoked_token_ends_at_once_and_its_cookie_with_it(
    tmp_path: Path, gate: Callable[[str], Gate]
) -> None:
    kept, lost = (make_token(tmp_path, name, "operate") for name in ("kept", "lost"))
    file = tmp_path / "data" / "tokens"
    beyond, callers = gate("192.168.1.7"), Callers(file)
    cookie = callers.log_in(lost, 0.0)
    assert callers.by_cookie(cookie, COOKIE_LIFE - 1) == Caller("lost", operates=True)
    assert callers.by_cookie(cookie, COOKIE_LIFE) is None
    revoke(file, "lost")
    assert callers.by_cookie(cookie, 1.0) is None
    for token, status in ((kept, 200), (lost, 401)):
        bearer = {"Authorization": f"Bearer {token}"}
        assert knock(beyond, "10.0.0.9", "GET", "/x", headers=bearer) == status
    file.chmod(0o644)  # others could read it: nobody is let in until that is mended
    assert (
        knock(beyond, "10.0.0.9", "GET", "/x", headers={"Authorization": f"Bearer {kept}"}) == 401
    )


def test_without_a_token_a_foreign_page_can_change_nothing(gate: Callable[[str], Gate]) -> None:
    here_only = gate("127.0.0.1")
    here = {"Host": "127.0.0.1:8080"}
    change = ("POST", "/api/v1/commands/test")
    assert knock(here_only, "127.0.0.1", *change, headers={**here, **PAGE}) == 200
    assert knock(here_only, "127.0.0.1", *change, headers=here) == 401
    assert knock(here_only, "10.0.0.9", *change, headers={**here, **PAGE}) == 401
    bearer = {**here, "Authorization": "Bearer "}
    assert knock(here_only, "127.0.0.1", *change, headers=bearer) == 401
    for host in ("evil.example", "127.0.0.1.evil.example", "", "[", "10.0.0.9"):
        headers = {"Host": host}
        assert knock(here_only, "127.0.0.1", "GET", "/api/v1/status", headers=headers) == 421
    for host in ("localhost:1", "127.0.0.1", "[::1]:80"):
        headers = {"Host": host}
        assert knock(here_only, "127.0.0.1", "GET", "/api/v1/status", headers=headers) == 200


def test_who_asks_without_end_is_told_to_wait(gate: Callable[[str], Gate]) -> None:
    here_only = gate("127.0.0.1")
    answers = [
        knock(here_only, "127.0.0.1", "GET", "/healthz", headers={"Host": "localhost"})
        for _ in range(int(REQUESTS[1]) + 1)
    ]
    assert set(answers[:-1]) == {200}
    assert answers[-1] == 429
    assert knock(here_only, "127.0.0.2", "GET", "/healthz", headers={"Host": "localhost"}) == 200
