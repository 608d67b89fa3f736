"""The button's language: short, long and double presses from its debounced level, tick by tick."""

from __future__ import annotations

import math
from enum import Enum

LONG_S = 2.0  # s; told while still held, so that nobody wonders how long is long
DOUBLE_S = 0.4  # s after a release within which a second press makes it double


class Gesture(Enum):
    SHORT = "short"
    LONG = "long"
    DOUBLE = "double"


class Gestures:
    """Feed it the level at every tick; a gesture comes out at most once a tick."""

    def __init__(self) -> None:
        self._pressed_at: float | None = None  # s; None while it is up
        self._released_at = math.nan  # s, of a press that may become a double; NaN: none waits
        self._spent = False  # the press under way has been told already

    def sample(self, now: float, pressed: bool) -> Gesture | None:
        """The gesture that is complete now [s], or None."""
        if pressed and self._pressed_at is None:
            waited = now - self._released_at
            self._pressed_at, self._released_at = now, math.nan
            self._spent = waited <= DOUBLE_S
            if self._spent:
                return Gesture.DOUBLE
            return Gesture.SHORT if waited > DOUBLE_S else None  # the one before, not yet told
        if pressed and not self._spent and now - (self._pressed_at or 0.0) >= LONG_S:
            self._spent = True
            return Gesture.LONG
        if not pressed and self._pressed_at is not None:
            self._pressed_at = None
            self._released_at = math.nan if self._spent else now
        elif not pressed and now - self._released_at > DOUBLE_S:
            self._released_at = math.nan
            return Gesture.SHORT
        return None
