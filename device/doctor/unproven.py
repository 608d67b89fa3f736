"""What no simulation can prove, and how to prove it on real hardware: the list in hardware.md."""

from __future__ import annotations

from typing import NamedTuple


class Unproven(NamedTuple):
    what: str
    how: str
    parts: tuple[str, ...] = ()  # of the doctor's findings, that bear on it


CHECKLIST: tuple[Unproven, ...] = (
    Unproven(
        "the I2C time-out is honoured (`I2C_TIMEOUT`, drivers/bus.py)",
        "hold SDA to ground for 5 s while it guards: `imu_fault` within 0.2 s, the loop's worst "
        "lateness below 10 ms, full guarding within 2 s after",
    ),
    Unproven(
        "identity, ranges, FIFO and temperature of each motion sensor; the ISM330DHCX's limits of "
        "the self-test are taken to be the LSM6DSOX's",
        "self-test lying still; one minute of samples without a gap; 9.81 m/s² within 0.5 in six "
        "positions",
        ("motion sensor", "samples", "gravity", "self-test"),
    ),
    Unproven(
        "how far each gyroscope's zero moves with warmth: the data sheets' figures are believed",
        "from the fridge to a warm room, lying still: rate against the temperature in the doctor's "
        "parts, beside `drift` in the driver's table",
        ("motion sensor",),
    ),
    Unproven("clones", "self-test; a warning names the part", ("identity", "self-test")),
    Unproven(
        "a power switch frees a stuck bus: the pull-ups on SDA and SCL may keep a chip alive",
        "hold SDA low through a chip that is reset in mid-transfer; watch the pin and the recovery",
    ),
    Unproven(
        "echo edges have the kernel's time (lgpio), within some 10 µs, under load",
        "a wall at 1.00 m: 95 % of pings within 1 cm, also under `stress-ng --cpu 4`",
        ("rear sensor",),
    ),
    Unproven(
        "real echoes: cloth, rain, other sensors near by, the ping before",
        "hand behind the belt at 0.3, 0.5 and 1 m; a second belt beside it;"
        " a bare wall 7.5 m behind: no echo",
        ("a hand behind",),
    ),
    Unproven("an MB1242 on `i2c-gpio`", "a hundred pings without a refusal", ("rear sensor",)),
    Unproven(
        "the motor is felt; how much it shakes the motion sensor",
        "the wearer feels 9 of 10 test buzzes; samples while it runs",
        ("motor",),
    ),
    Unproven(
        "the DRV2605L's diagnosis tells open from shorted, and effect 118 ends by itself",
        "pull the motor's plug: `motor_fault` within a minute; short it with 1 Ω: at the next "
        "pulse",
        ("motor's driver",),
    ),
    Unproven(
        "real-time scheduling and locked memory in the unit",
        "`rights` is not in health's words; lateness p99.9 beside `cyclictest`",
        ("rights",),
    ),
    Unproven(
        "under-voltage is seen in sysfs (`get_throttled`)",
        "a bench supply at 4.5 V: `battery_low` with `supply: under-voltage`",
        ("supply",),
    ),
    Unproven(
        "calibration on a body: how a person leans, what a floor answers",
        "five times on one person, the belt taken off between: forward within 5°, the floor within "
        "0.2 m",
        ("calibration",),
    ),
    Unproven("current and run time", "a meter in the supply, one hour walking"),
)


def markdown() -> str:
    """The list as hardware.md has it."""
    rows = "".join(f"| {item.what} | {item.how} |\n" for item in CHECKLIST)
    return "| what | how to prove it |\n|---|---|\n" + rows
