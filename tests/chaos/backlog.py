"""A day without a broker: thousands of alerts wait, the service dies meanwhile, then all arrive."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tests.chaos.ledger import Ledger, said_in
from tests.chaos.rig import Rig

DAY = 86400.0  # s
PATIENCE = 60.0  # s without an arrival, after which what has not come is lost
ORDER = {"danger": 0, "fault": 1}  # then the rest


def backlog(rig: Rig, seed: int, records: int, tick: Callable[[], None]) -> tuple[Ledger, float]:
    """`records` said over a day; returns what came of it, and how long the sending took [s]."""
    ledger, dice = Ledger(), random.Random(seed)
    rig.broker.kill()
    rig.start_device(seed, records, DAY)
    while rig.device is not None and not rig.device.gone(0.0):
        rig.start_service()
        time.sleep(dice.uniform(0.3, 1.5))
        rig.kill_service()
        ledger.faults["service killed"] += 1
        tick()
    rig.kill_device()
    rig.start_service()
    rig.broker.start()
    begun = time.monotonic()
    rig.arrived(PATIENCE)
    took = time.monotonic() - begun
    said, came = said_in(rig.folder), rig.came()
    ledger.faults["a day without a broker"] += 1
    ledger.settle(said, came)
    if len(said) < records:
        ledger.wrong.append(f"only {len(said)} of {records} records were said")
    ledger.wrong += _wrong_delays(came)
    ledger.wrong += _wrong_order([alert["level"] for alert in came if alert["id"] in said])
    return ledger, took


def _wrong_delays(came: list[dict[str, object]]) -> list[str]:
    """They were raised over a day: the oldest are that late, and say so."""
    oldest = max((float(str(alert["delayed_s"])) for alert in came), default=0.0)
    return [] if 0.9 * DAY < oldest < 1.1 * DAY else [f"the oldest said {oldest:.0f} s of delay"]


def _wrong_order(levels: list[str]) -> list[str]:
    """All danger, then all faults, then the rest: they all waited when the sending began."""
    ranks = [ORDER.get(level, 2) for level in levels]
    return [] if ranks == sorted(ranks) else ["danger did not come before faults before the rest"]
