"""`python -m tests.virtual_pi.guest SCENE FOLDER`: plays one scene inside the virtual Pi.

A real broker, the service and the device run as they are on a belt; `player.py` is what is soldered
to it. What came of it is left in FOLDER/outcome.json, the logs beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from device.cli import broker
from device.cli.children import Children, python
from tests.virtual_pi.follow import Frames
from tests.virtual_pi.scenes import SCENES, Scene

BELT = "virtual"
RUN = Path("/run/rearguard")
CONFIG = """
[belt]
name = "{belt}"
run_dir = "{run}"
data_dir = "{data}"
[mqtt]
port = {port}
[http]
port = 0
[wearer]
cancel_s = 5
"""
GUARDS_S = 40.0  # s at most from the device's start to full guarding
POLL_S = 0.05


class Caregiver:
    """Hears everything the belt says outside, with the time it came in [s, monotonic]."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[float, str, bytes]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("rearguard/#", qos=1)
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (time.monotonic(), message.topic.removeprefix(f"rearguard/{BELT}/"), message.payload)
        )
        self._client.connect(broker.HOST, port)
        self._client.loop_start()

    def alerts(self) -> list[tuple[float, dict[str, Any]]]:
        return [(t, json.loads(p)) for t, topic, p in list(self.heard) if topic == "alert"]

    def status(self) -> str:
        """The newest; empty: none has come."""
        said = [payload.decode() for _, topic, payload in list(self.heard) if topic == "status"]
        return said[-1] if said else ""


class Stage:
    """The scene under way."""

    def __init__(self, scene: Scene, folder: Path, port: int) -> None:
        self.scene, self.folder, self.played = scene, folder, folder / "played.jsonl"
        self.caregiver, self.frames = Caregiver(port), Frames(RUN / "frames")
        self.begun = self.guarding = self.going = 0.0

    def events(self) -> list[dict[str, Any]]:
        """What the player has done and seen so far."""
        text = self.played.read_text() if self.played.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def outcomes(self) -> list[dict[str, Any]]:
        """One row for each record that must be told, with None where it was not."""
        events, rows = self.events(), []
        thrown = {event["what"]: event["t"] for event in events}
        runs = [event["since"] for event in events if event["what"] == "motor" and event["on"]]
        after = 0.0
        for told in self.scene.told:
            since = thrown.get(told.fault, 0.0) if told.fault else self.going
            row: dict[str, Any] = {"event": told.event, "state": told.state}
            for at, record in self.caregiver.alerts():
                key = record["event"], record["state"]
                if key != (told.event, told.state) or at < max(since, after):
                    continue
                cause = since if told.fault else record["cause_t"] or record["t"]
                felt = [t - cause for t in runs if t >= cause]
                row |= {"level": record["level"], "mqtt_s": at - cause, "detail": record["detail"]}
                row |= {"source": record["source"], "felt_s": felt[0] if felt else None}
                after = at
                break
            rows.append(row)
        return rows


def play(name: str, folder: Path) -> dict[str, Any]:
    """The scene from the start of the device to its last record, or until its time is up."""
    scene = SCENES[name]
    RUN.mkdir()
    data = Path("/tmp/data")  # noqa: S108 — memory of this guest alone
    data.mkdir()
    with Children(folder) as children:
        port = broker.start(children, folder)
        config = Path("/run/rearguard.toml")
        config.write_text(CONFIG.format(belt=BELT, run=RUN, data=data, port=port) + scene.belt)
        stage = Stage(scene, folder, port)
        with _player(name, config, stage) as player:
            examined = _examined(config, folder) if scene.doctor else None
            children.start("service", python("service", "--config", str(config)))
            stage.begun = time.monotonic()
            children.start("device", python("device", "--config", str(config)))
            _until_guarding(stage, children)
            player.stdin.write(b"go\n")
            player.stdin.flush()
            stage.going = time.monotonic()
            while time.monotonic() - stage.going < scene.seconds:
                children.check()
                if scene.told and all("mqtt_s" in row for row in stage.outcomes()):
                    break
                time.sleep(POLL_S)
            return {
                "guarding_s": stage.guarding - stage.begun,
                "status": stage.caregiver.status(),
                "doctor": examined,
                "told": stage.outcomes(),
                "alerts": [
                    {"at": at - stage.going, **record} for at, record in stage.caregiver.alerts()
                ],
                "played": stage.events(),
                "frames": _frames(stage),
            }


def _examined(config: Path, folder: Path) -> Any:
    """What the doctor finds on this kernel's buses and pins."""
    words = "import sys; from device.cli import main; sys.exit(main(sys.argv[1:]))"
    with (folder / "doctor.log").open("wb") as log:
        said = subprocess.run(
            [sys.executable, "-c", words, "doctor", "--yes", "--json", "-", "--config", config],
            stdout=subprocess.PIPE, stderr=log, check=False,
        ).stdout  # fmt: skip
    return json.loads(said)


def _until_guarding(stage: Stage, children: Children) -> None:
    while time.monotonic() - stage.begun < GUARDS_S:
        children.check()
        if stage.frames.guarding() and stage.caregiver.status() == "online":
            stage.guarding = time.monotonic()
            return
        time.sleep(POLL_S)
    raise SystemExit(f"it does not guard within {GUARDS_S:g} s")


def _frames(stage: Stage) -> dict[str, Any]:
    """What the loop's own frames say of the run."""
    frames = stage.frames.since(stage.going)
    pings = [f.ping_echo for f in frames if f.ping_echo >= 0]
    return {
        "count": len(frames),
        "source": stage.frames.source,
        "gaps": sum(f.gap != 0 for f in frames),
        "pings": {kind: pings.count(kind) for kind in sorted(set(pings))},
    }


@contextmanager
def _player(name: str, config: Path, stage: Stage) -> Iterator[Any]:
    """The process that plays the electronics; it has begun when this yields."""
    command = python("tests.virtual_pi.player", name, str(config), str(stage.played))
    with (stage.folder / "player.log").open("wb") as log:
        player = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            while not stage.played.exists():
                if player.poll() is not None:
                    raise SystemExit("the player has ended; player.log says why")
                time.sleep(POLL_S)
            yield player
        finally:
            player.kill()
            player.wait()


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    (folder / "outcome.json").write_text(json.dumps(play(name, folder)))


if __name__ == "__main__":
    main()
