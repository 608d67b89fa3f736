"""Time that tests move."""

from __future__ import annotations


class Clock:
    """Time that is where it is put, and passes when it is waited for."""

    def __init__(self) -> None:
        self.t = 1000.0

    def now(self) -> float:
        return self.t

    def sleep_until(self, deadline: float) -> None:
        self.t = max(self.t, deadline)
