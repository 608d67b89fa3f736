"""The journal's files as its writer sees them: append, sync, roll over, drop, keep to a size."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from device.journal import SUFFIX, segments

SEGMENT_BYTES = 1 << 20


class SegmentWriter:
    """Appends lines to the newest segment of a folder. Every method may raise OSError."""

    def __init__(self, folder: Path, run: str, limit_bytes: int) -> None:
        self._folder, self._run, self._limit = folder, run, limit_bytes
        self._segment_bytes = min(SEGMENT_BYTES, limit_bytes // 4)
        self._descriptor = -1  # of the segment under way
        self._size = 0

    def ready(self) -> None:
        """Have a segment of this run, so that an older run's torn line shows as such."""
        if self._descriptor < 0:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._begin()

    def append(self, line: bytes) -> None:
        """Write one whole line; after an error, `leave` the segment, torn as it may be."""
        if os.write(self._descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(line)

    def sync(self) -> None:
        """Bring what was appended to the disk itself."""
        if self._descriptor >= 0:
            os.fdatasync(self._descriptor)

    def roll_over(self) -> list[str]:
        """When the segment is full (and synced), begin another; returns what had to be given up."""
        if self._size < self._segment_bytes:
            return []
        self._begin()
        files = segments(self._folder)
        sizes = {file: file.stat().st_size for file in files}
        given_up = []
        for file in files[:-1]:
            if sum(sizes.values()) <= self._limit:
                break
            file.unlink()
            del sizes[file]
            given_up.append(file.name)
        return given_up

    def drop_before(self, segment: str) -> None:
        """Remove segments older than `segment` (a file name); the newest always stays."""
        for file in segments(self._folder)[:-1]:
            if file.name < segment:
                file.unlink()

    def leave(self) -> None:
        """Close the segment; the next line begins a new one."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _begin(self) -> None:
        self.leave()
        last = segments(self._folder)
        number = int(last[-1].name[:8]) + 1 if last else 1
        path = self._folder / f"{number:08d}-{self._run}{SUFFIX}"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        self._size = 0
        directory = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
