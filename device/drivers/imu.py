"""What every motion sensor's driver has in common: identity, recovery, time stamps, gaps.

A driver counts samples through its chip's FIFO. Whatever goes wrong is a gap with its reason; what
was read before it is never joined to what is read after it. A chip that was lost is identified
again before it is believed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple, Protocol

from smbus2 import i2c_msg

from device.drivers.bus import Bus
from device.frames import NAN, Gap

ATTEMPTS = 3  # at one drain, before the bus is called broken
BURST = 32  # samples at most in one transfer: 35 ms at 100 kHz, within the bus's time-out
RESTART_EVERY = 0.5  # s between attempts to set a lost chip up again
SILENCE = 0.05  # s without a sample, after which the settings are checked
FROZEN_AFTER = 0.25  # s of one and the same sample; the noise of a live chip moves some bit in 0.04
LOOK_EVERY = 1.0  # s between looks at the temperature and at the settings
WARMER = 1.0  # K from which a change is told: above the noise, below what moves the zero much
TEMPERATURES = (-40.0, 85.0)  # °C; all these chips are made for it, beyond it they are broken
DRIFT_GAIN = 0.02  # share of the timeline's error taken out at each drain: smooths bus jitter
RATE_GAIN = 0.003  # of it into the rate, for each s: damped with DRIFT_GAIN at 100 drains a second
RATE_OFF = 0.05  # a chip's rate is at most this share off its nominal one
FULL = 32767  # steps at the end of the range
G = 9.80665  # m/s², standard gravity

Vector = tuple[float, float, float]
Steps = tuple[int, int, int, int, int, int]  # accelerometer x, y, z, gyroscope x, y, z
_UNKNOWN: Vector = (NAN, NAN, NAN)
_NEVER: Steps = (0, 0, 0, 0, 0, 0)


class ChipError(Exception):
    """Something answers, but not as this chip must; the text says what."""


class Lost(Exception):  # noqa: N818  no error of ours: the chip has lost samples
    """Samples are lost and what the chip holds cannot be joined to what came before."""

    def __init__(self, why: Gap) -> None:
        super().__init__(why.name.lower())
        self.why = why


class Reading(NamedTuple):
    """One sample, or one gap with its reason (then both vectors are NaN)."""

    t: float  # s, when it was measured
    acc: Vector  # m/s², body axes
    gyro: Vector  # rad/s, body axes
    gap: Gap = Gap.NONE
    drift: float = 0.0  # rad/s by which warmth may have moved the gyroscope's zero since last said


class Identity(Protocol):
    """A row of a driver's table of identities."""

    @property
    def name(self) -> str: ...

    @property
    def warning(self) -> str:
        """What a technician should know of such a chip; empty: nothing."""

    @property
    def drift(self) -> float:
        """°/s by which its gyroscope's zero moves with each kelvin, as its data sheet has it."""


