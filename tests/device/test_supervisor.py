"""What systemd hears of a process, over a real datagram socket in its place."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import __main__ as device
from device.supervisor import EVERY, VARIABLE, Supervisor


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address[0] == "@" else address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        lines = []
        while True:
            try:
                lines.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return lines

    def wait(self, word: str, seconds: float = 20.0) -> list[str]:
        """Everything up to a line that begins with `word`."""
        self.socket.settimeout(seconds)
        lines = [""]
        while not lines[-1].startswith(word):
            lines.append(self.socket.recv(4096).decode())
        self.socket.setblocking(False)
        return lines[1:]


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    it = Systemd(str(tmp_path / "notify"))
    yield it
    it.socket.close()


def test_first_it_is_ready_then_it_lives(systemd: Systemd) -> None:
    supervisor = Supervisor(systemd.address)
    for tick in range(101):
        supervisor.alive(5.0 + tick / 100)
    assert systemd.heard() == ["READY=1"] + ["WATCHDOG=1"] * round(1.0 / EVERY)
    supervisor.status("full;\nimu fresh")
    assert systemd.heard() == ["STATUS=full; imu fresh"]
    supervisor.close()
    supervisor.alive(100.0)
    assert systemd.heard() == []


def test_an_abstract_address_is_one_too() -> None:
    it = Systemd(f"@rearguard-test-{os.getpid()}")
    Supervisor(it.address).alive(1.0)
    assert it.heard() == ["READY=1"]
    it.socket.close()


def test_nobody_listening_is_no_trouble(tmp_path: Path, systemd: Systemd) -> None:
    for address in ("", str(tmp_path / "nothing there")):
        Supervisor(address).alive(1.0)
    supervisor = Supervisor(systemd.address)
    for second in range(2000):  # a systemd that does not read: its buffer is full long before
        supervisor.alive(float(second))
    assert 0 < len(systemd.heard()) < 2000


def test_a_device_is_ready_once_it_has_judged(tmp_path: Path, systemd: Systemd) -> None:
    """And when it is stopped it gives no further sign, so that the watchdog ends it."""
    (tmp_path / "belt.toml").write_text('[belt]\nname = "b1"\nrun_dir = "run"\ndata_dir = "data"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "device", "--config", str(tmp_path / "belt.toml"),
         "--simulate", "clear"],
        env={**os.environ, VARIABLE: systemd.address}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert "READY=1" in systemd.wait("STATUS=full")
        systemd.wait("WATCHDOG=1")
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        systemd.heard()
        with pytest.raises(TimeoutError):
            systemd.wait("WATCHDOG=1", seconds=4 * EVERY)
    finally:
        process.kill()
        process.wait()


def test_a_unit_refuses_a_simulated_belt(
    tmp_path: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv(VARIABLE, systemd.address)
    monkeypatch.setattr(os, "getppid", lambda: 1)  # systemd is the parent of what its units start
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert device.main(["--config", str(tmp_path / "none"), "--simulate", "clear"]) == 2
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert "take --simulate out" in capsys.readouterr().err
