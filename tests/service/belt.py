"""A belt to test the service with: the real lanes, and processes that are really killed."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from device import tokens
from device.alerts import Record
from device.clock import MonotonicClock, SystemWallClock, boot_id
from device.control import ControlServer
from device.frames import Frame, Guard
from device.recorder import Origin, Recorder
from device.ring import RingWriter
from tests.conftest import ROOT, missing

BELT = "test"
TOPIC = f"rearguard/{BELT}/"


def until(condition: Callable[[], Any], seconds: float = 8.0) -> Any:
    """What `condition` gives once it is truthy; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {condition}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configure(folder: Path, *, mqtt_port: int, http: str = "", mqtt: str = "") -> Path:
    """A configuration file; `http` and `mqtt` are further lines of their sections."""
    file = folder / "belt.toml"
    (folder / "run").mkdir(exist_ok=True)
    file.write_text(
        f'[belt]\nname = "{BELT}"\nrun_dir = "run"\ndata_dir = "data"\n'
        f"[mqtt]\nport = {mqtt_port}\n{mqtt}\n[http]\nport = 0\n{http}\n"
    )
    return file


def make_token(folder: Path, name: str, scope: str) -> str:
    """A token of the belt that `configure` writes into `folder`."""
    (folder / "data").mkdir(exist_ok=True)
    return tokens.make(folder / "data" / "tokens", name, scope, "2026-01-01T00:00:00+00:00")


class Device:
    """The device's ends of the three lanes, with a wearer as told: frames, records, answers."""

    _runs = 0

    def __init__(self, folder: Path, *, rate: float = 100.0, limit_bytes: int = 1 << 22) -> None:
        Device._runs += 1
        self.run = f"{boot_id()}-{os.getpid()}x{Device._runs}"
        self.frame = Frame(
            ax=0.0,
            ay=0.0,
            az=9.81,
            guard=Guard.FULL,
            direction=-1,
            speed=-0.6,
            lean=-0.05,
            cadence=92.0,
            distance=2.5,
            closing=0.6,
            ttc=4.2,
            ping_echo=0,
            battery=0.8,
            sway=0.4,
        )
        self.blind = self.frozen = False  # no pings; no frames
        self.requests: list[dict[str, Any]] = []
        self._rate = rate
        self._ring = RingWriter(folder / "run" / "frames", 1024, rate, "simulated:test")
        self.journal = folder / "data" / "journal"
        self._control = ControlServer(folder / "run" / "control")
        self.recorder = Recorder(
            self.journal,
            Origin(BELT, self.run, "simulated:test"),
            MonotonicClock(),
            SystemWallClock(),
            queue_size=4096,
            limit_bytes=limit_bytes,
        )
        self._count = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def say(self, event: str = "obstacle", level: str = "warning", **more: Any) -> str:
        """Journal one alert; its alert_id."""
        self._count += 1
        record = Record(
            **{
                "kind": "alert",
                "event": event,
                "level": level,
                "t": time.monotonic(),
                "alert_id": f"{BELT}:{self.run}:a{self._count}",
                "source": "simulated:test",
                **more,
            }
        )
        self.recorder.put(record)
        return record.alert_id

    def stop(self, *, crash: bool = False) -> None:
        """End; a crash leaves the ring and the socket behind as they are."""
        self._stop.set()
        self._thread.join()
        self.recorder.close()
        if not crash:
            self._ring.close()
            self._control.close()

    def _work(self) -> None:
        deadline, tick = time.monotonic(), 0
        while not self._stop.is_set():
            now = time.monotonic()
            for request in self._control.poll():
                self._answer(request, now)
            if not self.frozen:
                self.frame.t = self.frame.tick = now
                pings = tick % 6 == 0 and not self.blind
                self.frame.ping_t, self.frame.ping_echo = (now, 0) if pings else (float("nan"), -1)
                self._ring.write(self.frame)
            tick += 1
            deadline += 1 / self._rate
            time.sleep(max(0.0, deadline - time.monotonic()))

    def _answer(self, request: dict[str, Any], now: float) -> None:
        name = request["command"]
        if name == "consumed":
            self.recorder.consumed(request["segment"])
            self.requests.append({**request, "t": now})
            return
        self.requests.append(request)
        if name == "told":
            return
        same = {"t": now, "by": request["by"], "source": "simulated:test"}
        if name == "ack":
            self.recorder.put(
                Record("alert", "fall", "danger", "acknowledged", request["alert_id"], **same)
            )
        self.recorder.put(
            Record(
                "result",
                name,
                "info",
                "confirmed",
                request=request["request"],
                test=name == "test",
                detail="the motor was felt",
                **same,
            )
        )


