"""How the belt sits: lean and roll against the standing wearer's own vertical."""

from __future__ import annotations

import numpy as np
import pytest

from device.alerts import State
from device.core import Core
from tests.core.motion import rotation, sense

FS = 100.0


def stand_then(seconds, turn_to, belt, push=None):
    """Stands 3 s, turns to `turn_to` [3,3] within 1 s and stays; the belt sits at `belt` [3,3]."""
    n = int(seconds * FS)
    share = np.clip(np.arange(n) / FS - 3, 0, 1)
    axis, angle = turn_to
    turn = rotation(axis, angle * share) @ belt
    return sense(turn, np.zeros((n, 3)) if push is None else push, FS)


def mounted(inner):
    """The mounting by itself, with what it is given: library, state, body, gait, demand."""
    ffi, lib = inner
    state, body, gait = ffi.new("rg_mount *"), ffi.new("rg_body *"), ffi.new("rg_gait *")
    params, demand = ffi.new("rg_params *"), ffi.new("rg_demand *")
    lib.rg_params_default(params, FS)
    lib.rg_mount_init(state, params)
    body.dt, body.settled = 1 / FS, True
    return lib, state, body, gait, demand


def judge(acc, gyro, columns=("lean",)):
    return Core(FS).run(np.arange(len(acc)) / FS, acc, gyro, columns=columns)


@pytest.mark.parametrize("pitch", [-30, 0, 30])
@pytest.mark.parametrize("roll", [-30, 0, 30])
def test_lean_is_the_wearers_not_the_belts(pitch, roll):
    if abs(pitch) == abs(roll) == 30:
        pitch, roll = pitch * 0.7, roll * 0.7  # 30° in all
    belt = rotation(1, np.radians(pitch)) @ rotation(0, np.radians(roll))
    for lean in (-20.0, 20.0):
        acc, gyro, _ = stand_then(8, (1, np.radians(lean)), belt)
        judged = np.degrees(judge(acc, gyro)[0]["lean"])
        assert np.isnan(judged[0])  # nobody knows yet how it sits
        assert abs(judged[290]) < 1.0
        assert abs(judged[-1] - lean) < 2.5  # a belt at an angle has a small yaw as well


@pytest.mark.parametrize(("stops_at", "aligned_at"), [(None, 2.0), (1.0, None)])
def test_two_seconds_of_walking_align_it_if_nothing_comes_between(inner, stops_at, aligned_at):
    """Who sets off at once never stands a quiet second; who only moves about tells nothing."""
    lib, state, body, gait, demand = mounted(inner)
    body.up, body.acc, body.acc_norm = [0.1, 0.0, 0.995], [1.0, 0.0, 12.0], 12.0
    aligned = []
    for t in np.arange(0, 2.9, 1 / FS):
        gait.walking = t != stops_at
        lib.rg_mount_step(state, gait, body, demand)
        aligned.append(body.aligned)
    first = np.argmax(aligned) / FS if any(aligned) else None
    assert first == (aligned_at and pytest.approx(aligned_at, abs=0.03))


def test_walker_frame_signs(inner):
    """Forward, left and up are positive; so are a lean forward and a roll to the right."""
    lib, state, body, gait, demand = mounted(inner)

    def see(up, acc, gyro=(0.0, 0.0, 0.0)):
        body.up, body.acc, body.gyro = list(up), list(acc), list(gyro)
        lib.rg_mount_step(state, gait, body, demand)
        return list(body.lin), body.lean, body.roll, list(body.rate)

    lin, lean, roll, rate = see((0, 0, 1), (1.0, 2.0, 9.81 + 3.0), (0.1, 0.2, 0.3))
    assert np.allclose(lin, (1, 2, 3, 0), atol=1e-5)
    assert (lean, roll) == (0.0, 0.0)
    assert np.allclose(rate, (0.1, 0.2, 0.3, 0.0))
    forward = (-np.sin(0.3), 0.0, np.cos(0.3))  # the chest over the toes: x points down
    lin, lean, roll, _ = see(forward, np.multiply(forward, 9.81))
    assert np.allclose(lin, 0.0, atol=1e-5)
    assert np.isclose(lean, 0.3)
    assert np.isclose(roll, 0.0)
    right = (0.0, np.sin(0.3), np.cos(0.3))  # the right side down: y points up
    _, lean, roll, _ = see(right, np.multiply(right, 9.81))
    assert np.isclose(lean, 0.0)
    assert np.isclose(roll, 0.3)
    for angle in np.linspace(-1.57, 1.57, 315):
        down = (-np.sin(angle), 0.0, np.cos(angle))
        _, lean, roll, _ = see(down, np.multiply(down, 9.81))
        # beyond 60° a float's sine hardly tells any more
        assert abs(lean - angle) < (2e-6 if abs(angle) < 1.0 else 5e-4)
        assert (roll, abs(lean)) == (0.0, body.tilt)


