"""The perception test: does this wearer feel the motor, through these clothes?

Ten buzzes at moments nobody can guess, each answered by a press of the button, and three silences
in between (catch trials): who presses then, presses without feeling. The buzz is no stronger than
that of an approaching obstacle.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

BUZZES, CATCHES = 10, 3
LEAST_FELT = 9  # of BUZZES
MOST_FALSE = 1  # presses without a buzz
WINDOW_S = 1.5  # s after a buzz in which a press answers it; a vibration is answered in 0.4 s
SOONEST_S = 0.1  # s: faster is no answer
GAP_S = (1.5, 4.0)  # s between the end of one trial and the next
PATTERN = "perceive"


class Felt(NamedTuple):
    """What came of it."""

    felt: int
    false: int  # presses without a buzz

    @property
    def passed(self) -> bool:
        return self.felt >= LEAST_FELT and self.false <= MOST_FALSE

    @property
    def advice(self) -> str:
        if self.passed:
            return "the buzzes are felt"
        if self.false > MOST_FALSE:
            return f"{self.false} presses without a buzz: press only when you feel one; test again"
        return (
            "too few were felt: wear the belt over thinner clothing, or raise [motor] strength;"
            " test again"
        )


class Perception:
    """One test; feed it every tick. Times are s on the loop's clock."""

    def __init__(
        self, now: float, random: Random, feel: Callable[[str, float], float | None]
    ) -> None:
        """`feel` begins a pattern now and returns when the motor went on, or None."""
        self._random, self._feel = random, feel
        trials = [True] * BUZZES + [False] * CATCHES
        random.shuffle(trials)
        self._trials = trials
        self._at = now + self._gap()  # s, of the next trial
        self._buzz: float | None = None  # s, when the trial under way began; None: none is
        self._is_buzz = False
        self._answered = False
        self._held = True  # a button that is down at first says nothing
        self._felt = self._false = 0

    def step(self, now: float, pressed: bool) -> Felt | None:
        """A tick; the outcome when it is over."""
        down, self._held = pressed and not self._held, pressed
        if down:
            self._press(now)
        if self._buzz is not None:
            if now - self._buzz > WINDOW_S:
                self._buzz, self._at = None, now + self._gap()
            return None
        if now < self._at:
            return None
        if not self._trials:
            return Felt(self._felt, self._false)
        self._is_buzz = self._trials[-1]
        begun = self._feel(PATTERN, now) if self._is_buzz else now
        if begun is None:  # something more urgent is felt: this trial comes later
            self._at = now + self._gap()
            return None
        self._trials.pop()
        self._buzz, self._answered = begun, False
        return None

    def _press(self, now: float) -> None:
        answers = self._buzz is not None and self._is_buzz and not self._answered
        if answers and now - (self._buzz or 0.0) >= SOONEST_S:
            self._felt += 1
            self._answered = True
        else:
            self._false += 1

    def _gap(self) -> float:
        return self._random.uniform(*GAP_S)