class Imu(ABC):
    """Reads every sample the chip took, however late the reader comes within its FIFO's depth.

    `bus` is a bus.Bus. Raises OSError when nothing answers at the start, ChipError when it
    is another chip; after that whatever goes wrong is a gap in `read`, and set up anew.

    A driver gives the class variables and the methods marked abstract.
    """

    ADDRESSES: ClassVar[tuple[int, ...]]  # where such a chip may be
    WHO_AM_I: ClassVar[int]  # register of the identity
    IDENTITIES: ClassVar[Mapping[int, Identity]]
    ACC_SCALE: ClassVar[float]  # m/s² a step
    GYRO_SCALE: ClassVar[float]  # rad/s a step
    RESET_S: ClassVar[float]  # s a reset takes; 0: `_reset` sees its end itself
    TAGGED: ClassVar[bool]  # what is in the FIFO says where it belongs
    FIRST_SAMPLES: ClassVar[int]  # not yet settled after power-up; thrown away
    rate: float  # samples a second, nominal for this very chip

    def __init__(self, bus: Bus, address: int) -> None:
        self._bus, self._address = bus, address
        self.errors = 0  # bus errors met, the recovered ones too
        self.fault = ""  # what kept the chip from being set up, in one line
        self.temperature = NAN  # °C, of the chip; its zero offsets go with it
        self._warmth = NAN  # °C, when that was last said of the gyroscope's
        self._drift = 0.0  # rad/s, still to be said
        self._period_off = 0.0  # share by which the chip's period differs from the nominal one
        self._look_at = -math.inf  # s
        self._before = _NEVER  # the sample before this one
        self._same_acc = self._same_gyro = 0  # samples in a row in which it did not change
        self._why = Gap.NO_DATA  # reason of the gap until the chip is set up
        self._setting_up = False
        self._setup_at: float | None = None  # s
        self._starting = True  # the first reset: no sample is missing yet
        self._identify()
        if not self._setting_up:
            self._finish()

    def read(self, now: float) -> list[Reading]:
        """Every sample since the last call, oldest first; empty when none is due yet.

        At most ATTEMPTS short transfers when the bus fails; `now` [s] is the time of this call.
        """
        if self._why is not Gap.NONE:
            return self._recover(now)
        for _ in range(ATTEMPTS):
            try:
                if now >= self._look_at:  # before the FIFO: a repeat then loses nothing
                    self._look()
                    self._look_at = now + LOOK_EVERY
                samples = self._drain()
            except OSError:
                self.errors += 1
                continue
            except Lost as lost:
                return self._lose(now, lost.why)
            return self._timed(samples, now) if samples else self._silent(now)
        return self._lose(now, Gap.BUS)

    def self_test(self, wait: Callable[[float], None]) -> str:
        """Let the chip test itself while it lies still; empty: passed, else what is wrong.

        Takes up to a second and interrupts sampling. `wait` waits so many seconds. Raises OSError.
        """
        try:
            return self._self_test(wait)
        finally:
            self._why, self._setup_at = Gap.RESET, None

    # what a driver gives

    @abstractmethod
    def _reset(self) -> None:
        """Begin the chip's reset; with RESET_S = 0 also see its end."""

    @abstractmethod
    def _settings(self) -> Sequence[tuple[int, int]]:
        """(register, value) in the order they are written; each is read back."""

    @abstractmethod
    def _start(self) -> None:
        """After the settings: what starts the FIFO, and the rate of this very chip."""

    @abstractmethod
    def _drain(self) -> list[Steps | None]:
        """Every sample in the FIFO; None where some are missing. Raises OSError, Lost."""

    @abstractmethod
    def _celsius(self) -> float:
        """The chip's temperature [°C]."""

    @abstractmethod
    def _self_test(self, wait: Callable[[float], None]) -> str:
        """As `self_test`; whatever it leaves behind is set up anew."""

    # the chip

    def _identify(self) -> None:
        """It is one of ours: begin with a reset."""
        found = self._get(self.WHO_AM_I)
        if found not in self.IDENTITIES:
            known = ", ".join(f"0x{k:02x} ({v.name})" for k, v in self.IDENTITIES.items())
            raise ChipError(f"WHO_AM_I at 0x{self._address:02x} says 0x{found:02x}; known: {known}")
        self.identity = found
        self.name, self.warning = self.IDENTITIES[found].name, self.IDENTITIES[found].warning
        self._reset()
        self._setting_up = self.RESET_S > 0

    def _finish(self) -> None:
        for register, value in self._settings():
            self._set(register, value)
            self._require(register, value)
        self._start()
        self._why = Gap.NONE
        self._setting_up = self._starting = False
        self.fault = ""
        self._bus.recovered()
        self._skip = self.FIRST_SAMPLES
        self._last = -math.inf  # s, newest sample's time
        self._heard = math.inf  # s, when samples last came, or the first look for them
        self._look_at = -math.inf

    def _require(self, register: int, value: int) -> None:
        if (kept := self._get(register)) != value:
            raise ChipError(f"register 0x{register:02x} keeps 0x{kept:02x}, not 0x{value:02x}")

    def _get(self, register: int) -> int:
        value: int = self._bus.read_byte_data(self._address, register)
        return value

    def _set(self, register: int, value: int) -> None:
        self._bus.write_byte_data(self._address, register, value)

    def _block(self, register: int, length: int) -> bytes:
        return bytes(self._bus.read_i2c_block_data(self._address, register, length))

    def _burst(self, register: int, size: int, count: int) -> bytes:
        """`count` items of `size` bytes from the FIFO's output, some at a time.

        What has left the FIFO is gone: a burst that breaks off is repeated only where nothing was
        taken yet, or where tags would show what is missing. Raises OSError, Lost.
        """
        data = b""
        for first in range(0, count, BURST):
            part = i2c_msg.read(self._address, min(BURST, count - first) * size)
            try:
                self._bus.i2c_rdwr(i2c_msg.write(self._address, [register]), part)
            except OSError as error:
                if self.TAGGED and not data:
                    raise
                self.errors += 1
                raise Lost(Gap.BUS) from error
            data += bytes(part)
        return data

    # what goes wrong

    def _lose(self, now: float, why: Gap) -> list[Reading]:
        """Nothing read so far is carried over: what follows is a new stretch of samples."""
        self._why, self._setup_at, self._setting_up = why, now, False
        return [missing(now, why)]

    def _recover(self, now: float) -> list[Reading]:
        why, began = self._why, self._starting
        if self._setup_at is None:
            self._setup_at = now + (self.RESET_S if self._setting_up else 0.0)
        if now >= self._setup_at:
            try:
                if self._setting_up:
                    self._finish()
                else:
                    self._identify()
                    self._setup_at = now + self.RESET_S
                    if not self._setting_up:
                        self._finish()
            except (OSError, ChipError) as error:
                self.errors += 1
                self.fault, self._starting = str(error), False
                self._bus.recover()
                self._why, self._setting_up, self._setup_at = Gap.BUS, False, now + RESTART_EVERY
        return [] if began and not self.fault else [missing(now, why)]

    def _silent(self, now: float) -> list[Reading]:
        """No sample in the FIFO: early, or a chip that was reset behind our back and sleeps."""
        self._heard = min(self._heard, now)
        if now - self._heard < SILENCE:
            return []
        try:
            kept = self._kept()
        except OSError:
            self.errors += 1
            return self._lose(now, Gap.BUS)
        return self._lose(now, Gap.NO_DATA if kept else Gap.RESET)

    def _kept(self) -> bool:
        """Whether the chip still has its settings; the first is the state it was set up in."""
        return all(self._get(register) == value for register, value in self._settings()[1:])

    def _look(self) -> None:
        """A setting that has flipped would scale all that follows. Raises OSError, Lost."""
        if not self._kept():
            raise Lost(Gap.RESET)
        celsius = self._celsius()
        if not TEMPERATURES[0] <= celsius <= TEMPERATURES[1]:
            self.temperature = NAN
            raise Lost(Gap.RANGE)
        self.temperature = celsius
        moved = abs(celsius - self._warmth)
        if not moved < WARMER:  # NaN: the first
            drift = math.radians(self.IDENTITIES[self.identity].drift)
            self._drift += 0.0 if math.isnan(moved) else drift * moved
            self._warmth = celsius

    # from steps to readings

    def _timed(self, samples: list[Steps | None], now: float) -> list[Reading]:
        self._heard = now
        settled = samples[self._skip :]
        self._skip = max(0, self._skip - len(samples))
        readings = [
            self._reading(t, sample)
            for t, sample in zip(self._times(len(settled), now), settled, strict=True)
        ]
        if readings and self._drift:
            readings[0] = readings[0]._replace(drift=self._drift)
            self._drift = 0.0
        if readings and self._frozen():
            self._lose(now, Gap.FROZEN)
            self._setup_at = now + RESTART_EVERY
        return readings

    def _reading(self, t: float, steps: Steps | None) -> Reading:
        """In body axes. The board sits flat against the back of the belt, its components facing
        away from the wearer and its y arrow up: the chip's axes point right, up and backward.
        """
        if steps is None:
            return missing(t, Gap.BUS)
        # kept over a new setting up: a chip that goes on saying the same is not believed again
        self._same_acc = self._same_acc + 1 if steps[:3] == self._before[:3] else 0
        self._same_gyro = self._same_gyro + 1 if steps[3:] == self._before[3:] else 0
        self._before = steps
        if self._frozen():
            return missing(t, Gap.FROZEN)
        if _absurd(steps):
            return missing(t, Gap.RANGE)
        ax, ay, az, gx, gy, gz = steps
        a, g = self.ACC_SCALE, self.GYRO_SCALE
        return Reading(t, (-az * a, -ax * a, ay * a), (-gz * g, -gx * g, gy * g))

    def _frozen(self) -> bool:
        """Either half may die alone."""
        return max(self._same_acc, self._same_gyro) > FROZEN_AFTER * self.rate

    def _times(self, count: int, now: float) -> list[float]:
        """When `count` samples ending about now were measured: counted at the chip's own rate.

        The newest lies half a period back on average; never later than now. The rate is corrected
        by what the counting shows: a clone's oscillator is several per cent off.
        """
        if not count:
            return []
        period = (1.0 + self._period_off) / self.rate
        expected = now - 0.5 * period
        last = self._last if self._last > -math.inf else expected - count * period
        newest = last + count * period
        late = expected - newest
        self._period_off = max(-RATE_OFF, min(RATE_OFF, self._period_off + RATE_GAIN * late))
        newest = min(now, newest + DRIFT_GAIN * late)
        self._last = newest
        return [newest - (count - 1 - k) * (newest - last) / count for k in range(count)]


def missing(t: float, why: Gap) -> Reading:
    """A gap at `t` [s]."""
    return Reading(t, _UNKNOWN, _UNKNOWN, why)


def _absurd(steps: Steps) -> bool:
    """No waist turns at 2000 °/s; one axis of acceleration may clip in a fall, three do not."""
    clipped = [abs(step) >= FULL for step in steps]
    return any(clipped[3:]) or all(clipped[:3])
