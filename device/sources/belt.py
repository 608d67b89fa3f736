"""From drivers to Frames: the same for real and for simulated hardware."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any

from gpiozero import OutputDevice
from gpiozero.exc import GPIOZeroError

from device.calibration import Calibration
from device.config import Config
from device.drivers.bus import Bus, PowerSwitch
from device.drivers.button import Button
from device.drivers.drv2605l import Drv2605l, silence
from device.drivers.hcsr04 import Hcsr04
from device.drivers.imu import ChipError, Imu, Reading, missing
from device.drivers.imus import probe, usual_rate
from device.drivers.max17048 import Max17048
from device.drivers.mb1242 import Mb1242
from device.drivers.motor import Audible, Motor
from device.drivers.pi_power import UNDER_VOLTAGE, PiPower
from device.drivers.ranger import Ping, Ranger
from device.frames import NAN, Frame, Gap
from device.sources.search import Search
from device.sources.worker import Inline, Worker

STALL_S = 0.06  # s without an answer of the bus's thread, after which there are gaps
LOOK_EVERY = 1.0  # s between looks at what changes slowly
SILENT_LOOKS = 10  # at the gauge without an answer, before the battery counts as not known
REFILLED = 0.05  # share of charge above the low mark at which the battery is no longer low


class Charge:
    """The battery as last seen, and the Pi's supply. `look` never raises."""

    def __init__(self, gauge: Max17048 | None, low: float, supply: PiPower) -> None:
        self._gauge, self._low, self._supply = gauge, low, supply
        self.share = NAN  # 0..1; NaN: not known
        self.under_voltage = -1  # as Frame has it
        self._silent = 0  # looks in a row without an answer
        self.faults = {"battery": "", "supply": "", "throttling": ""}

    def look(self) -> None:
        if self._gauge:
            self.faults["battery"] = self._battery(self._gauge)
        try:
            limits = self._supply.read()
            low = UNDER_VOLTAGE in limits
            self.faults["supply"] = UNDER_VOLTAGE if low else ""
            self.under_voltage = int(low) if self._supply.there else -1
            self.faults["throttling"] = ", ".join(limits)
        except (OSError, ValueError) as error:
            self.under_voltage = -1
            self.faults["throttling"] = f"the Pi's flags cannot be read ({error})"

    def _battery(self, gauge: Max17048) -> str:
        low = self._low + (REFILLED if self.faults["battery"] else 0.0)
        try:
            self.share = gauge.read().share
            self._silent = 0
        except OSError as error:
            self.share = NAN
            self._silent += 1
            if self._silent < SILENT_LOOKS:  # a bus in trouble is told by others, and sooner
                return self.faults["battery"]
            return f"the gauge does not answer ({error.strerror or error})"
        except ValueError as error:
            self.share = NAN
            return str(error)
        return f"{self.share:.0%} left" if self.share <= low else ""


class BeltSource:
    """One belt's sensors. One that is not there is looked for, and joins when it comes."""

    def __init__(
        self,
        name: str,
        imu: Search[Imu],
        fs: float,
        ranger: Search[Ranger] | None,
        button: Button,
        motor: Any,
        charge: Charge,
        wires: Bus,
        bus: Worker[list[Reading]],
        ranger_bus: Worker[Ping | None],
        chores: Sequence[Callable[[float], None]] = (),
        calibration: Calibration | None = None,
    ) -> None:
        """`fs`: samples a second, nominal, while there is no motion sensor to say it; `ranger`:
        None where the belt has none; `chores`: what else is done on the bus's thread, at each tick.
        """
        self.name = name
        self.fs = fs
        self.calibration = calibration or Calibration()
        self._imus, self._rangers = imu, ranger
        self._button, self._motor, self._charge = button, motor, charge
        self._wires, self._bus, self._ranger_bus, self._chores = wires, bus, ranger_bus, chores
        self.imu: Imu | None = imu.look()
        self._ranger = ranger.look() if ranger else None
        self._met = False  # the motion sensor, by the loop's side
        self._meet()
        self._answered: float | None = None  # s, when the bus's thread last answered
        self._newest = -math.inf  # s, of the newest reading handed on
        self._look_at = -math.inf  # s

    def read(self, now: float) -> list[Frame]:
        """Every sample since the last call, oldest first; gaps where samples are missing.

        Empty when none is due yet; the button and the ranger then wait for the next call. The
        newest frame carries the ping that ended by `now` [s], if one did. A bus that stalls holds
        the caller no longer than its thread's patience.
        """
        readings = self._readings(now)
        self._meet()
        turned = self.calibration.turned
        frames = [
            Frame(r.t, now, 0.0, *turned(r.acc), *turned(r.gyro), r.gap, r.drift) for r in readings
        ]
        if not frames:
            return frames
        held = int(self._button.pressed(now))
        for frame in frames:
            frame.button, frame.battery = held, self._charge.share
            frame.under_voltage = self._charge.under_voltage
        if self._rangers and (ping := self._ranger_bus.ask(lambda: self._ping(now))):
            newest = frames[-1]
            newest.ping_t, newest.ping_range, newest.ping_echo = ping.t, ping.range, ping.echo
        return frames

    def faults(self) -> dict[str, str]:
        """Part → what is wrong with it, in one line; empty: nothing."""
        return {
            **self._charge.faults,
            "motor": self._motor.fault,
            "identity": self.imu.warning if self.imu else "",
            "calibration": self.calibration.doubt,
        }

    def parts(self) -> str:
        imu, charge = self.imu, self._charge.share
        there = []
        if imu:
            there = [f"{imu.name} at {imu.temperature:.1f} °C with {imu.errors} bus errors so far"]
        return ", ".join([
            *there,
            *self.absent(),
            f"rear sensor {type(self._ranger).__name__ if self._ranger else 'none'}",
            f"motor {type(self._motor).__name__}",
            "charge not known" if math.isnan(charge) else f"charge {charge:.0%}",
            f"calibrated {self.calibration.made or 'never'}",
        ])  # fmt: skip

    def absent(self) -> list[str]:
        """Each sensor that is not there, with the reason."""
        found = [] if self.imu else [f"no motion sensor ({self._imus.fault})"]
        if self._rangers and not self._ranger:
            found.append(f"no rear sensor ({self._rangers.fault})")
        return found

    def close(self) -> None:
        self._bus.close()
        self._ranger_bus.close()
        self._wires.close()
        if self._ranger:
            self._ranger.close()
        self._button.close()

    def _meet(self) -> None:
        """Once the motion sensor is there: what follows from which it is."""
        if self.imu and not self._met:
            self._met = True
            self.fs = self.imu.rate
            self.calibration = self.calibration.fits(self.imu.name)

    def _readings(self, now: float) -> list[Reading]:
        """In order of time: what a stalled bus brings late has been told as a gap already."""
        answer = self._bus.ask(lambda: self._work(now))
        if answer is not None or self._answered is None:
            self._answered = now
        elif now - self._answered > STALL_S:
            answer = [missing(now, Gap.BUS)]
        readings = [r for r in answer or () if r.t > self._newest]
        if readings:
            self._newest = readings[-1].t
        return readings

    def _work(self, now: float) -> list[Reading]:
        """What is done on the bus's own thread at each tick."""
        self.imu = self.imu or self._imus.look(now)
        readings = self.imu.read(now) if self.imu else [missing(now, Gap.NO_DATA)]
        for chore in self._chores:
            chore(now)
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._charge.look()
        return readings

    def _ping(self, now: float) -> Ping | None:
        """What is done on the rear sensor's thread at each tick."""
        if self._rangers and not self._ranger:
            self._ranger = self._rangers.look(now)
        return self._ranger.poll(now) if self._ranger else None


