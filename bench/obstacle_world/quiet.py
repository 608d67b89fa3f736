"""Time without danger: cues in it are too many.

Five minutes a scene; nothing in it would be touched. Two counts. Unjustified, as evaluation.md has
it, is a cue with no target closing: none heard that nears and is less than 5 s or 1.5 m away,
the wall walked along not counted, and any cue while standing, turning, sitting down or walking
forward. What would be passed is the rest: door frames 0.5 m aside do near, and one ranger knows no
side. Both are reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device.alerts import EVENTS, State
from device.core import Core

from . import echoes, walks, wearers
from .approaches import CORE
from .echoes import Array, Reflector
from .walks import FS

SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Quiet:
    kind: str
    seed: int
    seconds: float
    cues: dict[str, int]  # event → how often it was raised, or raised higher, and is felt
    passed: int  # of the obstacles: at something that nears, and would be passed


Scene = tuple[walks.Walk, Callable[[echoes.Poses], list[Reflector]]]
SOON, NEAR = 5.0, 1.5  # s and m within which a target that nears justifies a cue (evaluation.md)
LATELY = 0.5  # s before a cue in which the target must have been heard


def quiet(seed: int, kind: str) -> Quiet:
    rng = np.random.default_rng([seed, 100 + KINDS.index(kind)])
    walk, around = SCENES[kind](rng, walks.belt(rng))
    pose = walk.at(echoes.moments(rng, SECONDS - 0.2))
    there = around(pose)
    back, distance, echo, whose = echoes.ping(rng, pose, there, echoes.air(rng))
    events = Core(FS, **CORE).run(walk.t, walk.acc, walk.gyro, (back, distance, echo), columns=())[
        1
    ]
    felt = [
        e
        for e in events
        if e.state is State.RAISED and e.event in EVENTS and EVENTS[e.event].felt.get(e.level)
    ]
    nears = np.zeros(pose.t.size, bool)
    for index in range(2, len(there)) if kind == "corridor" else ():
        nears |= (whose == index) & _nears(there[index], pose)
    passed = sum(
        bool(np.any(nears & (back <= e.t) & (back > e.t - LATELY)))
        for e in felt
        if e.event == "obstacle"
    )
    return Quiet(kind, seed, SECONDS, dict(Counter(e.event for e in felt)), passed)


def _nears(target: Reflector, pose: echoes.Poses) -> NDArray[np.bool_]:
    """Ping by ping: nearer than two or three pings before, and soon or near.

    Behind a door frame that was passed stands the next: what stands there now is looked at from
    where the wearer was then, not what stood there.
    """
    r, _ = echoes.excess(target, pose)
    before = np.searchsorted(pose.t, pose.t - 0.12)
    then, _ = echoes.excess(target, pose.taken(before))
    closing = (then - r) / np.maximum(pose.t - pose.t[before], 1e-3)
    soon = r - wearers.REACH <= SOON * closing
    return (closing > 0) & (soon | (r < NEAR))


def _time() -> Array:
    return np.arange(round(SECONDS * FS)) / FS


def _now_and_then(
    rng: np.random.Generator, on: tuple[float, float], off: tuple[float, float]
) -> Array:
    """0 and 1 in turn, s of each drawn from (least, most), begins and ends over STARTING s."""
    wanted = np.zeros(round(SECONDS * FS))
    t = 3.0
    while t < SECONDS:
        lasts = rng.uniform(*on)
        wanted[round(t * FS) : round((t + lasts) * FS)] = 1.0
        t += lasts + rng.uniform(*off)
    ramp = np.ones(round(walks.STARTING * FS))
    return np.convolve(wanted, ramp / ramp.size, "full")[: wanted.size]


def _aside(y: float, pose: echoes.Poses) -> Reflector:
    """A long wall along the way at y [m]."""
    a = np.stack([pose.x - 20, np.full(pose.t.size, y)], axis=1)
    b = np.stack([pose.x + 20, np.full(pose.t.size, y)], axis=1)
    return Reflector(a, b, high=2.5)


def _frames(
    rng: np.random.Generator, y: float, pose: echoes.Poses, ahead: float
) -> list[Reflector]:
    """Door frames that stand out of that wall every 2 to 5 m: face, and the corner with the wall.

    The corner throws back what comes in, as a post of 5 cm radius would (0.1 m deep, at 2 m).
    """
    every, depth = rng.uniform(2, 5), rng.uniform(0.04, 0.12)
    count = np.floor(pose.x / every) if ahead < 0 else np.ceil(pose.x / every)
    at = np.stack([count * every, np.full(pose.t.size, y)], axis=1)
    inner = at - np.array([0.0, np.sign(y) * depth])
    return [Reflector(at, inner, high=2.1), Reflector(at, at, radius=0.05, high=2.1)]


def _corridor(rng: np.random.Generator, worn: walks.Belt) -> Scene:
    speed = -rng.uniform(0.2, 1.2) * _now_and_then(rng, (15, 60), (3, 10))
    ways = rng.uniform(0.6, 1.5), -rng.uniform(0.6, 1.5)

    def around(pose: echoes.Poses) -> list[Reflector]:
        found = [_aside(y, pose) for y in ways]
        return found + [part for y in ways for part in _frames(rng, y, pose, -1)]

    return walks.walk(rng, worn, speed), around


def _alongside(rng: np.random.Generator, worn: walks.Belt) -> Scene:
    speed = -rng.uniform(0.2, 1.2) * _now_and_then(rng, (15, 60), (3, 10))
    y = rng.choice([-1, 1]) * rng.uniform(0.4, 1.2)
    return walks.walk(rng, worn, speed), lambda pose: [_aside(y, pose)]


def _open(rng: np.random.Generator, worn: walks.Belt) -> Scene:
    speed = -rng.uniform(0.2, 1.2) * _now_and_then(rng, (15, 60), (3, 10))
    return walks.walk(rng, worn, speed), lambda pose: []


def _standing(rng: np.random.Generator, worn: walks.Belt) -> Scene:
    """A wall or a waving curtain 0.5 to 3.5 m behind; people pass; the wearer reaches and looks."""
    t = _time()
    bend = rng.uniform(-0.15, 0.25) * _now_and_then(rng, (2, 6), (5, 20))
    behind, far = rng.uniform(0.5, 3.5), rng.uniform(0.8, 3.0)
    soft = rng.random() < 0.3
    wave = rng.uniform(0.0, 0.04) if soft else 0.0
    passing = np.mod(t + rng.uniform(0, 30), rng.uniform(15, 40)) * rng.uniform(0.6, 1.4) - 4.0

    def around(pose: echoes.Poses) -> list[Reflector]:
        x = -behind + wave * np.sin(2 * np.pi * 0.4 * pose.t)
        a, b = (np.stack([x, np.full(pose.t.size, y)], axis=1) for y in (-1.5, 1.5))
        wall = Reflector(a, b, high=2.5, loss=10.0 * soft, missed=0.5 * soft)
        at = np.stack([np.full(pose.t.size, -far), np.interp(pose.t, t, passing)], axis=1)
        return [wall, Reflector(at, at, radius=0.15, high=1.7, loss=6.0, missed=0.1)]

    return walks.walk(rng, worn, np.zeros(t.size), bend=bend), around


def _turning(rng: np.random.Generator, worn: walks.Belt) -> Scene:
    """On the spot, in a room whose walls are 1.2 to 3 m away."""
    rate = rng.choice([-1, 1]) * rng.uniform(0.4, 1.6)
    turn = rate * _now_and_then(rng, (1.0, 4.0), (1.0, 8.0))
    west, east, south, north = rng.uniform(1.2, 3.0, 4) * [-1, 1, -1, 1]
    corners = [np.array(p) for p in ((west, south), (east, south), (east, north), (west, north))]

    def around(pose: echoes.Poses) -> list[Reflector]:
        pairs = zip(corners, corners[1:] + corners[:1], strict=True)
        return [Reflector(a, b, high=2.5) for a, b in pairs]

    return walks.walk(rng, worn, np.zeros(turn.size), turn=turn), around


def _forward(rng: np.random.Generator, worn: walks.Belt) -> Scene:
    """Along a corridor; every other time a companion follows at 1 to 2 m."""
    speed = rng.uniform(0.3, 1.4) * _now_and_then(rng, (15, 60), (3, 10))
    ways = rng.uniform(0.6, 1.5), -rng.uniform(0.6, 1.5)
    follows, gap = rng.random() < 0.5, rng.uniform(1.0, 2.0)

    def around(pose: echoes.Poses) -> list[Reflector]:
        found = [_aside(y, pose) for y in ways]
        found += [part for y in ways for part in _frames(rng, y, pose, -1)]
        found.append(Reflector(np.array([-0.6, -2.0]), np.array([-0.6, 2.0]), high=2.5))
        if follows:
            x = pose.x - gap + 0.1 * np.sin(2 * np.pi * 0.1 * pose.t)
            at = np.stack([x, np.zeros(x.size)], axis=1)
            found.append(Reflector(at, at, radius=0.15, high=1.7, loss=6.0, missed=0.1))
        return found

    return walks.walk(rng, worn, speed), around


def _sitting(rng: np.random.Generator, worn: walks.Belt) -> Scene:
    """Down and up again: 0.45 m lower, 0.25 m back; a wall 0.6 to 1.5 m behind who stands."""
    down = _now_and_then(rng, (8, 20), (8, 20))
    moving = np.abs(np.gradient(down, 1 / FS)) * walks.STARTING
    wall = -rng.uniform(0.6, 1.5)
    level = Reflector(np.array([wall, -1.5]), np.array([wall, 1.5]), high=2.5)
    soft = np.convolve(down, np.hanning(100) / np.hanning(100).sum(), "same")
    bend = 0.5 * np.convolve(moving, np.hanning(100) / np.hanning(100).sum(), "same")
    seat = walks.walk(rng, worn, np.zeros(down.size), bend=bend, drop=0.45 * soft, back=0.25 * soft)
    return seat, lambda pose: [level]


SCENES: dict[str, Callable[[np.random.Generator, walks.Belt], Scene]] = {
    "corridor": _corridor,
    "wall alongside": _alongside,
    "open space": _open,
    "standing": _standing,
    "turning": _turning,
    "walking forward": _forward,
    "sitting down": _sitting,
}
KINDS = tuple(SCENES)
