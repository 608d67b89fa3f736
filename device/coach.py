"""Gentle words to who walks: how few of them, when to glance round, when to rest.

Notices (posture, pace, steadiness) have a budget, so that nobody learns to ignore the motor; they
are silent while a warning is near, and what could not be said is said later if it still holds.
Faults and warnings are not the coach's, and have no budget.
"""

from __future__ import annotations

import math

NOTICE_EVERY_S = 120.0  # s between notices at least
AFTER_WARNING_S = 5.0  # s of quiet after a warning
APART_S = 3.0  # s between a notice and a prompt to glance round
REST_AGAIN_S = 180.0  # s between suggestions to rest
TOO_FAST_S = 4.0  # s beyond the wearer's own limit of speed before it is a notice


class Coach:
    """One session's manners. Times are s on the loop's clock."""

    def __init__(self, glance_s: float, most_speed: float) -> None:
        """`glance_s`: s of walking backward between prompts, 0: none; `most_speed`: m/s."""
        self._glance_s, self._most_speed = glance_s, most_speed
        self._noticed = self._warned = self._glanced = self._rested = -math.inf
        self._glance_due = glance_s  # s of dose
        self._fast_since = math.nan
        self.owed = ""  # event of a notice that found no room

    def warned(self, now: float) -> None:
        """A warning is near at this moment."""
        self._warned = now

    def may_notice(self, now: float, event: str) -> bool:
        """Whether the notice of `event` may be felt now; it then counts. Else it is owed."""
        quiet = now - self._warned >= AFTER_WARNING_S and now - self._glanced >= APART_S
        if quiet and now - self._noticed >= NOTICE_EVERY_S:
            self._noticed, self.owed = now, ""
            return True
        self.owed = event
        return False

    def glance(self, now: float, dose_s: float) -> bool:
        """Whether to prompt for a look over the shoulder: after so much more dose, in a quiet."""
        if self._glance_s <= 0.0 or dose_s < self._glance_due:
            return False
        if now - self._warned < AFTER_WARNING_S or now - self._noticed < APART_S:
            return False
        self._glanced, self._glance_due = now, dose_s + self._glance_s
        return True

    def rest(self, now: float, drift: str) -> bool:
        """Whether `drift` (one line; empty: none) is to be answered by suggesting a rest now."""
        if not drift or now - self._rested < REST_AGAIN_S or now - self._warned < AFTER_WARNING_S:
            return False
        self._rested = now
        return True

    def too_fast(self, now: float, backward_speed: float) -> bool:
        """Whether to say that the wearer has been faster than their own limit [m/s] for seconds."""
        if not backward_speed > self._most_speed:
            self._fast_since = math.nan
            return False
        if math.isnan(self._fast_since):
            self._fast_since = now
        if now - self._fast_since < TOO_FAST_S:
            return False
        self._fast_since = now + NOTICE_EVERY_S
        return True
