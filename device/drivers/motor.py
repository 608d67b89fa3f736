"""The vibration motor, behind a transistor on a PWM pin; and a buzzer to go with any motor."""

from __future__ import annotations

from typing import Any

from gpiozero import OutputDevice, PWMOutputDevice

PWM_HZ = 200  # well above what a coin motor's mass can follow, well below lgpio's 10 kHz


class Motor:
    """Off when made and off when closed. No transistor tells whether its motor is there."""

    fault = ""

    def __init__(self, pins: Any, pin: int) -> None:
        self._output = PWMOutputDevice(pin, frequency=PWM_HZ, pin_factory=pins)
        self.duty = 0.0  # as last set

    def set(self, duty: float) -> None:
        """Drive at `duty` 0..1. Raises ValueError beyond that."""
        if not 0.0 <= duty <= 1.0:
            raise ValueError(f"duty is 0 to 1, not {duty}")
        if duty != self.duty:
            self._output.value = duty
            self.duty = duty

    def off(self) -> None:
        """Written even when it is thought to be off already."""
        self._output.value = 0.0
        self.duty = 0.0

    def close(self) -> None:
        self.off()
        self._output.close()


class Audible:
    """A motor with an active buzzer beside it, for whom the skin does not tell enough."""

    def __init__(self, motor: Any, pins: Any, pin: int) -> None:
        self._motor = motor
        self._buzzer = OutputDevice(pin, pin_factory=pins)

    @property
    def duty(self) -> float:
        duty: float = self._motor.duty
        return duty

    @property
    def fault(self) -> str:
        fault: str = self._motor.fault
        return fault

    def set(self, duty: float) -> None:
        self._motor.set(duty)
        self._buzzer.value = duty > 0

    def off(self) -> None:
        self._motor.off()
        self._buzzer.off()

    def close(self) -> None:
        self._motor.close()
        self._buzzer.close()
