"""The black box's recordings, as people read them: listed, drawn, taken away. Never written.

A recording set (device/recordings.py) is a folder with an index and one NumPy archive. It is read
here without NumPy: that would cost the service a quarter of its memory for a picture now and then.
"""

from __future__ import annotations

import ast
import csv
import io
import math
import re
import struct
import sys
import zipfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NAME = re.compile(r"[\w-]{1,120}")  # what the black box makes of an alert_id
STRETCHES = 600  # points of a drawing
MAX_BYTES = 20_000_000  # of a recording, unpacked; a minute takes about 250 kB
_TYPES = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q", "|i1": "b", "|u1": "B"}


class UnknownRecordingError(Exception):
    """There is no such recording, or it cannot be read; one line says which."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is drawn of a recording, and from when until when it is [s, monotonic]."""

    begin: float
    end: float
    curves: dict[str, dict[str, Any]]


def name_of(alert_id: str) -> str:
    """What the black box calls the recording of an episode (device/blackbox.py)."""
    return re.sub(r"[^\w-]+", "-", alert_id)


class Recordings:
    """A folder that another process writes and tidies: anything may be gone the next moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Newest first."""
        found = []
        try:
            for entry in self._folder.iterdir():
                if NAME.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
                    found.append((entry.stat().st_mtime, entry.name))
        except FileNotFoundError:
            pass  # nothing was ever kept, or one went this moment
        return [name for _, name in sorted(found, reverse=True)]

    def about(self, name: str) -> dict[str, Any]:
        """One recording. Raises UnknownRecordingError."""
        folder = self._find(name)
        try:
            with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
                row = next(csv.DictReader(file))
            return {
                "name": name,
                "event": row["code"],
                "detail": row["note"] or "",
                "made_at": datetime.fromtimestamp(folder.stat().st_mtime, UTC).isoformat(
                    timespec="seconds"
                ),
                "seconds": round(int(row["n"]) / float(row["fs"]), 1),
                "samples": int(row["n"]),
                "bytes": sum(file.stat().st_size for file in folder.iterdir()),
            }
        except (OSError, ValueError, KeyError, StopIteration, csv.Error) as error:
            raise UnknownRecordingError(f"the recording {name} cannot be read: {error}") from error

    def zipped(self, name: str) -> bytes:
        """The recording set as a ZIP archive, as it stands. Raises UnknownRecordingError."""
        folder, out = self._find(name), io.BytesIO()
        try:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(folder.iterdir()):
                    if file.is_file() and not file.is_symlink():
                        archive.write(file, f"{name}/{file.name}")
        except OSError as error:
            raise UnknownRecordingError(f"the recording {name} cannot be read: {error}") from error
        return out.getvalue()

    def signals(self, name: str) -> Signals:
        """What is drawn of it. Raises UnknownRecordingError."""
        folder = self._find(name)
        try:
            file = next(folder.glob("*.npz"))
            with zipfile.ZipFile(file) as archive:
                if sum(part.file_size for part in archive.infolist()) > MAX_BYTES:
                    raise ValueError(f"it is larger than {MAX_BYTES // 1_000_000} MB")
                return _signals({k: _array(archive, k) for k in _WANTED})
        except (OSError, ValueError, KeyError, StopIteration, zipfile.BadZipFile,
                struct.error, SyntaxError, EOFError) as error:  # fmt: skip
            raise UnknownRecordingError(f"the recording {name} cannot be read: {error}") from error

    def _find(self, name: str) -> Path:
        # by the name of something that is there, never by joining what was asked for
        if name not in self.names():
            raise UnknownRecordingError(f"there is no recording {name[:120]!r}")
        return self._folder / name


_WANTED = ("acc_q", "gyro_q", "x_t", "range_m", "range_t", "range_status")


def _array(archive: zipfile.ZipFile, name: str) -> array[Any]:
    """One array, flat. NumPy's format version 1: magic, header length, header, data."""
    data = archive.read(f"{name}.npy")
    if data[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError(f"{name} is no array of NumPy's format 1.0")
    (length,) = struct.unpack_from("<H", data, 8)
    header = ast.literal_eval(data[10 : 10 + length].decode("latin-1"))
    if header["fortran_order"] and len(header["shape"]) > 1:
        raise ValueError(f"{name} is in Fortran's order")
    values: array[Any] = array(_TYPES[header["descr"]])
    if math.prod(header["shape"]) * values.itemsize != len(data) - 10 - length:
        raise ValueError(f"{name} is cut short")
    values.frombytes(data[10 + length :])
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _signals(found: dict[str, array[Any]]) -> Signals:
    t = found["x_t"]
    start = next((moment for moment in t if math.isfinite(moment)), math.nan)
    if math.isnan(start):
        raise ValueError("it is empty")
    along = [moment - start for moment in t]
    force, turn = list(_sizes(found["acc_q"])), list(_sizes(found["gyro_q"]))
    seen = [
        (when, distance)
        for when, distance, status in zip(
            found["range_t"], found["range_m"], found["range_status"], strict=True
        )
        if status == 0
    ]
    if not len(along) == len(force) == len(turn):
        raise ValueError("its arrays are not of one length")
    return Signals(
        start,
        max(moment for moment in t if math.isfinite(moment)),
        {
            "force": _curve("m/s²", along, force),
            "turn": _curve("rad/s", along, turn),
            "range": _curve("m", [when for when, _ in seen], [distance for _, distance in seen]),
        },
    )


def _sizes(flat: array[Any]) -> Iterator[float]:
    """The length of each vector of three."""
    return (math.hypot(*flat[k : k + 3]) for k in range(0, len(flat), 3))


def _curve(unit: str, t: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    """Thinned to at most STRETCHES points, so that no peak is lost."""
    step = max(1, math.ceil(len(values) / STRETCHES))
    times, low, high = [], list[float | None](), list[float | None]()
    for k in range(0, len(values), step):
        known = [value for value in values[k : k + step] if math.isfinite(value)]
        if math.isfinite(t[k]):
            times.append(round(t[k], 3))
            low.append(round(min(known), 3) if known else None)
            high.append(round(max(known), 3) if known else None)
    return {"unit": unit, "t": times, "low": low, "high": high}
