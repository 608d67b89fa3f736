"""`rearguard serve`: becomes the service process; the command never imports the service."""

from __future__ import annotations

import argparse
import os
import sys


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration file")


def execute(args: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "service", "--config", args.config]
    os.execv(sys.executable, command)  # noqa: S606  our own interpreter, no shell wanted
