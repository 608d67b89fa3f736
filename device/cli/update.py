"""`rearguard update FILE`: to another release, and back by itself when the belt then guards less.

FILE is a release's wheel. It is installed beside the one that runs, and examined by its own doctor,
while the belt goes on guarding. Then it takes over. If the device does not guard within 30 s as far
as it did before, the old release is put back, with its configuration and its units. What a release
needs besides is taken from the folder of FILE, as far as it is there, else from the network.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from device.cli import Fault
from device.clock import Clock, MonotonicClock
from device.frames import Guard, RingReader
from device.releases import ReleaseError, Releases
from device.settings import ConfigError, load

PATIENCE_S = 30.0  # within which the new release must guard
HELD_S = 3.0  # for so long at least: one that dies and comes back again and again does not count
LOOK_S = 0.5  # between looks
FRESH_S = 1.0  # age of a frame that says how things stand
FOLDER = Path("/opt/rearguard")
UNITS = ("rearguard-device", "rearguard-service")
UNFIT = 2  # the doctor's exit code when it could not examine at all


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit code: 0 when the new release runs, 1 when the old one was put back."
    parser.add_argument("file", type=Path, metavar="FILE", help="rearguard-VERSION-….whl")
    parser.add_argument(
        "--config", type=Path, default=Path("/etc/rearguard/rearguard.toml"), metavar="FILE",
        help="the belt's configuration; default: %(default)s",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    if os.geteuid() != 0:
        raise Fault("an update needs root; run it with sudo")
    if not Path("/run/systemd/system").is_dir():
        raise Fault("systemd does not run here; an update is for a belt, see deploy/README.md")
    try:
        ring = load(args.config).ring_file
        clock = MonotonicClock()
        update = Update(Releases(FOLDER), args.config, Belt(), clock, lambda: guarding(ring, clock))
        return 0 if update.to(args.file.absolute()) else 1
    except (ConfigError, ReleaseError) as error:
        raise Fault(str(error)) from error


class Belt:
    """What is done to the machine, by the programs that do it."""

    def make(self, wheel: Path, place: Path) -> None:
        """A virtual environment with this wheel in it. Raises ReleaseError."""
        python = str(place / "bin" / "python")
        where = [f"--find-links={wheel.parent}"]
        if list(wheel.parent.glob("numpy-*.whl")):  # a whole set: then nothing else is asked
            where.append("--no-index")
        _run(sys.executable, "-m", "venv", str(place))
        # PYPI=1: where lgpio must be built, with its C library in it (as deploy/install.sh has it)
        _run("env", "PYPI=1", python, "-m", "pip", "install", "--quiet",
             "--disable-pip-version-check", *where, f"{wheel}[pi]")  # fmt: skip

    def migrate(self, release: Path, old: Path, new: Path) -> None:
        _run(str(release / "bin" / "python"), "-m", "device.migrations", str(old), str(new))

    def examine(self, release: Path, config: Path) -> None:
        """What the new release's doctor says is shown; only what it cannot examine stops here."""
        doctor = [str(release / "bin" / "rearguard"), "doctor", "--yes", "--config", str(config)]
        if subprocess.run(doctor, check=False).returncode >= UNFIT:  # noqa: S603
            raise ReleaseError(f"the doctor of {release.name} cannot examine this belt: see above")

    def start(self, release: Path) -> None:
        """Units as this release has them, and both anew from it."""
        _run("bash", str(release / "share" / "rearguard" / "deploy" / "lay.sh"))
        _run("systemctl", "reset-failed", "rearguard-*")  # a pattern: those that are loaded
        subprocess.run(["systemctl", "restart", *UNITS], check=False)  # noqa: S603, S607  watched


class Update:
    """From one release to another: each step leaves a belt that guards, or goes back to one."""

    def __init__(
        self, releases: Releases, config: Path, belt: Belt, clock: Clock,
        guard: Callable[[], Guard | None],
    ) -> None:  # fmt: skip
        """`guard` says how far the belt guards now; None: no device is there."""
        self._releases, self._config, self._belt = releases, config, belt
        self._clock, self._guard = clock, guard

    def to(self, wheel: Path) -> bool:
        """Whether the new release runs now; else the old one does. Raises ReleaseError."""
        old, new = self._releases.current, self._releases.place(wheel)
        if new == old:
            raise ReleaseError(f"{new.name} runs already: nothing to do")
        self._releases.install(new, lambda place: self._belt.make(wheel, place))
        candidate = self._config.with_name(f"{self._config.name}.{new.name}")
        kept = self._config.with_name(f"{self._config.name}.{old.name}")
        try:
            self._belt.migrate(new, self._config, candidate)
            shutil.copymode(self._config, candidate)
            shutil.chown(candidate, self._config.stat().st_uid, self._config.stat().st_gid)
            self._belt.examine(new, candidate)
        except BaseException:
            candidate.unlink(missing_ok=True)
            raise
        before = self._guard() or Guard.NOT_GUARDING
        shutil.copy2(self._config, kept)
        shutil.chown(kept, self._config.stat().st_uid, self._config.stat().st_gid)
        try:
            candidate.replace(self._config)
            self._releases.go_to(new)
            self._belt.start(new)
            well = self._guards(before)
        except BaseException:
            self._back(old, kept)
            raise
        if not well:
            self._back(old, kept)
            _say(f"{new.name} did not guard within {PATIENCE_S:.0f} s: {old.name} is back; "
                 "`journalctl -u rearguard-device` says why")  # fmt: skip
            return False
        self._releases.prune({old, new})
        _say(f"{new.name} runs; {old.name} is kept beside it")
        return True

    def _guards(self, before: Guard) -> bool:
        """Whether the device is back, and guards no less than before, in time."""
        since = self._clock.now()
        end = since + PATIENCE_S
        while (now := self._clock.now()) < end:
            self._clock.sleep_until(now + LOOK_S)
            guard = self._guard()
            if guard is None or guard < before:
                since = self._clock.now()
            elif self._clock.now() - since >= HELD_S:
                return True
        return False

    def _back(self, old: Path, kept: Path) -> None:
        kept.replace(self._config)
        self._releases.go_to(old)
        self._belt.start(old)


def guarding(ring: Path, clock: Clock) -> Guard | None:
    """How far a device guards that writes to this ring; None when none has for a second."""
    try:
        reader = RingReader(ring)
    except (OSError, ValueError):
        return None
    try:
        newest = reader.newest()
        if newest is None or not abs(clock.now() - newest[1].tick) < FRESH_S:
            return None
        return Guard(newest[1].guard)
    finally:
        reader.close()


def _run(*words: str) -> None:
    done = subprocess.run(words, check=False)  # noqa: S603  our own programs
    if done.returncode:
        raise ReleaseError(f"`{' '.join(words[:4])} …` failed: see above")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
