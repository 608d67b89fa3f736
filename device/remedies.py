"""What a technician sees, why it is so, and what helps: one table, imports nothing of ours.

`rearguard doctor` and what the device says when it cannot start quote it; the operations guide has
it whole (`markdown`). A name that is a row of health.table is what that row tells.
"""

from __future__ import annotations

from typing import NamedTuple


class Remedy(NamedTuple):
    symptom: str
    cause: str
    remedy: str


REMEDIES: dict[str, Remedy] = {
    # buses and what sits on them
    "no_bus": Remedy(
        "There is no such I2C bus.",
        "I2C is off, or the bus has another number.",
        "`sudo raspi-config nonint do_i2c 0` and start again; for an mb1242 the overlay in "
        "hardware.md; else set [imu] bus, [ranger] bus; this user must be in the group i2c.",
    ),
    "bus_stuck": Remedy(
        "Every transfer on the bus times out.",
        "A chip holds SDA or SCL low, or a wire touches ground.",
        "Take the sensors' power away for a second; unplug one after the other; a power switch "
        "([imu] power_pin) does it by itself.",
    ),
    "imu_missing": Remedy(
        "No motion sensor answers.",
        "Its plug or a wire is off, or its address is another than the one set.",
        "Check 3V3, ground, SDA and SCL; set [imu] address = 0 to look everywhere; "
        "`i2cdetect -y 1` must show 6a, 6b, 68 or 69.",
    ),
    "imu_stranger": Remedy(
        "Something answers at the motion sensor's address that is no motion sensor of ours.",
        "Another chip sits there, or a clone with an identity nobody has seen.",
        "Set [imu] address, or change the board; the list is in device/drivers/README.md.",
    ),
    "no_senses": Remedy(
        "Neither the motion sensor nor the rear sensor answers: there is nothing to guard with.",
        "What both need is gone: 3V3, ground or a plug; or each has a reason of its own.",
        "Check their plugs and 3V3; `rearguard doctor` examines each.",
    ),
    "identity": Remedy(
        "The motion sensor is sold as something else than it is.",
        "A clone: it works as what it says it is, but nobody vouches for it.",
        "Its self-test must pass; better an LSM6DSOX.",
    ),
    "imu_self_test": Remedy(
        "The motion sensor's self-test does not move every axis as it must.",
        "It was moved meanwhile, or the chip is damaged or a clone.",
        "Lay the belt down and run it again; change the board if it fails twice.",
    ),
    "imu": Remedy(
        "The motion sensor gives no samples, frozen ones or absurd ones.",
        "A loose plug, a bus that is too long, a chip that hangs or is broken.",
        "Push the plug in; wires of at most 30 cm; take its power away for a second; change it.",
    ),
    "imu_rate": Remedy(
        "Samples come faster or slower than the chip says.",
        "A clone's oscillator is off, or the machine is too busy to read the FIFO in time.",
        "See what else runs (`top`); change the board if it stays so.",
    ),
    "imu_scale": Remedy(
        "Lying still it does not measure 1 g.",
        "The chip is damaged or a clone, or it was not still.",
        "Run its self-test; calibration refuses such a chip; change the board.",
    ),
    "no_pins": Remedy(
        "The pins cannot be reached.",
        "lgpio is not installed, this user is not in the group gpio, or a pin is in use.",
        "`sudo deploy/install.sh` puts lgpio in place; `sudo adduser $USER gpio`; `gpioinfo` says "
        "who has which pin.",
    ),
    # the rear sensor
    "ranger": Remedy(
        "The rear sensor gives no answer that can be used.",
        "Its plug is off, it is covered or wet, or it is broken.",
        "Uncover, dry or plug it in; then run the doctor again.",
    ),
    "ranger_silent": Remedy(
        "No echo pulse follows a ping.",
        "The rear sensor has no power, or TRIG or ECHO is not connected.",
        "Check its supply, then [ranger] trigger_pin and echo_pin against the wiring.",
    ),
    "ranger_stuck": Remedy(
        "The echo line never falls.",
        "TRIG and ECHO are swapped, ECHO is shorted to 3V3, or the sensor hangs.",
        "Swap the two; take its power away for a second.",
    ),
    "ranger_nak": Remedy(
        "The I2C rear sensor does not answer.",
        "Unplugged, or on the Pi's own I2C hardware, which its clock stretching confuses.",
        "Give it a software bus of its own (i2c-gpio overlay, hardware.md) and set [ranger] bus.",
    ),
    "ranger_glitch": Remedy(
        "Echo pulses are too short or broken.",
        "A loose wire, no divider at a 5 V sensor, or a membrane that is wet.",
        "Push the plugs in; check the divider; dry the sensor.",
    ),
    "ranger_covered": Remedy(
        "Every echo comes from right before the sensor.",
        "Clothing, a strap or a hand covers it.",
        "Free the view of the sensor.",
    ),
    "ranger_wild": Remedy(
        "Distances jump although nothing moves.",
        "Another belt or a parking sensor is near, or the beam grazes an edge.",
        "Go where no other ultrasonic sensor is; point it into the open and run it again.",
    ),
    "ranger_deaf": Remedy(
        "A hand behind the belt is not seen.",
        "The sensor looks elsewhere, is covered by something soft, or is broken.",
        "Turn it backward, free its view, run it again; change it if it stays so.",
    ),
    "no_ranger": Remedy(
        "No rear sensor is configured.",
        '[ranger] driver is "none".',
        'Set [ranger] driver = "hcsr04" or "mb1242": without it nothing looks behind.',
    ),
    # motor and button
    "motor": Remedy(
        "The motor cannot be felt.",
        "Its plug is off, its transistor or diode is the wrong way round, or it is worn out.",
        "Check plug, transistor and diode (hardware.md); `rearguard feel test`.",
    ),
    "motor_unfelt": Remedy(
        "The motor was driven and nobody felt it.",
        "Its plug is off, its transistor or diode is the wrong way round, it is worn out, or the "
        "clothes are too thick. A transistor does not tell which.",
        "Listen to it; check plug, transistor and diode (hardware.md); wear it closer; a DRV2605L "
        "would tell an open from a shorted motor.",
    ),
    "motor_open": Remedy(
        "The motor's driver finds no motor.",
        "The motor's plug or wire is off.",
        "Plug it in; measure it: some 30 Ω.",
    ),
    "motor_shorted": Remedy(
        "The motor's driver cuts an over-current off.",
        "The motor or its wires are shorted.",
        "Look for bare wires; change the motor.",
    ),
    "motor_driver": Remedy(
        "The motor's driver does not answer.",
        "The DRV2605L is not connected, or another motor driver is fitted than the one set.",
        'Check its wiring, or set [motor] driver = "pwm" for a transistor.',
    ),
    "button": Remedy(
        "The button is down and does not come up.",
        "It is stuck, lain on, or its wire touches ground.",
        "Free it; unplug it: if it still reads down, the wire is shorted.",
    ),
    "button_dead": Remedy(
        "The button was pressed and nothing was seen.",
        "A wire is off, or [button] pin is another.",
        "Check both wires and [button] pin.",
    ),
    # power
    "battery": Remedy(
        "The battery is low, or its gauge says nothing that can be.",
        "It is empty or old, or the gauge is not connected to the cell.",
        "Charge it; if the gauge does not answer, check its wiring or set [battery] gauge.",
    ),
    "supply": Remedy(
        "The Pi says that its supply is below 4.63 V.",
        "An empty or weak power bank, a thin or long cable, or the motor on the same thin wire.",
        "Charge it; a short, thick cable; a converter of at least 1 A.",
    ),
    "throttling": Remedy(
        "The Pi runs slower than it could.",
        "It is too hot, or its supply is weak.",
        "Give it air; see the supply.",
    ),
    # how the belt is worn
    "calibration": Remedy(
        "The calibration cannot be used.",
        "Its file is damaged, or of another belt, or the motion sensor has been changed.",
        "`rearguard calibrate` makes a new one; until then the sensors are taken as fitted level.",
    ),
    "calibration_unused": Remedy(
        "The device that runs uses another calibration than the one on disk.",
        "It was calibrated while it ran, and takes that up when it starts.",
        "`sudo systemctl restart rearguard-device`, at a moment when nobody walks.",
    ),
    "calibration_moving": Remedy(
        "Calibration: the belt moved while it had to be still.",
        "The wearer spoke, stepped or was touched.",
        "Stand still for five seconds, feet apart, and begin again.",
    ),
    "calibration_not_upright": Remedy(
        "Calibration: the belt is upside down or on its side.",
        "It is worn the wrong way up, or lies on a table.",
        "Put it on with the sensors at the back, the board's y arrow up.",
    ),
    "calibration_lean": Remedy(
        "Calibration: the lean forward was too small or too large to tell forward by.",
        "Less than 10 or more than 60 degrees at the hips.",
        "Bow by some 20 degrees with a straight back, and stay so for five seconds.",
    ),
    "calibration_turned": Remedy(
        "Calibration: forward is not where the belt's front is.",
        "It is worn turned about the body, or back to front, or the wearer leaned aside.",
        "Turn it until the rear sensor looks straight backward, and lean straight forward.",
    ),
    "calibration_steps": Remedy(
        "Calibration: no steps forward were recognised.",
        "Too few or too timid steps, steps backward, or the belt sits loose.",
        "Tighten it and walk eight plain steps forward.",
    ),
    "calibration_beam": Remedy(
        "Calibration: the way behind is not clear.",
        "A wall, furniture or a person within 4 m, or clothing before the rear sensor.",
        "Stand with at least 5 m of open floor behind, and free the sensor's view.",
    ),
    # the machine
    "rights": Remedy(
        "The device is not scheduled in real time, or its memory is not locked.",
        "The limits of the unit, or of this shell, do not allow it.",
        "LimitRTPRIO=20 and LimitMEMLOCK=infinity in the unit (systemd/); it guards without them, "
        "but other work can make it late.",
    ),
    "loop": Remedy(
        "Decisions come too late.",
        "Something else takes the processor, or the Pi is throttled.",
        "See what runs (`top`), `vcgencmd get_throttled`, and the rights above.",
    ),
    "overload": Remedy(
        "Ticks last longer than their period; frames are left out.",
        "The processor is too slow or too busy for [loop] rate_hz.",
        "Set [loop] rate_hz = 100; see what else runs (`top`).",
    ),
    "clock": Remedy(
        "Wall time is not synchronised.",
        "No network since the start, or no time service.",
        "`timedatectl` must say yes to NTP; alerts carry the doubt until then. Guarding does not "
        "need it.",
    ),
    "disk_full": Remedy(
        "The disk is nearly full.",
        "Recordings, logs, or other programs.",
        "Delete what is not needed in [belt] data_dir/recordings; `df -h`.",
    ),
    "disk_refuses": Remedy(
        "Nothing can be written to [belt] data_dir.",
        "The card is worn out or read-only, or the folder belongs to somebody else.",
        "`dmesg` tells a dying card: replace it; else give the folder to the device's user.",
    ),
    "frame ring": Remedy(
        "Frames cannot be shared with the service.",
        "The folder in memory is full or gone.",
        "`df -h /run`; restart the device.",
    ),
    "journal": Remedy(
        "Records cannot be written.",
        "The disk is full, worn out or read-only.",
        "Free space; `dmesg` tells a dying card: replace it.",
    ),
    "control socket": Remedy(
        "The device cannot be spoken to.",
        "Its socket in [belt] run_dir has failed.",
        "Restart the device: `systemctl restart rearguard-device`.",
    ),
    "black box": Remedy(
        "The minute before an event cannot be kept.",
        "The disk is full or refuses.",
        "Free space in [belt] data_dir/recordings.",
    ),
    "profiles": Remedy(
        "What is kept of a wearer cannot be written or read.",
        "The disk is full or refuses, or a file in [belt] data_dir/wearers is damaged.",
        "Free space; a damaged file that was set aside can be deleted, or come from a backup.",
    ),
    # the other processes
    "not_now": Remedy(
        "The device runs and its parts are well, but it does not guard fully now.",
        "It has just started, a fault is just over, or the belt is upside down or not worn.",
        "Put it on upright and run this again after five seconds.",
    ),
    "device_mute": Remedy(
        "A device runs but does not answer.",
        "It hangs, or this user may not speak to it.",
        "`systemctl status rearguard-device`; run this as root or as a member of its group.",
    ),
    "service": Remedy(
        "The service on the belt does not answer.",
        "It does not run, or hangs: nothing outside can be told.",
        "`systemctl status rearguard-service`.",
    ),
    "broker_unreachable": Remedy(
        "The broker cannot be reached.",
        "It does not run, the network is down, or [mqtt] host or port is wrong.",
        "`systemctl status mosquitto`; `ping` its host; check [mqtt].",
    ),
    "broker_refuses": Remedy(
        "The broker refuses the belt.",
        "Wrong user or password, or a certificate it does not trust.",
        "Check [mqtt] username, password_file and ca_file against the broker's.",
    ),
    "broker_silent": Remedy(
        "A message sent through the broker does not come back.",
        "The broker's access rules do not let this belt write or read its own topics.",
        "Let the belt write and read `rearguard/<belt>/doctor`, as deploy/mosquitto.acl does.",
    ),
    "broker_mum": Remedy(
        "The broker does not say whether anybody listens: an alert may reach nobody unnoticed.",
        "It speaks no more than MQTT 3.1.1, or [mqtt] version keeps the belt to that.",
        'Take a broker that speaks MQTT 5, and [mqtt] version = "auto".',
    ),
}  # fmt: skip


def markdown() -> str:
    """The whole table, for the operations guide."""
    rows = "".join(f"| {r.symptom} | {r.cause} | {r.remedy} |\n" for r in REMEDIES.values())
    return "| what is seen | why | what helps |\n|---|---|---|\n" + rows
