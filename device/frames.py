"""The Frame: one IMU sample, what else was known by then, and what was judged of it.

Also the layout of the frame ring, so that any process can read it. Imports nothing of ours.

Ring file: a 64-byte header (`RING_HEADER`), then `slots` slots of `SLOT_SIZE` bytes. A frame with
sequence n (counting from 1) lies in slot (n - 1) % slots, as sequence u64, crc32 u32, length u32,
payload; the CRC covers sequence and payload, so a torn or stale slot is seen as such whatever the
order in which another core's stores arrive.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import zlib
from dataclasses import dataclass, fields
from enum import IntEnum
from pathlib import Path

NAN = math.nan


class Echo(IntEnum):
    """What a ping brought (numbers as in recording sets)."""

    DISTANCE = 0
    NOTHING_IN_RANGE = 1
    NO_PULSE = 2
    STUCK = 3
    NAK = 4
    GLITCH = 5


HEARD = (Echo.DISTANCE, Echo.NOTHING_IN_RANGE)  # the sensor hears, be it only silence


class Guard(IntEnum):
    """How far the belt guards now, worst first."""

    NOT_GUARDING = 0
    NO_IMU = 1
    NO_REAR = 2
    FULL = 3


class Gap(IntEnum):
    """Why a frame carries no IMU sample."""

    NONE = 0
    NO_DATA = 1
    BUS = 2
    OVERFLOW = 3
    RESET = 4
    FROZEN = 5
    RANGE = 6  # beyond what a body can do


@dataclass(slots=True)
class Frame:
    """One tick of truth. SI units, body frame (x forward, y left, z up), monotonic seconds.

    The order of the fields is the order on the wire; `_LAYOUT` gives each its type.
    """

    t: float = NAN  # s, when the IMU sample was measured
    tick: float = NAN  # s, the loop's deadline that brought it
    lateness: float = 0.0  # s the loop was late at that deadline
    ax: float = NAN  # m/s²
    ay: float = NAN
    az: float = NAN
    gx: float = NAN  # rad/s
    gy: float = NAN
    gz: float = NAN
    gap: int = Gap.NONE
    drift: float = 0.0  # rad/s by which warmth may have moved the gyroscope's zero since last said
    ping_t: float = NAN  # s; NaN: no ping came with this frame
    ping_range: float = NAN  # m
    ping_echo: int = -1  # Echo, -1 none
    button: int = 0  # 1 while pressed
    motor: float = 0.0  # duty 0..1 as last set
    battery: float = NAN  # share of charge 0..1
    under_voltage: int = -1  # 1 while the Pi says so of its supply, 0 when not; -1 unknown
    # what the core judged
    up_x: float = NAN
    up_y: float = NAN
    up_z: float = NAN
    direction: int = 9
    step: int = 0
    step_time: float = NAN
    cadence: float = NAN
    speed: float = NAN
    lean: float = NAN
    sway: float = NAN
    risk: float = NAN
    distance: float = NAN
    closing: float = NAN
    ttc: float = NAN
    # what the policy made of it
    guard: int = Guard.NOT_GUARDING
    level: int = 0  # highest level open now (alerts.Level)

    def pack(self) -> bytes:
        """The frame as it lies in the ring."""
        return _LAYOUT.pack(*[getattr(self, name) for name in _NAMES])

    @classmethod
    def unpack(cls, payload: bytes) -> Frame:
        """The reverse of `pack`. Raises struct.error on any other length."""
        return cls(*_LAYOUT.unpack(payload))


_DOUBLES = {"t", "tick", "ping_t", "step_time"}
_BYTES = {"gap", "ping_echo", "button", "under_voltage", "direction", "step", "guard", "level"}
_NAMES = [field.name for field in fields(Frame)]
_LAYOUT = struct.Struct(
    "<" + "".join("d" if n in _DOUBLES else "b" if n in _BYTES else "f" for n in _NAMES)
)

SLOT_HEADER = struct.Struct("<QII")  # sequence, crc32, payload length
SLOT_SIZE = 192
RING_HEADER = struct.Struct("<8sIId32s")  # magic, slots, slot size, fs [1/s], source
RING_HEADER_SIZE = 64
RING_FS_AT = 16  # byte of the header where fs lies: it changes when another sensor comes
RING_MAGIC = b"RGRING01"


def slot_crc(sequence: int, payload: bytes) -> int:
    """CRC-32 (zlib's) of the little-endian sequence and the payload."""
    return zlib.crc32(payload, zlib.crc32(sequence.to_bytes(8, "little")))


class RingReader:
    """Reads frames that another process writes; never blocks the writer.

    Raises FileNotFoundError while there is no ring, ValueError when the file is not a whole one.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._inode = os.fstat(file.fileno()).st_ino
            self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self._path = path
        header = self._map[:RING_HEADER_SIZE].ljust(RING_HEADER_SIZE, b"\0")
        magic, self.slots, size, _, source = RING_HEADER.unpack_from(header)
        if magic != RING_MAGIC or size != SLOT_SIZE or self.slots < 2:
            raise ValueError(f"{path} is not a frame ring of this version")
        if len(self._map) < RING_HEADER_SIZE + self.slots * SLOT_SIZE:
            raise ValueError(f"{path} is shorter than its header says")
        self.source: str = source.rstrip(b"\0").decode(errors="replace")

    @property
    def fs(self) -> float:
        """Samples a second, nominal, of the motion sensor there is now."""
        fs: float = struct.unpack_from("<d", self._map, RING_FS_AT)[0]
        return fs

    def replaced(self) -> bool:
        """Whether the device has since made a new ring (it restarted) or took it away."""
        try:
            return self._path.stat().st_ino != self._inode
        except OSError:
            return True

    def read(self, sequence: int) -> Frame | None:
        """Frame number `sequence` (from 1), or None when it is not there, torn or overwritten."""
        offset = RING_HEADER_SIZE + (sequence - 1) % self.slots * SLOT_SIZE
        slot = bytes(self._map[offset : offset + SLOT_SIZE])
        found, crc, length = SLOT_HEADER.unpack_from(slot)
        payload = slot[SLOT_HEADER.size : SLOT_HEADER.size + length]
        if found != sequence or len(payload) != _LAYOUT.size or crc != slot_crc(found, payload):
            return None
        return Frame.unpack(payload)

    def newest(self) -> tuple[int, Frame] | None:
        """The newest whole frame with its sequence, or None while the ring is empty."""
        order = sorted((self._sequence(k) for k in range(self.slots)), reverse=True)[:4]
        for sequence in order:
            if sequence and (frame := self.read(sequence)):
                return sequence, frame
        return None

    def _sequence(self, slot: int) -> int:
        found: int
        (found,) = struct.unpack_from("<Q", self._map, RING_HEADER_SIZE + slot * SLOT_SIZE)
        return found

    def close(self) -> None:
        self._map.close()
