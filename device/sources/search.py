"""Looks for a part that is not there, ever more seldom, until it comes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SOON, SELDOM = 0.5, 8.0  # s between attempts: at first, and at most


class Search(Generic[T]):
    """`fault` says in one line why the part is not there; empty: it is."""

    def __init__(
        self,
        make: Callable[[], T],
        refused: tuple[type[Exception], ...],
        mend: Callable[[], bool] = lambda: False,
    ) -> None:
        """`make` gives the part, or raises one of `refused`; then `mend` does what may help, and
        says whether to try again soon.
        """
        self._make, self._refused, self._mend = make, refused, mend
        self._pause = SOON
        self._look_at = -math.inf  # s
        self.fault = ""

    def look(self, now: float = -math.inf) -> T | None:
        """The part, or None: it is not there, or it is too early [s] to look again."""
        if now < self._look_at:
            return None
        try:
            found = self._make()
        except self._refused as error:
            said = error.strerror if isinstance(error, OSError) else None
            self.fault = " ".join((said or str(error)).split())
            soon = self._mend()
            self._look_at = now + (SOON if soon else self._pause)
            self._pause = min(2 * self._pause, SELDOM)
            return None
        self.fault = ""
        return found
