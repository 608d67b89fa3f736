"""One approach: a wearer stands, walks backward, and something is in the way.

Nobody reacts in the simulation: the walk goes on into contact, and what the sampled wearer would
have made of the cues is worked out from their times (`wearers.stops`).

*Warnable*: from setting off until contact the target is inside the beam for at least as long as
this wearer needs: max(2 s, stopping distance / speed + 0.5 s), the time a warning is to leave.
*Barely* warnable is what is in the beam for less, but for as long as the sampled wearer takes from
a cue to standing: an older, stricter reading, reported beside it. Inside the beam is where an echo
is likelier than not, what cloth swallows apart: a detection threshold is defined at one half
(Urick, Principles of Underwater Sound, 1983, chapter 12).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from device.alerts import Level, State
from device.core import Core

from . import echoes, walks, wearers
from .echoes import Array, Reflector

HARD = ("wall", "person", "chair", "low box", "person stepping in")
SOFT = ("cloth", "oblique wall", "post 5 cm", "doorway edge")
KINDS = HARD + SOFT
LOOK = 0.005  # s between looks at what is in the beam: it comes in when it does, not when pinged at
STILL = 2.5  # s of standing before every walk
PAIR = 0.3  # s between two echoes that are told together
FASTEST = 2.4  # m/s, closing of two walkers
SIGHT = 0.15  # s after entering the beam within which a warning is in time however late it is
CORE = {"has_ranger": 1.0, "ranger_height": 1.0, "ranger_pitch": float(np.radians(5.0))}
Placed = tuple[list[Reflector], float]  # the target first; distance of the belt at contact [m]


@dataclass(frozen=True, slots=True)
class Approach:
    """What came of one; times in s before contact unless said otherwise."""

    kind: str
    seed: int
    speed: float  # m/s
    warnable: bool
    barely: bool  # not that, but in the beam for as long as it takes to stop
    in_time: bool
    stopped: bool
    best: bool  # a tracker that knows the truth as soon as an echo is possible would have sufficed
    soonest: bool  # a warning at the second consistent echo would have been in time
    at_once: bool  # a warning at the very first echo would have been, as no lone spike may warn
    first: str  # level of the first cue; empty: none
    entered: float  # s left when it came into the beam (or at setting off); NaN: never
    warned: float  # s left at the first warning or stop; NaN: none
    second_belt: bool  # one is heard
    after_two: float  # s from the second consistent echo to the warning, or to contact without one;
    # NaN: when that echo came there was more time left than anybody needs
    reaction: (
        float  # the same, but from the third where a second belt is heard: two agree by chance
    )


def approach(seed: int, kind: str) -> Approach:
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    speed = rng.uniform(0.2, 1.2)
    person, worn, place = wearers.wearer(rng), walks.belt(rng), echoes.air(rng)
    near = rng.random() < 0.2
    start = wearers.REACH + speed * rng.uniform(2.6, 5.0) if near else rng.uniform(4.3, 5.3)
    way = start - wearers.REACH  # m
    seconds = STILL + walks.STARTING / 2 + way / speed + 1.0
    walk = walks.walk(rng, worn, walks.setting_off(seconds, STILL, -speed))
    sent, looked = echoes.moments(rng, seconds - 0.2), np.arange(STILL, seconds - 0.2, LOOK)
    pose = walk.at(np.concatenate([sent, looked]))
    targets, reach = PLACE[kind](rng, pose.t, start, speed)

    touching = walk.x <= reach - start
    contact = float(walk.t[np.argmax(touching)]) if touching.any() else float(walk.t[-1])
    back, distance, echo, whose = (
        heard[: sent.size] for heard in echoes.ping(rng, pose, targets, place)
    )
    told = [
        (event.t, event.level)
        for event in Core(walks.FS, **CORE).run(
            walk.t, walk.acc, walk.gyro, (back, distance, echo), columns=()
        )[1]
        if event.event == "obstacle" and event.state is State.RAISED and event.t < contact
    ]

    seen = echoes.possible(targets[0], pose)[sent.size :] & (looked < contact)
    in_beam = LOOK * float(seen.sum())
    entered = float(looked[np.argmax(seen)]) if seen.any() else np.nan
    warned = next((t for t, level in told if level >= Level.WARNING), np.nan)
    left = contact - warned
    alone, *in_row = [
        _consistent(back, distance, whose, n) if seen.any() else np.nan for n in (1, 2, 3)
    ]
    sure, belt = in_row[0], place.neighbour > 0
    after = [
        max(0.0, np.fmin(warned, contact) - t)
        if 0.0 < contact - t <= wearers.LEAST and t > STILL + walks.STARTING
        else np.nan
        for t in in_row
    ]
    oracle = [max(entered, contact - 5.0)] if seen.any() else []
    return Approach(
        kind, seed, speed,
        warnable=bool(in_beam >= person.in_time),
        barely=bool(person.needs <= in_beam < person.in_time),
        in_time=bool(left >= person.in_time or warned - entered <= SIGHT),
        stopped=wearers.stops(person, wearers.felt(told, contact), contact, rng),
        best=wearers.stops(person, _repeated(oracle, contact), contact, rng),
        soonest=bool(contact - sure >= person.in_time or sure - entered <= SIGHT),
        at_once=bool(contact - alone >= person.in_time or alone - entered <= SIGHT),
        first=told[0][1].word if told else "",
        entered=contact - entered,
        warned=left,
        second_belt=belt,
        after_two=after[0],
        reaction=after[1] if belt else after[0],
    )  # fmt: skip


def _repeated(cues: list[float], contact: float) -> list[float]:
    return wearers.felt([(t, Level.WARNING) for t in cues], contact)


def _consistent(t: Array, distance: Array, whose: Array, n: int) -> float:
    """When the last of the first n consistent echoes of the target in a row came back [s]; or NaN.

    Consistent: within PAIR, no farther apart than two walkers can have come; whatever else was
    heard in between.
    """
    row, heard = 1, np.flatnonzero(whose == 0)
    walking = t[heard][t[heard] > STILL]
    if n == 1 and walking.size:
        return float(walking[0])
    for one, two in pairwise(heard):
        apart = t[two] - t[one]
        near = abs(distance[two] - distance[one]) <= FASTEST * apart + 3 * echoes.NOISE
        row = row + 1 if near and apart <= PAIR and t[two] > STILL else 1
        if row == n:
            return float(t[two])
    return float("nan")


def _face(
    x: float, middle: float, half_width: float, oblique: float = 0.0, **rest: float
) -> Reflector:
    """A face across the way at x, turned by `oblique` [rad] about its middle."""
    along = half_width * np.array([np.sin(oblique), np.cos(oblique)])
    at = np.array([x, middle])
    return Reflector(at - along, at + along, **rest)


def _wall(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    oblique = np.radians(rng.uniform(-5, 5))
    return [_face(-start, 0, 2.0, oblique, high=2.5)], _oblique_reach(oblique)


def _oblique(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    oblique = np.radians(rng.uniform(20, 55)) * rng.choice([-1, 1])
    return [_face(-start, 0, 4.0, oblique, high=2.5)], _oblique_reach(oblique)


def _oblique_reach(oblique: float) -> float:
    """Distance ahead at which the body's nearer side touches."""
    return wearers.REACH + wearers.HALF_BODY * abs(float(np.tan(oblique)))


