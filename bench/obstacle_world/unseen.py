"""The map of what no ultrasonic sensor sees: target by target, by how high it reaches.

The belt as hardware.md has it (1.0 m, beam 5° up, trunk 5° back, so level), straight behind the
wearer, no luck in it: where an echo is possible at all.
"""

from __future__ import annotations

import numpy as np

from . import echoes, wearers
from .echoes import Reflector

HEIGHTS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.8)  # m the target reaches above the floor
TARGETS: dict[str, dict[str, float]] = {  # what differs from a hard face 0.6 m wide, square on
    "wall, box, parapet": {},
    "the same, turned by 30°": {"oblique": 30.0},
    "glass or wall, turned by 45°": {"oblique": 45.0},
    "chair back (from 0.45 m up)": {"low": 0.45, "half": 0.21},
    "cloth, coat, curtain (half the pings)": {"loss": 10.0, "low": 0.02},
    "person (trunk)": {"radius": 0.15, "loss": 6.0},
    "child (trunk)": {"radius": 0.10, "loss": 6.0},
    "post 5 cm": {"radius": 0.025},
    "rod 1 cm": {"radius": 0.005},
    "wire 2 mm": {"radius": 0.001},
    "foam, thick fleece": {"loss": 35.0, "low": 0.02},
}
AHEAD = np.arange(echoes.FARTHEST, wearers.REACH, -0.02)  # m of the target from the belt


def spans() -> dict[str, list[tuple[float, float] | None]]:
    """For each target and height: the distances [m] between which it is in the beam, or None."""
    nothing = np.zeros(AHEAD.size)
    pose = echoes.Poses(nothing, nothing, nothing, nothing + 1.0, nothing + np.pi, nothing)
    return {name: [_span(pose, high, **how) for high in HEIGHTS] for name, how in TARGETS.items()}


def _span(
    pose: echoes.Poses, high: float, oblique: float = 0.0, half: float = 0.3, radius: float = 0.0,
    low: float = 0.0, **rest: float,
) -> tuple[float, float] | None:  # fmt: skip
    if high <= low:
        return None
    turned = np.radians(oblique)
    along = half * np.array([np.sin(turned), np.cos(turned)]) * (radius == 0)
    at = np.stack([-AHEAD - radius, np.zeros(AHEAD.size)], axis=1)
    target = Reflector(at - along, at + along, radius=radius, low=low, high=high, **rest)
    seen = AHEAD[echoes.possible(target, pose)]
    return (float(seen.max()), float(seen.min())) if seen.size else None


def markdown() -> str:
    """The map as a table for the documents."""
    head = "| reaches up to | " + " | ".join(f"{h:g} m" for h in HEIGHTS) + " |"
    rows = [head, "|---" * (len(HEIGHTS) + 1) + "|"]
    for name, cells in spans().items():
        rows.append(f"| {name} | " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(rows)


def _cell(span: tuple[float, float] | None) -> str:
    if span is None:
        return "**unseen**"
    far, near = span
    return f"{far:.1f}" if near < wearers.REACH + 0.05 else f"{far:.1f} to {near:.1f}"
