"""The live picture: what is known of the wearer and the belt at one moment, as plain JSON values.

One picture for the MQTT topic `state`, the API and the page, so that they cannot disagree.
"""

from __future__ import annotations

import math
from typing import Any

from device.alerts import Level
from device.config import Config
from device.frames import Echo, Guard
from service.streams import table
from service.watch import Seen, Watch

DIRECTIONS = {0: "still", 1: "forward", -1: "backward", 2: "other", 9: "unknown"}


class Live:
    """Draws the picture. Thread-safe: it only reads what the watch has last put down."""

    def __init__(self, config: Config, watch: Watch) -> None:
        self._belt, self._watch = config.belt.name, watch
        rows = table(config)
        self._rows = {name: rows[name] for name in ("loop", "imu", "rear") if name in rows}

    @property
    def belt(self) -> str:
        return self._belt

    def online(self, t: float) -> bool:
        """Whether the device gives frames."""
        return not self._watch.silence(t)

    def ages(self, t: float) -> dict[str, float]:
        """How old what the device's frames bring is [s]; infinite: it never came."""
        seen = self._watch.seen
        if seen is None:
            return dict.fromkeys(("loop", "imu", "rear", "battery"), math.inf)
        return {
            "loop": seen.age(t),
            "imu": t - seen.imu_t,
            "rear": t - seen.rear_t,
            "battery": t - seen.battery_t,
        }

    def charge(self) -> float:
        """Share of the battery's charge as last measured; NaN: it never was."""
        return self._watch.seen.charge if self._watch.seen else math.nan

    def streams(self, t: float) -> dict[str, dict[str, Any]]:
        """Each stream that comes in frames, with its age and health."""
        ages = self.ages(t)
        return {
            name: {key: row.judge(ages[name])[key] for key in ("age_s", "limit_s", "health")}
            for name, row in self._rows.items()
        }

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
