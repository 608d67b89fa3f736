"""One run of the loop in real time; prints how late each tick was, as JSON. A process of its own.

`deadlines`: as the device runs it. `sleep`: the same ticks, paced by time.sleep(period) after each,
in the ordinary class, nothing locked, the collector on; a tick is then late by what it comes after
the tick before it beyond one period.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from device.clock import MonotonicClock
from device.loop import Loop
from device.realtime import LOOP, THREADS, lock_memory, real_time, small_stacks
from loop_cost.belt import belt

WARM_S = 0.5  # s that do not count


class Kept:
    """Every lateness, in place of the loop's histogram."""

    worst = 0.0

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._from = now, now() + WARM_S
        self.late: list[float] = []  # s

    def note(self, late: float) -> None:
        if self._now() >= self._from:
            self.late.append(late)

    def words(self) -> str:
        return ""


def on_deadlines(loop: Loop, clock: MonotonicClock, seconds: float) -> float:
    """Returns how far behind it is at the end [s]: deadlines skipped."""
    end = clock.now() + WARM_S + seconds
    loop.run(lambda: clock.now() >= end)
    return loop.skipped * loop.period


def on_sleep(loop: Loop, kept: Kept, clock: MonotonicClock, seconds: float) -> float:
    begun = before = clock.now()
    end, ticks = begun + WARM_S + seconds, 0
    while (woken := clock.now()) < end:
        if ticks:
            kept.note(woken - before - loop.period)
        before = woken
        loop.tick(woken)
        ticks += 1
        time.sleep(loop.period)
    return before - begun - (ticks - 1) * loop.period


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pace", choices=("deadlines", "sleep"))
    parser.add_argument("rate", type=float)
    parser.add_argument("seconds", type=float)
    options = parser.parse_args()
    clock, refused = MonotonicClock(), []
    if options.pace == "deadlines":
        small_stacks()
        refused = [why for why in (real_time(THREADS), lock_memory()) if why]
    with belt(clock, options.rate) as loop:
        if options.pace == "deadlines":
            real_time(LOOP)
        kept = Kept(clock.now)
        if options.pace == "deadlines":
            loop.lateness = kept  # type: ignore[assignment]
            behind = on_deadlines(loop, clock, options.seconds)
        else:
            behind = on_sleep(loop, kept, clock, options.seconds)
    print(json.dumps({"late": kept.late, "behind": behind, "refused": refused}))


if __name__ == "__main__":
    main()
