"""Whether a session may begin now: the screening, the skin, the belt, the battery; or why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from device.config import Session as Settings
from device.frames import Guard
from device.plan import Plan
from device.screening import Override, Verdict, judge
from device.wearers import Profile

SPARE_S = 600.0  # s of charge beyond the session: to walk home, and be told of a fall there
DRAWN_OUT = 2.0  # times its dose that a session may take, with forward phases, rests and pauses


class Belt(NamedTuple):
    """How the belt is at this moment."""

    guard: Guard
    health: str  # in one line, when it does not guard fully
    battery: float  # share of charge; NaN: no gauge
    open: frozenset[str]  # events that are open


class Readiness:
    """Judges a start; pure. Each refusal is one line with its remedy."""

    def __init__(self, settings: Settings, override: Override, plans: Mapping[str, Plan]) -> None:
        """`plans` by name, `settings.plan` among them."""
        self._settings, self._override, self.plans = settings, override, plans

    def verdict(self, one: Profile) -> Verdict:
        """What this wearer's answers allow now."""
        if one.screening is None:
            return Verdict("refuse", ("not screened",))
        return judge(one.screening.answers, one.name, self._override)

    def plan(self, name: str, one: Profile) -> Plan:
        """The plan of that name (empty: the usual one), with the goal of the wearer's programme,
        within what this wearer may do.
        """
        plan = self.plans[name or self._settings.plan].asking(one.goal_min * 60.0)
        return plan.limited(self.verdict(one).most_dose_s)

    def why_not(self, one: Profile, wall: float, plan: str, belt: Belt) -> str:
        """Why `one` may not begin `plan` at `wall` [s since 1970]; empty: they may."""
        if plan and plan not in self.plans:
            return f"no plan {plan[:40]!r}; known: {', '.join(self.plans)}"
        if one.screening is None:
            return f"{one.name} has not been screened: answer the questions (screening)"
        if stale := one.screening.stale(wall, self._settings.answers_days, one.fell_at):
            return f"the screening of {one.name} must be answered again: {stale}"
        verdict = self.verdict(one)
        if verdict.word == "refuse":
            return f"the screening of {one.name} refuses: {'; '.join(verdict.reasons)}"
        if one.perceived_at is None:
            return f"{one.name} has not passed the perception test: do it first (perception)"
        return self.unready(belt) or self._uncharged(self.plan(plan, one), belt)

    def unready(self, belt: Belt) -> str:
        """What keeps the belt itself from a session or a test; empty: nothing."""
        if belt.guard is not Guard.FULL:
            return f"the belt does not guard fully ({belt.health}): mend that first"
        if belt.open & {"fall", "long_lie", "sos"}:
            return "help is being called: press the button if you are well"
        return ""

    def _uncharged(self, plan: Plan, belt: Belt) -> str:
        if "battery_low" in belt.open:
            return "the battery is low: charge the belt"
        needed = (DRAWN_OUT * plan.goal_s + SPARE_S) / 3600.0 / self._settings.battery_h
        if belt.battery < needed:  # never so without a gauge
            return f"the battery has {belt.battery:.0%}, this needs {needed:.0%}: charge the belt"
        return ""