def _cloth(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    """A curtain or a coat: 10 dB swallowed (assumption), half the pings missed (evaluation.md)."""
    half, oblique = rng.uniform(0.4, 1.0), np.radians(rng.uniform(-10, 10))
    return [_face(-start, 0, half, oblique, low=0.05, loss=10.0, missed=0.5)], wearers.REACH


def _post(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    at = np.array([-start, rng.uniform(-0.2, 0.2)])
    return [Reflector(at, at, radius=0.025)], wearers.REACH


def _person(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    """A trunk of 0.15 m, its clothes swallowing 6 dB and a tenth of the pings (assumptions)."""
    at = np.array([-start, rng.uniform(-0.25, 0.25)])
    return [Reflector(at, at, radius=0.15, high=1.7, loss=6.0, missed=0.1)], wearers.REACH + 0.1


def _stepping_in(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    """From the side into the way, there when 0.8 to 3 s are left."""
    there = STILL + walks.STARTING / 2 + (start - wearers.REACH) / speed - rng.uniform(0.8, 3.0)
    aside = rng.choice([-1, 1]) * np.clip((there - t) * rng.uniform(0.5, 1.4), 0, 4)
    at = np.stack([np.full(t.size, -start), aside + rng.uniform(-0.15, 0.15)], axis=1)
    return [Reflector(at, at, radius=0.15, high=1.7, loss=6.0, missed=0.1)], wearers.REACH + 0.1


def _chair(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    """Its back, 0.42 m wide, from the seat to 0.8 to 1.0 m."""
    turned, high = np.radians(rng.uniform(-20, 20)), rng.uniform(0.8, 1.0)
    return [
        _face(-start, rng.uniform(-0.15, 0.15), 0.21, turned, low=0.45, high=high)
    ], wearers.REACH


def _box(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    turned = np.radians(rng.uniform(-20, 20))
    box = _face(
        -start, rng.uniform(-0.2, 0.2), rng.uniform(0.2, 0.4), turned, high=rng.uniform(0.2, 0.6)
    )
    return [box], wearers.REACH


def _doorway(rng: np.random.Generator, t: Array, start: float, speed: float) -> Placed:
    """A wall that ends in the way, a room's far wall 3 m behind it."""
    edge, side = rng.uniform(-0.1, 0.2), rng.choice([-1, 1])
    wall = Reflector(np.array([-start, side * edge]), np.array([-start, side * 2.0]), high=2.5)
    return [wall, _face(-start - 3.0, 0, 3.0, high=2.5)], wearers.REACH


PLACE: dict[str, Callable[[np.random.Generator, Array, float, float], Placed]] = {
    "wall": _wall,
    "person": _person,
    "chair": _chair,
    "low box": _box,
    "person stepping in": _stepping_in,
    "cloth": _cloth,
    "oblique wall": _oblique,
    "post 5 cm": _post,
    "doorway edge": _doorway,
}
