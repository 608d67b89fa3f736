"""A belt, its broker, Home Assistant and two phones, and what is asked of them again and again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.home_assistant.hass import Hass
from tests.home_assistant.phone import Phone
from tests.home_assistant.root import VERSION
from tests.service.belt import (
    BELT,
    Device,
    Service,
    Subscriber,
    configure,
    guarded_broker,
    password,
    until,
)

SOON = 20.0  # s; how long it may take on a busy machine before it is a failure
NAME = f"rearguard_{BELT}"


class Rig:
    """Everything that is real, and the device's lanes; one of the phones cannot be reached."""

    def __init__(self, folder: Path, hass: Hass, picture: Path | None, ending: ExitStack) -> None:
        """`picture`: file for what the dashboard looks like during a fall.

        What is begun here is ended by `ending`, the latest first.
        """
        self.hass, self.picture = hass, picture
        self.broker = guarded_broker(folder)
        ending.callback(self.broker.kill)
        (folder / "run").mkdir()
        self.device = Device(folder, rate=50.0)
        ending.callback(self.device.stop)
        secret = folder / "secret"
        secret.write_text(password(BELT))
        secret.chmod(0o600)
        lines = f'username = "{BELT}"\npassword_file = "secret"'
        self.service = Service(configure(folder, mqtt_port=self.broker.port, mqtt=lines))
        ending.callback(lambda: self.service.process.poll() is None and self.service.kill())
        # listens as a watcher may, and can say again what the belt has said
        self.echo = Subscriber(self.broker.port, (BELT, password(BELT)))
        self.watcher = Subscriber(self.broker.port, ("watcher", password("watcher")))
        ending.callback(self.watcher.close)
        ending.callback(self.echo.close)
        self.hass.start()
        self.hass.move_in("Anna")
        self.hass.integrate_mqtt(self.broker.port, "homeassistant", password("homeassistant"))
        self.broken = Phone(hass, "Broken phone", reachable=False)
        ending.callback(self.broken.close)
        self.phone = Phone(hass, "Annas phone")
        ending.callback(self.phone.close)
        self.figures: dict[str, Any] = {"home_assistant": VERSION}

    def belt(self) -> dict[str, str]:
        """The belt's entities without its name → state."""
        return {
            entity.replace(f"{NAME}_", ""): state["state"]
            for entity, state in self.hass.states().items()
            if f".{NAME}_" in entity
        }

    def steady(self) -> dict[str, str]:
        """The same without the last event, which may have been another since."""
        return {key: state for key, state in self.belt().items() if key != "event.alert"}

    def becomes(self, of: Callable[[], dict[str, str]], wanted: dict[str, str]) -> None:
        """Wait until it is as wanted; fails with what differs."""
        try:
            until(lambda: of() == wanted, SOON)
        except AssertionError:
            found = of()
            differs = {k: (v, found.get(k)) for k, v in wanted.items() if found.get(k) != v}
            raise AssertionError(f"wanted, found: {differs}") from None

    def state(self, entity: str) -> str:
        return self.belt().get(entity, "absent")

    def gone(self) -> bool:
        there = {k for k, v in self.belt().items() if v != "unavailable"}
        return there == {"binary_sensor.connection"}

    def critical(self, tag: str) -> bool:
        shown = self.phone.shown().get(tag)
        return shown is not None and shown["data"]["push"]["interruption-level"] == "critical"

    def orders(self, name: str) -> list[dict[str, Any]]:
        return [r for r in self.device.requests if r["command"] == name]

    def fired(self) -> list[dict[str, Any]]:
        """The alert's events, each once."""
        states = {s["state"]: s for s in self.hass.changes(f"event.{NAME}_alert")
                  if s["attributes"].get("event_type")}  # fmt: skip
        return list(states.values())
