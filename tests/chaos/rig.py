"""A belt to torment: a real broker, a caregiver, and the two processes, killed for real."""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos.ledger import Payload, said_in
from tests.conftest import ROOT
from tests.service.belt import Mosquitto, Subscriber, configure

SHIM = Path(__file__).with_name("shim.c")
UNLIMITED = "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0"


def preload(folder: Path) -> Path:
    """The shim, compiled."""
    library = folder / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-O2", str(SHIM), "-o", str(library), "-ldl"]
    subprocess.run(command, check=True)
    return library


class Clock:
    """The wall clock of the tormented processes, as many seconds off as is said."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "clock"
        self.file.write_bytes(bytes(8))
        with self.file.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)

    def step(self, off: float) -> None:
        """Put it `off` seconds from the true time."""
        self._page[:] = struct.pack("d", off)


class Child:
    """A process that may not be ours to wait for."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal; after SIGKILL it is really gone when this returns."""
        try:
            signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return
        if number == signal.SIGKILL:
            self.gone(10.0)

    def gone(self, seconds: float) -> bool:
        """Wait for its end, at most so long; whether it has ended."""
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        return bool(ended.poll(max(0.0, seconds) * 1000))

    def close(self) -> None:
        os.close(self._handle)


class Rig:
    """One belt's folder with all that belongs to it."""

    def __init__(self, folder: Path, library: Path, environment: dict[str, str] | None = None):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.clock = Clock(folder)
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "CHAOS_CLOCK": str(self.clock.file),
            **(environment or {}),
        }
        self.log = (folder / "log").open("a")
        self.broker = Mosquitto(folder, UNLIMITED)
        self.caregiver = Subscriber(self.broker.port)
        self.config = configure(folder, mqtt_port=self.broker.port)
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.zygote"],
            cwd=ROOT, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
        )  # fmt: skip
        self._came: list[Payload] = []
        self._read = 0  # messages of the caregiver's
        self.service: Child | None = None
        self.device: Child | None = None

    def fork(self, *words: object) -> Child:
        """A process by the zygote."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(" ".join(map(str, words)) + "\n")
        self._zygote.stdin.flush()
        return Child(int(self._zygote.stdout.readline()))

    def start_service(self) -> None:
        self._begun_at = (self.folder / "log").stat().st_size
        self.service = self.fork("service", self.config)

    def serving(self, seconds: float) -> bool:
        """Wait until the service started last has its store and its page; whether it has."""

        def told() -> bool:
            with (self.folder / "log").open("rb") as log:
                log.seek(self._begun_at)
                return b"the page is at" in log.read()

        return wait(told, seconds)

    def start_device(self, seed: int, records: int = 0, past: float = 0.0) -> None:
        self.device = self.fork("device", self.folder, seed, records, past)

    def start_whole_service(self) -> subprocess.Popen[bytes]:
        """As `rearguard serve` does: a new interpreter."""
        return subprocess.Popen(
            [sys.executable, "-m", "service", "--config", str(self.config)],
            cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=self.log,
        )  # fmt: skip

    def kill_service(self) -> None:
        if self.service is not None:
            self.service.kill()
            self.service.close()
        self.service = None

    def kill_device(self) -> None:
        if self.device is not None:
            self.device.kill()
            self.device.close()
        self.device = None

    def end_device(self, seconds: float = 20.0) -> bool:
        """Let it write what it has, and end."""
        device, self.device = self.device, None
        if device is None:
            return True
        device.kill(signal.SIGTERM)
        ended = device.gone(seconds)
        device.kill()
        device.close()
        return ended

    def came(self) -> list[Payload]:
        """The alerts that the caregiver has, in the order in which they came."""
        messages = self.caregiver.messages[self._read :]
        self._read += len(messages)
        self._came += [json.loads(text) for topic, text, *_ in messages if topic == "alert"]
        return self._came

    def arrived(self, patience: float) -> bool:
        """Wait until all that is in the journal has come, or nothing has for `patience` s."""
        missing = set(said_in(self.folder))
        until, seen = time.monotonic() + patience, 0
        while missing and time.monotonic() < until:
            time.sleep(0.1)
            fresh = self.came()[seen:]
            seen += len(fresh)
            if missing & {alert["id"] for alert in fresh}:
                until = time.monotonic() + patience
            missing -= {alert["id"] for alert in fresh}
        return not missing

    def close(self) -> None:
        self.kill_service()
        self.kill_device()
        self._zygote.kill()
        self._zygote.wait()
        self.caregiver.close()
        self.broker.kill()
        self.log.close()


def wait(condition: Callable[[], Any], seconds: float) -> bool:
    """Whether `condition` came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
