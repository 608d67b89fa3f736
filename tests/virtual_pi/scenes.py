"""What is played on the virtual Pi, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from device.sources.simulated import Bench

# parts as the default configuration has them, and the other way: everything on I2C
PINS = '[imu]\naddress = 0x6a\n[ranger]\ndriver = "hcsr04"\n[motor]\ndriver = "pwm"\n'
BUSES = (
    '[imu]\naddress = 0x68\n[ranger]\ndriver = "mb1242"\nperiod_s = 0.1\n'
    '[motor]\ndriver = "drv2605l"\n[battery]\ngauge = "max17048"\n'
)


@dataclass(frozen=True, slots=True)
class Fault:
    """`act` is done `after` s of the wearer's going."""

    name: str
    after: float
    act: Callable[[Bench], None]


@dataclass(frozen=True, slots=True)
class Told:
    """A record that must come out of the broker.

    `within`: s from its cause to the broker's subscriber at most. The cause is the `fault` thrown,
    or else what the record itself says. `felt`: the motor must run within so many s of it.
    """

    event: str
    state: str
    within: float
    fault: str = ""
    felt: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    title: str
    scenario: str
    told: tuple[Told, ...]
    faults: tuple[Fault, ...] = ()
    belt: str = PINS
    recording: tuple[str, str] | None = None  # (set, trial): moves the belt once its wearer goes
    seconds: float = 25.0  # for all of it, from the moment the belt guards
    doctor: bool = False  # `rearguard doctor` examines the belt before its device starts


def _set(part: str, name: str, value: Any) -> Callable[[Bench], None]:
    return lambda bench: setattr(getattr(bench, part), name, value)


def _plug_imu(bench: Bench) -> None:
    bench.imu.present = True
    bench.imu.reset()


# Something to be told every second, for as long as anybody looks (boot.py).
RESTLESS = Scene(
    "the rear sensor's cable comes off again and again",
    "clear",
    (),
    tuple(
        Fault(name, 2.0 + 2.0 * k + later, _set("world", "ranger_plugged", plugged))
        for k in range(100)
        for name, later, plugged in (("pulled", 0.0, False), ("put back", 0.6, True))
    ),
)

SCENES: dict[str, Scene] = {
    "guards": Scene("nothing in the way; the doctor first", "clear", (), seconds=8.0, doctor=True),
    "chair": Scene(
        "backward toward a chair; HC-SR04, motor on a pin",
        "chair",
        (Told("obstacle", "raised", 1.0, felt=0.5),),
    ),
    "chair-i2c": Scene(
        "the same; MPU-6050, MB1242, DRV2605L, MAX17048",
        "chair",
        (Told("obstacle", "raised", 1.0, felt=0.5),),
        belt=BUSES,
        doctor=True,
    ),
    "unplugged": Scene(
        "the rear sensor's cable comes off, and is put back",
        "clear",
        (
            Told("rear_blind", "raised", 1.5, "pulled", felt=1.5),
            Told("rear_blind", "cleared", 3.0, "put back"),
        ),
        (
            Fault("pulled", 6.0, lambda bench: bench.world.plug_ranger(False)),
            Fault("put back", 10.0, lambda bench: bench.world.plug_ranger(True)),
        ),
    ),
    "fall": Scene(
        "a fall, and no answer",
        "fall",
        (
            Told("fall_imminent", "raised", 1.5),
            Told("fall", "raised", 1.5, felt=1.0),
            Told("long_lie", "raised", 1.5, felt=1.0),
        ),
        seconds=30.0,
    ),
    "recorded-fall": Scene(
        "a fall of KFall, played into the motion sensor's registers",
        "clear",
        (Told("fall_imminent", "raised", 1.0), Told("fall", "raised", 2.5, "impact", felt=2.5)),
        recording=("kfall", "S06T21R02"),
    ),
    "imu-silent": Scene(
        "the motion sensor leaves every address unanswered for 3 s",
        "clear",
        (
            Told("imu_fault", "raised", 1.5, "pulled", felt=1.5),
            Told("imu_fault", "cleared", 4.0, "put back"),
        ),
        (
            Fault("pulled", 6.0, _set("imu", "present", False)),
            Fault("put back", 9.0, _plug_imu),
        ),
    ),
    "bus-stuck": Scene(
        "something holds the bus low for 3 s",
        "clear",
        (
            Told("imu_fault", "raised", 1.5, "held low", felt=1.5),
            Told("imu_fault", "cleared", 4.0, "let go"),
        ),
        (
            Fault("held low", 6.0, _set("bus", "stuck", True)),
            Fault("let go", 9.0, _set("bus", "stuck", False)),
        ),
    ),
}
