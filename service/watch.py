"""Watch: follows the frame ring and says what was last seen, and whether the device is silent."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from device.frames import Echo, Frame, Gap, RingReader
from service.counts import Counts

SILENT_AFTER = 1.0  # s without a frame: with the loop's 30 ms, told well within the 2 s promised
START_GRACE = 10.0  # s: a device that has not come up yet is not one that has gone
LOOK_AGAIN = 1.0  # s between searches of the whole ring while nothing follows


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest frame, and when each stream last brought something [s, monotonic]."""

    frame: Frame
    source: str
    imu_t: float = -math.inf  # last good IMU sample
    rear_t: float = -math.inf  # last ping that brought a distance, or nothing in range
    rear_echo: int = -1  # what the last ping brought (Echo), -1 none yet
    battery_t: float = -math.inf  # last time the battery's charge was known
    charge: float = math.nan  # share of it as last known

    def after(self, frame: Frame) -> Seen:
        """What is known once `frame` has come as well."""
        imu_t, rear_t, echo = self.imu_t, self.rear_t, self.rear_echo
        battery_t, charge = self.battery_t, self.charge
        if math.isfinite(frame.battery):
            battery_t, charge = frame.tick, frame.battery
        if frame.gap == Gap.NONE and math.isfinite(frame.ax):
            imu_t = frame.t
        if math.isfinite(frame.ping_t):
            echo = frame.ping_echo
            if echo in (Echo.DISTANCE, Echo.NOTHING_IN_RANGE):
                rear_t = frame.ping_t
        return Seen(frame, self.source, imu_t, rear_t, echo, battery_t, charge)

    def age(self, t: float) -> float:
        """Seconds since the newest frame's tick; one from the future is as untrue as an old one."""
        return abs(t - self.frame.tick)


class Watch:
    """Reads frames that the device writes, in the loop's thread; `seen` may be read from any."""

    def __init__(self, ring_file: Path, started: float, cannot_start_file: Path) -> None:
        """`started`: when this process began [s, monotonic]."""
        self._file, self._started, self._why_file = ring_file, started, cannot_start_file
        self._asked_why = -math.inf  # s
        self._ring: RingReader | None = None
        self._sequence = 0
        self._searched = -math.inf
        self.fault = ""  # one line when there is a ring that cannot be read
        self.why = ""  # one line from a device that has ended before it guarded
        self.seen: Seen | None = None
        self.counts = Counts()
        self.restarts = 0  # of the device, since the service first saw it

    def poll(self, t: float) -> None:
        """Take in the frames that have come since the last call."""
        if t - self._asked_why >= LOOK_AGAIN:
            self._asked_why = t
            self.why = _first_line(self._why_file)
        if self._ring is None:
            self._open(t)
        if self._ring is None:
            return
        came = False
        while (frame := self._ring.read(self._sequence + 1)) is not None:
            self._sequence += 1
            came = True
            self.counts.note(frame)
            if self.seen is not None:
                self.seen = self.seen.after(frame)
            else:
                self.seen = Seen(frame, self._ring.source).after(frame)
        if came:
            return
        if self._ring.replaced():
            self._open(t)
        elif self.silence(t) and t - self._searched >= LOOK_AGAIN:
            self._search(t)  # the writer may have lapped us while this process was stopped

    def silence(self, t: float) -> str:
        """Empty while frames are fresh, else one line that says what is known."""
        if self.why and (self.seen is None or self.seen.age(t) > SILENT_AFTER):
            return f"the device cannot start: {self.why}"
        if self.seen is None:
            return self.fault or "no frame has been seen since the service started"
        age = self.seen.age(t)
        if not age <= SILENT_AFTER:  # so that a NaN is silence as well
            return f"the device has given no frame for {age:.1f} s"
        return ""

    @property
    def fs(self) -> float | None:
        """Samples a second that the device's source promises; None: there is no ring."""
        return self._ring.fs if self._ring else None

    def starting(self, t: float) -> bool:
        """Whether the device may still be on its way up: no sign of it yet, and not for long."""
        return self.seen is None and not self.why and t - self._started < START_GRACE

    def close(self) -> None:
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def _open(self, t: float) -> None:
        self.close()
        try:
            self._ring = RingReader(self._file)
            self.fault = ""
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self.fault = f"the frame ring cannot be read: {error}"
            return
        if self.seen is not None:
            self.seen = replace(self.seen, source=self._ring.source)
            self.restarts += 1
        self._sequence = 0
        self._search(t)

    def _search(self, t: float) -> None:
        self._searched = t
        newest = self._ring.newest() if self._ring else None
        if newest is not None and newest[0] > self._sequence:
            if self._sequence:
                self.counts.lost += newest[0] - self._sequence - 1
            self._sequence, frame = newest
            self.counts.note(frame)
            source = self._ring.source if self._ring else ""
            self.seen = (self.seen or Seen(frame, source)).after(frame)


def _first_line(file: Path) -> str:
    """At most 300 characters of it; empty where there is none."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return lines.readline(300).strip()
    except OSError:
        return ""
