"""Every fault that is thrown, and what must come of it: row by row of health.table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from gpiozero import InputDevice

from device.calibration import Calibration
from device.config import Config, Motor
from device.frames import Guard
from device.sources.imu_chips import Lsm6dsoxChip, Mpu6050Chip
from tests.faults.rig import CONFIG, Rig, with_ranger

Act = Callable[[Rig], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Without an event nothing may be told but to the technician, and no stage lost."""

    name: str
    row: str  # of health.table
    throw: Act
    mend: Act
    event: str = ""  # that tells it
    within: float = 0.0  # s from the fault to its being told
    stage: Guard = Guard.FULL  # while it lasts
    back: float = 2.0  # s from its mending to full guarding
    lasts: float = 3.0  # s it is left alone once told
    also: frozenset[str] | set[str] = frozenset()  # events that may come with it
    words: str = ""  # what the technician finds in health's line, while it lasts
    scenario: str = ""  # who wears the belt; empty: somebody who stands
    config: Config = field(default_factory=lambda: CONFIG)
    at_start: bool = False  # it is there before the belt is put together


def nothing(rig: Rig) -> None:
    return


# --- how each is thrown and mended ---


def unplug(rig: Rig) -> None:
    rig.parts.imu.present = False


def plug(rig: Rig) -> None:
    rig.parts.imu.present = True
    rig.parts.imu.reset()


def change_family(rig: Rig) -> None:
    """It is no LSM6DSOX that comes."""
    rig.parts.imu = Mpu6050Chip(rig.parts.imu._motion, 1)
    rig.parts.bus.chips[0x68] = rig.parts.imu


def refuse(count: int) -> Act:
    def act(rig: Rig) -> None:
        rig.parts.imu.refuse = count

    return act


def hold_low(rig: Rig) -> None:
    """Until the power has been away: then the chips begin anew."""
    bus, switch = rig.parts.bus, rig.parts.pins.pin(5)
    bus.stuck = True
    catch_up = bus._catch_up

    def watch() -> None:
        if not switch.state and bus.stuck:
            bus.stuck = False
            rig.parts.imu.reset()
            rig.parts.motor.reset()
        catch_up()

    bus._catch_up = watch


def hang(rig: Rig) -> None:
    rig.worker.hangs = True


def unhang(rig: Rig) -> None:
    rig.worker.hangs = False


def freeze(rig: Rig) -> None:
    rig.parts.imu._random.gauss = lambda mean, sigma: mean  # type: ignore[method-assign]


def freeze_gyroscope(rig: Rig) -> None:
    noise = rig.parts.imu._random.gauss
    rig.parts.imu._random.gauss = (  # type: ignore[method-assign]
        lambda mean, sigma: noise(mean, sigma) if sigma > 0.01 else mean
    )


def thaw(rig: Rig) -> None:
    del rig.parts.imu._random.gauss  # type: ignore[method-assign]


def flip_data(rig: Rig) -> None:
    """One high bit of one axis, in one sample of twenty, for as long as it lasts."""
    chip, dice = rig.parts.imu, Random(3)
    sample = chip._sample

    def spoilt(t: float) -> None:
        sample(t)
        if dice.random() < 0.05:
            word = bytearray(chip._fifo[-1])
            word[2 * dice.randrange(1, 4)] ^= 1 << dice.randrange(4, 8)
            chip._fifo[-1] = bytes(word)

    chip._sample = spoilt  # type: ignore[method-assign]


def no_flips(rig: Rig) -> None:
    del rig.parts.imu._sample  # type: ignore[method-assign]


def flip_range(rig: Rig) -> None:
    rig.parts.imu._registers[0x10] ^= 0x08


def overflow(rig: Rig) -> None:
    assert isinstance(rig.parts.imu, Lsm6dsoxChip)
    rig.parts.imu._overrun = rig.parts.imu._latched = True


def reset(rig: Rig) -> None:
    rig.parts.imu.reset()


