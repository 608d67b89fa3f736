"""MaxBotix I2CXL-MaxSonar-EZ (MB1202 to MB1242): an ultrasonic ranger over I2C.

Datasheet PD11848. Write the range command, wait until it has ranged, read two bytes: the distance
in cm, high byte first. While it ranges it ignores the bus. It stretches the clock, which the Pi's
own I2C hardware does badly: it needs a software bus (`i2c-gpio`, hardware.md), of its own, so that
its stretching delays nothing else.
"""

from __future__ import annotations

import math

from smbus2 import i2c_msg

from device.drivers.bus import Bus
from device.drivers.ranger import Ping
from device.frames import NAN, Echo

ADDRESS = 0x70  # 224 as the datasheet counts
RANGE_COMMAND = 0x51  # 81
RANGING_S = 0.080  # until it answers again, full range
PERIOD_S = 0.100  # between pings: the room must fall silent
GIVE_UP_S = 0.040  # s after it should answer, for which it is asked again
MIN_RANGE = 0.20  # m: nearer targets are reported there
NOTHING = 7.65  # m: its end of range, reported when nothing echoes
SPEED_OF_SOUND = 343.4  # m/s, as in hcsr04.py


class Mb1242:
    """Pings every `period` [s], one at a time; echoes beyond `max_range` [m] are out of range."""

    def __init__(self, bus: Bus, period: float, max_range: float = 4.0) -> None:
        """`bus` is a bus.Bus. Raises ValueError when the room could not fall silent."""
        if period < PERIOD_S:
            raise ValueError(f"an I2CXL needs {PERIOD_S} s between pings, not {period}")
        self._bus, self._period, self._max_range = bus, period, max_range
        self._sent = NAN  # s, when the ping on its way was sent; NaN: none is
        self._next = -math.inf  # s, when the next one is due
        self.errors = 0  # bus errors met, the recovered ones too

    def poll(self, now: float) -> Ping | None:
        """As `Ranger.poll`; the two transfers take a millisecond, more when it stretches."""
        if math.isnan(self._sent):
            return self._send(now) if now >= self._next else None
        return self._fetch(now) if now - self._sent >= RANGING_S else None

    def close(self) -> None:
        self._bus.close()

    def _send(self, now: float) -> Ping | None:
        self._next = now + self._period
        try:
            self._bus.i2c_rdwr(i2c_msg.write(ADDRESS, [RANGE_COMMAND]))
        except OSError:
            return self._failed(now)
        self._sent = now
        return None

    def _fetch(self, now: float) -> Ping | None:
        answer = i2c_msg.read(ADDRESS, 2)
        try:
            self._bus.i2c_rdwr(answer)
        except OSError:
            if now - self._sent < RANGING_S + GIVE_UP_S:
                self.errors += 1
                return None
            return self._failed(now)
        sent, self._sent = self._sent, NAN
        self._bus.recovered()
        distance = int.from_bytes(bytes(answer), "big") / 100
        back = min(now, sent + 2 * distance / SPEED_OF_SOUND)
        if not MIN_RANGE <= distance <= NOTHING:  # it never says less, nor more
            return Ping(now, NAN, Echo.GLITCH)
        if distance > self._max_range:
            return Ping(back, NAN, Echo.NOTHING_IN_RANGE)
        return Ping(back, distance, Echo.DISTANCE)

    def _failed(self, now: float) -> Ping:
        self._sent = NAN
        self.errors += 1
        self._bus.recover()
        return Ping(now, NAN, Echo.NAK)
