"""The Kiel validation data (Warmerdam et al. 2022, doi 10.3390/data7100136): MATLAB files of
inertial sensors and of an optical system beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.formats import G, Read, Trial, averaged, grouped
from device.formats.facing import Postures
from device.recordings import Malformed

ABOUT = """\
SOURCE holds pp001/imu/imu_backwards.mat and pp001/optical/omc_backwards.mat and so on; needs scipy
(pip install 'rearguard[convert]'). A struct `data`: acc (g) and gyro (°/s) [N,3,M], fs,
imu_location; pos (mm) [N,4,M], fs, marker_location (the repository's Readme). The sensor at the
pelvis is taken. The truth of direction and speed is the optical pelvis: the velocity of the four
markers of the iliac spines, along the way from the back ones to the front ones. Which way the
sensor looks is not published: told from where the optical pelvis accelerates to, a subject at a
time, as most others' where there is no optical file. Foot contacts are not read. Tried on made-up
files only."""

PLACES = ("pelvis", "lower_back", "lowerback", "lumbar")
FRONT, BACK = ("l_asis", "r_asis"), ("l_psis", "r_psis")
SLOW = 0.1  # m/s, below which the pelvis stands still
SMOOTH = 0.2  # s over which markers are averaged before velocities are taken
ACTIVITIES = {
    "backwards": ("Walking backward", "backward"),
    "sideways": ("Walking sideways", "other"),
    "walk_slow": ("Walking slowly", "forward"),
    "walk_preferred": ("Walking", "forward"),
    "walk_fast": ("Walking fast", "forward"),
    "slalom": ("Walking a slalom", "forward"),
    "walk_turn": ("Walking and turning", ""),
    "gait1": ("Gait", ""),
    "gait2": ("Gait", ""),
    "tug": ("Timed up and go", ""),
}
_FILE = re.compile(r"(imu|omc)_(.+)\.mat")


def find(source: Path) -> dict[str, list[Path]]:
    files = []
    for path in source.rglob("*.mat"):
        if _FILE.fullmatch(path.name):
            files.append((path.parent.parent.name, path))
    return grouped(source, files, "Kiel file (pp001/imu/imu_backwards.mat)")


def read(subject: str, files: list[Path]) -> Read:
    optical = {path.stem[4:]: path for path in files if path.name.startswith("omc_")}
    trials, worn = [], Postures()
    for path in (path for path in files if path.name.startswith("imu_")):
        task = path.stem[4:]
        if task.startswith("calibration"):
            continue
        data = _struct(path)
        fs, acc, gyro = _sensor(path, data)
        activity, direction = ACTIVITIES.get(task, (task.replace("_", " ").capitalize(), ""))
        trial = Trial(f"{subject}_{task}", task, activity, fs, acc, gyro, direction=direction)
        if direction:
            worn.upright(acc, fs)
        if task in optical:
            worn.forward(_truth(trial, optical[task]))
        trials.append(trial)
    for trial in trials:
        trial.truth.setdefault("x_dir", np.zeros(len(trial.acc), np.int8))
        trial.truth.setdefault("x_vx", np.full(len(trial.acc), np.nan, np.float32))
    return Read(trials, [], worn.turn())


def _struct(path: Path) -> Any:
    """The file's `data`. Raises Malformed."""
    try:
        from scipy.io import loadmat  # noqa: PLC0415  an extra
    except ImportError as error:
        raise Malformed(
            f"{path}: reading it needs scipy; pip install 'rearguard[convert]'"
        ) from error
    try:
        return loadmat(path, squeeze_me=True, struct_as_record=False)["data"]
    except NotImplementedError as error:
        raise Malformed(f"{path}: is of MATLAB 7.3; save it with -v7") from error
    except Exception as error:
        raise Malformed(f"{path}: can't be read ({error}); download it again") from error


def _fields(path: Path, data: Any, *names: str) -> list[Any]:
    if missing := [name for name in names if not hasattr(data, name)]:
        raise Malformed(f"{path}: `data` has no {', '.join(missing)}; is it of this data set?")
    return [getattr(data, name) for name in names]


def _sensor(path: Path, data: Any) -> tuple[float, NDArray[Any], NDArray[Any]]:
    """Rate, acc [N,3] m/s², gyro [N,3] rad/s of the sensor at the pelvis. Raises Malformed."""
    acc, gyro, fs, places = _fields(path, data, "acc", "gyro", "fs", "imu_location")
    names = [str(place).strip().lower() for place in np.atleast_1d(places)]
    k = next((names.index(place) for place in PLACES if place in names), None)
    if k is None:
        raise Malformed(f"{path}: no sensor at the pelvis among {', '.join(names)}; leave it out")
    acc, gyro = (np.asarray(a, np.float64).reshape(len(a), 3, -1) for a in (acc, gyro))
    if acc.shape != gyro.shape or k >= acc.shape[2]:
        raise Malformed(f"{path}: acc is {acc.shape}, gyro {gyro.shape}; download it again")
    acc, gyro = acc[:, :, k] * G, np.radians(gyro[:, :, k])
    gap = ~(np.isfinite(acc).all(axis=1) & np.isfinite(gyro).all(axis=1))
    acc[gap] = gyro[gap] = np.nan
    return float(fs), acc, gyro


def _truth(trial: Trial, path: Path) -> NDArray[Any]:
    """Sets x_vx and x_dir from the optical pelvis; returns where forward is in the sensor's axes
    [3], by how it accelerates; zeros when the two files do not belong together."""
    data = _struct(path)
    pos, fs, places = _fields(path, data, "pos", "fs", "marker_location")
    names = [str(place).strip().lower() for place in np.atleast_1d(places)]
    if len(pos) != len(trial.acc) or not np.isclose(float(fs), trial.fs):
        return np.zeros(3)
    if missing := [name for name in (*FRONT, *BACK) if name not in names]:
        raise Malformed(f"{path}: has no marker {', '.join(missing)}; leave the file out")
    front, back = (
        np.mean([pos[:, :2, names.index(name)] for name in pair], axis=0) / 1000
        for pair in (FRONT, BACK)
    )
    heading = front - back
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    over = round(SMOOTH * trial.fs)
    middle = np.stack([averaged((front + back)[:, k] / 2, over) for k in (0, 1)], axis=1)
    velocity = np.gradient(middle, 1 / trial.fs, axis=0)
    ahead = (velocity * heading).sum(axis=1)
    aside = np.abs(velocity[:, 0] * heading[:, 1] - velocity[:, 1] * heading[:, 0])
    way = np.where(np.abs(ahead) < SLOW, 0, np.sign(ahead))
    way = np.where((aside > SLOW) & (aside > np.abs(ahead)), 2, way)
    trial.truth["x_vx"] = ahead.astype(np.float32)
    trial.truth["x_dir"] = np.where(np.isfinite(ahead), way, 0).astype(np.int8)
    push = np.gradient(ahead, 1 / trial.fs)
    felt = np.stack([averaged(trial.acc[:, k], over) for k in range(3)], axis=1)
    good = np.isfinite(push) & np.isfinite(felt).all(axis=1)
    if good.sum() < trial.fs:
        return np.zeros(3)
    felt = felt[good] - felt[good].mean(axis=0)
    along: NDArray[Any] = (felt * (push[good] - push[good].mean())[:, None]).sum(axis=0)
    return along / max(float(np.linalg.norm(along)), 1e-9)
