"""How everything stands: every stream with its age and health, and the service itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from device.clock import wall_clock_synchronised
from device.config import Config
from service import machine
from service.broker import Broker
from service.delivery import UNPROVEN, Delivery
from service.history import History
from service.intake import Intake
from service.live import Live
from service.loop import Loop
from service.moment import Moment
from service.streams import table
from service.watch import Watch

LITTLE_ROOM = 100_000_000  # bytes free on the disk: a week of alerts, and the black box


class Status:
    """Reads what the parts have last put down; never waits for any of them."""

    def __init__(
        self, config: Config, watch: Watch, live: Live, intake: Intake, broker: Broker,
        delivery: Delivery, loop: Loop, history: History,
    ) -> None:  # fmt: skip
        """`history`: a connection of the interface's own."""
        self._config, self._watch, self._live = config, watch, live
        self._intake, self._broker, self._delivery = intake, broker, delivery
        self._loop, self._history = loop, history
        self._rows = table(config)
        self._folder: Path = config.belt.data_dir

    def streams(self, now: Moment) -> dict[str, dict[str, Any]]:
        """Every row of the table (streams.py) as it is at `now`."""
        t, counts = now.t, self._watch.counts
        facts = self._live.ages(t)
        room = machine.free_bytes(self._folder)
        storage = self._loop.trouble or (
            f"{room / 1e6:.0f} MB are left: free space" if room < LITTLE_ROOM else ""
        )
        never = "no device has kept a journal here" if self._intake.read_at == -math.inf else ""
        gaps, pings = dict(counts.gaps), dict(counts.pings)  # the watch goes on writing
        found: dict[str, tuple[float, str, dict[str, int | float]]] = {
            "loop": (
                facts["loop"], "",
                {"frames": counts.frames, "lost": counts.lost, "late": counts.very_late},
            ),
            "imu": (facts["imu"], "", {f"gap_{why}": n for why, n in gaps.items()}),
            "rear": (facts["rear"], "", {f"ping_{what}": n for what, n in pings.items()}),
            "journal": (
                t - self._intake.read_at, never,
                {"records": self._intake.records, "damaged": self._intake.damaged},
            ),
            "storage": (t - self._loop.stored_at, storage, {"free_bytes": room}),
            "broker": (
                t - self._broker.heard_at, self._doubt(),
                {"connections": self._broker.connections, "confirmed": self._broker.confirmed},
            ),
            "battery": (facts["battery"], self._battery(), {"readings": counts.battery}),
            "clock": (0.0, _clock(), {"steps": self._loop.steps.count}),
        }  # fmt: skip
        rates = {"imu": self._watch.fs}
        return {
            name: row.judge(*found[name], expected_hz=rates.get(name))
            for name, row in self._rows.items()
        }

    def reasons(self, now: Moment) -> list[str]:
        """Why the belt is not ready, one line a stream that guards; none: it is."""
        found = [
            f"{name}: {stream['detail']}"
            for name, stream in self.streams(now).items()
            if stream["guards"] and stream["health"] != "fresh"
        ]
        if not self._loop.alive(now.t):
            found.append("service: its loop makes no rounds; restart it")
        return found

    def picture(self, now: Moment) -> dict[str, Any]:
        """What is known now, with every stream and how the service does."""
        streams = self.streams(now)
        return {
            "time": now.written(),
            **self._live.picture(now.t),
            "streams": streams,
            "service": self.service(),
        }

    def service(self) -> dict[str, Any]:
        """How the service itself does."""
        waiting, oldest = self._history.waiting()
        return {
            "broker": "connected" if self._broker.connected else self._broker.trouble,
            "delivery": self._delivery.reach,
            "device_answers": self._intake.device_answers,
            "storage": self._loop.trouble or "ok",
            "waiting": waiting,
            "oldest_waiting_raised_at": oldest or None,
        }

    def _doubt(self) -> str:
        """Why alerts may reach nobody; empty: nothing speaks for that."""
        unproven = UNPROVEN if self._delivery.reach == "unproven" else ""
        return self._broker.trouble or self._delivery.unheard or unproven

    def _battery(self) -> str:
        charge, low = self._live.charge(), self._config.battery.low_share
        if math.isnan(charge) and self._config.battery.gauge == "none":
            return "no fuel gauge ([battery] gauge): nobody knows how long it lasts"
        return f"{charge:.0%} left: charge it" if charge < low else ""  # NaN: nothing is known


def _clock() -> str:
    return "" if wall_clock_synchronised() else "not synchronised: the times shown may be wrong"
