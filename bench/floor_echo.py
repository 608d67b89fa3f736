"""Where the floor answers: the distance a rear sensor reports for level ground, by how it is worn.

The lower edge of the beam, `pitch - half_angle` from level, meets the ground at slant distance
height / sin(half_angle - pitch). `./dev bench floor_echo [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

HEIGHT = 1.0  # m
HALF_ANGLES = (7.5, 15.0, 30.0)  # degrees: MaxBotix-like, HC-SR04, wide waterproof sensors
PITCHES = (-10.0, 0.0, 5.0, 10.0, 15.0)  # degrees above level; leaning back by 10 is -10


def floor(height: float, half_angle: float, pitch: float) -> float:
    """Slant distance [m] to the floor along the beam's lower edge; infinity when it looks up."""
    down = math.radians(half_angle - pitch)
    return height / math.sin(down) if down > 0 else math.inf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = {p: {a: floor(HEIGHT, a, p) for a in HALF_ANGLES} for p in PITCHES}
    print(f"Floor echo in m, sensor {HEIGHT} m high")
    print("beam up by | " + " | ".join(f"half-angle {a}°" for a in HALF_ANGLES))
    for pitch, row in table.items():
        cells = ("never" if math.isinf(d) else f"{d:.1f} m" for d in row.values())
        print(f"{pitch:+.0f}° | " + " | ".join(cells))
    if options.json:
        finite = {
            str(p): {str(a): None if math.isinf(d) else round(d, 3) for a, d in row.items()}
            for p, row in table.items()
        }
        options.json.write_text(json.dumps(finite) + "\n")
    nearest = min(min(row.values()) for row in table.values())
    print(f"floor_echo: nearest {nearest:.2f} m")


if __name__ == "__main__":
    main()
