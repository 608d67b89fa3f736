"""The simulated world keeps the laws of the real one, and is the same each time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.sources.gait import cadence
from device.sources.scenarios import SCENARIOS
from device.sources.targets import HALF_ANGLE, MAX_RANGE, Scene, Target, chair, person
from device.sources.wearer import GRAVITY, REACH, Act, Wearer
from device.sources.world import World

DT = 1 / 104.0


def rng(seed: int) -> Random:
    return Random(seed)


def world(script: Callable[[Wearer], Act], seed: int = 1) -> World:
    def play(world: World) -> Act:
        yield from script(world.wearer)
        while True:
            yield from world.wearer.stand(60.0)

    return World(play, 0.0, seed)


def live(world: World, seconds: float) -> tuple[Any, Any]:
    """acc, gyro [n,3] of so many seconds more."""
    start = world.wearer.t
    pairs = [world.imu(start + DT * (k + 1)) for k in range(round(seconds / DT))]
    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])


def angle(a: Any, b: Any) -> float:
    cosine = float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))
    return math.degrees(math.acos(min(1.0, cosine)))


def carried(up: Any, gyro: Any) -> Any:
    """The vertical `up`, fixed in space, as a body sees it that turns with `gyro`."""
    for rate in gyro:
        turn = -rate * DT
        size = np.linalg.norm(turn)
        axis = turn / max(size, 1e-12)
        across = np.cross(axis, up)
        up = up + across * math.sin(size) + np.cross(axis, across) * (1 - math.cos(size))
    return up


# --- the body ---


@pytest.mark.parametrize("seed", range(5))
def test_at_rest_the_belt_feels_gravity_and_no_turn(seed: int) -> None:
    acc, gyro = live(world(lambda w: w.stand(9.0), seed), 8.0)
    assert np.linalg.norm(acc, axis=1) == pytest.approx(GRAVITY, abs=0.02)
    assert abs(gyro).max() < 0.15
    assert angle(acc.mean(0), (0, 0, 1)) < 10.0  # worn a little askew


ACTS: dict[str, Callable[[Wearer], Act]] = {
    "walk": lambda w: w.walk(-0.7, 8.0),
    "stumble": lambda w: w.stumble(),
    "fall": lambda w: w.fall(),
}


@pytest.mark.parametrize("act", ACTS)
def test_turn_rates_and_gravity_tell_the_same_attitude(act: str) -> None:
    """Before and after, the accelerometer shows the vertical; between, the gyroscope carries it."""

    def script(w: Wearer) -> Act:
        yield from w.stand(1.0)
        yield from ACTS[act](w)
        yield from w.lie(30.0) if act == "fall" else w.stop()

    w = world(script)
    before = live(w, 1.0)[0][-1]
    gyro = live(w, 14.0)[1]
    after = live(w, 1.0)[0].mean(0)
    assert angle(carried(before, gyro), after) < 3.0
    if act == "fall":
        assert angle(before, after) > 70.0


@pytest.mark.parametrize("act", ["stumble", "fall"])
def test_what_goes_down_is_stopped(act: str) -> None:
    """Vertical speed is nought before and after, so that acceleration adds up to nothing."""
    w = world(ACTS[act])
    speed = slowest = 0.0
    for k in range(400):
        w.imu(DT * (k + 1))
        speed += w.wearer.acc[2] * DT
        slowest = min(slowest, speed)
    assert speed == pytest.approx(0.0, abs=0.35)
    assert slowest < (-2.5 if act == "fall" else -0.3)


def test_a_fall_looks_like_recorded_backward_falls() -> None:
    def script(w: Wearer) -> Act:
        yield from w.walk(-0.65, 4.0)
        yield from w.fall()

    for seed in range(5):
        acc, gyro = live(world(script, seed), 6.0)
        norm = np.linalg.norm(acc, axis=1)
        assert 40.0 < norm.max() < 120.0
        assert norm[: norm.argmax()].min() < 3.0
        assert 2.5 < abs(gyro[:, 1]).max() < 8.0


def test_a_stumble_looks_like_recorded_ones() -> None:
    def script(w: Wearer) -> Act:
        yield from w.walk(-0.65, 4.0)
        yield from w.stumble()

    for seed in range(5):
        acc, gyro = live(world(script, seed), 8.0)
        assert 25.0 < np.linalg.norm(acc, axis=1).max() < 54.0
        assert 1.0 < abs(gyro).max() < 6.0


@pytest.mark.parametrize("speed", [-0.8, -0.5, 0.9])
def test_a_walk_goes_where_it_is_sent_at_its_cadence(speed: float) -> None:
    w = world(lambda w: w.walk(speed, 60.0))
    live(w, 5.0)
    x, contacts = w.wearer.x, 0
    newest = w.wearer.contacts[-1]
    for _ in range(round(40 / DT)):
        w.imu(w.wearer.t + DT)
        contacts += w.wearer.contacts[-1] != newest
        newest = w.wearer.contacts[-1]
    assert w.wearer.x - x == pytest.approx(40 * speed, rel=0.01)
    assert contacts == pytest.approx(cadence(abs(speed)) * 40 / 60, rel=0.04)


@pytest.mark.parametrize(("speed", "sign"), [(-0.7, 1), (0.9, -1)])
def test_after_a_contact_the_walk_is_braked(speed: float, sign: int) -> None:
    """Forward walkers are pushed back by the ground after a contact, backward ones forward."""
    w = world(lambda w: w.walk(speed, 60.0))
    live(w, 4.0)
    pushes = []
    for _ in range(round(30 / DT)):
        acc, _ = w.imu(w.wearer.t + DT)
        if 0.12 <= w.wearer.t - w.wearer.contacts[-1] < 0.30:
            pushes.append(acc[0])
    whole = live(w, 20.0)[0][:, 0].mean()
    assert sign * (statistics.fmean(pushes) - whole) > 0.3


def test_a_warned_wearer_stops_and_one_pulse_is_borne() -> None:
    def walked(pulses: list[tuple[float, float]]) -> float:
        def script(w: Wearer) -> Act:
            yield from w.walk(-0.6, 60.0)
            yield from w.stop()

        w = world(script)
        live(w, 5.0)
        x = w.wearer.x
        for on, off in pulses:
            w.drive(0.8)
            live(w, on)
            w.drive(0.0)
            live(w, off)
        live(w, 3.0)
        return x - w.wearer.x

    assert walked([(0.15, 0.1), (0.15, 1.0)]) == pytest.approx(0.6 * 4.4, rel=0.05)
    reaction_and_stop = 0.35 + 0.05 + 0.6 + 0.57
    assert walked([(0.6, 0.1)]) < 0.6 * reaction_and_stop


# --- what stands behind ---


@settings(max_examples=100, deadline=None)
@given(
    x=st.floats(0.05, 4.2),
    y=st.floats(-2.0, 2.0),
    elevation=st.floats(-0.3, 0.3),
    seed=st.integers(0, 99),
)
def test_an_echo_is_never_nearer_than_the_target_nor_beyond_reach(
    x: float, y: float, elevation: float, seed: int
) -> None:
    target = Target(-x, y, half_width=0.3, missed=0.0)
    echo = Scene([target]).echo(0.0, 1.0, elevation, rng(seed))
    aside = max(0.0, abs(y) - 0.3)
    if echo is None:
        assert aside > 0 or x > MAX_RANGE - 0.05
    else:
        assert echo == pytest.approx(math.hypot(x, aside), abs=0.03)
        assert math.atan2(aside, x) <= HALF_ANGLE + 1e-6
        assert echo <= MAX_RANGE


def test_what_is_before_beside_or_below_the_beam_does_not_echo() -> None:
    random = rng(1)
    kerb = Target(-2.0, high=0.15, missed=0.0)
    for target in (Target(1.0, missed=0.0), Target(-1.0, y=2.0, missed=0.0), kerb):
        assert Scene([target]).echo(0.0, 1.0, 0.0, random) is None
    assert Scene([kerb]).echo(0.0, 1.0, -0.5, random) is not None
    assert Scene([]).echo(0.0, 0.1, -1.5, random) is None  # lying on the sensor


def test_soft_things_swallow_their_share() -> None:
    random, scene = rng(2), Scene([person(-2.0)])
    lost = sum(scene.echo(0.0, 1.0, 0.0, random) is None for _ in range(4000))
    assert lost / 4000 == pytest.approx(0.2, abs=0.03)


def test_who_is_not_warned_runs_into_the_chair() -> None:
    def script(world: World) -> Act:
        world.scene.targets = [chair(-2.0)]
        yield from world.wearer.walk(-0.6, 60.0)
        yield from world.wearer.stop()
        while True:
            yield from world.wearer.stand(60.0)

    w = World(script, 0.0)
    live(w, 10.0)
    assert w.wearer.touches
    assert -1.7 < w.wearer.x < -2.0 + REACH + 0.01


# --- the world ---


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_the_same_each_time_and_goes_on_for_minutes(name: str) -> None:
    a, b, c = (World(SCENARIOS[name].script, 0.0, seed) for seed in (1, 1, 2))
    first, again, other = live(a, 130.0)[0], live(b, 60.0)[0], live(c, 60.0)[0]
    assert np.array_equal(first[: len(again)], again)
    assert not np.array_equal(again, other)
    assert np.isfinite(first).all()
    assert "\n" not in SCENARIOS[name].title


def test_the_button_chatters_and_then_stands() -> None:
    w = world(lambda w: w.press(0.3))
    levels = [w.pressed(k * 0.0005) for k in range(1, 800)]
    assert len(set(levels[:9])) == 2
    assert all(levels[10:590])
    assert not any(levels[612:])
