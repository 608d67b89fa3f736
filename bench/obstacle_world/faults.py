"""The ranger breaks while its wearer walks backward: how long until that is told.

Electrical: no pulse, stuck, no acknowledge, silence. Acoustic: covered (echoes from 2 to 10 cm),
wet (a film rings: half the pings glitch, the others end within 30 cm), jammed (a source near by:
distances at random). A cloth that swallows every echo is not here: to the ranger it is open space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from device.alerts import State
from device.core import Core

from . import echoes, walks
from .approaches import CORE
from .echoes import Reflector

ELECTRICAL = ("no pulse", "stuck", "no acknowledge", "silence")
ACOUSTIC = ("covered", "wet", "jammed")
KINDS = ELECTRICAL + ACOUSTIC
SECONDS = 22.0


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str
    seed: int
    told: float  # s from the fault to `rear_blind`; SECONDS: not at all
    early: bool  # `rear_blind` before there was a fault


def fault(seed: int, kind: str) -> Fault:
    rng = np.random.default_rng([seed, 200 + KINDS.index(kind)])
    worn = walks.belt(rng)
    walk = walks.walk(rng, worn, walks.setting_off(SECONDS, 2.0, -rng.uniform(0.2, 1.2)))
    pose = walk.at(echoes.moments(rng, SECONDS - 0.2))
    far = np.full(pose.t.size, rng.uniform(1.0, 3.5))
    a, b = (np.stack([pose.x - far, np.full(far.size, y)], axis=1) for y in (-1.0, 1.0))
    behind = [Reflector(a, b)] if rng.random() < 0.5 else []
    back, distance, echo, _ = echoes.ping(rng, pose, behind, echoes.air(rng))
    begins = rng.uniform(8.0, 12.0)
    bad = back >= begins
    n = int(bad.sum())
    if kind in ELECTRICAL[:3]:
        echo[bad], distance[bad] = echoes.NO_PULSE + ELECTRICAL.index(kind), np.nan
    elif kind == "covered":
        distance[bad] = rng.uniform(0.02, 0.10) + np.abs(rng.normal(0, echoes.NOISE, n))
        echo[bad] = echoes.DISTANCE
    elif kind == "wet":
        glitch = rng.random(n) < 0.5
        distance[bad] = np.where(glitch, np.nan, rng.uniform(0.02, 0.3, n))
        echo[bad] = np.where(glitch, echoes.GLITCH, echoes.DISTANCE)
    elif kind == "jammed":
        distance[bad], echo[bad] = rng.uniform(0.05, echoes.FARTHEST, n), echoes.DISTANCE
    keep = ~bad if kind == "silence" else np.ones(bad.size, bool)
    pings = (back[keep], distance[keep], echo[keep])
    events = Core(walks.FS, **CORE).run(walk.t, walk.acc, walk.gyro, pings, columns=())[1]
    told = [e.t for e in events if e.event == "rear_blind" and e.state is State.RAISED]
    after = [t - begins for t in told if t >= begins]
    return Fault(kind, seed, min(after, default=SECONDS), any(t < begins for t in told))
