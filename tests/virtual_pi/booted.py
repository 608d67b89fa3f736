"""`python -m tests.virtual_pi.booted`: what a unit inside a booted belt finds out.

`proof` is on the kernel's command line. `units`: kills and stops both processes, and takes the
times. `cuts`: says what is journalled, until the power goes. Whatever it says is a line of JSON in
/srv/said.jsonl, on the host at once.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from device import journal
from device.commands import send
from device.config import Config
from device.frames import Guard
from device.settings import load
from tests.virtual_pi.follow import Frames

SAID = Path("/srv/said.jsonl")
PLAYED = Path("/srv/played.jsonl")
CONFIG = Path("/etc/rearguard/rearguard.toml")
CURRENT = Path("/opt/rearguard/current")
DATA = Path("/var/lib/rearguard")
PASSWORD = Path("/etc/rearguard/secrets/watcher")
PATIENCE_S = 60.0
LOOK_S = 0.01
SETTLED_S = 1.5  # after which what had to be told has been
ASK_S = 0.05  # s between questions to systemd
BEAT_S = 0.1
DEVICE, SERVICE = "rearguard-device", "rearguard-service"


def say(what: str, **more: Any) -> None:
    with SAID.open("a") as out:
        out.write(json.dumps({"t": time.monotonic(), "what": what, **more}) + "\n")


def when(so: Callable[[], Any], look: float = LOOK_S) -> float | None:
    """The time at which it was so [s, monotonic]; None: not within PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if so():
            return time.monotonic()
        time.sleep(look)
    return None


def main_pid(unit: str) -> int:
    """0: it has none now."""
    shown = subprocess.run(
        ["systemctl", "show", "-P", "MainPID", unit], capture_output=True, text=True, check=True
    )
    return int(shown.stdout)


def another(unit: str, pid: int) -> float | None:
    """When it is run by another process than `pid`."""
    return when(lambda: main_pid(unit) not in (0, pid), ASK_S)


class Caregiver:
    """Logged in as the access list's watcher, through TLS."""

    def __init__(self, config: Config) -> None:
        self.heard: list[tuple[float, str, bytes]] = []
        root = f"rearguard/{config.belt.name}/"
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set("watcher", PASSWORD.read_text().strip())
        client.tls_set(ca_certs=str(config.mqtt.ca_file))
        client.on_connect = lambda c, *_: c.subscribe(root + "#", qos=1)
        client.on_message = lambda _c, _u, m: self.heard.append(
            (time.monotonic(), m.topic.removeprefix(root), m.payload)
        )
        client.connect_async(config.mqtt.host, config.mqtt.port)
        client.loop_start()

    def said(self, topic: str, since: float = 0.0) -> list[tuple[float, str]]:
        return [(t, p.decode()) for t, name, p in list(self.heard) if name == topic and t >= since]

    def status(self) -> str:
        said = self.said("status")
        return said[-1][1] if said else ""

    def alerts(self, since: float) -> list[str]:
        """Event and state of each since then, in words."""
        records = [json.loads(text) for _, text in self.said("alert", since)]
        return [f"{r['event']} {r['state']} ({r['detail']})" for r in records]


def prove_units(config: Config) -> None:
    frames, caregiver = Frames(config.ring_file), Caregiver(config)
    say("guarding", at=when(frames.guarding), power=_power())
    say("online", at=when(lambda: caregiver.status() == "online"))
    time.sleep(SETTLED_S)
    _device_killed(frames, caregiver)
    time.sleep(SETTLED_S)
    _service_killed(frames, caregiver)
    time.sleep(SETTLED_S)
    _device_stopped(config, frames, caregiver)
    time.sleep(SETTLED_S)
    _mended("installed again", ["/src/deploy/install.sh"], frames)
    (wheel,) = Path("/proof/wheels").glob("rearguard-*.whl")
    _mended("updated", ["rearguard", "update", str(wheel)], frames)
    _taken_off()
    say("end")


def _device_killed(frames: Frames, caregiver: Caregiver) -> None:
    pid, t = main_pid(DEVICE), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    back = another(DEVICE, pid)
    full = when(lambda: frames.guarding(t))
    time.sleep(SETTLED_S)
    say("device killed", at=t, back=back, guarding=full, told=caregiver.alerts(t),
        status=[s for _, s in caregiver.said("status", t)])  # fmt: skip


