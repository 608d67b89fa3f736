"""The journal's writer: takes records from the loop at once, and brings them to disk.

Danger and fault records are synced at once, the rest every second. What the disk refuses waits in
memory under the id it has. Segments are dropped when the service has consumed them; past the size
cap the oldest is given up, and that is itself a record.
"""

from __future__ import annotations

import errno
import queue
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from device.alerts import Level, Record
from device.clock import Clock, WallClock
from device.dangers import Dangers
from device.journal import encode
from device.segments import SegmentWriter

SYNC_PERIOD = 1.0  # s


@dataclass(frozen=True, slots=True)
class Origin:
    """What every record of one run of the device has in common."""

    belt: str
    run: str  # this boot and this start of the device; never repeats
    source: str


class _Line(NamedTuple):
    text: bytes
    urgent: bool


class Recorder:
    """A thread that owns the journal folder. `put` and `consumed` never block the caller."""

    def __init__(
        self,
        folder: Path,
        origin: Origin,
        clock: Clock,
        wall: WallClock,
        *,
        queue_size: int,
        limit_bytes: int,
    ) -> None:
        """A folder that cannot be made or written is a `fault`, and tried again every second."""
        self._origin, self._clock, self._wall = origin, clock, wall
        self._segments = SegmentWriter(folder, origin.run, limit_bytes)
        self._dangers = Dangers(folder)
        self._queue: queue.Queue[Record | str | None] = queue.Queue(queue_size)
        self._room = queue_size
        self._waiting: deque[_Line] = deque()  # not yet written
        self._unsynced: list[_Line] = []  # written, not yet known to be on the disk
        self._unsynced_since = 0.0
        self._sequence = 0
        self._told_lost = 0
        self.lost = 0  # records that found no room
        self.fault = ""  # one line while the disk refuses
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def put(self, record: Record) -> None:
        """Hand over a record; when the queue is full it is counted as lost, and told."""
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self.lost += 1

    def consumed(self, segment: str) -> None:
        """The service has stored everything before `segment` (a file name): drop what is older."""
        try:
            self._queue.put_nowait(segment)
        except queue.Full:  # it is said again within seconds
            return

    def close(self, timeout: float = 5.0) -> None:
        """Write and sync what is queued, then stop. Raises queue.Full when the disk hangs."""
        self._queue.put(None, timeout=timeout)
        self._thread.join(timeout)

    # --- the thread ---

    def _work(self) -> None:
        running = True
        while running:
            try:
                item = self._queue.get(timeout=SYNC_PERIOD)
            except queue.Empty:
                item = ""
            running = item is not None
            urgent = False
            if isinstance(item, Record):
                urgent = self._line_up(item)
            if self.lost > self._told_lost:
                lost, self._told_lost = self.lost - self._told_lost, self.lost
                self._line_up(self._storage_fault(f"{lost} records found no room and were lost"))
                urgent = True
            try:
                self._segments.ready()
                if self._dangers.grown:
                    self._dangers.save()
                self._write(urgent or not running)
                self._dangers.save()
                if isinstance(item, str) and item:
                    self._segments.drop_before(item)
                self.fault = ""
            except OSError as error:
                self.fault = _remedy(error)
                self._waiting.extendleft(reversed(self._unsynced))
                self._unsynced.clear()
                self._segments.leave()

    def _line_up(self, record: Record) -> bool:
        """Complete a record and have it wait for the disk; whether it must be synced at once.

        Where there is no room, what is urgent takes that of the oldest that is not.
        """
        self._sequence += 1
        wall, trusted = self._wall.at(record.t)
        line = {
            "id": f"{self._origin.belt}:{self._origin.run}:{self._sequence}",
            "belt": self._origin.belt,
            "boot": self._origin.run,
            "raised_at": datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds"),
            "clock_synchronised": trusted,
            **record.to_dict(),
        }
        urgent = self._dangers.note(line) or record.urgent
        if len(self._waiting) >= self._room:
            self.lost += 1
            lesser = next((k for k, it in enumerate(self._waiting) if not it.urgent), None)
            if not urgent or lesser is None:
                return False
            del self._waiting[lesser]
        self._waiting.append(_Line(encode(line), urgent))
        return urgent

    def _write(self, sync_now: bool) -> None:
        now = self._clock.now()
        while self._waiting:
            self._segments.append(self._waiting[0].text)
            if not self._unsynced:
                self._unsynced_since = now
            self._unsynced.append(self._waiting.popleft())
        if self._unsynced and (sync_now or now - self._unsynced_since >= SYNC_PERIOD):
            self._segments.sync()
            self._unsynced.clear()
            for name in self._segments.roll_over():
                self._line_up(self._storage_fault(f"journal full: {name} was given up unsent"))

    def _storage_fault(self, detail: str) -> Record:
        return Record(
            kind="alert",
            event="storage_fault",
            level=Level.FAULT.word,
            t=self._clock.now(),
            alert_id=f"{self._origin.belt}:{self._origin.run}:s{self._sequence + 1}",
            source=self._origin.source,
            detail=detail,
        )


def _remedy(error: OSError) -> str:
    """What the disk said, and what to do about it."""
    if error.errno == errno.ENOSPC:
        return "the disk is full: free space; records wait in memory"
    return f"the journal cannot be written ({error.strerror}): check the card; records wait here"
