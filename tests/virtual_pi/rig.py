"""The program's side of /dev/rig: what crosses it, as kernel/rig.c has it."""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from smbus2 import i2c_msg

I2C, GPIO = 1, 2
_HEAD = Struct("<IIiIQ")  # kind, bus or line, value, serial, time [ns]
_PART = Struct("<HHHH")  # address, flags, length, nothing
_READS = 0x0001  # flag of a part that is read, linux/i2c.h
_BYTES = 8192  # of one message at most


class Transfer(NamedTuple):
    """On bus `bus`: `parts` are smbus2's; those that are read wait to be filled."""

    bus: int
    serial: int
    parts: list[i2c_msg]


class Level(NamedTuple):
    """The output `line` has had this level since `t` [s, monotonic]."""

    line: int
    high: bool
    t: float


class Rig:
    """All that is soldered to the virtual Pi hangs on this. Raises OSError on another kernel."""

    def __init__(self, path: str = "/dev/rig") -> None:
        self._file = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def events(self, seconds: float) -> Iterator[Transfer | Level]:
        """Whatever has come; waits up to `seconds` for the first."""
        select.select([self._file], [], [], seconds)
        while True:
            try:
                message = os.read(self._file, _BYTES)
            except BlockingIOError:
                return
            kind, unit, value, serial, ns = _HEAD.unpack_from(message)
            if kind == GPIO:
                yield Level(unit, bool(value), ns / 1e9)
            else:
                yield Transfer(unit, serial, _parts(message, value))

    def answer(self, transfer: Transfer, error: int = 0) -> None:
        """Its parts have been filled, or it ends with an error of errno."""
        read = b"" if error else b"".join(bytes(p) for p in transfer.parts if p.flags & _READS)
        value = -error if error else len(transfer.parts)
        os.write(self._file, _HEAD.pack(I2C, transfer.bus, value, transfer.serial, 0) + read)

    def edge(self, line: int, high: bool, t: float = 0.0) -> None:
        """The input `line` takes this level at `t` [s, monotonic], or at once."""
        try:
            os.write(self._file, _HEAD.pack(GPIO, line, int(high), 0, round(t * 1e9)))
        except OSError as error:
            if error.errno != errno.ENOSPC:  # so many edges are under way that nobody listens
                raise


def _parts(message: bytes, count: int) -> list[i2c_msg]:
    parts, at = [], _HEAD.size
    for _ in range(count):
        address, flags, length, _ = _PART.unpack_from(message, at)
        at += _PART.size
        if flags & _READS:
            parts.append(i2c_msg.read(address, length))
        else:
            parts.append(i2c_msg.write(address, message[at : at + length]))
            at += length
    return parts
