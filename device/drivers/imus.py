"""Which motion sensor is on the bus: every driver there is, and a look at every address."""

from __future__ import annotations

import errno

from device.drivers.bus import Bus
from device.drivers.imu import ChipError, Imu
from device.drivers.lsm6dsox import Lsm6dsox
from device.drivers.mpu6050 import Mpu6050

DRIVERS: tuple[type[Imu], ...] = (Lsm6dsox, Mpu6050)  # a further family is a file and a row here


def usual_rate(address: int = 0) -> float:
    """Samples a second, nominal, of the family that sits at `address`; at 0 of the recommended."""
    return next((d.rate for d in DRIVERS if address in d.ADDRESSES), DRIVERS[0].rate)


def probe(bus: Bus, address: int = 0) -> Imu:
    """The first motion sensor found, set up; only at `address` unless that is 0.

    Raises OSError when nothing answers (ENXIO) or the bus cannot be opened, ChipError when what
    answers is no chip of ours.
    """
    bus.open()
    strangers = []
    for driver in DRIVERS:
        for place in driver.ADDRESSES:
            if address in (0, place):
                try:
                    return driver(bus, place)
                except ChipError as error:
                    strangers.append(str(error))
                except OSError:
                    continue
    if strangers:
        raise ChipError("; ".join(strangers))
    places = sorted({place for driver in DRIVERS for place in driver.ADDRESSES})
    known = ", ".join(f"0x{place:02x}" for place in places if address in (0, place))
    raise OSError(errno.ENXIO, f"nothing answers at {known or f'0x{address:02x}: no such chip'}")
