"""The streams in one table: what is expected of each, and one word of health for what is.

A stream that guards makes `/readyz` false when it is not fresh. Ages are by the monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from device.config import Config
from service.watch import SILENT_AFTER

IMU_STALE = 0.5  # s; samples come fifty times in it
AHEAD = 0.2  # s; something may come between the look at the clock and the look at what came
REAR_STALE_PINGS = 8  # pings without an answer; at 60 ms each, half a second
HEALTH = {  # the words, worst last
    "fresh": "it comes as it should",
    "absent": "there is none, or nothing has come yet",
    "stale": "the last that came is too old",
    "faulty": "it comes, and says that something is wrong",
}


@dataclass(frozen=True, slots=True)
class Stream:
    """One row."""

    name: str  # as a person reads it
    expected_hz: float | None  # None: as the source says (IMU), or no rate is promised
    limit: float  # s it may grow old
    guards: bool

    def judge(
        self, age: float, fault: str = "", counters: Mapping[str, int | float] | None = None,
        expected_hz: float | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """`age` [s], infinite: nothing came yet; `fault`: what is wrong with what comes."""
        if not math.isfinite(age):
            health, detail = "absent", fault or "nothing has come yet"
        elif not -AHEAD <= age <= self.limit:  # one from the future is as untrue as an old one
            health, detail = "stale", fault or f"{age:.1f} s old, at most {self.limit:g} s is fresh"
        else:
            health, detail = ("faulty", fault) if fault else ("fresh", "")
        return {
            "name": self.name,
            "guards": self.guards,
            "expected_hz": _rounded(expected_hz or self.expected_hz),
            "age_s": round(max(age, 0.0), 3) if math.isfinite(age) else None,
            "limit_s": self.limit,
            "health": health,
            "detail": detail,
            "counters": dict(counters or {}),
        }


def table(config: Config) -> dict[str, Stream]:
    """The rows for this belt."""
    rear = max(0.5, REAR_STALE_PINGS * config.ranger.period_s)
    rows = {
        "loop": Stream("Device", config.loop.rate_hz, SILENT_AFTER, guards=True),
        "imu": Stream("Motion sensor", None, IMU_STALE, guards=True),
        "rear": Stream("Rear sensor", 1 / config.ranger.period_s, rear, guards=True),
        "journal": Stream("Journal", 1.0, 3.0, guards=True),  # looked into once a second at least
        "storage": Stream("Storage", 1.0, 3.0, guards=True),
        "broker": Stream("Broker", 1.0, 5.0, guards=False),  # confirms our state once a second
        "battery": Stream("Battery", config.loop.rate_hz, 5.0, guards=False),
        "clock": Stream("Clock", None, 5.0, guards=False),
    }
    if config.ranger.driver == "none":
        del rows["rear"]
    return rows


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