def _service_killed(frames: Frames, caregiver: Caregiver) -> None:
    pid, t = main_pid(SERVICE), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    back = another(SERVICE, pid)
    online = when(lambda: [s for _, s in caregiver.said("status", t)][-1:] == ["online"])
    time.sleep(SETTLED_S)
    seen = frames.since(t - 1.0)
    ticks = [frame.tick for frame in seen]
    say("service killed", at=t, back=back, online=online, frames=len(seen),
        guarding=all(frame.guard == Guard.FULL for frame in seen),
        longest=max(b - a for a, b in itertools.pairwise(ticks)),
        gaps=sum(frame.gap != 0 for frame in seen), told=caregiver.alerts(t))  # fmt: skip


def _device_stopped(config: Config, frames: Frames, caregiver: Caregiver) -> None:
    """While its motor runs."""
    send(config.socket_file, "play", "proof", pattern="test")
    when(_motor_runs)
    pid, t = main_pid(DEVICE), time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    running = _motor_runs()
    off = when(lambda: not _motor_runs())
    back = another(DEVICE, pid)
    full = when(lambda: frames.guarding(t + 1.0))
    time.sleep(SETTLED_S)
    say("device stopped", at=t, running=running, motor_off=off, back=back, guarding=full,
        told=caregiver.alerts(t))  # fmt: skip


def _mended(what: str, command: list[str], frames: Frames) -> None:
    """A command that starts the units anew, what it said, and which release then guards."""
    t = time.monotonic()
    code, output = _run(command)
    say(what, at=t, code=code, output=output, guarding=when(lambda: frames.guarding(t)),
        release=CURRENT.readlink().name)  # fmt: skip


def _taken_off() -> None:
    """While it guards, by the script that came with the release."""
    script = CURRENT / "share" / "rearguard" / "deploy" / "uninstall.sh"
    code, output = _run([str(script)])
    runs = [unit for unit in (DEVICE, SERVICE) if main_pid(unit)]
    say("taken off", code=code, output=output, runs=runs, motor=_motor_runs(),
        kept=sorted(file.name for file in DATA.iterdir()))  # fmt: skip


def _run(command: list[str]) -> tuple[int, list[str]]:
    """Its exit code, and what it said, line by line."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip
    return done.returncode, done.stdout.splitlines()


def _power() -> float:
    """When what is soldered on had power, just before systemd began [s, monotonic]."""
    first: float = json.loads(PLAYED.read_text().splitlines()[0])["t"]
    return first


def _motor_runs() -> bool:
    """As the chips see it."""
    lines = PLAYED.read_text().splitlines()
    motor = [e for e in map(json.loads, lines[-50:]) if e["what"] == "motor"]
    return bool(motor and motor[-1]["on"])


def say_what_is_journalled(config: Config) -> None:
    """Until the power goes: each record when it is first seen in the journal, and a beat."""
    frames = Frames(config.ring_file)
    say("guarding", at=when(frames.guarding), power=_power())
    say("kept", ids=sorted(_stored(config) | _journalled(config)), set_aside=_set_aside(config))
    known: set[str] = set()
    while True:
        if new := _journalled(config) - known:
            known |= new
            say("journalled", ids=sorted(new))
        say("beat")
        time.sleep(BEAT_S)


def _journalled(config: Config) -> set[str]:
    entries = journal.read(config.journal_dir, journal.Cursor(), limit=1_000_000)
    return {str(entry.record["id"]) for entry in entries if entry.record}


def _stored(config: Config) -> set[str]:
    """From a copy: the service's own files are not to be touched."""
    with tempfile.TemporaryDirectory() as name:
        for file in config.store_file.parent.glob(config.store_file.name + "*"):
            shutil.copy(file, name)
        if not (copy := Path(name) / config.store_file.name).exists():
            return set()
        store = sqlite3.connect(copy)
        try:
            return {str(row[0]) for row in store.execute("SELECT id FROM events")}
        finally:
            store.close()


def _set_aside(config: Config) -> list[str]:
    """Stores that the service found corrupt (service/database.py)."""
    return sorted(file.name for file in config.belt.data_dir.glob("*.corrupt-*"))


def main() -> None:
    proofs = {"units": prove_units, "cuts": say_what_is_journalled}
    words = dict(word.partition("=")[::2] for word in Path("/proc/cmdline").read_text().split())
    proofs[words["proof"]](load(CONFIG))


if __name__ == "__main__":
    main()
