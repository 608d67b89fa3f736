"""The control socket: commands come through whole, anything else is answered and let go."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import commands
from device.control import MAX_PEERS, ControlServer
from device.questions import QUESTIONS


class Device:
    """A server polled by a thread, as the loop polls it."""

    def __init__(self, path: Path) -> None:
        self.path, self.stop = path, threading.Event()
        self.taken, self.lock = [], threading.Lock()  # whoever was answered finds it taken
        self.server = ControlServer(path)
        self.thread = threading.Thread(target=self._poll)
        self.thread.start()

    def _poll(self) -> None:
        while not self.stop.wait(0.002):
            with self.lock:
                self.taken += self.server.poll()

    @property
    def requests(self) -> list[dict[str, Any]]:
        with self.lock:
            return self.taken

    def close(self) -> None:
        self.stop.set()
        self.thread.join()
        self.server.close()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    served = Device(tmp_path / "control")
    yield served
    served.close()
    assert not served.path.exists()


def exchange(path: Path, sent: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(2)
        peer.connect(str(path))
        peer.sendall(sent)
        try:
            return peer.recv(65536)
        except ConnectionResetError:
            return b""


def test_a_command_reaches_the_device_and_is_answered(device: Device) -> None:
    answer = commands.send(device.path, "ack", "caregiver", alert_id="belt:run1:a3")
    assert answer["accepted"] is True
    assert len(device.requests) == 1
    assert device.requests[0] == {
        "command": "ack", "by": "caregiver", "alert_id": "belt:run1:a3",
        "request": answer["request"],
    }  # fmt: skip


def test_the_socket_is_for_its_user_and_group_alone(device: Device) -> None:
    assert device.path.stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"nonsense\n", "JSON object"),
        (b"[]\n", "JSON object"),
        (b'{"command": "explode"}\n', "unknown command"),
        (b'{"command": "ack", "request": "r", "by": "b"}\n', "alert_id"),
        (b'{"command": "stop", "request": "r", "by": "b", "force": 1}\n', "force"),
        (b'{"command": "stop", "request": "r", "by": ""}\n', "by"),
        (b"[" * 4000 + b"\n", "JSON object"),
    ],
)
def test_anything_else_is_refused_with_the_reason(device: Device, sent: bytes, said: str) -> None:
    answer = json.loads(exchange(device.path, sent))
    assert answer["accepted"] is False
    assert said in answer["detail"]
    assert device.requests == []


def test_an_endless_line_is_hung_up_on_and_others_still_served(device: Device) -> None:
    assert exchange(device.path, b"x" * 3 * commands.MAX_LINE) == b""
    assert commands.send(device.path, "stop", "test")["accepted"]


def test_idle_peers_cannot_crowd_out_the_loop(tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "control")
    idle = []
    for _ in range(MAX_PEERS + 2):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.connect(str(tmp_path / "control"))
        idle.append(peer)
        server.poll()
    assert server.refused == 2
    idle[0].close()
    server.poll()
    request = {"command": "stop", "request": "r", "by": "b"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as late:
        late.connect(str(tmp_path / "control"))
        late.sendall(json.dumps(request).encode() + b"\n")
        assert [*server.poll(), *server.poll()] == [request]
    for peer in idle:
        peer.close()
    server.close()


def test_a_silent_device_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(commands.CommandError, match="does not answer"):
        commands.send(tmp_path / "control", "stop", "test")
    server = ControlServer(tmp_path / "control")  # listens, but nobody polls it
    with pytest.raises(commands.CommandError, match="does not answer"):
        commands.send(tmp_path / "control", "stop", "test", timeout=0.1)
    server.close()


@given(
    request=st.dictionaries(
        st.sampled_from(["command", "request", "by", "alert_id", "x"]),
        st.sampled_from(["ack", "stop", "", "r", "y" * 201]) | st.integers() | st.none(),
    )
)
def test_what_is_valid_is_whole_and_bounded(request: dict[str, Any]) -> None:
    if commands.validate(request) == "":
        wanted = commands.COMMANDS[request["command"]]
        assert set(request) == {"command", "request", "by", *wanted}
        assert all(1 <= len(value) <= 200 for value in request.values())


SAFE = dict.fromkeys(QUESTIONS, False)


@pytest.mark.parametrize(
    ("command", "arguments", "fault"),
    [
        ("start", {}, ""),
        ("start", {"plan": "steady"}, ""),
        ("start", {"plan": ""}, "start needs 'plan': a text"),
        ("start", {"plan": 3}, "start needs 'plan': a text"),
        ("start", {"dose": "30"}, "start does not take 'dose'"),
        ("screening", {"answers": SAFE}, ""),
        ("screening", {"answers": SAFE | {"dizziness": "no"}}, "screening needs 'answers': true"),
        ("screening", {"answers": {"dizziness": False}}, "screening needs 'answers': true"),
        ("screening", {"answers": SAFE | {"shoe_size": True}}, "screening needs 'answers': true"),
        ("screening", {}, "screening needs 'answers': true"),
        ("effort", {"borg_cr10": 3.5}, ""),
        ("effort", {"borg_cr10": 11}, "effort needs 'borg_cr10': a number from 0 to 10"),
        ("effort", {"borg_cr10": float("nan")}, "effort needs 'borg_cr10': a number"),
        ("effort", {"borg_cr10": True}, "effort needs 'borg_cr10': a number"),
        ("perception", {}, ""),
        ("walk_test", {}, ""),
        ("walk_test", {"trial": 1}, "walk_test does not take 'trial'"),
    ],
)
def test_a_command_about_a_session_is_checked(command: str, arguments: dict, fault: str) -> None:
    request = {"command": command, "request": "r", "by": "Grace", **arguments}
    said = commands.validate(request)
    assert said.startswith(fault)
    assert bool(said) == bool(fault)
