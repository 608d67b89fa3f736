"""What a session is made of: a small language of phases, in TOML.

    title = "Backward and brisk forward in turn"
    goal_min = 15               # minutes of walking backward after which it ends

    [[phase]]
    do = "backward"             # backward | forward | rest
    seconds = 120               # backward: of walking backward; else: of time, pauses left out

    [[phase]]
    do = "forward"
    seconds = 60

Phases follow each other and begin again until the goal is reached; one with `once = true` comes in
the first round only. Plans of the wearer's own lie in `plans/` of the belt's data folder; those in
`device/plans/` come with it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from device.commands import LEAST_GOAL, MOST_GOAL

BUILT_IN = Path(__file__).parent / "plans"
DOING = ("backward", "forward", "rest")
LEAST_S, MOST_S = 10.0, 1200.0  # s of one phase
MOST_PHASES = 20


class PlanError(Exception):
    """What is wrong in a plan, and what to do: one line."""


@dataclass(frozen=True, slots=True)
class Phase:
    do: str  # of DOING
    seconds: float
    once: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    title: str
    goal_s: float  # s of walking backward
    phases: tuple[Phase, ...]

    def limited(self, most_dose_s: float) -> Plan:
        """The same, with a goal no larger than that."""
        return replace(self, goal_s=min(self.goal_s, most_dose_s))

    def asking(self, goal_s: float) -> Plan:
        """The same phases, with another goal; 0: its own."""
        return replace(self, goal_s=goal_s or self.goal_s)

    def phase(self, number: int) -> Phase:
        """Phase `number` (from 0) of a session, rounds and all."""
        if number < len(self.phases):
            return self.phases[number]
        again = [phase for phase in self.phases if not phase.once]
        return again[(number - len(self.phases)) % len(again)]


def read(path: Path) -> Plan:
    """The plan in a file, checked whole. Raises PlanError."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlanError(f"plan {path} cannot be read ({error}): mend or remove it") from error
    where = f"plan {path}"
    _only(where, found, {"title", "goal_min", "phase"})
    title = found.get("title")
    if not isinstance(title, str) or not 1 <= len(title) <= 100:
        raise PlanError(f"{where}: title must be a text of 1 to 100 characters")
    goal = _number(where, found, "goal_min", LEAST_GOAL, MOST_GOAL)
    tables = found.get("phase")
    if not isinstance(tables, list) or not 1 <= len(tables) <= MOST_PHASES:
        raise PlanError(f"{where}: give 1 to {MOST_PHASES} [[phase]] tables")
    phases = tuple(_phase(f"{where}, phase {n}", table) for n, table in enumerate(tables, 1))
    if not any(phase.do == "backward" and not phase.once for phase in phases):
        raise PlanError(f"{where}: without a backward phase that comes again no goal is reached")
    return Plan(path.stem, title, goal * 60.0, phases)


def known(folder: Path) -> tuple[dict[str, Plan], list[str]]:
    """The built-in plans and those in `folder` (it may be missing), by name; and what is wrong.

    A plan of the wearer's own takes the place of a built-in one of its name.
    """
    plans, faults = {}, []
    for file in [*sorted(BUILT_IN.glob("*.toml")), *sorted(folder.glob("*.toml"))]:
        try:
            plans[file.stem] = read(file)
        except PlanError as error:
            faults.append(str(error))
    return plans, faults


def _phase(where: str, table: Any) -> Phase:
    if not isinstance(table, dict):
        raise PlanError(f"{where}: write it as a [[phase]] table")
    _only(where, table, {"do", "seconds", "once"})
    if table.get("do") not in DOING:
        raise PlanError(f"{where}: do must be {' or '.join(DOING)}")
    once = table.get("once", False)
    if not isinstance(once, bool):
        raise PlanError(f"{where}: once must be true or false")
    return Phase(table["do"], _number(where, table, "seconds", LEAST_S, MOST_S), once)


def _number(where: str, table: dict[str, Any], key: str, low: float, high: float) -> float:
    value = table.get(key)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator]  # NaN is none
        raise PlanError(f"{where}: {key} must be a number from {low:g} to {high:g}")
    return float(value)  # type: ignore[arg-type]


def _only(where: str, table: dict[str, Any], keys: set[str]) -> None:
    if unknown := sorted(set(table) - keys):
        raise PlanError(f"{where}: unknown key {unknown[0]}; known: {', '.join(sorted(keys))}")
