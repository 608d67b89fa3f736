"""The core from Python: one sample at a time for the loop, whole arrays for replay.

Both go through `rg_core_step` in C. Shapes and units are those of rearguard.h.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from device.alerts import Level, State
from device.core._native import ffi, lib
from device.frames import Frame


class Judgement(NamedTuple):
    """One event of the core."""

    t: float  # s, time of the sample that decided it
    sample: int  # its index
    event: str  # a key of alerts.EVENTS, or up_and_walking
    level: Level
    state: State  # raised or cleared


class Usual(NamedTuple):
    """What is usual for a wearer going one way."""

    sway: float = 0.0  # m/s², mediolateral RMS
    unevenness: float = 0.0  # s, of step times two apart
    irregularity: float = 0.0  # 1 less the autocorrelation of a stride
    excursion: float = 0.0  # m, up and down in a step
    steps: int = 0  # that went into it


PING = np.dtype([("t", "<f8"), ("range", "<f4"), ("echo", "<i4")])  # rg_ping, byte for byte

_COLUMNS: dict[str, tuple[type, str]] = {  # column → its type here and in rg_series
    "up": (np.float32, "float *"),
    "direction": (np.int8, "int8_t *"),
    "step": (np.bool_, "uint8_t *"),
    "step_time": (np.float32, "float *"),
    "cadence": (np.float32, "float *"),
    "speed": (np.float32, "float *"),
    "lean": (np.float32, "float *"),
    "sway": (np.float32, "float *"),
    "risk": (np.float32, "float *"),
    "distance": (np.float32, "float *"),
    "closing": (np.float32, "float *"),
    "ttc": (np.float32, "float *"),
}
ALL: tuple[str, ...] = tuple(_COLUMNS)

KINDS: tuple[str, ...] = tuple(
    ffi.string(lib.rg_kind_name(k)).decode() for k in range(lib.RG_KINDS)
)
_LEVELS = tuple(Level)
_STATES = (State.RAISED, State.CLEARED)  # rg_state
_PARAMETERS: tuple[str, ...] = tuple(name for name, _ in ffi.typeof("rg_params").fields)
_EVENTS_A_CALL = 256  # room for one call of rg_core_run; more come in the next
# Named here because looking a name up costs as much as a call does.
_unpack = struct.Struct("=d11fbB").unpack_from  # rg_estimate, but for its gap
_step = lib.rg_core_step_of
_SAVED = struct.Struct("<8sII")  # magic, bytes of state, their crc32
_MAGIC = b"RGCORE01"


class Core:
    """One wearer's judge. Not for two threads at once.

    `parameters` are the fields of rg_params but fs (rearguard.h says what each is, in SI units);
    those not given keep their defaults. Raises ValueError for one that is unknown or impossible.
    """

    def __init__(self, fs: float, **parameters: float) -> None:
        given = {"fs": fs, **parameters}
        chosen = ffi.new("rg_params *")
        lib.rg_params_default(chosen, fs)
        for name, value in given.items():
            if name not in _PARAMETERS:
                raise ValueError(f"{name} is no parameter of the core: {', '.join(_PARAMETERS)}")
            setattr(chosen, name, value)
        self.fs = fs
        self._size: int = lib.rg_core_size()
        self._block = ffi.new("char[]", self._size + 15)  # zeroed; room to align to 16
        self._state = self._block + -int(ffi.cast("uintptr_t", self._block)) % 16
        self._core = ffi.cast("rg_core *", self._state)
        if bad := lib.rg_core_init(self._core, chosen):
            name, low, high = _PARAMETERS[bad - 1], ffi.new("float *"), ffi.new("float *")
            lib.rg_params_bounds(bad, low, high)
            value = getattr(chosen, name)
            raise ValueError(f"{name} = {value:g} is impossible: give {low[0]:g} to {high[0]:g}")
        self._ping = ffi.new("rg_ping *")
        self._estimate = ffi.new("rg_estimate *")
        self._judged = ffi.buffer(self._estimate)
        self._events = ffi.new("rg_event[]", lib.RG_KINDS)

    def retime(self, fs: float) -> None:
        """Another motion sensor from now on, of `fs` samples a second: what only samples tell
        begins anew. What is behind, what is open and what is usual stay. Raises ValueError.
        """
        if lib.rg_core_retime(self._core, fs):
            raise ValueError(f"{fs:g} samples a second are impossible")
        self.fs = fs

    def ping(self, t: float, range_m: float, echo: int) -> None:
        """Hand in one ping [s, m, frames.Echo]; it takes effect at the next step."""
        ping = self._ping
        ping.t, ping.range, ping.echo = t, range_m, echo
        lib.rg_core_ping(self._core, ping)

    def drift(self, by: float) -> None:
        """The gyroscope's bias may have moved by so much [rad/s, s.d.] since this was last said, as
        its temperature has. Anything but a finite number above zero says nothing.
        """
        lib.rg_core_drift(self._core, by)

    def step(self, frame: Frame) -> list[Judgement]:
        """Judge the frame's IMU sample (NaN: a gap) and write what was judged into the frame."""
        n = _step(
            self._core, frame.t, frame.ax, frame.ay, frame.az, frame.gx, frame.gy, frame.gz,
            self._estimate, self._events,
        )  # fmt: skip
        (
            frame.step_time, frame.up_x, frame.up_y, frame.up_z, frame.cadence, frame.speed,
            frame.lean, frame.sway, frame.risk, frame.distance, frame.closing, frame.ttc,
            frame.direction, frame.step,
        ) = _unpack(self._judged)  # fmt: skip
        return _judgements(self._events, n) if n else []

    def run(
        self,
        t: ArrayLike,
        acc: ArrayLike,
        gyro: ArrayLike,
        pings: NDArray[Any] | tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
        columns: Sequence[str] = ALL,
    ) -> tuple[dict[str, NDArray[Any]], list[Judgement]]:
        """`step` over whole arrays; the next call goes on where this one ended.

        t [N] s; acc [N,3] m/s²; gyro [N,3] rad/s; a row with anything not finite is a gap.
        pings: an array of dtype `PING`, or (t, range, echo), in order of time; each is handed in
        before the first sample not older than it, and one newer than every sample is left out.
        Returns the columns asked for, one row a sample ([N], up [N,3]; NaN unknown), and the
        events in order. Raises ValueError for shapes that do not fit.
        """
        t = np.ascontiguousarray(t, np.float64)
        acc = np.ascontiguousarray(acc, np.float32)
        gyro = np.ascontiguousarray(gyro, np.float32)
        n = t.size
        if t.shape != (n,) or acc.shape != (n, 3) or gyro.shape != (n, 3):
            raise ValueError(f"t {t.shape}, acc {acc.shape}, gyro {gyro.shape}: not N, N×3, N×3")
        echoes = _as_pings(pings)
        out: dict[str, NDArray[Any]] = {
            c: np.empty((n, 3) if c == "up" else n, _COLUMNS[c][0]) for c in columns
        }
        series = ffi.new("rg_series *")
        capacity = max(_EVENTS_A_CALL, lib.RG_KINDS)
        events = ffi.new("rg_event[]", capacity)
        n_events, used = ffi.new("int64_t *"), ffi.new("int64_t *")
        judgements: list[Judgement] = []
        done = first = 0
        while done < n:
            for column, array in out.items():
                setattr(series, column, ffi.cast(_COLUMNS[column][1], array[done:].ctypes.data))
            done += lib.rg_core_run(
                self._core,
                n - done,
                ffi.cast("double *", t[done:].ctypes.data),
                ffi.cast("float *", acc[done:].ctypes.data),
                ffi.cast("float *", gyro[done:].ctypes.data),
                len(echoes) - first,
                ffi.cast("rg_ping *", echoes[first:].ctypes.data),
                used,
                series,
                capacity,
                events,
                n_events,
            )
            first += used[0]
            judgements += _judgements(events, n_events[0])
        return out, judgements

    def usual(self) -> list[Usual]:
        """What is usual for this wearer: walking backward, and any other way."""
        kept = ffi.new("rg_usual[2]")
        lib.rg_core_usual(self._core, kept)
        return [Usual(*(getattr(u, name) for name in Usual._fields)) for u in kept]

    def recall(self, usual: Sequence[Usual]) -> None:
        """Go on from what `usual` gave in an earlier session; impossible ones are left out."""
        lib.rg_core_recall(self._core, ffi.new("rg_usual[2]", [one._asdict() for one in usual]))

    def save(self) -> bytes:
        """The whole state; `restore` on another Core of the same build decides on from there."""
        state = bytes(ffi.buffer(self._state, self._size))
        return _SAVED.pack(_MAGIC, self._size, zlib.crc32(state)) + state

    def restore(self, saved: bytes) -> None:
        """Go on from what `save` gave. Raises ValueError when it is another build's, or damaged."""
        if len(saved) < _SAVED.size:
            raise ValueError("a saved state of the core is longer than that: the file is cut short")
        magic, size, crc = _SAVED.unpack_from(saved)
        state = saved[_SAVED.size :]
        if magic != _MAGIC or size != self._size:
            raise ValueError("this state was saved by another build of the core: use that build")
        if len(state) != size or zlib.crc32(state) != crc:
            raise ValueError("the saved state of the core is damaged")
        ffi.memmove(self._state, state, size)