def assemble(
    name: str,
    config: Config,
    open_bus: Callable[[int], Any],
    pins: Any,
    thread: Callable[[str], Worker[Any]] = lambda name: Inline(),
    supply: PiPower | None = None,
    calibration: Calibration | None = None,
    taken: tuple[type[Exception], ...] = (GPIOZeroError,),
) -> tuple[BeltSource, Any]:
    """The drivers of one belt, and its motor (haptics.Motor).

    `open_bus` opens an I2C bus by its number (as smbus2.SMBus), `pins` is a gpiozero pin factory,
    `thread` gives a bus its thread, `taken` is what a pin raises that cannot be had: and so does
    this for the pins of motor, button and power switch. Sensors that are not there are looked for
    later.
    """
    with contextlib.ExitStack() as made:  # given back where the rest cannot be had
        switch = PowerSwitch(pins, config.imu.power_pin) if config.imu.power_pin >= 0 else None
        bus = Bus(lambda: open_bus(config.imu.bus), switch)
        made.callback(bus.close)
        imu = Search(lambda: probe(bus, config.imu.address), (OSError, ChipError), bus.recover)
        worker = thread("bus")
        made.callback(worker.close)
        ranger_worker: Worker[Any] = Inline()
        chores: list[Callable[[float], None]] = []
        motor: Any
        if config.motor.driver == "pwm":
            motor = Motor(pins, config.motor.pin)
        else:
            motor = Drv2605l(bus, worker.post)
            chores.append(motor.work)
        made.callback(motor.close)
        if config.motor.buzzer_pin >= 0:
            motor = Audible(motor, pins, config.motor.buzzer_pin)
        button = Button(pins, config.button.pin)
        made.callback(button.close)
        r = config.ranger
        ranger: Search[Ranger] | None = None
        if r.driver == "hcsr04":
            name_of_belt = config.belt.name
            ranger = Search(
                lambda: Hcsr04(pins, r.trigger_pin, r.echo_pin, r.period_s, name_of_belt), taken
            )
        elif r.driver == "mb1242":
            ranger = Search(lambda: Mb1242(Bus(lambda: open_bus(r.bus)), r.period_s), taken)
            ranger_worker = thread("rear bus")
        made.pop_all()
    gauge = Max17048(bus) if config.battery.gauge == "max17048" else None
    charge = Charge(gauge, config.battery.low_share, supply or PiPower())
    source = BeltSource(
        name, imu, usual_rate(config.imu.address), ranger, button, motor, charge, bus, worker,
        ranger_worker, chores, calibration,
    )  # fmt: skip
    return source, motor


def quiet(config: Config, open_bus: Callable[[int], Any], open_pins: Callable[[], Any]) -> None:
    """Motor and buzzer off, with nothing else of the belt touched. Raises what the openers do."""
    if config.motor.driver == "drv2605l":
        bus = open_bus(config.imu.bus)
        try:
            silence(bus)
        finally:
            bus.close()
    outputs = [config.motor.pin] if config.motor.driver == "pwm" else []
    outputs += [config.motor.buzzer_pin] if config.motor.buzzer_pin >= 0 else []
    pins = open_pins() if outputs else None
    for pin in outputs:
        OutputDevice(pin, initial_value=False, pin_factory=pins).close()
