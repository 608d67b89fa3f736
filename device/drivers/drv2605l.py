"""DRV2605L: a vibration motor's driver over I2C, which knows when its motor is gone.

Registers have the names of TI's datasheet SLOS854, section 8.6, "Register map", in order of
address. The motor is a coin motor (ERM) driven open loop with library B (rated 3 V). A pulse is the
library's effect 118, a buzz that is stopped by hand and ends by itself after 10 s: a bus that fails
in mid-pulse cannot leave the motor on. In open loop the overdrive clamp is the full scale (section
8.5, "Open-Loop Mode"), so it sets the strength.

All transfers are made on the bus's own thread; `set` and `off` only say what is wanted.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

from device.drivers.bus import Bus

ADDRESS = 0x5A
STATUS = 0x00  # DEVICE_ID in the high three bits; faults
MODE = 0x01
LIBRARY = 0x03
WAVESEQ1 = 0x04
WAVESEQ2 = 0x05
GO = 0x0C
RATED_VOLTAGE = 0x16
OD_CLAMP = 0x17
FEEDBACK_CONTROL = 0x1A
CONTROL3 = 0x1D

IDENTITIES = {0x3: "DRV2605", 0x7: "DRV2605L"}
DIAG_RESULT, OVER_TEMP, OC_DETECT = 0x08, 0x02, 0x01  # in STATUS
INTERNAL_TRIGGER, DIAGNOSTICS, STANDBY = 0x00, 0x06, 0x40  # in MODE; asleep after power-up
LIBRARY_B = 0x02
LONG_BUZZ = 118  # "long buzz for programmatic stopping, 100 %"
ERM, ERM_OPEN_LOOP = 0x36, 0xA0  # FEEDBACK_CONTROL and CONTROL3 as after a reset
VOLT = 255 / 5.6  # steps of OD_CLAMP a volt
RATED_V = 3.0
LOOK_EVERY = 1.0  # s between looks at STATUS, while the motor rests
DIAGNOSE_EVERY = 60.0  # s, while the motor rests
DIAGNOSIS_S = 2.0  # s it may take at most
RETRY_S = 0.5  # s between attempts to set it up again
FAULTY_EVERY = 5.0  # s between diagnoses of a faulty motor, so that its end is told soon
OPEN = "open: no motor answers the driver's diagnosis"

SETTINGS = (
    (MODE, INTERNAL_TRIGGER),
    (LIBRARY, LIBRARY_B),
    (WAVESEQ1, LONG_BUZZ),
    (WAVESEQ2, 0),
    (RATED_VOLTAGE, round(RATED_V * VOLT)),
    (FEEDBACK_CONTROL, ERM),
    (CONTROL3, ERM_OPEN_LOOP),
)


class Drv2605l:
    """A motor as haptics.Motor has it. `fault` says in one line why it may not be felt."""

    def __init__(self, bus: Bus, post: Callable[[Callable[[], None]], None]) -> None:
        """`post` has a job done on the bus's thread. What does not answer is a `fault`."""
        self._bus, self._post = bus, post
        self.duty = 0.0  # as last wanted
        self.fault = ""
        self._driven = 0.0  # as last written
        self._ready = False
        self._setup_at = -math.inf  # s
        self._diagnose_at = -math.inf  # s
        self._look_at = -math.inf  # s
        self._diagnosing = math.nan  # s, since when; NaN: it is not

    def set(self, duty: float) -> None:
        """Drive at `duty` 0..1. Raises ValueError beyond that."""
        if not 0.0 <= duty <= 1.0:
            raise ValueError(f"duty is 0 to 1, not {duty}")
        self.duty = duty
        self._post(self._follow)

    def off(self) -> None:
        self.set(0.0)

    def work(self, now: float) -> None:
        """On the bus's thread, now and then: set the chip up, look after the motor while it rests.

        Never raises.
        """
        try:
            if not self._ready and now >= self._setup_at:
                self._setup_at = now + RETRY_S
                self._setup()
            if self._ready:
                self._drive()
                self._look_after(now)
        except OSError as error:
            self._failed(error)

    def close(self) -> None:
        """Off and asleep, as far as the bus still works."""
        self.off()
        self._post(self._sleep)

    def _follow(self) -> None:
        try:
            if self._ready:
                self._drive()
        except OSError as error:
            self._failed(error)

    def _sleep(self) -> None:
        with contextlib.suppress(OSError):
            self._set(MODE, STANDBY)

    def _failed(self, error: OSError) -> None:
        self._ready = False
        self._diagnosing, self._driven = math.nan, 0.0
        self.fault = f"the motor's driver does not answer ({error.strerror or error})"

    def _setup(self) -> None:
        identity = self._get(STATUS) >> 5
        if identity not in IDENTITIES:
            raise OSError(f"DEVICE_ID {identity} is no DRV2605L")
        self._set(GO, 0)  # a pulse may have outlived the fault
        for register, value in SETTINGS:
            self._set(register, value)
            if self._get(register) != value:
                raise OSError(f"register 0x{register:02x} does not keep 0x{value:02x}")
        self._ready, self._driven, self.fault = True, 0.0, ""
        self._diagnose_at = -math.inf

    def _drive(self) -> None:
        if self.duty == self._driven:
            return
        if not math.isnan(self._diagnosing):  # what is to be felt comes first
            self._set(MODE, INTERNAL_TRIGGER)
            self._diagnosing = math.nan
        self._set(GO, 0)
        wanted = self.duty
        if wanted:
            self._set(OD_CLAMP, round(wanted * RATED_V * VOLT))
            self._set(GO, 1)
        else:
            self._judge(self._get(STATUS), diagnosed=False)
        self._driven = wanted

    def _look_after(self, now: float) -> None:
        if self._driven:
            return
        if math.isnan(self._diagnosing) and now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._judge(self._get(STATUS), diagnosed=False)
        if self.fault:
            self._diagnose_at = min(self._diagnose_at, now + FAULTY_EVERY)
        if now < self._diagnose_at:
            return
        if math.isnan(self._diagnosing):
            self._set(MODE, DIAGNOSTICS)
            self._set(GO, 1)
            self._diagnosing = now
        elif self._get(GO) == 0 or now - self._diagnosing > DIAGNOSIS_S:
            status = self._get(STATUS)
            self._set(MODE, INTERNAL_TRIGGER)
            self._diagnosing = math.nan
            self._judge(status, diagnosed=True)
            self._diagnose_at = now + DIAGNOSE_EVERY

    def _judge(self, status: int, *, diagnosed: bool) -> None:
        """What a pulse has shown stands until a diagnosis sees the motor back."""
        if status & OC_DETECT:
            self.fault = "shorted: the motor's driver cuts an over-current off"
        elif status & OVER_TEMP:
            self.fault = "the motor's driver is too hot"
        elif diagnosed:
            self.fault = (self.fault or OPEN) if status & DIAG_RESULT else ""

    def _get(self, register: int) -> int:
        value: int = self._bus.read_byte_data(ADDRESS, register)
        return value

    def _set(self, register: int, value: int) -> None:
        self._bus.write_byte_data(ADDRESS, register, value)


def silence(bus: Any) -> None:
    """Off and asleep, whatever the chip was doing. Raises OSError."""
    bus.write_byte_data(ADDRESS, GO, 0)
    bus.write_byte_data(ADDRESS, MODE, STANDBY)
