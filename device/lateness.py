"""How late the loop was, as a histogram: counted in the loop, read by whoever asks."""

from __future__ import annotations

from bisect import bisect_left

EDGES_MS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
CROWDED, CALM = 10, 100  # ticks in a row: too slow before telemetry is shed, good ones that end it


class Lateness:
    """`counts[k]`: ticks at most EDGES_MS[k] late; the last one: later still."""

    def __init__(self) -> None:
        self.counts = [0] * (len(EDGES_MS) + 1)
        self.worst = 0.0  # s

    def note(self, late: float) -> None:
        """One tick was `late` s late."""
        self.counts[bisect_left(EDGES_MS, late * 1000)] += 1
        self.worst = max(self.worst, late)

    def at_most(self, share: float) -> float:
        """ms that this share of the ticks were at most late, to the next edge; inf: later still."""
        left = share * sum(self.counts)
        for edge, count in zip((*EDGES_MS, float("inf")), self.counts, strict=True):
            left -= count
            if left <= 0:
                return edge
        return float("inf")

    def words(self) -> str:
        """One line."""
        p50, p99, p999 = (self.at_most(share) for share in (0.5, 0.99, 0.999))
        return (
            f"lateness p50 ≤ {p50:g} ms, p99 ≤ {p99:g} ms, p99.9 ≤ {p999:g} ms, "
            f"worst {self.worst * 1000:.1f} ms"
        )


class Overload:
    """Ticks that last longer than their period, one after the other: something must be left out."""

    def __init__(self) -> None:
        self._slow = self._good = 0
        self.shedding = False

    def note(self, slow: bool) -> bool:
        """A tick took longer than its period, or did not; whether telemetry is to be shed now."""
        self._slow, self._good = (self._slow + 1, 0) if slow else (0, self._good + 1)
        if self._slow >= CROWDED:
            self.shedding = True
        elif self._good >= CALM:
            self.shedding = False
        return self.shedding
