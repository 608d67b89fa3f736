"""Examines the machine around the belt: rights, supply, clock, disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from device.calibration import Calibration
from device.doctor.finding import Finding
from device.drivers.pi_power import UNDER_VOLTAGE, PiPower

LITTLE_MB = 200.0  # MB free: three times what the journal may take by default
_RIGHTS = (  # in a process of its own: locked memory would stay with this one
    "from device.realtime import LOOP, lock_memory, real_time; "
    "print('; '.join(filter(None, (real_time(LOOP), lock_memory()))))"
)


def power(supply: PiPower) -> Iterator[Finding]:
    """The Pi's own word, now and since its start."""
    if not supply.there:
        yield Finding("supply", "no Pi, or one that says nothing of it", unknown=True)
        return
    try:
        now, ever = supply.read(), supply.ever()
    except (OSError, ValueError) as error:
        yield Finding("supply", f"the Pi's flags cannot be read ({error})", "throttling")
        return
    said = f"now: {', '.join(now) or 'nothing'}; since its start: {', '.join(ever) or 'nothing'}"
    fault = "supply" if UNDER_VOLTAGE in now + ever else "throttling" if now or ever else ""
    yield Finding("supply", said, fault)


def rights() -> Finding:
    """Whether this user could run it in real time; a unit has limits of its own."""
    tried = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", _RIGHTS], capture_output=True, text=True, check=False
    )
    refused = tried.stdout.strip() or "".join(tried.stderr.splitlines()[-1:])
    if refused:
        return Finding("rights", f"as this user: {refused}", "rights")
    return Finding("rights", "real time and locked memory are allowed to this user")


def calibrated(kept: Calibration) -> Finding:
    """By its file; whether the sensor is still the same only the device that uses it can say."""
    if kept.doubt:
        return Finding("calibration", kept.doubt, "calibration")
    if not kept.made:
        said = "none: the sensors are taken as fitted level; `rearguard calibrate`"
        return Finding("calibration", said, unknown=True)
    return Finding("calibration", f"of {kept.made}")


def clock(synchronised: bool) -> Finding:
    if synchronised:
        return Finding("clock", "synchronised")
    return Finding("clock", "the kernel says it is not synchronised", "clock")


def disk(folder: Path) -> Finding:
    """Whether a record would reach the disk, and how much more fits there."""
    part = "disk"
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"a record\n")
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free / 1e6
    except OSError as error:
        return Finding(part, f"{folder}: {error.strerror or error}", "disk_refuses")
    return Finding(part, f"{free:,.0f} MB free", "disk_full" if free < LITTLE_MB else "")
