"""`rearguard report`: becomes the process of the service that makes it, and imports none of it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

CONFIG = Path("/etc/rearguard/rearguard.toml")  # where the installer puts it


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "One HTML file that needs nothing else, two pages of A4 in print. It is made from the "
        "store, whether or not the service runs, and readable by you alone (mode 0600)."
    )
    history(parser)
    parser.add_argument("--out", required=True, metavar="FILE.html", help="the report")


def history(parser: argparse.ArgumentParser) -> None:
    """The arguments of whatever works on one wearer's history."""
    parser.add_argument("--wearer", required=True, metavar="NAME", help="whose")
    parser.add_argument(
        "--config", default=CONFIG, type=Path, metavar="FILE", help=f"default: {CONFIG}"
    )


def execute(args: argparse.Namespace) -> int:
    words = ["report", "--config", str(args.config), "--wearer", args.wearer, "--out", args.out]
    command = [sys.executable, "-m", "service.offline", *words]
    os.execv(sys.executable, command)  # noqa: S606  our own interpreter, no shell wanted
