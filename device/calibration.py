"""How this belt sits on this body: a small file in data_dir, made by `rearguard calibrate`.

The source turns every sample by it, so that frames are in the walker's axes; the core foretells the
floor's echo from the beam's angle. Without a file the sensors are taken as fitted.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

VERSION = 1
MODE = 0o644  # no secret, and the service's user may look at it
SKEW = 1e-3  # by which rows may miss being a rotation: what rounding leaves
PITCHES = (-30.0, 45.0)  # degrees, as ranger.pitch_deg

Vector = tuple[float, float, float]
Turn = tuple[Vector, Vector, Vector]
AS_FITTED: Turn = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Calibration:
    """`doubt`: why a file that is there is not used, in one line."""

    turn: Turn = AS_FITTED  # rows: the walker's axes (forward, left, up) in the belt's
    beam_up_deg: float | None = None  # the rear beam's axis above level, standing; None: not found
    floor_m: float | None = None  # where the floor answers, standing; None: nowhere in range
    chip: str = ""  # the motion sensor it was made with
    made: str = ""  # UTC, ISO 8601; empty: there is none
    doubt: str = ""

    def turned(self, v: Vector) -> Vector:
        """From the belt's axes to the walker's."""
        x, y, z = v
        a, b, c = self.turn
        return (
            a[0] * x + a[1] * y + a[2] * z,
            b[0] * x + b[1] * y + b[2] * z,
            c[0] * x + c[1] * y + c[2] * z,
        )

    def fits(self, chip: str) -> Calibration:
        """Itself, or none where another motion sensor is fitted now."""
        if not self.made or self.chip == chip:
            return self
        return Calibration(doubt=f"made with {self.chip}, and {chip} is fitted")


def load(file: Path, belt: str) -> Calibration:
    """What the file says; none where there is no file. A file that will not do is a `doubt`."""
    try:
        text = file.read_text(encoding="utf-8")
        said = json.loads(text)
        return _checked(said, belt)
    except FileNotFoundError:
        return Calibration()
    except (OSError, ValueError, TypeError, KeyError) as error:
        return Calibration(doubt=f"{file.name} cannot be used ({type(error).__name__}: {error})")


def save(file: Path, belt: str, calibration: Calibration) -> None:
    """There whole or not at all. Raises OSError."""
    said = {"version": VERSION, "belt": belt, **asdict(calibration)}
    del said["doubt"]
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as out:
            os.fchmod(out.fileno(), MODE)
            out.write(json.dumps(said, indent=1) + "\n")
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _checked(said: dict[str, object], belt: str) -> Calibration:
    if said["version"] != VERSION:
        raise ValueError(f"version {said['version']}, not {VERSION}")
    if said["belt"] != belt:
        raise ValueError(f"of belt {said['belt']!r}, not {belt!r}")
    turn = said["turn"]
    if not isinstance(turn, list) or [len(row) for row in turn] != [3, 3, 3]:
        raise ValueError("turn is not three rows of three")
    x, y, z = (_vector(row) for row in turn)
    if not _is_rotation(x, y, z):
        raise ValueError("turn is no rotation")
    beam, floor = _number(said["beam_up_deg"]), _number(said["floor_m"])
    if beam is not None and not PITCHES[0] <= beam <= PITCHES[1]:
        raise ValueError(f"a beam {beam:g} degrees above level")
    return Calibration((x, y, z), beam, floor, str(said["chip"]), str(said["made"]))


def _vector(row: list[object]) -> Vector:
    x, y, z = (_number(value) for value in row)
    if x is None or y is None or z is None:
        raise ValueError("turn has a hole")
    return x, y, z


def _number(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _is_rotation(x: Vector, y: Vector, z: Vector) -> bool:
    lengths = [math.hypot(*row) for row in (x, y, z)]
    cross = (
        x[1] * y[2] - x[2] * y[1],
        x[2] * y[0] - x[0] * y[2],
        x[0] * y[1] - x[1] * y[0],
    )
    return all(abs(n - 1) < SKEW for n in lengths) and math.dist(cross, z) < 2 * SKEW
