"""UCI 455, Simulated Falls and Daily Living Activities (Özdemir and Barshan 2014, doi
10.3390/s140610691; doi 10.24432/C52028): exports of Xsens MTw units."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.formats import Read, Trial, averaged, grouped, parts, text
from device.formats.facing import Postures
from device.recordings import Malformed

ABOUT = """\
SOURCE holds Tests/101/Testler Export/801-…/Test_1/340535.txt and so on (unpack the inner archives
as well). 340535 is the unit at the waist (public code); the rate stands in the header. m/s²; rates
are taken as rad/s, as Xsens exports them and as their noise at rest says, though some describe them
as °/s (over 40 rad/s, twice the unit's range, they are °/s). Which way the unit looks is told from
falls onto belly and back, a subject at a time. In 801 and 802 whoever moves is taken to walk
forward or backward: that is the truth of direction. No onset or impact is published."""

UNIT = "340535"
FASTEST = 40.0  # rad/s
MOVES = 0.7  # m/s², RMS of | |a| - its mean | over a second, from which somebody walks
ACTIVITIES = {
    801: "Walking forward",
    802: "Walking backward",
    803: "Jogging",
    804: "Squatting and standing up",
    805: "Bending",
    806: "Bending and picking up",
    807: "Limping",
    808: "Stumble with recovery",
    809: "Twisting the ankle",
    810: "Coughing or sneezing",
    811: "Sitting down on a chair",
    812: "Sitting down on a sofa",
    813: "Sitting in the air",
    814: "Sitting down on a bed",
    815: "Lying down on a bed",
    816: "Rising from a bed",
    901: "Fall forward, lying",
    902: "Fall forward with protection, lying",
    903: "Fall forward onto the knees",
    904: "Fall forward onto the knees, then lying",
    905: "Fall forward, quick recovery",
    906: "Fall forward, slow recovery",
    907: "Fall forward, lying on the right side",
    908: "Fall forward, lying on the left side",
    909: "Fall backward, sitting",
    910: "Fall backward, lying",
    911: "Fall backward, lying on the right side",
    912: "Fall backward, lying on the left side",
    913: "Fall sideways to the right",
    914: "Fall sideways to the right, recovery",
    915: "Fall sideways to the left",
    916: "Fall sideways to the left, recovery",
    917: "Rolling out of bed",
    918: "Fall from a podium",
    919: "Syncope",
    920: "Syncope, sliding down a wall",
}
PRONE, SUPINE = {901, 902, 904}, {910}
DIRECTIONS = {801: "forward", 802: "backward", 803: "forward", 807: "forward"}
WALKS = {801: 1, 802: -1}  # truth a sample
COLUMNS = ("Counter", "Acc_X", "Acc_Y", "Acc_Z", "Gyr_X", "Gyr_Y", "Gyr_Z")
_PATH = re.compile(r".*?(\d{3})/Testler Export/(\d{3})[^/]*/([^/]+)/(?:[^/]+/)?" + UNIT + r"\.txt")
_RATE = re.compile(r"Update Rate:\s*([\d.]+)\s*Hz", re.IGNORECASE)


def find(source: Path) -> dict[str, list[Path]]:
    files = []
    for path in source.rglob(f"{UNIT}.txt"):
        if found := _PATH.fullmatch(path.as_posix()):
            files.append((found[1], path))
    return grouped(source, files, f"file of the waist's unit (101/Testler Export/…/{UNIT}.txt)")


def read(subject: str, files: list[Path]) -> Read:
    trials, left_out, worn = [], [], Postures()
    for path in files:
        found = parts(_PATH, path.as_posix())
        code, test = int(found[2]), found[3].replace(" ", "_")
        if code not in ACTIVITIES or "fail" in test.lower():
            left_out.append(f"{path}: is no trial of the activities 801 to 816 and 901 to 920")
            continue
        fs, acc, gyro = _signals(path)
        if not np.isfinite(acc).any():
            left_out.append(f"{path}: holds no sample without a hole in it")
            continue
        fall = code >= 901
        trial = Trial(f"{subject}_{code}_{test}", str(code), ACTIVITIES[code], fs, acc, gyro, fall)
        trial.direction = DIRECTIONS.get(code, "")
        if code in DIRECTIONS:
            worn.upright(acc, fs)
        if code in PRONE:
            worn.prone(acc, fs)
        if code in SUPINE:
            worn.supine(acc, fs)
        trial.truth["x_dir"] = np.where(_moving(acc, fs), WALKS.get(code, 0), 0).astype(np.int8)
        trials.append(trial)
    fastest = max((np.nanmax(np.abs(trial.gyro)) for trial in trials), default=0.0)
    if fastest > FASTEST:
        for trial in trials:
            trial.gyro = np.radians(trial.gyro)
    return Read(trials, left_out, worn.turn())


def _signals(path: Path) -> tuple[float, NDArray[Any], NDArray[Any]]:
    """Rate, acc [N,3] and gyro [N,3] as they stand there, one row a count. Raises Malformed."""
    lines = text(path).splitlines()
    rate = next((found for line in lines[:10] if (found := _RATE.search(line))), None)
    start = next((k for k, line in enumerate(lines[:20]) if "Acc_X" in line), None)
    if rate is None or start is None:
        raise Malformed(f"{path}: has no header with Update Rate and Acc_X; unpack it again")
    header = lines[start].lstrip("/ ").split("\t")
    header = [name.strip() for name in header]
    if missing := [name for name in COLUMNS if name not in header]:
        raise Malformed(f"{path}: has no column {', '.join(missing)}; unpack it again")
    at = [header.index(name) for name in COLUMNS]
    rows = []
    for number, line in enumerate(lines[start + 1 :], start + 2):
        cells = line.split("\t")
        if not line.strip():
            continue
        try:
            rows.append([float(cells[k].strip() or "nan") for k in at])
        except (ValueError, IndexError):
            raise Malformed(
                f"{path}: line {number} is no row of numbers; unpack it again"
            ) from None
    values = np.array(rows).reshape(-1, len(at))
    values = values[np.isfinite(values[:, 0])]
    if len(values) < 2:
        raise Malformed(f"{path}: holds no samples; unpack it again")
    count = np.cumsum(np.concatenate([[0], np.diff(values[:, 0]) % 65536]))  # 16 bits
    count = np.rint(count / max(float(np.median(np.diff(count))), 1.0)).astype(np.int64)
    six = np.full((int(count[-1]) + 1, 6), np.nan)
    six[count] = values[:, 1:]
    six[~np.isfinite(six).all(axis=1)] = np.nan
    return float(rate[1]), six[:, :3], six[:, 3:]


def _moving(acc: NDArray[Any], fs: float) -> NDArray[np.bool_]:
    norm = np.nan_to_num(np.linalg.norm(acc, axis=1), nan=9.81)
    mean = averaged(norm, round(fs))
    moving: NDArray[np.bool_] = averaged((norm - mean) ** 2, round(fs)) > MOVES**2
    return moving
