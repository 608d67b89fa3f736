"""Simulated pins: gpiozero's mock family, with what hangs on each pin and the world's time.

The drivers hold ordinary gpiozero devices. Time stamps are exact and nothing sleeps: whenever a
pin is read, what should have happened by then has happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin

_PI_3B = "a02082"  # which board the factory says it is; its header has the 28 pins of all Pis


# mypy: disable-error-code="misc"
# gpiozero carries no types, so that its classes are Any to subclass


class _Quiet:
    """Mixed into mock pins: no log of states (it grows for ever), no reading of the real clock."""

    def clear_states(self) -> None:
        self._last_change = 0.0
        self.states: list[Any] = []

    def _change_state(self, value: float) -> bool:
        changed = bool(self._state != value)
        self._state: float = value
        return changed


class TriggerPin(_Quiet, MockPin):
    def _change_state(self, value: float) -> bool:
        fell = bool(self._state) and not value
        changed = super()._change_state(value)
        if fell:
            self.factory.triggered()
        return changed


class EchoPin(_Quiet, MockPin):
    def __init__(self, factory: Any, info: Any) -> None:
        self._coming: deque[tuple[float, bool]] = deque()  # edges on their way: (time, level)
        super().__init__(factory, info)

    def expect(self, edges: list[tuple[float, bool]]) -> None:
        self._coming.extend(edges)

    def deliver(self, now: float) -> None:
        """Every edge due by `now` [s], each with its own time."""
        while self._coming and self._coming[0][0] <= now:
            self._last_change, high = self._coming.popleft()
            if high:
                self.drive_high()
            else:
                self.drive_low()

    def _get_state(self) -> bool:
        self.factory.catch_up()
        return bool(self._state)


class MotorPin(_Quiet, MockPWMPin):
    def _change_state(self, value: float) -> bool:
        changed = super()._change_state(value)
        if changed:
            self.factory.driven(float(value))
        return changed


class ButtonPin(_Quiet, MockPin):
    def _get_state(self) -> bool:
        return not self.factory.held()  # to ground, with a pull-up


class SimulatedPins(MockFactory):
    """A gpiozero pin factory for one belt.

    Called back: `trigger(t)` gives the echo edges that follow a ping, `drive(duty)` takes the
    motor's duty, `pressed(t)` tells whether the button is held, `catch_up()` brings the rest of
    the simulated hardware to now. `now()` is the time [s], also of every tick.
    """

    def __init__(
        self,
        kinds: dict[int, type[MockPin]],
        now: Callable[[], float],
        catch_up: Callable[[], None],
        trigger: Callable[[float], list[tuple[float, bool]]],
        drive: Callable[[float], None],
        pressed: Callable[[float], bool],
    ) -> None:
        super().__init__(revision=_PI_3B, pin_class=MockPin)
        self._kinds, self._now, self._rest = kinds, now, catch_up
        self._trigger, self._drive, self._pressed = trigger, drive, pressed
        self._echo: EchoPin | None = None

    def pin(self, name: int) -> MockPin:
        pin = super().pin(name, pin_class=self._kinds[name])
        if isinstance(pin, EchoPin):
            self._echo = pin
        return pin

    def ticks(self) -> float:
        return self._now()

    def catch_up(self) -> None:
        self._rest()
        if self._echo:
            self._echo.deliver(self._now())

    def triggered(self) -> None:
        self._rest()
        if self._echo:
            self._echo.expect(self._trigger(self._now()))

    def driven(self, duty: float) -> None:
        self._rest()
        self._drive(duty)

    def held(self) -> bool:
        self._rest()
        return self._pressed(self._now())
