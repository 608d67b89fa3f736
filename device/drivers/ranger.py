"""What every rear sensor's driver gives."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from device.frames import Echo


class Ping(NamedTuple):
    """What one ping brought."""

    t: float  # s, when the echo came back or was given up
    range: float  # m; NaN unless echo is Echo.DISTANCE
    echo: Echo


class Ranger(Protocol):
    def poll(self, now: float) -> Ping | None:
        """Sends a ping when one is due and gives the outcome of the last as soon as it is known.

        Never waits for an echo; `now` [s] is the time of this call.
        """

    def close(self) -> None: ...