def turn_absurd(rig: Rig) -> None:
    rig.parts.imu._motion = lambda t: ((0.0, 0.0, 9.81), (50.0, 0.0, 0.0))


def turn_true(rig: Rig) -> None:
    rig.parts.imu._motion = lambda t: ((0.0, 0.0, 9.81), (0.0, 0.0, 0.0))


def ranger(fault: str) -> Act:
    def act(rig: Rig) -> None:
        rig.parts.world.ranger_plugged = fault != "unplugged"
        rig.parts.ranger.fault = fault
        if not fault:  # a line that was stuck falls
            rig.parts.pins.pin(rig.config.ranger.echo_pin).drive_low()

    return act


def rear_bus(fault: str) -> Act:
    def act(rig: Rig) -> None:
        rig.parts.world.ranger_plugged = fault != "unplugged"
        rig.parts.rear.fault = fault if fault != "unplugged" else ""

    return act


def cross_talk(rig: Rig) -> None:
    """Another belt's echoes: anything, at every ping."""
    dice = Random(5)
    rig.distance = lambda t: dice.uniform(0.3, 3.9)


def quiet(rig: Rig) -> None:
    rig.distance = lambda t: None


def motor(fault: str) -> Act:
    def act(rig: Rig) -> None:
        rig.parts.motor.motor = fault
        if fault == "shorted":  # found at the next pulse; the technician plays one
            rig.loop.haptics.feel("test", rig.clock.now())

    return act


def lose_driver(rig: Rig) -> None:
    rig.parts.motor.present = False


def find_driver(rig: Rig) -> None:
    rig.parts.motor.present = True


def starve(rig: Rig) -> None:
    rig.clock.t += 5.0


def press(down: bool) -> Act:
    def act(rig: Rig) -> None:
        rig.parts.world._button = down

    return act


def service(alive: bool) -> Act:
    def act(rig: Rig) -> None:
        rig.control.alive = alive

    return act


def drain(share: float) -> Act:
    def act(rig: Rig) -> None:
        rig.parts.gauge.share = share

    return act


def gauge_there(there: bool) -> Act:
    def act(rig: Rig) -> None:
        rig.parts.gauge.present = there

    return act


def flags(word: str) -> Act:
    def act(rig: Rig) -> None:
        rig.flags.write_text(word + "\n")

    return act


def lane(part: str, attribute: str, fault: str) -> Act:
    def act(rig: Rig) -> None:
        setattr(getattr(rig, part), attribute, fault)

    return act


def rights(line: str) -> Act:
    def act(rig: Rig) -> None:
        rig.health.note(rig.clock.now(), {"rights": line})

    return act


def stranger(rig: Rig) -> None:
    """A chip that is in no table at the motion sensor's address."""
    rig.parts.imu._registers[0x0F] = 0x11


def known(rig: Rig) -> None:
    rig.parts.imu.reset()


def no_settings(rig: Rig) -> None:
    """It answers, but keeps none of its settings."""
    rig.parts.imu.write = lambda register, value: None  # type: ignore[method-assign]


def settings(rig: Rig) -> None:
    del rig.parts.imu.write  # type: ignore[method-assign]


def no_bus(rig: Rig) -> None:
    def refuse(number: int) -> object:
        raise OSError(2, f"no I2C bus /dev/i2c-{number}")

    rig.parts.open = refuse  # type: ignore[method-assign,assignment]


def no_bus_behind(rig: Rig) -> None:
    opener = rig.parts.open

    def refuse(number: int) -> object:
        if number == rig.config.ranger.bus:
            raise OSError(2, f"no I2C bus /dev/i2c-{number}")
        return opener(number)

    rig.parts.open = refuse  # type: ignore[method-assign,assignment]


def bus(rig: Rig) -> None:
    del rig.parts.open  # type: ignore[method-assign]


def claim(rig: Rig) -> None:
    """Another program has the trigger's pin."""
    rig.other = InputDevice(rig.config.ranger.trigger_pin, pin_factory=rig.parts.pins)


