"""What somebody on the network may try: on a real service, a real broker, real sockets."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from device.cli.round_trip import round_trip
from device.clock import MonotonicClock
from device.settings import load
from service import door
from service.door import MAX_OF_ONE, Door, Patient
from tests.conftest import missing
from tests.service.belt import (
    Device,
    Mosquitto,
    Service,
    Subscriber,
    configure,
    free_port,
    make_token,
    until,
)

Serve = Callable[..., Service]
CROWD = 1000


def certify(folder: Path, name: str, ca: str = "") -> None:
    """`name`.pem and `name`.key for 127.0.0.1: signed by `ca`, or by itself."""
    if (openssl := shutil.which("openssl")) is None:
        missing("openssl", "apt install openssl")
    signed = ["-CA", f"{ca}.pem", "-CAkey", f"{ca}.key"] if ca else []
    subprocess.run(
        [str(openssl), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", *signed],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    (folder / f"{name}.key").chmod(0o600)


def port_of(service: Service) -> int:
    return int(service.url.rsplit(":", 1)[1])


# --- tokens and TLS, on the network ---


def test_on_every_address_only_a_token_lets_in(tmp_path: Path, serve: Serve) -> None:
    reads = make_token(tmp_path, "screen", "read")
    service = serve(free_port(), http='host = "0.0.0.0"')
    with httpx.Client(base_url=f"http://127.0.0.1:{port_of(service)}") as http:
        assert http.get("/healthz").status_code == 200
        assert http.get("/api/v1/status").status_code == 401
        bearer = {"Authorization": f"Bearer {reads}"}
        assert http.get("/api/v1/status", headers=bearer).status_code == 200
        refused = http.post("/api/v1/commands/test", headers=bearer)
        assert (refused.status_code, refused.headers["content-type"]) == (
            403, "application/problem+json",
        )  # fmt: skip
        assert "--scope operate" in refused.json()["detail"]
    until(lambda: "in the clear" in service.log())
    assert reads not in service.log()


def test_the_page_over_tls(tmp_path: Path, serve: Serve) -> None:
    certify(tmp_path, "belt")
    token = make_token(tmp_path, "phone", "operate")
    service = serve(
        free_port(), http='certificate_file = "belt.pem"\nkey_file = "belt.key"\nhost = "0.0.0.0"'
    )
    assert service.url.startswith("https://")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "belt.pem"))
    url = f"https://127.0.0.1:{port_of(service)}"
    with httpx.Client(base_url=url, verify=trusted) as http:
        until(lambda: http.get("/healthz").status_code == 200)
        answer = http.post("/login", data={"token": token})
        assert "Secure" in answer.headers["set-cookie"]
        assert http.get("/api/v1/status").status_code == 200, "by the cookie"
    with pytest.raises(httpx.HTTPError):
        httpx.get(url.replace("https", "http") + "/healthz")
    with pytest.raises(httpx.ConnectError):
        httpx.get(url + "/healthz")  # nobody has vouched for this certificate
    assert "in the clear" not in service.log()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "belt.key").chmod(0o644), "chmod 600"),
        (lambda folder: (folder / "belt.key").unlink(), "cannot be read"),
        (lambda folder: (folder / "belt.pem").write_text("x"), "no certificate and its key"),
    ],
)
def test_a_bad_certificate_is_one_line(
    tmp_path: Path, spoil: Callable[[Path], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from service.__main__ import main

    certify(tmp_path, "belt")
    spoil(tmp_path)
    lines = 'certificate_file = "belt.pem"\nkey_file = "belt.key"'
    assert main(["--config", str(configure(tmp_path, mqtt_port=1, http=lines))]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_broker_that_asks_for_the_belts_certificate(tmp_path: Path, device: Device) -> None:
    certify(tmp_path, "ca")
    for name in ("broker", "belt"):
        certify(tmp_path, name, ca="ca")
    files = (
        f"cafile {tmp_path}/ca.pem\ncertfile {tmp_path}/broker.pem\nkeyfile {tmp_path}/broker.key"
    )
    broker = Mosquitto(
        tmp_path, f"{files}\nrequire_certificate true\nuse_identity_as_username true"
    )
    ours = 'certificate_file = "belt.pem"\nkey_file = "belt.key"'
    try:
        for lines, told in ((ours, "connected"), ("", "")):
            config = configure(tmp_path, mqtt_port=broker.port, mqtt=f'ca_file = "ca.pem"\n{lines}')
            service = Service(config)
            with httpx.Client(base_url=service.url) as http:
                said = until(
                    lambda http=http: (
                        (word := http.get("/api/v1/status").json()["service"]["broker"])
                        != "not yet connected"
                        and word
                    )
                )
            assert (said == "connected") == bool(told), said
            found = round_trip(load(config), MonotonicClock())
            assert (found.fault == "") == bool(told), "the doctor shows the same certificate"
            service.kill()
    finally:
        broker.kill()


# --- commands ---


def _orders(device: Device) -> list[str]:
    return [r["command"] for r in device.requests if r["command"] not in ("consumed", "told")]


def test_commands_from_before_and_again_are_not_carried_out(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    for name in ("start", "stop", "test"):  # lying in wait for the belt to connect
        caregiver.publish(f"command/{name}", '{"by": "mallory"}', retain=True)
    service = serve(broker.port)
    until(lambda: service.log().count("retained command") == 3)
    service.kill()
    caregiver.publish("command/stop", '{"by": "mallory"}')  # sent while nobody is there
    service.start()
    until(lambda: service.log().count("retained command") == 6)
    for _ in range(5):
        caregiver.publish("command/test", json.dumps({"by": "anna", "id": "f3a9"}))
    caregiver.publish("command/ack", json.dumps({"alert_id": "x", "id": "last"}))
    until(lambda: "no alert 'x'" in service.log())
    assert _orders(device) == ["test"]
    until(lambda: service.log().count("has come before") == 4)


# --- requests that are none ---

REQUESTS = [
    b"\0" * 100,
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /page.js/../../__main__.py HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"POST /api/v1/commands/test HTTP/1.1\r\nHost: localhost\r\nX-Rearguard: 1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n" + b"[" * 4000,
    b"POST /api/v1/commands/test HTTP/1.1\r\nHost: localhost\r\nX-Rearguard: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    b"GET /api/v1/alerts?limit=" + b"9" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /api/v1/alerts?since=%00%ff&level=%0d%0a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


def test_what_is_no_request_is_refused_and_leaves_no_trace(serve: Serve) -> None:
    service = serve(free_port())
    for request in REQUESTS:
        with socket.create_connection(("127.0.0.1", port_of(service)), timeout=8) as peer:
            peer.sendall(request)
            answer = peer.recv(4096)
        status = int(answer.split()[1])
        assert 400 <= status < 500, (request[:80], answer)
        assert b"root:" not in answer
    assert httpx.get(service.url + "/healthz").status_code == 200
    assert "Traceback" not in service.log()


# --- crowds and dawdlers ---


def test_a_thousand_connections_shut_nobody_else_out(
    broker: Mosquitto, caregiver: Subscriber, device: Device, serve: Serve
) -> None:
    service = serve(broker.port)
    until(lambda: caregiver.of("status")[-1:] == ["online"])
    address = ("127.0.0.1", port_of(service))
    status = Path(f"/proc/{service.process.pid}/status")

    def resident() -> int:
        return int(status.read_text().split("VmRSS:")[1].split()[0])  # kB

    before = resident()
    with ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(socket.create_connection(address, timeout=8))
        open_here = len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))
        assert open_here < MAX_OF_ONE + 40, "the crowd is not let in"
        other = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=service.url, transport=other) as http:
            until(lambda: http.get("/healthz").status_code == 200)
        alert_id = device.say("fall", "danger")
        until(lambda: any(a["alert_id"] == alert_id for a in caregiver.alerts()))
        assert resident() - before < 8000
    until(lambda: _answers(service.url), 10)
    assert service.log().count("too many connections") < 40, "the log is not flooded either"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url + "/healthz").status_code == 200
    except httpx.HTTPError:
        return False


async def _long(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole request, then answers with more than any buffer holds."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(500):
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})


@contextmanager
def _open_door(patience: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """The door before that application."""
    monkeypatch.setattr(door, "PATIENCE", patience)
    listener = Door(socket.AF_INET)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(
        uvicorn.Config(_long, http=Patient, ws="none", lifespan="off", log_config=None,
                       timeout_keep_alive=60, timeout_graceful_shutdown=1)
    )  # fmt: skip
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "drop"),
    [
        (b"", b""),
        (b"GET / HTT", b"P"),
        (HEAD, b"x"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n"),
    ],
    ids=["nothing", "half a head", "half a body", "header after header"],
)
def test_who_dawdles_is_shown_out(
    sent: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also who sends a drop now and then, so that no silence is long."""
    with _open_door(0.3, monkeypatch) as listener:
        begun = time.monotonic()
        with socket.create_connection(listener.getsockname(), timeout=5) as peer:
            peer.sendall(sent)
            peer.settimeout(0.1)
            try:
                while time.monotonic() - begun < 5:
                    peer.sendall(drop)
                    try:
                        if peer.recv(100) == b"":
                            break
                    except TimeoutError:
                        continue
            except ConnectionError:
                pass
        assert 0.2 < time.monotonic() - begun < 3


def test_who_does_not_take_what_they_asked_for_is_shown_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        _open_door(0.3, monkeypatch) as listener,
        socket.create_connection(listener.getsockname(), timeout=5) as peer,
    ):
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        peer.recv(10)
        assert listener.inside == 1
        until(lambda: listener.inside == 0, 3)
