"""The button's language: short, long and double presses from its level, sampled each tick."""

from __future__ import annotations

import math
from enum import Enum

DEBOUNCE_S = 0.02  # s a level must hold to count; tactile switches bounce for up to 10 ms
LONG_S = 2.0  # s; told while still held, so that nobody wonders how long is long
DOUBLE_S = 0.4  # s after a release within which a second press makes it double


class Gesture(Enum):
    SHORT = "short"
    LONG = "long"
    DOUBLE = "double"


class Gestures:
    """Feed it the level at every tick; a gesture comes out at most once a tick."""

    def __init__(self) -> None:
        self._level = False  # debounced
        self._raw = False
        self._raw_since = -math.inf  # s, when the raw level last changed
        self._pressed_at = math.nan
        self._released_at = math.nan  # of a press that may become a double; NaN: none waits
        self._spent = False  # this press has already been told, or is the second of a double

    def sample(self, now: float, pressed: bool) -> Gesture | None:
        """The gesture that is complete now [s], or None."""
        if pressed != self._raw:
            self._raw, self._raw_since = pressed, now
        if self._raw != self._level and now - self._raw_since >= DEBOUNCE_S:
            self._level = self._raw
            return self._press(now) if self._level else self._release(now)
        if self._level and not self._spent and now - self._pressed_at >= LONG_S:
            self._spent = True
            return Gesture.LONG
        if not self._level and now - self._released_at > DOUBLE_S:
            self._released_at = math.nan
            return Gesture.SHORT
        return None

    def _press(self, now: float) -> Gesture | None:
        self._pressed_at = now
        self._spent = not math.isnan(self._released_at)
        self._released_at = math.nan
        return Gesture.DOUBLE if self._spent else None

    def _release(self, now: float) -> Gesture | None:
        if not self._spent:
            self._released_at = now  # told when no second press has come
        return None
