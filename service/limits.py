"""How often one peer may ask: buckets that fill with time. Time is passed in."""

from __future__ import annotations

from collections import OrderedDict


class Buckets:
    """One bucket a key, full at first. Past `most` keys, the longest unused is forgotten."""

    def __init__(self, rate: float, burst: float, most: int = 256) -> None:
        """`rate`: what flows in [1/s]; `burst`: what a full bucket holds."""
        self._rate, self._burst, self._most = rate, burst, most
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key → content, at t

    def take(self, key: str, t: float) -> float:
        """Take one at `t` [s]. 0: there was one; else the seconds until there is."""
        content, since = self._held.pop(key, (self._burst, t))
        content = min(self._burst, content + max(0.0, t - since) * self._rate)
        lacking = max(0.0, 1.0 - content)
        self._held[key] = (content if lacking else content - 1.0), t
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return lacking / self._rate
