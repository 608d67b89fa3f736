"""Examines what hangs on the pins, or stands for it on a bus: rear sensor, motor, button."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any

from device.doctor.finding import Finding
from device.doctor.hands import Hands, NoPinsError
from device.drivers.bus import Bus
from device.drivers.button import Button
from device.drivers.drv2605l import Drv2605l
from device.drivers.hcsr04 import Hcsr04
from device.drivers.mb1242 import Mb1242
from device.drivers.motor import Audible, Motor
from device.drivers.ranger import Ping, Ranger
from device.frames import Echo, Guard
from device.haptics import Haptics, play

PINGS_S = 3.0  # s of pings
FAILED = {
    Echo.NO_PULSE: "ranger_silent",
    Echo.STUCK: "ranger_stuck",
    Echo.NAK: "ranger_nak",
    Echo.GLITCH: "ranger_glitch",
}
SOME_FAIL = 0.1  # share of failed pings that is told; from half on nothing looks behind
COVERED_M = 0.12  # m: nothing that one walks toward is so near
WILD_M = 0.3  # m between the 10th and the 90th per cent of distances while nothing moves
HAND_M = (0.2, 0.8)  # m: a hand held half a metre away
DIAGNOSIS_S = 3.0  # s within which a DRV2605L has diagnosed its motor
AFTER_S = 1.5  # s after a pulse in which it has told of a short
REST_S, PRESS_S = 1.0, 8.0  # s the button is watched at rest, and for a press


def examine(hands: Hands) -> Iterator[Finding]:
    """The belt lies still, or is held, and looks wherever it looks."""
    try:
        pins = hands.open_pins()
    except NoPinsError as error:
        yield Finding("pins", str(error), "no_pins", Guard.NOT_GUARDING)
        return
    left = {_rear: Guard.NO_REAR, _motor: Guard.NOT_GUARDING, _button: Guard.NOT_GUARDING}
    for look, guard in left.items():
        try:
            yield from look(hands, pins)
        except hands.taken() as error:
            yield Finding("pins", str(error), "no_pins", guard)


def _rear(hands: Hands, pins: Any) -> Iterator[Finding]:
    r = hands.config.ranger
    ranger: Ranger
    if r.driver == "none":
        yield Finding("rear sensor", "none is set", "no_ranger", Guard.NO_REAR)
        return
    if r.driver == "mb1242":
        ranger = Mb1242(Bus(lambda: hands.open_bus(r.bus)), r.period_s)
    else:
        ranger = Hcsr04(pins, r.trigger_pin, r.echo_pin, r.period_s, hands.config.belt.name)
    try:
        yield _echoes(_pings(hands, ranger))
        question = "Hold a flat hand half a metre behind the rear sensor. Do you hold it there?"
        if hands.ask(question):
            yield _hand(_pings(hands, ranger))
        else:
            yield Finding("a hand behind", "nobody held one there", unknown=True)
    finally:
        ranger.close()


def _pings(hands: Hands, ranger: Ranger) -> list[Ping]:
    return [ping for now in hands.ticks(PINGS_S) if (ping := ranger.poll(now))]


def _echoes(pings: list[Ping]) -> Finding:
    counts = Counter(ping.echo for ping in pings)
    distances = sorted(ping.range for ping in pings if ping.echo is Echo.DISTANCE)
    said = ", ".join(f"{n} {echo.name.lower().replace('_', ' ')}" for echo, n in counts.items())
    said = f"{len(pings)} pings: {said}"
    failed = {echo: n for echo, n in counts.items() if echo in FAILED}
    if not pings or sum(failed.values()) > SOME_FAIL * len(pings):
        fault = FAILED[max(failed, key=lambda echo: failed[echo])] if failed else "ranger_silent"
        most = not pings or sum(failed.values()) >= 0.5 * len(pings)
        return Finding("rear sensor", said, fault, Guard.NO_REAR if most else Guard.FULL)
    if len(distances) < 10:
        return Finding("rear sensor", said)
    said += f", {median(distances):.2f} m"
    if median(distances) < COVERED_M:
        return Finding("rear sensor", said, "ranger_covered", Guard.NO_REAR)
    tenths = quantiles(distances, n=10)
    if tenths[-1] - tenths[0] > WILD_M:
        return Finding(
            "rear sensor", f"{said} ({tenths[0]:.2f} to {tenths[-1]:.2f} m)", "ranger_wild"
        )
    return Finding("rear sensor", said)


def _hand(pings: list[Ping]) -> Finding:
    distances = [ping.range for ping in pings if ping.echo is Echo.DISTANCE]
    seen = median(distances) if len(distances) >= 0.5 * len(pings) > 0 else None
    said = "no echo" if seen is None else f"at {seen:.2f} m"
    if seen is None or not HAND_M[0] <= seen <= HAND_M[1]:
        return Finding("a hand behind", said, "ranger_deaf", Guard.NO_REAR)
    return Finding("a hand behind", said)


def _motor(hands: Hands, pins: Any) -> Iterator[Finding]:
    m = hands.config.motor
    motor: Any
    if m.driver == "drv2605l":
        motor = Drv2605l(Bus(lambda: hands.open_bus(hands.config.imu.bus)), lambda job: job())
    else:
        motor = Motor(pins, m.pin)
    output = Audible(motor, pins, m.buzzer_pin) if m.buzzer_pin >= 0 else motor
    try:
        if m.driver == "drv2605l":
            yield _diagnosed(hands, motor)
        play(Haptics(output, m.strength), hands.clock, "test")
        if m.driver == "drv2605l":
            yield _pulsed(hands, motor)
        yield felt(hands, told=m.driver == "drv2605l")
    finally:
        output.close()


def _diagnosed(hands: Hands, motor: Drv2605l) -> Finding:
    for now in hands.ticks(DIAGNOSIS_S):
        motor.work(now)
    return _driver(motor.fault, "a motor answers its diagnosis")


def _pulsed(hands: Hands, motor: Drv2605l) -> Finding:
    for now in hands.ticks(AFTER_S):
        motor.work(now)
    return _driver(motor.fault, "no over-current in a pulse")


def _driver(fault: str, well: str) -> Finding:
    if not fault:
        return Finding("motor's driver", well)
    kind = fault.partition(":")[0]
    name = f"motor_{kind}" if kind in ("open", "shorted") else "motor_driver"
    return Finding("motor's driver", fault, name, Guard.NOT_GUARDING)


def felt(hands: Hands, *, told: bool) -> Finding:
    """What a person says of the test that was just played; `told`: the driver knows its motor."""
    said = hands.ask("A long buzz and a short one were played. Did you feel both?")
    if said:
        return Finding("motor", "felt")
    if said is False:
        return Finding("motor", "not felt", "motor_unfelt", Guard.NOT_GUARDING)
    why = "" if told else "; a transistor cannot tell whether a motor hangs on it"
    return Finding("motor", f"played, nobody was asked whether it was felt{why}", unknown=True)


def _button(hands: Hands, pins: Any) -> Iterator[Finding]:
    button = Button(pins, hands.config.button.pin)
    try:
        if all([button.pressed(now) for now in hands.ticks(REST_S)][-50:]):
            yield Finding("button", "down, though nobody presses it", "button")
            return
        question = f"Press the button within {PRESS_S:g} s of your yes. Ready?"
        if not hands.ask(question):
            yield Finding("button", "up; nobody was asked to press it", unknown=True)
        elif any(button.pressed(now) for now in hands.ticks(PRESS_S)):
            yield Finding("button", "a press was seen")
        else:
            yield Finding("button", f"no press within {PRESS_S:g} s", "button_dead")
    finally:
        button.close()
