"""Downloads made by the tests: a few trials in each publisher's own format.

`body` is what the wearer's body did, acc [N,3] m/s² and gyro [N,3] rad/s in the body frame; each
maker turns it into its sensor's axes and units.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

G = 9.80665
Body = tuple[NDArray[Any], NDArray[Any]]
# what became of the wearer: where the body's up points at the end, in the body frame
ENDS = {"upright": (0, 0, 1), "prone": (-1, 0, 0), "supine": (1, 0, 0), "side": (0, 1, 0)}


def body(end: str, fs: float, seconds: float = 6.0, seed: int = 1) -> Body:
    """Standing, then a fall to `end` at two thirds, and an impact there."""
    rng = np.random.default_rng(seed)
    n = round(seconds * fs)
    lies = np.clip((np.arange(n) / n - 0.6) / 0.06, 0, 1)[:, None]
    acc = G * ((1 - lies) * np.array([0.0, 0.0, 1.0]) + lies * np.array(ENDS[end]))
    acc += rng.normal(0, 0.1, (n, 3))
    gyro = rng.normal(0, 0.02, (n, 3))
    if end != "upright":
        acc[int(0.66 * n)] *= 3
        gyro[int(0.6 * n) : int(0.66 * n)] += 2.0
    return acc, gyro


def turned(of: Body, turn: NDArray[Any]) -> Body:
    """In the sensor's axes; `turn` is what brings those to the body's."""
    return of[0] @ turn, of[1] @ turn


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


KFALL_TURN = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def kfall(folder: Path) -> dict[str, Body]:
    """SA06: a walk, two falls; onset at frame 200, impact at 250; one frame of the walk is lost."""
    import openpyxl

    made = {}
    for name, end in (("S06T06R01", "upright"), ("S06T20R01", "prone"), ("S06T21R02", "supine")):
        made[name] = body(end, 100)
        acc, gyro = turned(made[name], KFALL_TURN)
        rows = ["TimeStamp(s),FrameCounter,AccX,AccY,AccZ,GyrX,GyrY,GyrZ,EulerX,EulerY,EulerZ"]
        for k, (a, g) in enumerate(zip(acc / G, np.degrees(gyro), strict=True)):
            if name != "S06T06R01" or k != 300:
                values = ",".join(f"{v:.5f}" for v in (*a, *g))
                rows.append(f"{k / 100:.2f},{k + 1},{values},0,0,0")
        write(folder / "sensor_data" / "SA06" / f"{name}.csv", "\n".join(rows) + "\n")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(
        ["Task Code (Task ID)", "Description", "Trial ID", "Fall_onset_frame", "Fall_impact_frame"]
    )
    sheet.append(["F01 (20)", "Forward fall", 1, 200, 250])
    sheet.append(["F02 (21)", "Backward fall", 1, 7, 9])
    sheet.append([None, None, 2, 201, 251])  # merged cells
    (folder / "label_data").mkdir()
    book.save(folder / "label_data" / "SA06_label.xlsx")
    return made


SISFALL_TURN = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def sisfall(folder: Path) -> dict[str, Body]:
    """SA15: a walk, a fall, and one that is misnamed at the source."""
    made = {}
    for name, as_named, end in (
        ("D01_SA15_R01", "D01_SA15_R01", "upright"),
        ("F01_SA15_R01", "F01_SA15_R01", "prone"),
        ("D17_SA15_R01", "D17_SE15_R01", "upright"),
    ):
        made[name] = body(end, 200)
        acc, gyro = turned(made[name], SISFALL_TURN)
        counts = np.rint(np.hstack([acc / G * 256, np.degrees(gyro) * 16.384, acc * 0]))
        rows = [",".join(f"{int(v)}" for v in row) + ";" for row in counts]
        write(folder / "SA15" / f"{as_named}.txt", "\n".join(rows) + "\n\n")
    return made


UMAFALL_TURN = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])


def umafall(folder: Path) -> dict[str, Body]:
    """Subject 2 walks and falls; subject 17 only walks. The unit at the waist is number 3 here."""
    made = {}
    for subject, kind, name, end in (
        (2, "ADL", "Walking", "upright"),
        (2, "Fall", "forwardFall", "prone"),
        (2, "Fall", "backwardFall", "supine"),
        (17, "ADL", "Jogging", "upright"),
    ):
        made[f"U{subject:02d}_{name}"] = body(end, 20, 15)
        acc, gyro = turned(made[f"U{subject:02d}_{name}"], UMAFALL_TURN)
        rows = [
            "% Universidad de Malaga",
            "% 3; WAIST; SensorTag",
            "% TimeStamp; Sample No; X-Axis; Y-Axis; Z-Axis; Sensor Type; Sensor ID;",
        ]
        for k in range(len(acc)):
            for kind_of, three in ((0, acc[k] / G), (1, np.degrees(gyro[k]))):
                values = "; ".join(f"{v:.6f}" for v in three)
                if kind_of == 0 and k in (100, 101, 102, 103, 104, 105, 106, 107):
                    values = "1.012.598.156; 1.1.1; 2.2.2"  # what a spreadsheet has made of them
                rows.append(f"{50 * k}; {k}; {values}; {kind_of}; 3;")
            rows.append(f"{50 * k}; {k}; 9; 9; 9; 0; 1;")  # another unit
        file = f"UMAFall_Subject_{subject:02d}_{kind}_{name}_1_2016-06-13_20-51-32.csv"
        write(folder / file, "\n".join(rows) + "\n")
    return made


UCI_TURN = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])


def uci455(folder: Path) -> dict[str, Body]:
    """Subject 101 walks forward and backward and falls; a failed test lies beside them."""
    made = {}
    for code, name, test, end in (
        (801, "Yurume Ileri", "Test_1", "upright"),
        (802, "YurumeGeri", "Test_1", "upright"),
        (901, "OneDogruUzanma", "Test_2", "prone"),
        (910, "GeriyeDogruUzanma", "Test_1", "supine"),
        (910, "GeriyeDogruUzanma", "Test_2 Fail", "supine"),
    ):
        was = body(end, 25, 12)
        if code < 900:
            was[0][100:200, 2] += 3 * np.sin(np.arange(100))
        made[f"101_{code}_{test.replace(' ', '_')}"] = was
        acc, gyro = turned(was, UCI_TURN)
        rows = [
            "// Start Time: Unknown",
            "// Update Rate: 25.0Hz",
            "// Filter Profile: human (1.0)",
            "// Firmware Version: 2.0",
            "Counter\tTemperature\tPressure\tVelInc_X\tAcc_X\tAcc_Y\tAcc_Z\tGyr_X\tGyr_Y\tGyr_Z\tRoll",
        ]
        for k in range(len(acc)):
            six = ["" if k == 40 else f"{v:.6f}" for v in (*acc[k], *gyro[k])]
            if k != 50:
                rows.append("\t".join([str((65500 + k) % 65536), "", "", "", *six, ""]))
        place = folder / "Tests" / "101" / "Testler Export" / f"{code}-{name}" / test
        write(place / "340535.txt", "\r\n".join(rows) + "\r\n")
        write(place / "340527.txt", "another unit")
    return made


KIEL_TURN = np.array([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]])


def kiel(folder: Path) -> dict[str, Body]:
    """pp001 walks backward and forward before cameras, and rises from a chair without them."""
    from scipy.io import savemat

    made = {}
    fs, n = 200.0, 2000
    t = np.arange(n) / fs
    for task, sign in (("backwards", -1.0), ("walk_fast", 1.0), ("chairrise_fast", 0.0)):
        acc, gyro = body("upright", fs, n / fs)
        speed = sign * np.clip(t - 2, 0, 1.0) * (1 + 0.1 * np.sin(2 * np.pi * t))
        acc[:, 0] += np.gradient(speed, 1 / fs)
        made[f"pp001_{task}"] = acc, gyro
        mine, rates = turned((acc, gyro), KIEL_TURN)
        other = np.zeros((n, 3))
        place = folder / "pp001"
        for kind in ("imu", "optical"):
            (place / kind).mkdir(parents=True, exist_ok=True)
        data: dict[str, Any] = {
            "acc": np.stack([other, mine / G], axis=2),
            "gyro": np.stack([other, np.degrees(rates)], axis=2),
            "fs": fs,
            "imu_location": np.array(["sternum", "pelvis"], object),
        }
        savemat(place / "imu" / f"imu_{task}.mat", {"data": data})
        if sign:
            x = 1000 * np.cumsum(speed) / fs
            markers = {"l_asis": 100.0, "r_asis": 100.0, "l_psis": -100.0, "r_psis": -100.0}
            pos = np.zeros((n, 4, 4))
            for k, offset in enumerate(markers.values()):
                pos[:, 1, k] = x + offset  # walks along y
            data = {"pos": pos, "fs": fs, "marker_location": np.array(list(markers), object)}
            savemat(place / "optical" / f"omc_{task}.mat", {"data": data})
    return made


MAKERS: dict[str, Callable[[Path], dict[str, Body]]] = {
    "kfall": kfall,
    "sisfall": sisfall,
    "umafall": umafall,
    "uci455": uci455,
    "kiel": kiel,
}
