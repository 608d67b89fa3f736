"""`rearguard not-guarding`: stands in for a device that has ended and does not come back.

The wearer feels "the belt does not guard you" again and again, for a minute. Then it ends with exit
code 1, for which its unit tries the device once more. What fails here is said, and the minute is
waited all the same: whoever starts this must not be answered faster than that.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from device.alerts import Level
from device.clock import Clock, MonotonicClock
from device.haptics import PATTERNS, Haptics
from device.settings import ConfigError, load
from device.sources.live import HardwareMissingError, motor

SECONDS = 60.0  # more than StartLimitIntervalSec= of the device's unit
PATTERN = "not_guarding"
EVERY = PATTERNS[PATTERN].pause[Level.FAULT]  # s, as the device itself has it
TICK = 0.01  # s, as the loop's own
FAILED = 1  # exit code: the belt still does not guard


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration file")


def execute(args: argparse.Namespace) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    clock = MonotonicClock()
    end = clock.now() + SECONDS
    output: Any = None
    try:
        config = load(Path(args.config))
        output = motor(config)
        repeat(Haptics(output, config.motor.strength), clock, end, stopping)
    except (ConfigError, HardwareMissingError, OSError) as error:
        sys.stderr.write(f"rearguard: the wearer cannot be told: {' '.join(str(error).split())}\n")
        stopping.wait(max(0.0, end - clock.now()))
    finally:
        if output:
            output.close()
    return 0 if stopping.is_set() else FAILED


def repeat(haptics: Haptics, clock: Clock, end: float, stopping: threading.Event) -> None:
    """The pattern, now and as often as the device would say it, until `end` [s] or `stopping`."""
    while (now := clock.now()) < end and not stopping.is_set():
        haptics.update(now, [(PATTERN, Level.FAULT)])
        clock.sleep_until(now + TICK)
    haptics.off()
