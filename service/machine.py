"""The machine under the belt, as far as its kernel says: heat, throttling, room, our own size.

What is not there (no Pi, no sensor) is NaN or None, never nought.
"""

from __future__ import annotations

import math
import os
import resource
import shutil
from pathlib import Path

SYS = Path("/sys")
_HEAT = "class/thermal/thermal_zone0/temp"  # m°C
_THROTTLED = "devices/platform/soc*/soc*firmware/get_throttled"  # hexadecimal flags, Pi firmware
_NOW = 0xF  # under-voltage, capped, throttled, soft limit of heat: now; 16 bits up: ever


def temperature(sys: Path = SYS) -> float:
    """Of the processor [°C]; NaN: nothing measures it."""
    try:
        return int((sys / _HEAT).read_text()) / 1000
    except (OSError, ValueError):
        return math.nan


def throttled(sys: Path = SYS) -> tuple[bool, bool] | None:
    """Whether the Pi limits itself now, and whether it has since its start; None: no Pi."""
    try:
        flags = int(next(sys.glob(_THROTTLED)).read_text(), 16)
    except (StopIteration, OSError, ValueError):
        return None
    return bool(flags & _NOW), bool(flags >> 16 & _NOW)


def free_bytes(folder: Path) -> int:
    """Room on the disk of `folder`; 0 when it cannot be asked."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def resident_bytes() -> int:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds() -> float:
    """Processor time this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