def publish(buffer: Any, offset: int, sequence: int, payload: bytes) -> None:
    """Publish `payload` as frame `sequence` in the slot at `offset` (a multiple of 8) of `buffer`.

    `buffer` is writable (an mmap). Raises ValueError when the slot would not lie inside it.
    """
    view = ffi.from_buffer("char[]", buffer, require_writable=True)
    if offset < 0 or offset % 8 or offset + 16 + len(payload) > len(view):
        raise ValueError(f"a slot of {16 + len(payload)} bytes does not fit at byte {offset}")
    lib.rg_ring_publish(view + offset, sequence, payload, len(payload))


def _judgements(events: Any, n: int) -> list[Judgement]:
    return [
        Judgement(e.t, e.sample, KINDS[e.kind], _LEVELS[e.level], _STATES[e.state])
        for e in events[0:n]
    ]


def _as_pings(pings: NDArray[Any] | tuple[ArrayLike, ArrayLike, ArrayLike] | None) -> NDArray[Any]:
    """Pings as rg_ping lies in memory."""
    if pings is None:
        return np.empty(0, PING)
    if isinstance(pings, np.ndarray) and pings.dtype.names:
        t, distance, echo = pings["t"], pings["range"], pings["echo"]
    else:
        t, distance, echo = (np.asarray(column) for column in pings)
    if not (t.shape == distance.shape == echo.shape == (t.size,)):
        raise ValueError(f"pings: t {t.shape}, range {distance.shape}, echo {echo.shape}")
    packed = np.empty(t.size, PING)
    packed["t"], packed["range"], packed["echo"] = t, distance, echo
    return packed
