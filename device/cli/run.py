"""`rearguard run`: the device process, in this one."""

from __future__ import annotations

import argparse

from device.__main__ import main


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration file")


def execute(args: argparse.Namespace) -> int:
    return main(["--config", args.config])
