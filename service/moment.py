"""A moment: both clocks, read together at the loop and handed down."""

from __future__ import annotations

import time
from datetime import UTC, datetime
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
