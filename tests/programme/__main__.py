"""`./dev demo --scenario programme`: four weeks of two wearers at speed, and their reports."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.programme.lives import Life, better, lived, worse

DOSE_WITHIN, DISTANCE_WITHIN = 0.01, 0.05


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo --scenario programme", description=__doc__)
    parser.add_argument("--scenario", choices=["programme"], help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="folder for the two reports (else a new one)")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    out: Path = arguments.out or Path(tempfile.mkdtemp(prefix="rearguard-programme-"))
    out.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {}
    for name, habit, falls in (("better", better, False), ("worse", worse, True)):
        sys.stderr.write(f"four weeks of one who gets {name} …\n")
        with tempfile.TemporaryDirectory() as folder:
            life = lived(name, habit, Path(folder), falls=falls)
        page = out / f"programme-{name}.html"
        page.write_text(life.page, encoding="utf-8")
        figures[name] = judged(life)
        sys.stdout.write(f"{page}: {told(figures[name])}\n")
    holds = all(one["holds"] for one in figures.values())
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    sys.stdout.write(
        f"programme: dose within {max(f['dose_error'] for f in figures.values()):.2%}, distance "
        f"within {max(f['distance_error'] for f in figures.values()):.2%}, "
        f"{'all holds' if holds else 'NOT all holds'}\n"
    )
    return 0 if holds else 1


def judged(life: Life) -> dict[str, Any]:
    """The figures of a life, and whether they are as they must be."""
    assert life.dossier is not None
    kept = {s["session"]: s for s in life.dossier.sessions}
    dose, distance = [], []
    for walk in life.walks:
        totals = kept[walk.session]["totals"]
        dose.append(abs(totals["dose_s"] / walk.dose_s - 1))
        distance.append(abs(totals["distance_m"] / walk.distance_m - 1))
    goals = life.goals
    fell = bool(life.dossier.falls)
    trends = {name: life.dossier.trends[name].clear for name in ("speed_m_s", "step_time_cv")}
    as_expected = (
        goals[-1] == 0 and "fall" in life.refused and trends["step_time_cv"] == 1
        and all(b <= a for a, b in pairwise(goals[1:]))
        if fell
        else goals == sorted(goals) and goals[-1] == 15 and trends["speed_m_s"] == 1
    )  # fmt: skip
    return {
        "walks": len(life.walks),
        "dose_error": max(dose),
        "distance_error": max(distance),
        "goals_min": goals,
        "trends": trends,
        "refused": life.refused,
        "holds": as_expected and max(dose) <= DOSE_WITHIN and max(distance) <= DISTANCE_WITHIN,
    }


def told(figures: dict[str, Any]) -> str:
    goals = ", ".join(f"{goal:g}" for goal in figures["goals_min"])
    refused = f"; refused: {figures['refused']}" if figures["refused"] else ""
    return f"{figures['walks']} walks, goals {goals} min{refused}"


if __name__ == "__main__":
    sys.exit(main())
