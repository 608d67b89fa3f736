"""What the demo's belt knows of its wearer beforehand: screened and tested, and a plan in hand."""

from __future__ import annotations

from device.config import Config
from device.questions import QUESTIONS
from device.screening import Screening
from device.scribe import Scribe
from device.wearers import Wearers

PLAN = "demo"  # its name
_PLAN = """title = "So short that each phase is seen"
goal_min = 2

[[phase]]
do = "backward"
seconds = 30

[[phase]]
do = "rest"
seconds = 10
"""


def acquaint(config: Config, since: float) -> None:
    """Keep it in the belt's folder, before the device starts; `since`: wall time, s since 1970."""
    config.plans_dir.mkdir(parents=True)
    (config.plans_dir / f"{PLAN}.toml").write_text(_PLAN)
    scribe = Scribe()
    wearers = Wearers(config.wearers_dir, config.wearer.name, scribe)
    wearers.current.screening = Screening(dict.fromkeys(QUESTIONS, False), since)
    wearers.current.perceived_at = since
    wearers.keep()
    scribe.close()
