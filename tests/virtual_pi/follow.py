"""What a device shows of itself: the newest frame of its ring."""

from __future__ import annotations

from pathlib import Path

from device.frames import Frame, Guard, RingReader


class Frames:
    """Follows the ring at `file`, whichever device writes it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ring: RingReader | None = None
        self._sequence = 0
        self._frame: Frame | None = None

    @property
    def source(self) -> str:
        return self._ring.source if self._ring else ""

    def newest(self) -> Frame | None:
        if self._ring is None or self._ring.replaced():
            if not self._file.exists():
                return None
            self._ring = RingReader(self._file)
            self._sequence, self._frame = self._ring.newest() or (0, None)
        while frame := self._ring.read(self._sequence + 1):
            self._sequence, self._frame = self._sequence + 1, frame
        return self._frame

    def guarding(self, since: float = 0.0) -> bool:
        """Whether it guards fully, by a frame made after `since` [s, monotonic]."""
        frame = self.newest()
        return bool(frame and frame.tick > since and frame.guard == Guard.FULL)

    def since(self, t: float) -> list[Frame]:
        """Every frame of this ring from `t` [s, monotonic] on."""
        self.newest()
        if self._ring is None:
            return []
        every = (
            self._ring.read(n) for n in range(max(1, self._sequence - 8000), self._sequence + 1)
        )
        return [frame for frame in every if frame and frame.tick >= t]
