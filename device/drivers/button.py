"""The button, to ground on one pin: its debounced level. What presses mean is decided elsewhere."""

from __future__ import annotations

from typing import Any

from gpiozero import InputDevice

DEBOUNCE = 0.015  # s a new level must stand; contacts chatter for some 5 ms


class Button:
    def __init__(self, pins: Any, pin: int) -> None:
        self._input = InputDevice(pin, pull_up=True, pin_factory=pins)
        self._pressed = False
        self._changed: float | None = None  # s, since when the pin has said otherwise

    def pressed(self, now: float) -> bool:
        """Whether it is held down at `now` [s]; follows the pin once that has stood."""
        if bool(self._input.is_active) == self._pressed:
            self._changed = None
        elif self._changed is None:
            self._changed = now
        elif now - self._changed >= DEBOUNCE:
            self._pressed, self._changed = not self._pressed, None
        return self._pressed

    def close(self) -> None:
        self._input.close()
