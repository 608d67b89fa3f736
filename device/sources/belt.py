"""From drivers to Frames: the same for real and for simulated hardware."""

from __future__ import annotations

from typing import Any

from device.config import Config
from device.drivers.button import Button
from device.drivers.hcsr04 import Hcsr04
from device.drivers.imu import Imu
from device.drivers.imus import probe
from device.drivers.motor import Motor
from device.frames import Frame


class BeltSource:
    """One belt's sensors. Without a ranger no ping ever comes."""

    def __init__(self, name: str, imu: Imu, ranger: Hcsr04 | None, button: Button) -> None:
        self.name = name
        self.fs = imu.rate
        self._imu, self._ranger, self._button = imu, ranger, button

    def read(self, now: float) -> list[Frame]:
        """Every sample since the last call, oldest first; gaps where samples are missing.

        Empty when none is due yet; the button and the ranger then wait for the next call. The
        newest frame carries the ping that ended by `now` [s], if one did.
        """
        frames = [Frame(r.t, now, 0.0, *r.acc, *r.gyro, r.gap) for r in self._imu.read(now)]
        if not frames:
            return frames
        held = int(self._button.pressed(now))
        for frame in frames:
            frame.button = held
        if self._ranger and (ping := self._ranger.poll(now)):
            newest = frames[-1]
            newest.ping_t, newest.ping_range, newest.ping_echo = ping.t, ping.range, ping.echo
        return frames

    def close(self) -> None:
        self._imu.close()
        if self._ranger:
            self._ranger.close()
        self._button.close()


def assemble(name: str, config: Config, bus: Any, pins: Any) -> tuple[BeltSource, Motor]:
    """The drivers of one belt on `bus` (as smbus2.SMBus) and `pins` (a gpiozero pin factory).

    Raises what they raise at the start: OSError, ChipError, gpiozero's errors.
    """
    imu = probe(bus, config.imu.address)
    motor = Motor(pins, config.motor.pin)
    button = Button(pins, config.button.pin)
    ranger = None
    if config.ranger.driver == "hcsr04":
        r = config.ranger
        ranger = Hcsr04(pins, r.trigger_pin, r.echo_pin, r.period_s)
    return BeltSource(name, imu, ranger, button), motor
