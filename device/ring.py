"""The writer of the frame ring; its layout and its reader are in frames.py."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

from device.core import publish
from device.frames import RING_FS_AT, RING_HEADER, RING_HEADER_SIZE, RING_MAGIC, SLOT_SIZE, Frame


class RingWriter:
    """One writer a file. The file appears whole, or not at all; `close` takes it away."""

    def __init__(self, path: Path, slots: int, fs: float, source: str) -> None:
        """Make a ring of `slots` frames at `fs` samples a second. Raises OSError."""
        self._path = path
        self._slots = slots
        self.sequence = 0  # of the newest frame; the first is 1
        unfinished = path.with_suffix(".new")
        with unfinished.open("w+b") as file:
            # real pages at once: a hole that cannot be filled later is a SIGBUS in the loop
            os.posix_fallocate(file.fileno(), 0, RING_HEADER_SIZE + slots * SLOT_SIZE)
            self._map = mmap.mmap(file.fileno(), 0)
        name = source.encode()[:32]
        RING_HEADER.pack_into(self._map, 0, RING_MAGIC, slots, SLOT_SIZE, fs, name)
        unfinished.rename(path)

    def write(self, frame: Frame) -> None:
        """Publish one frame; the oldest is overwritten."""
        offset = RING_HEADER_SIZE + self.sequence % self._slots * SLOT_SIZE
        self.sequence += 1
        publish(self._map, offset, self.sequence, frame.pack())

    def retime(self, fs: float) -> None:
        """Another motion sensor, of `fs` samples a second, from now on."""
        struct.pack_into("<d", self._map, RING_FS_AT, fs)

    def close(self) -> None:
        self._map.close()
        self._path.unlink(missing_ok=True)
