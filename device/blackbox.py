"""The black box: what went before a danger or a fault, and what followed, kept as a recording set.

The loop only notes the core's state now and then and what was told; a thread of its own reads the
frame ring and writes. With the state at its start a recording is judged as it was on the belt.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import math
import os
import queue
import re
import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from device.alerts import Level, Record, State
from device.clock import Clock, WallClock
from device.core import Core
from device.frames import Frame, RingReader

BEFORE_S = 60.0  # s kept before what happened, at most
AFTER_S = 10.0  # s kept after it: an impact, a rest, a press of the button
NOTE_S = 10.0  # s between notes of the core's state: a recording begins at one
KEEP = 50  # recordings; the oldest go (one takes about 250 kB)
RESERVE = 128 << 20  # bytes that recordings leave free, for records come first: twice the journal
LOOK_S = 10.0  # s between looks at the room and at what is too old
_AT_ONCE = 200  # frames read without letting go of the interpreter

INDEX = ("trial", "subject", "code", "activity", "fall", "onset", "impact", "fs", "n", "direction",
         "file", "note")  # fmt: skip


class BlackBox:
    """One recording for each episode of danger or fault. `note` and `see` never block."""

    def __init__(
        self, folder: Path, ring: Path, belt: str, fs: float, clock: Clock, wall: WallClock,
        days: float,
        room: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:  # fmt: skip
        """`folder` gets a recording set an episode, and keeps it so many days (0: it gets none).

        `ring` is read when one is due; `room` says how many bytes are free where a folder lies, and
        may raise OSError.
        """
        self._room, self._look_at = room, -math.inf
        self._folder, self._ring, self._belt, self._fs = folder, ring, belt, fs
        self._clock, self._wall, self._days = clock, wall, days
        notes = math.ceil((BEFORE_S + AFTER_S) / NOTE_S) + 1
        self._notes: deque[tuple[int, bytes]] = deque(maxlen=notes)
        self._seen: queue.Queue[Record | None] = queue.Queue(64)
        self.fault = ""  # one line while recordings cannot be kept
        self._thread = threading.Thread(target=self._work, name="black box", daemon=True)
        self._thread.start()

    def note(self, sequence: int, core: Core) -> None:
        """The core as it is after frame `sequence` of the ring; kept every `NOTE_S`."""
        if core.fs != self._fs:  # another motion sensor: no recording can begin before it
            self._fs = core.fs
            self._notes.clear()
        if not self._notes or sequence - self._notes[-1][0] >= NOTE_S * self._fs:
            self._notes.append((sequence, core.save()))

    def see(self, record: Record) -> None:
        """A danger or a fault that is raised will be kept; past a crowd of them, it is not."""
        wanted = record.kind == "alert" and record.urgent and record.state == State.RAISED
        if wanted and self._days > 0:
            try:
                self._seen.put_nowait(record)
            except queue.Full:
                self.fault = "too many recordings at once: some were not kept"

    def close(self) -> None:
        """Write what is due, now, and end."""
        self._seen.put(None)
        self._thread.join()

    # --- the thread ---

    def _work(self) -> None:
        due: dict[str, Record] = {}  # by episode, the first of each
        kept: deque[str] = deque(maxlen=KEEP)
        running = True
        shutil.rmtree(self._unfinished, ignore_errors=True)  # what a power cut left
        while running:
            if self._clock.now() >= self._look_at:
                self._look_at = self._clock.now() + LOOK_S
                self._yield_room()
                self._drop_old()
            try:
                record = self._seen.get(timeout=0.5)
                running = record is not None
                if record and record.alert_id not in kept:
                    due.setdefault(record.alert_id, record)
            except queue.Empty:
                pass
            for alert_id, first in list(due.items()):
                if self._clock.now() >= first.t + AFTER_S or not running:
                    del due[alert_id]
                    kept.append(alert_id)
                    self._try_to_keep(first)

    def _try_to_keep(self, first: Record) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._room(self._folder) < RESERVE:
                raise OSError(errno.ENOSPC, "the room left is for records")
            self._keep(first)
            self._drop_oldest()
            self.fault = ""
        except (OSError, ValueError) as error:  # no room, no ring: guarding goes on, and it is told
            self.fault = f"a recording could not be kept ({error}): free space"

    def _keep(self, first: Record) -> None:
        reader = RingReader(self._ring)
        try:
            frames, state, start = self._frames(reader)
        finally:
            reader.close()
        name = re.sub(r"[^\w-]+", "-", first.alert_id)
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.mkdir(parents=True)
        _write_set(self._unfinished, self._belt, name, first, frames, state, start, self._fs)
        for written in [*self._unfinished.iterdir(), self._unfinished]:
            _sync(written)  # else a power cut could leave the name without what it names
        self._unfinished.rename(self._folder / name)
        _sync(self._folder)

    @property
    def _unfinished(self) -> Path:
        return self._folder / ".unfinished"

    def _yield_room(self) -> None:
        """The oldest recordings go while the disk is nearly full: records come before them."""
        with contextlib.suppress(OSError):  # no folder: no recordings
            while self._room(self._folder) < RESERVE and (made := self._made()):
                shutil.rmtree(made[0])

    def _frames(self, reader: RingReader) -> tuple[list[Frame], bytes, int]:
        """The frames since the oldest note that is in reach, that note, and its sequence."""
        newest = reader.newest()
        oldest = (newest[0] if newest else 0) - round((BEFORE_S + AFTER_S) * self._fs)
        for start, state in list(self._notes):
            frames = []
            sequence = start + 1
            if start >= oldest:
                while frame := reader.read(sequence):
                    frames.append(frame)
                    sequence += 1
                    if len(frames) % _AT_ONCE == 0:
                        self._clock.sleep_until(self._clock.now() + 0.002)
            if frames:
                return frames, state, start
        raise ValueError("the ring holds no frame after a note of the core's state")

    def _made(self) -> list[Path]:
        """The recordings, the oldest first."""
        return sorted(self._folder.glob("[!.]*"), key=lambda folder: folder.stat().st_mtime)

    def _drop_old(self) -> None:
        """Recordings past their days go, when the clock that says so is set."""
        wall, trusted = self._wall.at(self._clock.now())
        if trusted:
            for folder in self._made():
                with contextlib.suppress(OSError):  # tried again at the next look
                    if wall - folder.stat().st_mtime >= self._days * 86400.0:
                        shutil.rmtree(folder)

    def _drop_oldest(self) -> None:
        for folder in self._made()[:-KEEP]:
            shutil.rmtree(folder)


def _sync(path: Path) -> None:
    """A file, or a folder's names, to the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_set(
    folder: Path, belt: str, name: str, first: Record, frames: list[Frame], state: bytes,
    start: int, fs: float,
) -> None:  # fmt: skip
    """A recording set of one trial; its further arrays are those that recordings.py describes."""
    fallen = first.level == Level.DANGER.word and first.event != "sos"
    t = np.array([frame.t for frame in frames])
    pings = [(k, frame) for k, frame in enumerate(frames) if frame.ping_echo >= 0]
    np.savez(
        folder / f"{belt}.npz",
        acc_q=np.array([(f.ax, f.ay, f.az) for f in frames], np.float32),
        gyro_q=np.array([(f.gx, f.gy, f.gz) for f in frames], np.float32),
        acc_scale=1.0,
        gyro_scale=1.0,
        fs=fs,
        start=np.array([0], np.int64),
        n=np.array([len(frames)], np.int32),
        trial=np.array([name]),
        code=np.array([first.event]),
        fall=np.array([fallen], np.int8),
        onset=np.array([-1], np.int32),
        impact=np.array([-1], np.int32),
        range_m=np.array([frame.ping_range for _, frame in pings], np.float32),
        range_t=np.array([max(0.0, frame.ping_t - t[0]) for _, frame in pings]),
        range_trial=np.zeros(len(pings), np.int64),
        range_status=np.array([frame.ping_echo for _, frame in pings], np.int8),
        range_sample=np.array([k for k, _ in pings], np.int64),
        x_t=t,
        x_drift=np.array([f.drift for f in frames], np.float32),
        core_state=np.frombuffer(state, np.uint8)[None],
        core_sample=np.array([start], np.int64),
    )
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as file:
        index = csv.writer(file)
        index.writerow(INDEX)
        index.writerow([name, first.wearer or belt, first.event, f"black box: {first.event}",
                        int(fallen), -1, -1, f"{fs:g}", len(frames), "", f"{belt}.npz",
                        first.detail])  # fmt: skip
