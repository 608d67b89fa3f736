"""`rearguard erase`: everything that this belt keeps of one wearer, gone."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from device import commands
from device.alone import TakenError, alone
from device.cli import Fault
from device.cli.report import history
from device.config import Config
from device.recordings import Malformed, RecordingSet
from device.settings import ConfigError, load

PATIENCE = 5.0  # s for the device to forget


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Sessions, tests, screenings, alerts and recordings of the wearer, their profile on the "
        "device, and the session that the broker holds. Works while the belt runs, but not while "
        "it is worn in a session. What was exported, or read by a caregiver, is beyond its reach; "
        "so are the last minutes of motion in memory, which end with the next start."
    )
    history(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def execute(args: argparse.Namespace) -> int:
    try:
        config = load(args.config)
    except ConfigError as error:
        raise Fault(str(error)) from error
    if not args.yes and not _sure(args.wearer):
        raise Fault("nothing was deleted; type the name, or give --yes")
    try:
        _forgotten(config, args.wearer)
        recordings, unknown = _recordings(config.recordings_dir, args.wearer)
    except OSError as error:
        raise Fault(f"{error.filename} can't be deleted ({error.strerror}); use sudo") from error
    words = ["erase", "--config", str(args.config), "--wearer", args.wearer]
    command = [sys.executable, "-m", "service.offline", *words]
    if code := subprocess.run(command, check=False).returncode:  # noqa: S603  our own
        return code
    sys.stdout.write(f"{recordings} recordings, and the profile, deleted\n")
    if unknown:
        sys.stdout.write(f"left, for nobody can read whose they are: {', '.join(unknown)}\n")
    return 0


def _sure(wearer: str) -> bool:
    sys.stderr.write(
        f"This deletes everything that this belt keeps of {wearer}: sessions, tests, screenings,\n"
        f"alerts, recordings, what it has learnt. It cannot be undone. Type the name to go on: "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip() == wearer


def _forgotten(config: Config, wearer: str) -> None:
    """The device's own files. Raises Fault while it is worn in a session, OSError."""
    place = config.wearers_dir / wearer
    if Path(wearer).name != wearer or wearer.startswith("."):
        raise Fault(f"{wearer!r} can be no wearer's name; `rearguard report` lists them")
    try:
        with alone(config.belt.run_dir):
            shutil.rmtree(place, ignore_errors=not place.exists())
            return
    except FileNotFoundError:  # no run_dir: no device
        shutil.rmtree(place, ignore_errors=not place.exists())
        return
    except TakenError:
        pass
    try:
        commands.send(config.socket_file, "forget", f"cli:{os.getuid()}", name=wearer)
    except commands.CommandError as error:
        raise Fault(f"{error}; end the session, or stop the device, and try again") from error
    deadline = time.monotonic() + PATIENCE
    while place.exists():
        if time.monotonic() > deadline:
            raise Fault("the device keeps the profile: end the session that is under way first")
        time.sleep(0.05)


def _recordings(folder: Path, wearer: str) -> tuple[int, list[str]]:
    """How many of the wearer's were deleted, and the names of those that cannot be read."""
    count, unknown = 0, []
    for place in sorted(folder.glob("[!.]*")) if folder.is_dir() else ():
        try:
            subjects = {entry.subject for entry in RecordingSet(place).entries}
        except Malformed:
            unknown.append(place.name)
            continue
        if wearer in subjects:
            shutil.rmtree(place)
            count += 1
    return count, unknown
