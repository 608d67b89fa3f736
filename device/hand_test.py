"""The hand-behind test: before a session the wearer shows the rear sensor a hand, and removes it.

It proves the sensor on this body, under these clothes, and the motor that asked for it; by showing
the hand the wearer also says that the place is as the checklist wants it (questions.PLACE).
"""

from __future__ import annotations

from device.frames import Echo, Frame

NEAREST_M, FARTHEST_M = 0.03, 0.60  # of a hand held behind the belt
SEEN = 5  # pings in a row with the hand: a quarter of a second
GONE = 3  # pings in a row without it
PATIENCE_S = 30.0  # s
COVERED = "something is close behind all the time: uncover the rear sensor, step away from the wall"
UNSEEN = "no hand was seen behind: uncover, dry or turn the rear sensor, and try again"


class HandTest:
    """Feed it every frame. The hand must come and go: what is always there is a cover."""

    def __init__(self, now: float) -> None:
        self._until = now + PATIENCE_S
        self._free = False  # nothing was near, at least once
        self._seen = self._gone = 0

    def see(self, frame: Frame) -> bool:
        """Whether the hand has come and gone with this frame."""
        if frame.ping_echo not in (Echo.DISTANCE, Echo.NOTHING_IN_RANGE):
            return False
        near = frame.ping_echo == Echo.DISTANCE and NEAREST_M <= frame.ping_range <= FARTHEST_M
        if near:
            self._seen, self._gone = self._seen + self._free, 0
            return False
        self._gone += 1
        if self._gone >= GONE:
            if self._seen >= SEEN:
                return True
            self._free, self._seen = True, 0
        return False

    def fault(self, now: float) -> str:
        """Why it has failed by `now` [s]; empty: it goes on."""
        if now < self._until:
            return ""
        return UNSEEN if self._free else COVERED
