"""Time, passed in. Imports nothing of ours.

Only composition roots build a clock; everything below them is handed one, or a time.
"""

from __future__ import annotations

import ctypes
import time
from functools import cache
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, and a way to wait for one of them."""

    def now(self) -> float:
        """Monotonic time [s]."""

    def sleep_until(self, deadline: float) -> None:
        """Return at `deadline` [s, monotonic], or at once when it has passed."""


class MonotonicClock:
    """CLOCK_MONOTONIC: never steps, stops with the machine; the clock of gpiochip edges as well."""

    def now(self) -> float:
        return time.monotonic()

    def sleep_until(self, deadline: float) -> None:
        wait = deadline - time.monotonic()
        if wait > 0:
            time.sleep(wait)


def boot_id() -> str:
    """The kernel's id of this boot, first eight hex digits; `00000000` where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return "00000000"


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); only `modes` is read, the rest is room."""

    _fields_ = [("modes", ctypes.c_uint), ("room", ctypes.c_byte * 508)]


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def wall_clock_synchronised() -> bool:
    """Whether the kernel says that wall time is disciplined (a Pi has no clock of its own).

    Source: adjtimex(2), return value TIME_ERROR and status STA_UNSYNC.
    """
    timex = _Timex()
    state: int = _libc().adjtimex(ctypes.byref(timex))
    return state not in (-1, _TIME_ERROR)


class WallClock(Protocol):
    """What a person's clock shows at a monotonic time."""

    def at(self, t: float) -> tuple[float, bool]:
        """Wall time [s since 1970, UTC] at monotonic `t` [s], and whether it can be trusted."""


class SystemWallClock:
    """The system's wall clock, as far as it is known now; it may step."""

    def at(self, t: float) -> tuple[float, bool]:
        return time.time() - (time.monotonic() - t), wall_clock_synchronised()
