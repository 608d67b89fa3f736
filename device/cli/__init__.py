"""The `rearguard` command. One module a subcommand, imported only when it is asked for.

A subcommand `name` is `device/cli/<name>.py` (`_` for `-`) with a row in `COMMANDS` and two
functions:

    def add(parser: argparse.ArgumentParser) -> None     declares its arguments
    def execute(args: argparse.Namespace) -> int         does it; returns the exit code

What goes wrong for a reason a person can mend is raised as `Fault("what; remedy")`: it becomes one
line on standard error and exit code 2. Results go to standard output, everything else to standard
error. Ctrl-C ends with 130, a reader that goes away (`| head`) with 0.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

COMMANDS: dict[str, str] = {  # subcommand → what it does, in one line
    "demo": "the whole system with a simulated wearer, in real time",
    "run": "the device on real hardware",
    "serve": "the service: delivery, store, page",
    "doctor": "examines the belt: what can be trusted, and what helps where it cannot",
    "calibrate": "how this belt sits on this body: standing, a lean, a few steps",
    "token": "who may ask the service over HTTP: make, list, revoke",
    "convert": "published recordings, as they are downloaded, into a recording set",
    "replay": "the same core and policy over recordings",
    "evaluate": "the figures of a recording set",
    "report": "how one wearer's walking goes, for a clinician: one HTML file",
    "export": "what is kept of one wearer: CSV, BIDS motion, the black box's recordings",
    "erase": "everything that this belt keeps of one wearer, deleted",
    "feel": "what the belt says to the skin: each pattern with its meaning, played or drawn",
    "motor-off": "the motor and the buzzer off, whatever a dead device has left on",
    "not-guarding": "lets the wearer feel, for a minute, that the belt does not guard",
    "update": "another release; back by itself when the belt then guards less",
    "plot": "signals, vertical, decisions and truth of one trial",
}

BAD_USE = 2  # exit code; also argparse's own
INTERRUPTED = 130  # 128 + SIGINT, as shells say it


class Fault(Exception):  # noqa: N818  what is told is a fault, not an error of the program
    """What a person must mend: `what; remedy`, one line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code. argparse's own refusals leave by SystemExit."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(words)
        sys.stdout.flush()
    except Fault as fault:
        sys.stderr.write(f"rearguard: {' '.join(str(fault).split())}\n")
        return BAD_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough; the interpreter's own last flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _run(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="rearguard",
        description="A belt that looks behind people who walk backward.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, does in COMMANDS.items():
        command = commands.add_parser(name, help=does, description=does, allow_abbrev=False)
        if name in words:
            module = importlib.import_module(f"device.cli.{name.replace('-', '_')}")
            module.add(command)
            command.set_defaults(execute=module.execute)
    args = parser.parse_args(words)
    code: int = args.execute(args)
    return code
