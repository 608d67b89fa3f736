"""SisFall (Sucerquia, López, Vargas-Bonilla 2017, doi 10.3390/s17010198): counts in text files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from device.formats import G, Read, Trial, grouped, parts, table, text

ABOUT = """\
SOURCE holds SA01/D01_SA01_R01.txt and so on, wherever below it. Nine counts a row at 200 Hz:
ADXL345 (±16 g, 13 bits), ITG3200 (±2000 °/s, 16 bits), MMA8451Q (not used), scaled as its Readme
says: 2 range / 2^bits. Axes: x right, y down, z forward (the paper; equal, count by count, to a
conversion by others). No onset is published; `impact` is derived, the peak of |acceleration|: good
for detection, not for lead time."""

FS = 200.0
ACC = 2 * 16 / 2**13 * G  # m/s² a count
GYRO = np.radians(2 * 2000 / 2**16)  # rad/s a count
TURN = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # sensor's axes → body's
ACTIVITIES = {
    "D01": "Walking slowly",
    "D02": "Walking quickly",
    "D03": "Jogging slowly",
    "D04": "Jogging quickly",
    "D05": "Walking upstairs and downstairs slowly",
    "D06": "Walking upstairs and downstairs quickly",
    "D07": "Slowly sit in a half height chair, wait, and up slowly",
    "D08": "Quickly sit in a half height chair, wait, and up quickly",
    "D09": "Slowly sit in a low height chair, wait, and up slowly",
    "D10": "Quickly sit in a low height chair, wait, and up quickly",
    "D11": "Sitting, trying to get up, and collapse into a chair",
    "D12": "Sitting, lying slowly, wait, and sit again",
    "D13": "Sitting, lying quickly, wait, and sit again",
    "D14": "Lying on the back, change to the side, wait, and back",
    "D15": "Standing, slowly bending at knees, and getting up",
    "D16": "Standing, slowly bending without bending knees, and getting up",
    "D17": "Standing, get into a car, remain seated and get out of the car",
    "D18": "Stumble while walking",
    "D19": "Gently jump without falling (reaching for something high)",
    "F01": "Fall forward while walking, caused by a slip",
    "F02": "Fall backward while walking, caused by a slip",
    "F03": "Lateral fall while walking, caused by a slip",
    "F04": "Fall forward while walking, caused by a trip",
    "F05": "Fall forward while jogging, caused by a trip",
    "F06": "Vertical fall while walking, caused by fainting",
    "F07": "Fall while walking, hands on a table dampen it, caused by fainting",
    "F08": "Fall forward when trying to get up",
    "F09": "Lateral fall when trying to get up",
    "F10": "Fall forward when trying to sit down",
    "F11": "Fall backward when trying to sit down",
    "F12": "Lateral fall when trying to sit down",
    "F13": "Fall forward while sitting, caused by fainting or falling asleep",
    "F14": "Fall backward while sitting, caused by fainting or falling asleep",
    "F15": "Lateral fall while sitting, caused by fainting or falling asleep",
}
FORWARD = ("D01", "D02", "D03", "D04")
_FILE = re.compile(r"([DF]\d\d)_(S[AE]\d\d)_R(\d\d)\.txt")


def find(source: Path) -> dict[str, list[Path]]:
    """By folder: a file of SA15 is misnamed SE15 at its source."""
    files = []
    for path in source.rglob("*.txt"):
        if found := _FILE.fullmatch(path.name):
            folder = path.parent.name
            files.append((folder if re.fullmatch(r"S[AE]\d\d", folder) else found[2], path))
    return grouped(source, files, "SisFall trial (D01_SA01_R01.txt)")


def read(subject: str, files: list[Path]) -> Read:
    trials, left_out = [], []
    for path in files:
        found = parts(_FILE, path.name)
        code = found[1]
        if code not in ACTIVITIES:
            left_out.append(f"{path}: activity {code} is none of SisFall's")
            continue
        rows = [row for line in text(path).split("\n") if (row := line.strip().rstrip(";"))]
        counts = table(path, rows, 9, ",")
        acc = counts[:, :3] * ACC
        fall = code[0] == "F"
        trials.append(
            Trial(
                f"{code}_{subject}_R{found[3]}",
                code,
                ACTIVITIES[code],
                FS,
                acc,
                counts[:, 3:6] * GYRO,
                fall=fall,
                impact=int(np.argmax((acc**2).sum(axis=1))) if fall else -1,
                direction="forward" if code in FORWARD else "",
                note="" if found[2] == subject else f"named {path.stem} at its source",
            )
        )
    return Read(trials, left_out, TURN)
