"""Carries out what comes over the control socket. Nothing remote can stop guarding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from device.alerts import Record
from device.haptics import PATTERNS, Haptics
from device.health import Health
from device.lanes import Lanes
from device.lateness import Lateness
from device.policy import Policy
from device.practice import OWN, Practice
from device.reach import Reach


class Orders:
    """Requests are well formed (commands.validate) and answered as accepted when they come here."""

    def __init__(
        self, policy: Policy, practice: Practice, haptics: Haptics, health: Health, lanes: Lanes,
        reach: Reach, lateness: Lateness, parts: Callable[[], str],
    ) -> None:  # fmt: skip
        """`parts`: what the belt is made of, in one line."""
        self._policy, self._practice, self._haptics = policy, practice, haptics
        self._health, self._lanes, self._lateness = health, lanes, lateness
        self._reach = reach
        self._parts = parts

    def obey(self, now: float, request: dict[str, Any]) -> list[Record]:
        """What came of one request, as records. `consumed` and `told` need none."""
        name = request["command"]
        if name == "consumed":
            self._health.see("service", now)
            self._lanes.consumed(request["segment"])
            return []
        if name == "told":
            if self._reach.told(request["alert_id"]):
                self._haptics.feel("told", now)
            return []
        if name in ("test", "play"):
            return [self._play(now, request, request.get("pattern", "test"))]
        if name == "doctor":
            return [self._examine(now, request)]
        if name in OWN:
            return self._practice.command(now, request, self._health.words())
        return self._policy.acknowledge(now, request)

    def _play(self, now: float, request: dict[str, Any], pattern: str) -> Record:
        if pattern not in PATTERNS:
            known = ", ".join(PATTERNS)
            return self._policy.result(now, request, f"no pattern {pattern[:40]!r}; known: {known}")
        if not self._haptics.free_for(pattern, now):
            return self._policy.result(now, request, "something as urgent is felt now: try again")
        record = self._policy.result(now, request, detail=f"{pattern} was played")
        record.buzz_t = self._haptics.feel(pattern, now)
        return record

    def _examine(self, now: float, request: dict[str, Any]) -> Record:
        if request["question"] == "parts":
            return self._policy.result(now, request, detail=self._parts())
        if request["question"] not in ("status", "health"):
            return self._policy.result(now, request, "the doctor answers: status, health, parts")
        said = f"{self._health.words()}; {self._lateness.words()}"
        record = self._policy.result(now, request, detail=said)
        record.measurements |= {
            f"{name}_age_s": round(age, 4) for name, age in self._health.ages(now).items()
        }
        return record