class Mosquitto:
    """A private broker on a free port."""

    def __init__(self, folder: Path, extra: str = "allow_anonymous true") -> None:
        if (program := shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")) is None:
            missing("mosquitto", "apt install mosquitto")
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        user = getpass.getuser()  # else, begun as root, it gives that up and cannot read the files
        self._file.write_text(
            f"user {user}\nlistener {self.port} 127.0.0.1\npersistence false\n{extra}\n"
        )
        self._program = program
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(self._program), "-c", str(self._file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


USERS = (BELT, "other", "homeassistant", "caregiver", "watcher", "stranger")


def password(user: str) -> str:
    return f"{user}-of-this-test"


def guarded_broker(folder: Path) -> Mosquitto:
    """A broker with the list and the limits of deploy/, and a password for everybody."""
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{user}:{password(user)}\n" for user in USERS))
    try:
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
    except FileNotFoundError:
        missing("mosquitto_passwd", "apt install mosquitto")
    access = folder / "acl"
    access.write_bytes((ROOT / "deploy" / "mosquitto.acl").read_bytes())
    for file in (passwords, access):
        file.chmod(0o600)
    written = (ROOT / "deploy" / "broker.sh").read_text()
    limits = "\n".join(re.findall(r"^max_(?:packet_size|connections) \d+$", written, re.MULTILINE))
    return Mosquitto(
        folder, f"allow_anonymous false\npassword_file {passwords}\nacl_file {access}\n{limits}"
    )


class Subscriber:
    """A caregiver: keeps every message as (topic, payload, retained, at).

    Topics under the belt's root are kept without it.
    """

    def __init__(self, port: int, user: tuple[str, str] | None = None) -> None:
        self.messages: list[tuple[str, str, bool, float]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(*user)
        self._client.reconnect_delay_set(1, 1)
        self.subscriptions = 0
        self._client.on_connect = lambda client, *_: client.subscribe(
            [("rearguard/#", 1), ("homeassistant/#", 1)]
        )
        self._client.on_subscribe = self._subscribed
        self._client.on_message = lambda _client, _data, message: self.messages.append(
            (
                message.topic.removeprefix(TOPIC),
                message.payload.decode(),
                message.retain,
                time.monotonic(),
            )
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(lambda: self.subscriptions == 1)

    def _subscribed(self, *_: Any) -> None:
        self.subscriptions += 1

    def reconnected(self) -> bool:
        return self.subscriptions > 1

    def of(self, topic: str) -> list[str]:
        return [payload for name, payload, *_ in list(self.messages) if name == topic]

    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.of("alert")]

    def publish(
        self, topic: str, payload: str = "", *, retain: bool = False, root: str = TOPIC
    ) -> None:
        self._client.publish(root + topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Service:
    """The service as its own process."""

    def __init__(self, config: Path, stderr: int | None = None) -> None:
        """`stderr`: a file descriptor in place of the file that `log` reads."""
        self._config, self._stderr = config, stderr
        self._log = (config.parent / "service.log").open("a")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", "--config", str(self._config)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._log if self._stderr is None else self._stderr,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "://" in line, (line, self.log())
        self.url = line.split()[-1].rstrip("/")

    def log(self) -> str:
        return (self._config.parent / "service.log").read_text()

    def kill(self) -> None:
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        self.process.terminate()
        return self._wait()

    def _wait(self) -> int:
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code
