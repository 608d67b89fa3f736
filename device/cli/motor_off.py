"""`rearguard motor-off`: the motor and the buzzer off, whatever a dead device has left on.

The device's unit runs it when the device has ended, in whatever way (ExecStopPost=).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from device.cli import Fault
from device.settings import ConfigError, load
from device.sources.live import HardwareMissingError, motor_off


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration file")


def execute(args: argparse.Namespace) -> int:
    try:
        motor_off(load(Path(args.config)))
    except (ConfigError, HardwareMissingError) as error:
        raise Fault(str(error)) from error
    return 0
