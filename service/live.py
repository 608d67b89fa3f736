"""The live picture: what is known of the wearer and the belt at one moment, as plain JSON values.

One picture for the MQTT topic `state`, the API and the page, so that they cannot disagree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from device.alerts import Level
from device.config import Config
from device.frames import Echo, Guard
from service.watch import SILENT_AFTER, Seen, Watch

DIRECTIONS = {0: "still", 1: "forward", -1: "backward", 2: "other", 9: "unknown"}
IMU_STALE = 0.5  # s; samples come fifty times in it
REAR_STALE_PINGS = 8  # pings without an answer; at 60 ms each, half a second


@dataclass(frozen=True, slots=True)
class Stream:
    """How old a stream may grow before it is stale [s]."""

    name: str
    limit: float

    def judge(self, age: float) -> dict[str, Any]:
        """Age [s] (None: nothing came yet), limit and one word: fresh, stale or absent."""
        health = "absent" if not math.isfinite(age) else "fresh" if age <= self.limit else "stale"
        return {"age_s": _number(age, 3), "limit_s": self.limit, "health": health}


class Live:
    """Draws the picture. Thread-safe: it only reads what the watch has last put down."""

    def __init__(self, config: Config, watch: Watch) -> None:
        self._belt, self._watch = config.belt.name, watch
        self._loop = Stream("loop", SILENT_AFTER)
        self._imu = Stream("imu", IMU_STALE)
        self._rear = Stream("rear", max(0.5, REAR_STALE_PINGS * config.ranger.period_s))
        self._has_rear = config.ranger.driver != "none"

    @property
    def belt(self) -> str:
        return self._belt

    def online(self, t: float) -> bool:
        """Whether the device gives frames."""
        return not self._watch.silence(t)

    def streams(self, t: float) -> dict[str, dict[str, Any]]:
        """Each stream that guards, with its age."""
        seen = self._watch.seen
        found = {
            self._loop.name: self._loop.judge(seen.age(t) if seen else math.inf),
            self._imu.name: self._imu.judge(t - seen.imu_t if seen else math.inf),
        }
        if self._has_rear:
            found[self._rear.name] = self._rear.judge(t - seen.rear_t if seen else math.inf)
        return found

    def stale(self, t: float) -> list[str]:
        """One line for each stream that is not fresh; none: all are."""
        return [
            f"{name}: never seen"
            if stream["age_s"] is None
            else f"{name}: {stream['age_s']:.1f} s old, at most {stream['limit_s']:g} s is fresh"
            for name, stream in self.streams(t).items()
            if stream["health"] != "fresh"
        ]

    def picture(self, t: float) -> dict[str, Any]:
        """The state at `t` [s, monotonic]. What is not known now is null, never the last value."""
        seen, silence = self._watch.seen, self._watch.silence(t)
        head = {
            "belt": self._belt,
            "source": seen.source if seen else "unknown",
            "online": not silence,
            "streams": self.streams(t),
        }
        if seen is None or silence:
            return {**head, "guard": Guard.NOT_GUARDING.name.lower(), "reason": silence, **_NOTHING}
        guard = Guard(seen.frame.guard) if seen.frame.guard in set(Guard) else Guard.NOT_GUARDING
        return {
            **head,
            "guard": guard.name.lower(),
            "reason": "; ".join(self.stale(t)),
            **_measured(seen),
        }


def _measured(seen: Seen) -> dict[str, Any]:
    """What the newest frame says, in the units people use."""
    frame = seen.frame
    return {
        "level": Level(frame.level).word if frame.level in set(Level) else "unknown",
        "direction": DIRECTIONS.get(frame.direction, "unknown"),
        "rear": Echo(seen.rear_echo).name.lower() if seen.rear_echo in set(Echo) else "unknown",
        "distance_m": _number(frame.distance, 3),
        "closing_m_s": _number(frame.closing, 3),
        "time_to_collision_s": _number(frame.ttc, 2),
        "speed_m_s": _number(frame.speed, 3),
        "cadence_steps_min": _number(frame.cadence, 1),
        "lean_deg": _number(math.degrees(frame.lean), 1),
        "sway_m_s2": _number(frame.sway, 3),
        "risk": _number(frame.risk, 3),
        "motor": _number(frame.motor, 2),
        "button": bool(frame.button),
        "battery": _number(frame.battery, 3),
        "under_voltage": {0: False, 1: True}.get(frame.under_voltage),
        "lateness_ms": _number(frame.lateness * 1000, 2),
    }


# the same keys with nothing known, so that a reader finds every key at any time
_NOTHING: dict[str, Any] = {
    "level": "unknown",
    "direction": "unknown",
    "rear": "unknown",
    **dict.fromkeys(
        (
            "distance_m",
            "closing_m_s",
            "time_to_collision_s",
            "speed_m_s",
            "cadence_steps_min",
            "lean_deg",
            "sway_m_s2",
            "risk",
            "motor",
            "button",
            "battery",
            "under_voltage",
            "lateness_ms",
        )
    ),
}


def _number(value: float, digits: int) -> float | None:
    """JSON has no word for NaN or infinity: null."""
    return round(value, digits) if math.isfinite(value) else None