@pytest.mark.parametrize(
    ("way", "off", "left"),
    [("RG_FORWARD", 0.1, 0.01), ("RG_FORWARD", 0.3, 0.3), ("RG_BACKWARD", -0.1, -0.1)],
)
def test_upright_walking_refines_it_and_leaning_does_not(inner, way, off, left):
    """Who stood 0.1 rad off when aligned walks upright; 0.3 rad is a lean, and stays one, and so
    does any while walking backward."""
    lib, state, body, gait, demand = mounted(inner)
    for seconds, lean, walking in ((2, 0.0, False), (60, off, True)):
        gait.walking, gait.direction = walking, getattr(lib, way)
        body.up = [-np.sin(lean), 0.0, np.cos(lean)]
        body.acc, body.acc_norm = [9.81 * x for x in body.up], 9.81
        for _ in range(int(seconds * FS)):
            lib.rg_mount_step(state, gait, body, demand)
        assert body.aligned
    assert np.isclose(body.lean, left, atol=0.01)


def test_upside_down_is_not_worn_after_ten_seconds():
    acc, gyro, _ = stand_then(25, (0, np.pi), np.eye(3))
    told = [(e.event, e.state, e.t) for e in judge(acc, gyro)[1] if e.event == "not_worn"]
    assert len(told) == 1
    assert told[0][1] is State.RAISED
    assert 13.0 < told[0][2] < 15.0


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("side", [-1, 1])
def test_lying_is_no_reason_to_say_not_worn(axis, side):
    """Gravity cannot tell a body on the floor from a belt on a table: nothing is guessed."""
    acc, gyro, _ = stand_then(60, (axis, side * np.pi / 2), np.eye(3))
    assert not [e for e in judge(acc, gyro)[1] if e.event == "not_worn"]


@pytest.mark.parametrize(
    ("walking", "roll", "lean", "told"),
    [
        (True, 0.5, 0.0, True),
        (True, -0.5, 0.0, True),
        (True, 0.0, 0.8, True),
        (True, 0.0, -0.8, True),
        (True, 0.25, 0.5, False),  # leaning far, with a limp
        (False, 0.5, 0.0, False),  # resting on an elbow
        (True, 0.0, 1.3, False),  # on hands and knees
        (True, 1.3, 0.0, False),
    ],
)
def test_who_walks_far_off_upright_wears_a_belt_that_slipped(inner, walking, roll, lean, told):
    lib, state, body, gait, demand = mounted(inner)
    asked = []
    for i in range(int(12 * FS)):
        upright = i < 3 * FS  # and then the belt sits otherwise
        gait.walking = walking and not upright
        a, b = (0.0, 0.0) if upright else (roll, lean)
        body.up = [-np.sin(b), np.sin(a), np.sqrt(1 - np.sin(a) ** 2 - np.sin(b) ** 2)]
        body.acc, body.acc_norm = [9.81 * x for x in body.up], 9.81
        demand.level[lib.RG_NOT_WORN] = 0
        lib.rg_mount_step(state, gait, body, demand)
        asked.append(demand.level[lib.RG_NOT_WORN] != 0)
    assert any(asked) == told
    if told:
        assert 5.0 < asked.index(True) / FS - 3 < 7.0


def test_a_belt_that_slips_in_a_recorded_walk_is_told(trials):
    belt, count = rotation(0, 0.6), 0
    for trial in trials("voisard_gait"):
        acc, gyro = trial.acc.copy(), trial.gyro.copy()
        k = int(7 * trial.fs)
        acc[k:], gyro[k:] = acc[k:] @ belt, gyro[k:] @ belt
        _, events = Core(trial.fs).run(trial.t, acc, gyro, columns=())
        told = [e.t - trial.t[k] for e in events if e.event == "not_worn"]
        assert told, trial.name
        assert 5.0 < told[0] < 20.0, trial.name  # some stand until 8 s later
        count += 1
    assert count >= 70


@pytest.mark.parametrize("name", ["kfall", "sisfall", "voisard_gait", "mobilised_example"])
def test_no_worn_sensor_is_called_faulty_or_not_worn(trials, name):
    """Falls, lying, jumping, standing still for half a minute: every twentieth trial."""
    count = 0
    for trial in trials(name, 20 if name in ("kfall", "sisfall") else 2):
        _, told = Core(trial.fs).run(trial.t, trial.acc, trial.gyro, columns=())
        assert not [e for e in told if e.event in ("not_worn", "imu_fault")], trial.name
        count += 1
    assert count >= 3


@pytest.mark.parametrize("axis", [0, 1])
def test_a_recorded_walk_leans_the_same_however_the_belt_sits(trials, axis):
    belt = rotation(axis, np.radians(30))
    count = 0
    for trial in trials("voisard_gait", 8):
        straight, _ = Core(trial.fs).run(trial.t, trial.acc, trial.gyro, columns=("lean",))
        turned, _ = Core(trial.fs).run(
            trial.t, trial.acc @ belt, trial.gyro @ belt, columns=("lean",)
        )
        off = np.degrees(np.abs(straight["lean"] - turned["lean"]))
        assert np.isfinite(off).mean() > 0.5, trial.name
        assert np.nanpercentile(off, 95) < 1.0, trial.name
        count += 1
    assert count >= 5
