"""Where frames come from: live, simulated or replayed, all the same to who reads them."""

from __future__ import annotations

from typing import Protocol

from device.frames import Frame


class Source(Protocol):
    """Yields Frames with what is measured filled in (t, ax … gz, gap, ping_*, button, battery)."""

    name: str  # as every payload says it: live, simulated:<scenario>, replayed:<trial>
    fs: float  # IMU samples a second, nominal; of another one when a sensor comes late

    def read(self, now: float) -> list[Frame]:
        """Every sample since the last call, oldest first; gaps where samples are missing.

        Empty when none is due yet: ticks and samples keep different time. Never blocks longer
        than its bus may; `now` is the monotonic time [s] of this tick.
        """

    def faults(self) -> dict[str, str]:
        """Part of the belt → what is wrong with it, in one line; empty: nothing (health.py)."""

    def parts(self) -> str:
        """What the belt is made of and how that is, in one line for a technician."""

    def close(self) -> None:
        """Leave every pin and bus as it should be left."""
