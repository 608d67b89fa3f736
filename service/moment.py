"""A moment: both clocks, read together at the loop and handed down."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple


class Moment(NamedTuple):
    """Now, as the machine counts it and as people write it."""

    t: float  # s, monotonic: the device's clock as well
    wall: float  # s since 1970, UTC; may step

    def written(self, earlier: float = 0.0) -> str:
        """ISO 8601 in UTC, of `earlier` seconds ago, to the millisecond."""
        return datetime.fromtimestamp(self.wall - earlier, UTC).isoformat(timespec="milliseconds")


def moment() -> Moment:
    """Read both clocks. Only for the loop and the edge of the process."""
    return Moment(time.monotonic(), time.time())


def boot_id() -> str:
    """The kernel's id of this boot, first eight hex digits; `00000000` where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return "00000000"
