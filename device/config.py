"""The one configuration file: every key, its unit, its bounds, its default and what it is for.

Both processes validate all of it. Secrets stand in files of their own; only their paths stand here.
Imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEVER = "never"


def key(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    pattern: str = "",
) -> Any:
    """A documented key: its default, what it is for, and what is possible."""
    return field(
        default=default,
        metadata={"doc": doc, "low": low, "high": high, "choices": choices, "pattern": pattern},
    )


@dataclass(frozen=True, slots=True)
class Belt:
    name: str = key(
        "belt", "Name of this belt in topics and payloads.", pattern=r"[a-z0-9][a-z0-9_-]{0,31}"
    )
    run_dir: Path = key(Path("/run/rearguard"), "Folder in memory: frame ring, control socket.")
    data_dir: Path = key(Path("/var/lib/rearguard"), "Folder on disk: journal, store, recordings.")


@dataclass(frozen=True, slots=True)
class Loop:
    rate_hz: float = key(100.0, "Ticks of the loop a second.", low=20, high=400)
    ring_slots: int = key(
        32768, "Frames kept in the ring (five minutes at 104 a second).", low=64, high=262144
    )
    queue: int = key(512, "Records that may wait for the journal's writer.", low=16, high=65536)
    journal_mb: float = key(
        64.0,
        "Size the journal may reach before the oldest segment is given up, MB.",
        low=0.01,
        high=4096,
    )


@dataclass(frozen=True, slots=True)
class Imu:
    bus: int = key(1, "I2C bus number (/dev/i2c-N).", low=0, high=20)
    address: int = key(
        0, "I2C address; 0: found by itself at 0x6a, 0x6b, 0x68, 0x69.", low=0, high=0x77
    )
    power_pin: int = key(
        -1,
        "GPIO (BCM number) of the switch that cuts the power of what is on the bus; -1: none.",
        low=-1,
        high=27,
    )


@dataclass(frozen=True, slots=True)
class Ranger:
    driver: str = key("hcsr04", "Rear sensor, or none.", choices=("hcsr04", "mb1242", "none"))
    bus: int = key(
        3, "I2C bus number of an mb1242: a software one of its own (hardware.md).", low=0, high=20
    )
    trigger_pin: int = key(23, "GPIO (BCM number) of the trigger.", low=0, high=27)
    echo_pin: int = key(
        24, "GPIO (BCM number) of the echo, through a divider for a 5 V sensor.", low=0, high=27
    )
    period_s: float = key(
        0.04,
        "Seconds between pings at least (mb1242: 0.1); an hcsr04 waits up to 0.01 more, at random.",
        low=0.04,
        high=1.0,
    )
    height_m: float = key(1.0, "Height of the sensor above the ground.", low=0.3, high=1.6)
    pitch_deg: float = key(0.0, "Angle the beam points above level.", low=-30, high=45)


@dataclass(frozen=True, slots=True)
class Motor:
    driver: str = key(
        "pwm", "A transistor on a pin, or a DRV2605L on [imu] bus.", choices=("pwm", "drv2605l")
    )
    pin: int = key(18, "GPIO (BCM number) of the motor's transistor.", low=0, high=27)
    strength: float = key(1.0, "Duty of the strongest pulse.", low=0.3, high=1.0)
    buzzer_pin: int = key(
        -1,
        "GPIO (BCM number) of an active buzzer that sounds with the motor; -1: none.",
        low=-1,
        high=27,
    )


@dataclass(frozen=True, slots=True)
class Button:
    pin: int = key(17, "GPIO (BCM number) of the button to ground.", low=0, high=27)


@dataclass(frozen=True, slots=True)
class Battery:
    gauge: str = key("none", "Fuel gauge on [imu] bus, or none.", choices=("max17048", "none"))
    low_share: float = key(0.15, "Share of charge at which it is low.", low=0.05, high=0.5)


@dataclass(frozen=True, slots=True)
class Wearer:
    name: str = key("wearer", "Profile of who wears the belt.", pattern=r"[A-Za-z0-9_ -]{1,40}")
    reaction_s: float = key(
        0.60, "Time to react to a buzz (0.25 to 0.40 s measured; slower is safer).", low=0.2, high=3
    )
    stopping_s: float = key(
        0.57, "Time to stop once reacting (0.57 s in older adults).", low=0.2, high=3
    )
    cancel_s: float = key(
        30.0, "Seconds to cancel a fall before it is a long lie (Lifeline: 30 s).", low=5, high=300
    )
    escalate_s: float = key(
        60.0,
        "Seconds between repeats of a long lie or a call for help until acknowledged.",
        low=10,
        high=3600,
    )
    clinician: str = key(
        "", "Clinician by name, who answers for clinician_allows; for this wearer alone."
    )
    clinician_allows: str = key(
        "",
        "What the clinician allows although the screening refuses it: its keys, with commas"
        " (poor_balance, osteoporosis, fall_recent, dizziness, surgery, pregnancy_late,"
        " advised_against).",
        pattern=r"(?:[a-z_]+(?:, *[a-z_]+)*)?",
    )


@dataclass(frozen=True, slots=True)
class Session:
    plan: str = key(
        "intervals",
        "Plan of a session that names none: gentle, intervals, steady, or a file of plans/ in"
        " [belt] data_dir.",
        pattern=r"[a-z0-9][a-z0-9_-]{0,31}",
    )
    glance_s: float = key(
        60.0, "Seconds of walking backward between prompts to glance round; 0: none.", low=0,
        high=600,
    )  # fmt: skip
    answers_days: float = key(
        90.0,
        "Days after which the screening is asked again: its questions reach back three months"
        " (a PAR-Q holds for a year at most).",
        low=1,
        high=365,
    )
    battery_h: float = key(
        8.0, "Hours that a full battery lasts, of a belt with a gauge.", low=1, high=100
    )


@dataclass(frozen=True, slots=True)
class WeeklyTest:
    day: str = key(
        "monday",
        "Day of the weekly test alert, which a caregiver answers; never: none.",
        choices=(*DAYS, NEVER),
    )
    hour: int = key(10, "Hour it is sent at, local time.", low=0, high=23)


@dataclass(frozen=True, slots=True)
class Mqtt:
    host: str = key("127.0.0.1", "Broker's host.")
    port: int = key(1883, "Broker's port.", low=1, high=65535)
    version: str = key(
        "auto",
        "MQTT version; auto: 5 (whose receipts say whether anybody listens), else 3.1.1.",
        choices=("auto", "5", "3.1.1"),
    )
    username: str = key("", "User at the broker; empty: none.")
    password_file: Path = key(Path(), "File (mode 0600) with the password; empty: none.")
    ca_file: Path = key(Path(), "CA certificate: turns TLS on; empty: no TLS.")
    certificate_file: Path = key(Path(), "Certificate of this belt, for a broker that asks for it.")
    key_file: Path = key(Path(), "File (mode 0600) with that certificate's key.")


@dataclass(frozen=True, slots=True)
class Http:
    host: str = key(
        "127.0.0.1",
        "Address to listen on; beyond loopback everything asks for a token (rearguard token add).",
    )
    port: int = key(8080, "Port to listen on; 0: a free one.", low=0, high=65535)
    certificate_file: Path = key(Path(), "Certificate: turns TLS on (https); empty: no TLS.")
    key_file: Path = key(Path(), "File (mode 0600) with that certificate's key.")


@dataclass(frozen=True, slots=True)
class Keep:
    recordings_days: float = key(
        30.0,
        "Days that raw signals are kept; there are none but those around dangers and faults."
        " 0: none are written.",
        low=0,
        high=3650,
    )
    alerts_days: float = key(
        365.0, "Days that alerts and results of commands are kept.", low=1, high=3650
    )
    sessions_days: float = key(
        1095.0, "Days that sessions, tests and screenings are kept.", low=1, high=36500
    )


@dataclass(frozen=True, slots=True)
class Config:
    belt: Belt = field(default_factory=Belt)
    loop: Loop = field(default_factory=Loop)
    imu: Imu = field(default_factory=Imu)
    ranger: Ranger = field(default_factory=Ranger)
    motor: Motor = field(default_factory=Motor)
    button: Button = field(default_factory=Button)
    battery: Battery = field(default_factory=Battery)
    wearer: Wearer = field(default_factory=Wearer)
    session: Session = field(default_factory=Session)
    weekly_test: WeeklyTest = field(default_factory=WeeklyTest)
    mqtt: Mqtt = field(default_factory=Mqtt)
    http: Http = field(default_factory=Http)
    keep: Keep = field(default_factory=Keep)

    # where things lie, derived once, here
    @property
    def ring_file(self) -> Path:
        return self.belt.run_dir / "frames"

    @property
    def socket_file(self) -> Path:
        return self.belt.run_dir / "control"

    @property
    def log_file(self) -> Path:
        """The device's newest log lines, for the support bundle."""
        return self.belt.run_dir / "log"

    @property
    def cannot_start_file(self) -> Path:
        """Why the device has ended before it guarded, in one line; gone once it has started."""
        return self.belt.run_dir / "cannot_start"

    @property
    def journal_dir(self) -> Path:
        return self.belt.data_dir / "journal"

    @property
    def calibration_file(self) -> Path:
        return self.belt.data_dir / "calibration.json"

    @property
    def recordings_dir(self) -> Path:
        return self.belt.data_dir / "recordings"

    @property
    def tokens_file(self) -> Path:
        return self.belt.data_dir / "tokens"

    @property
    def wearers_dir(self) -> Path:
        return self.belt.data_dir / "wearers"

    @property
    def plans_dir(self) -> Path:
        return self.belt.data_dir / "plans"

    @property
    def reserve_file(self) -> Path:
        return self.belt.data_dir / "reserve"

    @property
    def store_file(self) -> Path:
        return self.belt.data_dir / "store.sqlite"
