"""Which way a sensor was worn, where its publisher does not say: told from what is known of trials.

Somebody upright shows which axis is up. Who has fallen forward lies on the belly, with the front
down; who has fallen backward, with the front up. Sensors are worn along the body's axes, so one of
24 turns fits best.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

AVERAGED = 1.0  # s at a trial's beginning or end


def turns() -> list[NDArray[np.float64]]:
    """The 24 turns that bring axes onto axes: [3,3], rows are the body's axes in the sensor's."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            turn = np.zeros((3, 3))
            turn[range(3), order] = signs
            if np.linalg.det(turn) > 0:
                found.append(turn)
    return found


class Postures:
    """What one subject's trials show of how the sensor was worn."""

    def __init__(self) -> None:
        self._up, self._front = np.zeros(3), np.zeros(3)

    def upright(self, acc: NDArray[Any], fs: float) -> None:
        """A trial [N,3] that somebody begins standing or walking."""
        self._up += _direction(acc[: max(int(AVERAGED * fs), 1)])

    def prone(self, acc: NDArray[Any], fs: float) -> None:
        """A trial that somebody ends on the belly."""
        self.forward(-_direction(acc[-max(int(AVERAGED * fs), 1) :]))

    def supine(self, acc: NDArray[Any], fs: float) -> None:
        """A trial that somebody ends on the back."""
        self.forward(_direction(acc[-max(int(AVERAGED * fs), 1) :]))

    def forward(self, way: NDArray[Any]) -> None:
        """Where forward is [3], as far as a trial shows it."""
        self._front += way

    def turn(self) -> NDArray[np.float64] | None:
        """From the sensor's axes to the body's, [3,3]; None when they do not show it."""
        if not (self._up.any() and self._front.any()):
            return None
        up = self._up / np.linalg.norm(self._up)
        front = self._front - (self._front @ up) * up
        front /= max(float(np.linalg.norm(front)), 1e-9)
        return max(turns(), key=lambda turn: float(turn[2] @ up + turn[0] @ front))


def _direction(acc: NDArray[Any]) -> NDArray[np.float64]:
    """Up as the accelerometer shows it [3]; zeros: not known."""
    rows = acc[np.isfinite(acc).all(axis=1)]
    mean = rows.mean(axis=0) if len(rows) else np.zeros(3)
    unit: NDArray[np.float64] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return unit
