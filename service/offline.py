"""`python -m service.offline`: what is done with the history from a shell, service running or not.

`rearguard report` and its siblings start it; it reads the store beside the service and needs none.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from device import settings
from device.config import Config
from service import tables
from service.dossier import gather
from service.erase import BusyError, erase
from service.report import report
from service.walks import Walks


class Fault(Exception):  # noqa: N818 — what is told is a fault, not an error of the program
    """What a person must mend: `what; remedy`, one line."""


def main(argv: Sequence[str] | None = None) -> int:
    """0: done; 2: it could not be, said in one line."""
    parser = argparse.ArgumentParser(prog="rearguard", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, does in COMMANDS.items():
        command = commands.add_parser(name, allow_abbrev=False)
        command.add_argument("--config", type=Path, required=True)
        command.add_argument("--wearer", required=True)
        if does is not _erase:
            command.add_argument("--out", type=Path, required=True)
        command.set_defaults(does=does)
    arguments = parser.parse_args(argv)
    try:
        arguments.does(settings.load(arguments.config), arguments)
    except (settings.ConfigError, Fault) as fault:
        sys.stderr.write(f"rearguard: {fault}\n")
        return 2
    except (sqlite3.Error, OSError) as error:
        sys.stderr.write(f"rearguard: the store cannot be read ({error}): use sudo, or check it\n")
        return 2
    return 0


def _walks(config: Config, wearer: str) -> Walks:
    """The history, of which this wearer is part. Raises Fault."""
    if not config.store_file.is_file():
        raise Fault(f"there is no store {config.store_file}; is belt.data_dir the belt's?")
    walks = Walks(config.store_file)
    if wearer not in (known := walks.wearers()):
        raise Fault(f"no walk of a wearer {wearer!r} is kept; known: {', '.join(known) or 'none'}")
    return walks


def _report(config: Config, arguments: argparse.Namespace) -> None:
    walks = _walks(config, arguments.wearer)
    page = report(gather(walks, arguments.wearer, datetime.now().astimezone()), config.belt.name)
    out: Path = arguments.out
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.chmod(0o600)  # it is about somebody's health
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Fault(f"{out} cannot be written ({error.strerror}); choose another place") from error
    sys.stdout.write(f"{out}\n")


def _tables(config: Config, arguments: argparse.Namespace) -> None:
    walks = _walks(config, arguments.wearer)
    try:
        tables.write(arguments.out, gather(walks, arguments.wearer, datetime.now().astimezone()))
    except OSError as error:
        raise Fault(f"{arguments.out} cannot be written ({error.strerror})") from error


def _erase(config: Config, arguments: argparse.Namespace) -> None:
    if not config.store_file.is_file():
        sys.stdout.write("no history is kept\n")
        return
    try:
        gone = erase(config.store_file, config.journal_dir, arguments.wearer, time.monotonic)
    except (BusyError, OSError) as error:
        raise Fault(f"not all could be deleted ({error}); check the rights, or use sudo") from error
    sys.stdout.write(
        f"{gone.sessions} sessions, {gone.records} records and {gone.journal} lines of the journal "
        "deleted\n"
    )


COMMANDS: dict[str, Callable[[Config, argparse.Namespace], None]] = {
    "report": _report,
    "tables": _tables,
    "erase": _erase,
}

if __name__ == "__main__":
    sys.exit(main())