def release(rig: Rig) -> None:
    rig.other.close()


def clone(rig: Rig) -> None:
    assert rig.source.imu
    rig.source.imu.warning = "sold under another name"


def doubt(line: str) -> Act:
    def act(rig: Rig) -> None:
        rig.source.calibration = Calibration(doubt=line)

    return act


def genuine(rig: Rig) -> None:
    assert rig.source.imu
    rig.source.imu.warning = ""


def slow(by: float) -> Act:
    def act(rig: Rig) -> None:
        read = type(rig.source).read

        def slowly(now: float) -> object:
            rig.clock.t += by
            return read(rig.source, now)

        rig.source.read = slowly  # type: ignore[method-assign,assignment]

    return act


PWM = replace(CONFIG, motor=Motor())
REFUSED = "memory is not locked (Operation not permitted)"
NO_IMU, NO_REAR, NONE = Guard.NO_IMU, Guard.NO_REAR, Guard.NOT_GUARDING
MB1242 = with_ranger(driver="mb1242", period_s=0.1)

FAULTS = (
    Fault("motion sensor unplugged", "imu", unplug, plug, "imu_fault", 0.2, NO_IMU),
    Fault("no motion sensor at the start", "imu", unplug, plug, "imu_fault", 0.2, NO_IMU, 10.0,
          6.0, at_start=True),
    Fault("another family comes later than the start", "imu", unplug, change_family, "imu_fault",
          0.2, NO_IMU, 10.0, at_start=True),
    Fault("a stranger's identity at the start", "imu", stranger, known, "imu_fault", 0.2, NO_IMU,
          10.0, at_start=True),
    Fault("it keeps no settings at the start", "imu", no_settings, settings, "imu_fault", 0.2,
          NO_IMU, 10.0, at_start=True),
    Fault("no I2C bus at the start", "imu", no_bus, bus, "imu_fault", 0.2, NO_IMU, 10.0,
          at_start=True, config=PWM),
    Fault("bus stuck low at the start, freed by the power switch", "imu", hold_low, nothing,
          "imu_fault", 0.2, NO_IMU, 6.0, 0.0, at_start=True, config=PWM),
    Fault("NAK once", "imu", refuse(1), nothing),
    Fault("NAK for a second", "imu", refuse(10**9), refuse(0), "imu_fault", 0.2, NO_IMU,
          lasts=0.29),
    Fault("NAK for ever", "imu", refuse(10**9), refuse(0), "imu_fault", 0.2, NO_IMU, lasts=10.0),
    Fault("bus stuck low, freed by the power switch", "imu", hold_low, nothing,
          "imu_fault", 0.2, NO_IMU, 5.0, 0.0, config=PWM),
    Fault("bus stuck low, the motor on it too", "imu", hold_low, nothing,
          "imu_fault", 0.2, NONE, 5.0, 1.0, also={"motor_fault"}),
    Fault("bus hangs in a transfer", "imu", hang, unhang, "imu_fault", 0.25, NO_IMU),
    Fault("registers frozen", "imu", freeze, thaw, "imu_fault", 0.5, NO_IMU, words="imu frozen"),
    Fault("gyroscope frozen alone", "imu", freeze_gyroscope, thaw, "imu_fault", 0.5, NO_IMU,
          words="imu frozen"),
    Fault("absurd samples", "imu", turn_absurd, turn_true, "imu_fault", 0.2, NO_IMU,
          words="imu absurd"),
    Fault("bits flipped in samples", "imu", flip_data, no_flips),
    Fault("a bit flipped in the range", "imu", flip_range, nothing, lasts=4.0),
    Fault("FIFO overflow", "imu", overflow, nothing),
    Fault("sensor reset in mid-walk", "imu", reset, nothing, scenario="clear"),
    Fault("identity of a clone", "identity", clone, genuine, words="sold under another name"),
    Fault("calibration of another belt", "calibration", doubt("of belt 'other', not 'belt'"),
          doubt(""), words="calibration: of belt 'other'"),
    Fault("no echo: rear sensor unplugged", "ranger", ranger("unplugged"), ranger(""),
          "rear_blind", 0.55, NO_REAR, words="ranger stale"),
    Fault("no rear sensor at the start", "ranger", ranger("unplugged"), ranger(""), "rear_blind",
          0.6, NO_REAR, at_start=True),
    Fault("GPIO busy at the start", "ranger", claim, release, "rear_blind", 0.6, NO_REAR, 10.0,
          at_start=True),
    Fault("no I2C bus for the rear sensor at the start", "ranger", no_bus_behind, bus,
          "rear_blind", 0.7, NO_REAR, 10.0, at_start=True, config=MB1242),
    Fault("echo stuck high", "ranger", ranger("stuck"), ranger(""), "rear_blind", 0.55, NO_REAR,
          words="ranger frozen"),
    Fault("echo too short", "ranger", ranger("glitch"), ranger(""), "rear_blind", 5.0, NO_REAR,
          6.0, words="ranger absurd"),
    Fault("cross-talk: another belt's echoes", "ranger", cross_talk, quiet, "rear_blind", 8.0,
          NO_REAR, 8.0, also={"obstacle"}),
    Fault("I2C rear sensor unplugged", "ranger", rear_bus("unplugged"), rear_bus(""),
          "rear_blind", 0.65, NO_REAR, 3.0, config=MB1242),
    Fault("I2C rear sensor answers ones", "ranger", rear_bus("mute"), rear_bus(""), "rear_blind",
          5.0, NO_REAR, 6.0, words="ranger absurd", config=MB1242),
    Fault("motor open", "motor", motor("open"), motor(""), "motor_fault", 62.0, NONE, 8.0),
    Fault("motor shorted", "motor", motor("shorted"), motor(""), "motor_fault", 2.0, NONE, 8.0),
    Fault("motor's driver gone", "motor", lose_driver, find_driver, "motor_fault", 1.1, NONE),
    Fault("loop starved for 5 s", "loop", starve, nothing, "loop_late", 5.05, NONE, 2.0, 0.0,
          also={"imu_fault", "rear_blind"}),
    Fault("button stuck", "button", press(True), press(False), "button_fault", 31.0,
          also={"sos"}),
    Fault("service gone", "service", service(False), service(True), "service_lost", 10.5),
    Fault("battery low", "battery", drain(0.12), drain(0.8), "battery_low", 1.1, back=7.0),
    Fault("battery's gauge gone", "battery", gauge_there(False), gauge_there(True),
          "battery_low", 10.1, back=7.0),
    Fault("under-voltage", "supply", flags("50005"), flags("50000"), "battery_low", 1.1,
          back=12.0, words="supply: under-voltage; throttling: under-voltage, throttled"),
    Fault("throttled by heat", "throttling", flags("e000e"), flags("e0000"), back=7.0,
          words="throttling: frequency capped, throttled, too hot"),
    Fault("frame ring refuses", "frame ring", lane("ring", "error", "No space left on device"),
          lane("ring", "error", ""), "storage_fault", 0.1, back=6.0),
    Fault("journal refuses", "journal", lane("journal", "fault", "the disk is full"),
          lane("journal", "fault", ""), "storage_fault", 0.1, back=6.0),
    Fault("control socket fails", "control socket", lane("control", "error", "Bad file"),
          lane("control", "error", ""), "storage_fault", 0.1, back=6.0),
    Fault("black box cannot keep", "black box", lane("box", "fault", "free space"),
          lane("box", "fault", ""), "storage_fault", 0.1, back=6.0),
    Fault("profiles cannot be kept", "profiles", lane("shelf", "fault", "free space"),
          lane("shelf", "fault", ""), "storage_fault", 0.1, back=6.0),
    Fault("memory lock refused", "rights", rights(REFUSED), rights(""), words=REFUSED),
    Fault("every tick too slow", "overload", slow(0.015), slow(0.0), back=8.0,
          words="overload: too slow"),
)  # fmt: skip
